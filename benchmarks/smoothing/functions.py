"""Which functions and metrics each library has, asked of the library itself, and defects found.

``python -m benchmarks.smoothing functions``
"""

from __future__ import annotations

import math
from importlib import import_module
from importlib.util import find_spec

import torch

from anypart.calculus import smoothing
from anypart.calculus.smoothing import metrics
from anypart.calculus.smoothing.metrics import f1, logits

# Our name → what a peer calls it.
FUNCTIONS = {
    "max": ("max",),
    "min": ("min",),
    "abs": ("abs",),
    "step": ("heaviside", "step"),
    "greater": ("greater",),
    "sign": ("sign",),
    "floor": ("floor",),
    "round": ("round",),
    "clip": ("clamp", "clip"),
    "argmax": ("argmax",),
    "one_hot_argmax": ("argmax",),
    "top_k": ("topk",),
    "top_k_mask": ("topk",),
    "sort": ("sort", "soft_sort"),
    "rank": ("rank", "soft_rank"),
    "quantile": ("quantile",),
    "median": ("median",),
}
METRICS = {
    "accuracy": ("Accuracy",),
    "precision": ("Precision",),
    "recall": ("Recall",),
    "f1": ("F1",),
    "f_beta": ("FBeta",),
    "iou": ("Jaccard", "IoU"),
    "matthews": ("Matthews", "MCC"),
    "auc": ("AUCM", "AUROC"),
    "average_precision": ("APLoss", "AveragePrecision"),
    "ndcg": ("NDCG", "RetrievalNormalizedDCG"),
    "calibration_error": ("CalibrationError",),
    "edit_distance": ("EditDistance",),
    "bleu": ("BLEU",),
    "expected_f_beta": ("ExpectedF",),
}


def names(module: str) -> set[str] | None:
    """Public names of a library; None if it is not here."""
    if not find_spec(module.partition(".")[0]):
        return None
    try:
        return {n for n in dir(import_module(module)) if not n.startswith("_")}
    except Exception as error:  # a peer may fail to import for reasons of its own
        print(f"{module}: {error}")
        return None


def has(found: set[str] | None, wanted: tuple[str, ...], *, part: bool) -> str:
    """Say yes, – or ? (the library is not here)."""
    if found is None:
        return "?"
    hits = (any(n.startswith(w) for n in found) if part else w in found for w in wanted)
    return "yes" if any(hits) else "–"


def run() -> list[str]:
    """Write both tables and the defects."""
    peers = {n: names(n) for n in ("softtorch", "torchsort", "fast_soft_sort")}
    lines = [
        "# Functions and metrics, ours and the peers'",
        "",
        "`python -m benchmarks.smoothing functions`",
        "",
        "Names are looked up in the installed libraries; ? is not installed here (fast-soft-sort "
        "is not in the package registry; it has sort and rank).",
        "",
        f"| function | anypart | {' | '.join(peers)} |",
        "|---|---|" + "---|" * len(peers),
    ]
    for name, wanted in FUNCTIONS.items():
        assert isinstance(getattr(smoothing, name), smoothing.Smooth)
        cells = [has(found, wanted, part=False) for found in peers.values()]
        lines.append(f"| {name} | yes | {' | '.join(cells)} |")
    bounds = [
        "yes" if found and any("bound" in n for n in found) else "?" if found is None else "–"
        for found in peers.values()
    ]
    lines.append(f"| a bound of the error as a callable | yes | {' | '.join(bounds)} |")
    libauc = names("libauc.losses")
    torchmetrics = names("torchmetrics")
    lines += [
        "",
        "| metric as a loss | anypart | libauc | torchmetrics (no derivative) |",
        "|---|---|---|---|",
    ]
    for name, wanted in METRICS.items():
        assert hasattr(metrics, name)
        cells = [has(found, wanted, part=True) for found in (libauc, torchmetrics)]
        lines.append(f"| {name} | yes | {' | '.join(cells)} |")
    return [*lines, "", "## Defects found", "", *_defects()]


def _defects() -> list[str]:
    lines = list[str]()
    z, y = torch.tensor([9.0, -9.0, 9.0, -9.0]), torch.tensor([1, 0, 1, 0])
    twice = torch.sigmoid(torch.sigmoid(z))
    costs = 1 - 2 * (twice * y).sum() / (twice + y).sum()
    lines.append(
        f"- sigmoidF1's reference code applies the sigmoid twice: a perfect classifier costs "
        f"{float(costs):.3f} on a balanced set; ours {float(f1.loss(logits(z), y)):.4f}."
    )
    x, p = torch.tensor([0.0, 2.0]), torch.zeros(2)
    for _ in range(2):
        p = p + torch.softmax((1 - p) * x, 0)
    right = smoothing.top_k_mask(x, 1.0, 2)
    lines.append(
        f"- The iterated top-k of the article gives {[round(v, 3) for v in p.tolist()]} for the "
        f"two largest of [0, 2]; ours {right.tolist()}."
    )
    if find_spec("torchsort"):
        import torchsort

        for t in (1e-6, 1e6):
            v = torch.randn(2, 1000, generator=torch.Generator().manual_seed(2))
            exact = smoothing.sort(v.double(), t)
            off = (torchsort.soft_sort(v, regularization_strength=t) - exact).abs().max()
            own = (smoothing.sort(v, t) - exact).abs().max()
            lines.append(
                f"- Soft sort of 1,000 float32 values at temperature {t:g} beside double "
                f"precision: torchsort is off by {float(off):.2g}, anypart by {float(own):.2g}."
            )
    if find_spec("softtorch"):
        import softtorch

        v = torch.tensor([math.nan, 1.0, 2.0])
        lines.append(
            f"- softtorch.max of [NaN, 1, 2] is {float(softtorch.max(v, dim=-1)[0]):g} without a "
            "word; ours refuses NaN."
        )
    return lines
