"""Expected calibration error with soft bins."""

from __future__ import annotations

import torch
from torch import Tensor

from anypart.calculus.smoothing.metrics.moving import Totals
from anypart.calculus.smoothing.metrics.predicted import Predicted, metric
from anypart.calculus.smoothing.steps import step


@metric(larger_is_better=False)
def calibration_error(
    predicted: Predicted,
    target: Tensor,
    temperature: float = 0.01,
    bins: int = 10,
    totals: Totals | None = None,
) -> Tensor:
    r"""Expected calibration error: how far confidence is from being right, over equal bins.

    .. math:: \sum_b \Big| \frac1n \sum_i w_{bi} (\text{right}_i - \text{confidence}_i) \Big|,
        \quad w_{bi} = \sigma((c_i - e_b)/t) - \sigma((c_i - e_{b+1})/t)

    For a yes or no the confidence is its probability and right the target; for classes
    the largest probability, and whether it is the true class. Weights of a row sum to 1
    (the outer bins are open). A sum of absolute values, so a mini-batch's is biased upwards
    without `totals`.

    Args:
        predicted: logits or probabilities.
        target: 0 and 1, or classes.
        temperature: width of the edges between bins, in probability.
        bins: how many.
        totals: moving means of the bins, for mini-batches.

    References:
        Karandikar et al., "Soft calibration objectives for neural networks" (2021).

    """
    chance = predicted.chance(target)
    if chance.ndim == target.ndim:
        sure, right = chance.reshape(-1), target.reshape(-1).to(chance.dtype)
    else:
        sure, best = (part.reshape(-1) for part in chance.max(-1))
        right = (best == target.reshape(-1)).to(chance.dtype)
    edges = torch.arange(1, bins, dtype=sure.dtype, device=sure.device) / bins
    if temperature == 0:
        above = (sure[:, None] > edges).to(sure.dtype)  # (rows, bins − 1); bins (e_b, e_b+1]
    else:
        above = step(sure[:, None] - edges, temperature)
    ones = sure.new_ones(len(sure), 1)
    above = torch.cat([ones, above, 0 * ones], 1)
    weight = above[:, :-1] - above[:, 1:]
    gaps = ((right - sure)[:, None] * weight).mean(0)
    return (gaps if totals is None else totals.update(gaps)).abs().sum()
