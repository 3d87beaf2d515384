"""Which functions and metrics each library has, asked of the library itself.

``python -m benchmarks.smoothing functions``
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec

import torch

from anypart.calculus import smoothing
from anypart.calculus.smoothing import metrics
from benchmarks.smoothing import defects

# Our name → what a peer calls it.
FUNCTIONS = {
    "max": ("max",),
    "min": ("min",),
    "abs": ("abs",),
    "step": ("heaviside",),
    "greater": ("greater", "less", "greater_equal", "less_equal"),
    "sign": ("sign",),
    "floor": ("floor",),
    "round": ("round",),
    "clip": ("clamp", "clip"),
    "argmax": ("argmax",),
    "one_hot_argmax": ("argmax",),
    "top_k": ("topk",),
    "top_k_mask": ("topk",),
    "sort": ("sort", "soft_sort", "DiffSortNet"),
    "rank": ("rank", "soft_rank"),
    "quantile": ("quantile",),
    "median": ("median",),
}
METRICS = {
    "accuracy": ("Accuracy",),
    "precision": ("Precision",),
    "recall": ("Recall",),
    "f1": ("F1Score", "Dice"),
    "f_beta": ("FBetaScore",),
    "iou": ("JaccardIndex",),
    "matthews": ("MatthewsCorrCoef",),
    "auc": ("AUROC", "AUCMLoss", "PairwiseAUCLoss", "CompositionalAUCLoss"),
    "average_precision": ("AveragePrecision", "APLoss", "AveragePrecisionLoss", "RetrievalMAP"),
    "ndcg": ("NDCGLoss", "RetrievalNormalizedDCG"),
    "calibration_error": ("CalibrationError",),
    "edit_distance": ("EditDistance", "WordErrorRate"),
    "bleu": ("BLEUScore", "SacreBLEUScore"),
    "expected_f_beta": (),
}
SORTERS = ("softtorch", "torchsort", "fast_soft_sort", "diffsort")
READ = {  # in their sources, of SORTERS
    "along any dimension": ("yes", "last of 2", "last of 2", "last of 2"),
    "sort and rank at O(n log n)": ("one method of six", "yes", "yes, rows in a loop", "–"),
    "installs without a compiler": ("yes", "–", "yes, not in the registry", "yes"),
}


def functions_of(peer: str) -> set[str] | None:
    """Public callables of a library, None if it is not here."""
    if not find_spec(peer):
        return None
    module = import_module("fast_soft_sort.pytorch_ops" if peer == "fast_soft_sort" else peer)
    return {n for n, f in vars(module).items() if callable(f) and not n.startswith("_")}


def losses_of_libauc() -> set[str] | None:
    """Classes of losses, None if it is not here."""
    if not find_spec("libauc"):
        return None
    found = vars(import_module("libauc.losses")).items()
    return {n for n, c in found if inspect.isclass(c) and n.endswith("Loss")}


def metrics_of_torchmetrics() -> set[str] | None:
    """Classes for classification, retrieval and text, None if it is not here."""
    if not find_spec("torchmetrics"):
        return None
    found = set[str]()
    for part in ("classification", "retrieval", "text"):
        module = import_module(f"torchmetrics.{part}")
        found |= {n for n in module.__all__ if not n.startswith(("Binary", "Multi"))}
    return found


def cell(found: set[str] | None, wanted: Iterable[str]) -> str:
    """Say yes, – or ? (the library is not here)."""
    return "?" if found is None else "yes" if found & set(wanted) else "–"


def row(name: str, cells: Iterable[str], own: str = "yes") -> str:
    """Write a row of a table."""
    return f"| {name} | {own} | {' | '.join(cells)} |"


def by_function() -> list[str]:
    """Tell who has which function, and which properties."""
    peers = {n: functions_of(n) for n in SORTERS}
    lines = [row("function", [defects.release(n) for n in peers], "anypart")]
    lines.append("|---|---|" + "---|" * len(peers))
    for name, wanted in FUNCTIONS.items():
        assert isinstance(getattr(smoothing, name), smoothing.Smooth)
        lines.append(row(name, [cell(found, wanted) for found in peers.values()]))
    twins = ["–" if f is None else "yes" if "sort_st" in f else "–" for f in peers.values()]
    bounds = [
        "?" if f is None else "yes" if any("bound" in n for n in f) else "–" for f in peers.values()
    ]
    return [
        *lines,
        row("a straight-through twin", twins),
        row("a bound of the error as a callable", bounds),
        *(row(what, cells) for what, cells in READ.items()),
        "",
        "anypart has not: " + missing(peers["softtorch"], FUNCTIONS, "softtorch"),
    ]


def missing(found: set[str] | None, ours: dict[str, tuple[str, ...]], peer: str) -> str:
    """List what a peer has under a name that nothing of ours answers to."""
    if found is None:
        return f"? ({peer} is not here)."
    known = {word for words in ours.values() for word in words}
    rest = sorted(n for n in found - known if not n.endswith("_st"))
    return f"{', '.join(rest)} ({defects.release(peer)})."


def by_metric() -> list[str]:
    """Tell who has which metric."""
    libauc, torchmetrics = losses_of_libauc(), metrics_of_torchmetrics()
    peers = [defects.release("libauc"), f"{defects.release('torchmetrics')} (no derivative)"]
    lines = [row("metric as a loss", peers, "anypart"), "|---|---|---|---|"]
    for name, wanted in METRICS.items():
        assert isinstance(getattr(metrics, name), metrics.Metric)
        lines.append(row(name, [cell(found, wanted) for found in (libauc, torchmetrics)]))
    return [
        *lines,
        "",
        "f1 is also Dice's coefficient. anypart has not: "
        + missing(libauc, METRICS, "libauc")
        + " "
        + missing(torchmetrics, METRICS, "torchmetrics"),
    ]


def run() -> list[str]:
    """Write both tables and the defects."""
    torch.set_num_threads(1)
    return [
        "# Functions and metrics, ours and the peers'",
        "",
        "`python -m benchmarks.smoothing functions`",
        "",
        "Names are looked up in the installed libraries; ? is not installed here. What a peer "
        "has and anypart has not stands below each table. softtorch calls the temperature "
        "softness, and scales it by the spread of the values. The last three rows of the first "
        "table were read in the sources.",
        "",
        *by_function(),
        "",
        *by_metric(),
        "",
        "## Defects found",
        "",
        "`python -m benchmarks.smoothing defects` runs each again.",
        "",
        *defects.table(),
    ]
