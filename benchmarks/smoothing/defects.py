"""What peers do wrong, each shown by running them.

``python -m benchmarks.smoothing defects`` prints every one: what was asked, what the installed
peer gives, and what anypart gives. A peer that is not here is left out; one whose defect is
mended says so.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor

from anypart.base.errors import AnypartError
from anypart.calculus import smoothing
from anypart.calculus.smoothing.metrics import auc, f1, logits, matthews, probabilities
from benchmarks.smoothing.losses import aucm_at_its_best

NAN, INF = math.nan, math.inf
Found = tuple[Any, Any, bool]  # what the peer gives, what anypart gives, whether it is a defect


@dataclass(frozen=True)
class Defect:
    """One thing asked of a peer and of anypart.

    Args:
        peer: its package; "formula" for code that is in no package.
        asked: what is asked.
        right: what would be right.
        show: runs both.

    """

    peer: str
    asked: str
    right: str
    show: Callable[[], Found]


def plain(value: Any) -> str:
    """Write a value in few digits."""
    if isinstance(value, Tensor):
        value = value.detach().tolist()
    if isinstance(value, list):
        return f"[{', '.join(plain(v) for v in value)}]"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def refused(call: Callable[[], Any]) -> Any:
    """Give what a call gives, or how it is refused."""
    try:
        return call()
    except (AnypartError, AttributeError) as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def nan_among(values: Tensor) -> bool:
    """Say whether any is NaN."""
    return bool(values.isnan().any())


def sigmoid_twice() -> Found:
    z, y = torch.tensor([9.0, -9.0, 9.0, -9.0]), torch.tensor([1, 0, 1, 0])
    twice = torch.sigmoid(torch.sigmoid(z))
    theirs = float(1 - 2 * (twice * y).sum() / (twice + y).sum())
    return theirs, float(f1.loss(logits(z), y)), theirs > 0.1


def iterated_top_k() -> Found:
    x, p = torch.tensor([0.0, 2.0]), torch.zeros(2)
    for _ in range(2):
        p = p + torch.softmax((1 - p) * x, 0)
    return p, smoothing.top_k_mask(x, 1.0, 2), float(p.max()) > 1.01


def lower_bound_of_bleu() -> Found:
    """Three words, each the wanted one with chance ½; E min(count, 2) is 11/8."""
    from anypart.calculus.smoothing.metrics.ngrams import Grams, expected_clipped_counts

    theirs = sum(0.5 * min(1.0, 2 / (1 + 2 * 0.5)) for _ in range(3))
    words = torch.full((1, 3, 2), 0.5)
    ours = float(expected_clipped_counts(words, Grams.of([[0, 0]], 1)))
    return theirs, ours, theirs > ours


def torchsort_precision() -> Found:
    import torchsort

    x = torch.randn(2, 1000, generator=torch.Generator().manual_seed(2))
    exact = smoothing.sort(x.double(), 1e-6)
    theirs = float((torchsort.soft_sort(x, regularization_strength=1e-6) - exact).abs().max())
    return theirs, float((smoothing.sort(x, 1e-6) - exact).abs().max()), theirs > 1e-3


def torchsort_infinity() -> Found:
    import torchsort

    x = torch.tensor([[1.0, INF, -INF]])
    theirs = torchsort.soft_rank(x, regularization_strength=1.0)
    return theirs[0], smoothing.rank(x, 1.0)[0], nan_among(theirs)


def torchsort_nan() -> Found:
    import torchsort

    x = torch.tensor([[1.0, NAN, 2.0]])
    theirs = torchsort.soft_rank(x, regularization_strength=1.0)[0]
    return theirs, refused(lambda: smoothing.rank(x, 1.0)), not bool(theirs.isnan().all())


def torchsort_negative() -> Found:
    import torchsort

    x = torch.tensor([[1.0, 3.0, 2.0]])
    theirs = torchsort.soft_rank(x, regularization_strength=-1.0)[0]
    return theirs, refused(lambda: smoothing.rank(x, -1.0)), True


def fast_soft_sort_numpy() -> Found:
    from fast_soft_sort import numpy_ops

    theirs = refused(lambda: numpy_ops.SoftRank(np.array([2.0, 1.0])).compute().tolist())
    ours = smoothing.rank(torch.tensor([2.0, 1.0]), 1.0)
    return theirs, ours, isinstance(theirs, str)


def softtorch_nan() -> Found:
    import softtorch

    x = torch.tensor([NAN, 1.0, 2.0])
    theirs = softtorch.max(x, dim=-1)[0]
    return theirs, refused(lambda: smoothing.max(x, 0.1)), nan_among(theirs)


def softtorch_masked() -> Found:
    import softtorch

    x = torch.tensor([-INF, 1.0, 2.0])
    theirs = softtorch.max(x, dim=-1)[0]
    return theirs, smoothing.max(x, 0.1), nan_among(theirs)


def softtorch_mask() -> Found:
    import softtorch

    x = torch.tensor([-1.5, -1.5, -0.3, 0.6])
    theirs = softtorch.topk(x, k=3, dim=-1, softness=0.3)[1].sum(0)
    return theirs, smoothing.top_k_mask(x, 0.3, 3), float(theirs.max()) > 1.001


def softtorch_cold() -> Found:
    import softtorch

    x = torch.tensor([2.0, 1.0, 4.0, 5.0, 3.0])
    theirs = softtorch.sort(x, dim=-1, softness=1e-6, method="fast_soft_sort")[0]
    return theirs, smoothing.sort(x, 1e-6), float((theirs - x.sort().values).abs().max()) > 1e-3


def softtorch_network() -> Found:
    import softtorch

    x = torch.tensor([2.0, 1.0, 4.0, 5.0, 3.0])
    theirs = softtorch.sort(x, dim=-1, softness=1.0, method="sorting_network")[0]
    return float(theirs.sum()), float(smoothing.sort(x, 1.0).sum()), abs(theirs.sum() - 15) > 0.1


def torchmetrics_guess() -> Found:
    from torchmetrics.functional import f1_score

    z, y = torch.tensor([0.2, 0.4, 0.9, 0.1]), torch.tensor([1, 1, 1, 0])
    theirs = [float(f1_score(scale * z, y, task="binary")) for scale in (1, 9)]
    ours = [float(f1(logits(scale * z), y, 0)) for scale in (1, 9)]
    return theirs, ours, theirs[0] != theirs[1]


def torchmetrics_nan() -> Found:
    from torchmetrics.functional import auroc

    p, y = torch.tensor([0.1, NAN, 0.3, 0.4]), torch.tensor([0, 1, 0, 1])
    theirs = float(auroc(p, y, task="binary"))
    return theirs, refused(lambda: auc(probabilities(p), y, 0)), not math.isnan(theirs)


def torchmetrics_one_class() -> Found:
    from torchmetrics.functional import auroc

    p, y = torch.tensor([0.1, 0.2, 0.3]), torch.tensor([0, 0, 0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = float(auroc(p, y, task="binary"))
    return theirs, refused(lambda: auc(probabilities(p), y, 0)), theirs == 0


def torchmetrics_matthews() -> Found:
    from sklearn.metrics import matthews_corrcoef as of_sklearn
    from torchmetrics.functional import matthews_corrcoef

    p, y = torch.tensor([0.1, 0.1, 0.1]), torch.tensor([1, 1, 1])
    theirs = float(matthews_corrcoef(p, y, task="binary"))
    return theirs, float(matthews(probabilities(p), y, 0)), theirs != of_sklearn(y, p > 0.5)


def torchmetrics_derivative() -> Found:
    from torchmetrics.functional import f1_score

    z, y = torch.tensor([0.2, -0.4], requires_grad=True), torch.tensor([1, 0])
    theirs = f1_score(torch.sigmoid(z), y, task="binary").requires_grad
    return theirs, f1(logits(z), y).requires_grad, not theirs


def libauc_second_version() -> Found:
    found = aucm_at_its_best()
    return found["v2"], found["formula"], abs(found["v2"] - found["formula"]) > 1e-3


def libauc_one_class() -> Found:
    from libauc.losses import AUCMLoss

    p, y = torch.tensor([0.2, 0.9, 0.4]), torch.zeros(3, dtype=torch.long)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = float(AUCMLoss()(p[:, None], y[:, None].float()).detach())
    return theirs, refused(lambda: auc.loss(probabilities(p), y)), theirs == 0


def libauc_logits() -> Found:
    from libauc.losses import AUCMLoss

    z, y = torch.tensor([5.0, -4.0, 6.0]), torch.tensor([1, 0, 1])
    theirs = float(AUCMLoss()(z[:, None], y[:, None].float()).detach())
    return theirs, refused(lambda: auc.loss(probabilities(z), y)), theirs > 1


def diffsort_warm() -> Found:
    import diffsort

    x = torch.tensor([[2.0, 1.0, 4.0, 5.0, 3.0]])
    theirs = diffsort.DiffSortNet("odd_even", 5, steepness=1e-6)(x)[0][0]
    return theirs, smoothing.sort(x, 1e6)[0], float(theirs.max() - theirs.min()) > 0.1


DEFECTS = (
    Defect("formula", "sigmoidF1's reference code, a perfect classifier, loss", "0", sigmoid_twice),
    Defect("formula", "the article's iterated top-k, 2 of [0, 2]", "[1, 1]", iterated_top_k),
    Defect("formula", "lower bound of an expected clipped count", "≤ 1.375", lower_bound_of_bleu),
    Defect("torchsort", "sort 1,000 float32 at 1e-6, off by", "~0", torchsort_precision),
    Defect("torchsort", "rank [1, ∞, −∞]", "[2, 3, 1]", torchsort_infinity),
    Defect("torchsort", "rank [1, NaN, 2]", "an error, or NaN for all", torchsort_nan),
    Defect("torchsort", "rank at strength −1", "an error", torchsort_negative),
    Defect("fast_soft_sort", "rank [2, 1], this NumPy", "[2, 1]", fast_soft_sort_numpy),
    Defect("softtorch", "max of [NaN, 1, 2]", "an error", softtorch_nan),
    Defect("softtorch", "max of [−∞, 1, 2], a masked entry", "about 2", softtorch_masked),
    Defect("softtorch", "top-3 of [−1.5, −1.5, −.3, .6] as a mask", "≤ 1 each", softtorch_mask),
    Defect("softtorch", "fast_soft_sort [2, 1, 4, 5, 3], 1e-6", "1 to 5", softtorch_cold),
    Defect("softtorch", "sorting_network [2, 1, 4, 5, 3] at 1: sum", "15", softtorch_network),
    Defect("torchmetrics", "F1 of logits, and of 9 times them", "the same", torchmetrics_guess),
    Defect("torchmetrics", "AUC with a NaN score", "an error", torchmetrics_nan),
    Defect("torchmetrics", "AUC of one class (it warns)", "undefined", torchmetrics_one_class),
    Defect("torchmetrics", "Matthews, one class", "0 (scikit-learn)", torchmetrics_matthews),
    Defect("torchmetrics", "F1 has a derivative", "True, as a loss", torchmetrics_derivative),
    Defect("libauc", "AUCMLoss v2, inner problem solved", "as the formula", libauc_second_version),
    Defect("libauc", "AUCMLoss of one class (it warns)", "an error", libauc_one_class),
    Defect("libauc", "AUCMLoss of logits", "an error: it takes probabilities", libauc_logits),
    Defect("diffsort", "sort [2, 1, 4, 5, 3], steepness → 0", "the mean, 3", diffsort_warm),
)


def release(peer: str) -> str:
    """Name a peer and its version."""
    if peer == "formula":
        return "published formula"
    try:
        return f"{peer} {version(peer)}"
    except PackageNotFoundError:
        return peer


def table() -> list[str]:
    """Run every defect whose peer is here; a row each."""
    lines = ["| peer | asked | right | it gives | anypart gives |", "|---|---|---|---|---|"]
    for defect in DEFECTS:
        if defect.peer != "formula" and not find_spec(defect.peer):
            continue
        theirs, ours, wrong = defect.show()
        cells = release(defect.peer), defect.asked, defect.right, plain(theirs), plain(ours)
        lines.append(f"| {' | '.join(cells)}{'' if wrong else ' (mended)'} |")
    return lines


def run() -> list[str]:
    """Print every defect; the table of functions keeps them."""
    print("\n".join(table()))
    return []
