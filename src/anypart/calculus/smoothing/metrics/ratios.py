"""Metrics of counts: accuracy, precision, recall, F, IoU, Dice, Matthews.

Each is a function of four totals, and a total is a sum over rows, so it has an unbiased
estimate on a mini-batch; a ratio of totals has not. With 5 % positives a soft F1 of .309
averages to .174 over batches of 8 (accuracy, a mean over rows, is not biased). `Totals`
mends it: the ratio is taken of moving totals, and only its slope meets the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.metrics.moving import Totals
from anypart.calculus.smoothing.metrics.predicted import Predicted, metric


@dataclass(frozen=True)
class Counts:
    """Shares of the rows, one entry a class (or one for a yes or no).

    Args:
        hit: decided and true.
        decided: decided.
        true: true.

    """

    hit: Tensor
    decided: Tensor
    true: Tensor


@metric(larger_is_better=True)
def accuracy(predicted: Predicted, target: Tensor, temperature: float = 1.0) -> Tensor:
    """Share of right decisions: a mean over rows, so a mini-batch's is unbiased.

    At temperature 1 it is the exact expected accuracy of a label drawn from the
    probabilities.

    Example:
        >>> from anypart.calculus.smoothing.metrics import logits
        >>> z, y = torch.tensor([2.0, -1.0, 0.3]), torch.tensor([1, 0, 0])
        >>> [round(float(accuracy(logits(z), y, t)), 4) for t in (1, 0.1, 0)]
        [0.6791, 0.6825, 0.6667]

    """
    soft, true = predicted.pair(target, temperature)
    if soft.ndim == target.ndim:
        return (soft * true + (1 - soft) * (1 - true)).mean()
    return (soft * true).sum(-1).mean()


@metric(larger_is_better=True)
def f_beta(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    beta: float = 1.0,
    average: str = "binary",
    totals: Totals | None = None,
) -> Tensor:
    r"""F-beta: the weighted harmonic mean of precision and recall.

    .. math:: \frac{(1 + \beta^2)\,\text{hit}}{\text{decided} + \beta^2\,\text{true}}

    0 where nothing is true and nothing decided, as in scikit-learn. Biased on mini-batches
    without `totals`. Near the exact expectation when rows are many; see
    `expected_f_beta` for the exact one.

    Args:
        predicted: logits or probabilities.
        target: 0 and 1, or classes.
        temperature: 1: probabilities; 0: hard decisions.
        beta: how much more recall counts.
        average: binary, or over classes: micro, macro, weighted.
        totals: moving totals, for mini-batches.

    """
    c = _counts(predicted, target, temperature, average, totals)
    return _mean(_ratio((1 + beta**2) * c.hit, c.decided + beta**2 * c.true), c, average)


@metric(larger_is_better=True)
def f1(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    average: str = "binary",
    totals: Totals | None = None,
) -> Tensor:
    """F1, which is also Dice's coefficient: `f_beta` with beta 1.

    Biased on mini-batches without `totals`.

    Example:
        >>> from anypart.calculus.smoothing.metrics import logits
        >>> y = torch.tensor([1, 0, 1, 0])
        >>> float(f1(logits(torch.tensor([9.0, -9, 9, 9])), y, 0))
        0.800000011920929

    """
    return f_beta(predicted, target, temperature, 1.0, average, totals)


@metric(larger_is_better=True)
def precision(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    average: str = "binary",
    totals: Totals | None = None,
) -> Tensor:
    """Share of what was decided that is true; 0 where nothing was decided.

    Biased on mini-batches without `totals`.
    """
    c = _counts(predicted, target, temperature, average, totals)
    return _mean(_ratio(c.hit, c.decided), c, average)


@metric(larger_is_better=True)
def recall(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    average: str = "binary",
    totals: Totals | None = None,
) -> Tensor:
    """Share of what is true that was decided; 0 where nothing is true.

    Biased on mini-batches without `totals`.
    """
    c = _counts(predicted, target, temperature, average, totals)
    return _mean(_ratio(c.hit, c.true), c, average)


@metric(larger_is_better=True)
def iou(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    average: str = "binary",
    totals: Totals | None = None,
) -> Tensor:
    """Intersection over union (Jaccard); 0 where both are empty, as in scikit-learn.

    Biased on mini-batches without `totals`.
    """
    c = _counts(predicted, target, temperature, average, totals)
    return _mean(_ratio(c.hit, c.decided + c.true - c.hit), c, average)


@metric(larger_is_better=True)
def matthews(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 1.0,
    totals: Totals | None = None,
) -> Tensor:
    """Matthews correlation in [−1, 1], for a yes or no or for classes; 0 if a side is constant.

    Biased on mini-batches without `totals`.

    References:
        Gorodkin, "Comparing two K-category assignments by a K-category correlation
        coefficient" (2004).

    """
    soft, true = predicted.pair(target, temperature)
    if soft.ndim == target.ndim:
        soft, true = torch.stack([1 - soft, soft], -1), torch.stack([1 - true, true], -1)
    c = _moved(_shares(soft, true), totals)
    cross = c.hit.sum() - (c.decided * c.true).sum()
    spread = (1 - (c.decided**2).sum()) * (1 - (c.true**2).sum())
    # The root of a spread that rounds to 0 has no derivative.
    flat = spread <= 1e-14
    root = torch.where(flat, torch.ones_like(spread), spread).sqrt()
    return torch.where(flat, cross * 0, cross / root)


def _shares(soft: Tensor, true: Tensor) -> Counts:
    soft, true = soft.reshape(-1, soft.shape[-1]), true.reshape(-1, true.shape[-1])
    return Counts((soft * true).mean(0), soft.mean(0), true.mean(0))


AVERAGES = ("binary", "micro", "macro", "weighted")


def _counts(
    predicted: Predicted, target: Tensor, temperature: float, average: str, totals: Totals | None
) -> Counts:
    soft, true = predicted.pair(target, temperature)
    several = soft.ndim > 1
    if average not in AVERAGES or (average == "binary") == several:
        raise QuestionError(
            f"average={average!r} does not fit scores of shape {tuple(soft.shape)}: 'binary' is "
            "for one column of yes or no, 'micro', 'macro' and 'weighted' for several."
        )
    if average in ("binary", "micro"):
        soft, true = soft.reshape(-1, 1), true.reshape(-1, 1)
    return _moved(_shares(soft, true), totals)


def _moved(c: Counts, totals: Totals | None) -> Counts:
    if totals is None:
        return c
    hit, decided, true = totals.update(torch.stack([c.hit, c.decided, c.true]))
    return Counts(hit, decided, true)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    return above / torch.where(below > 0, below, torch.ones_like(below))


def _mean(each: Tensor, c: Counts, average: str) -> Tensor:
    return (each * c.true).sum() / c.true.sum() if average == "weighted" else each.mean()
