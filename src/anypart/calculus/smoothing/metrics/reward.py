"""The other route: the hard metric as a reward of drawn decisions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from anypart.calculus.gradients.estimator import Estimator
from anypart.calculus.gradients.families import Bernoulli, Categorical, Finite
from anypart.calculus.smoothing.metrics.predicted import Metric, probabilities


def as_reward(
    metric: Metric[Tensor, Any],
    scores: Tensor,
    target: Tensor,
    estimate: Estimator,
    **options: Any,
) -> Tensor:
    r"""Expected true metric of decisions drawn from the scores, with an estimator's gradient.

    .. math:: E_{d \sim p_\theta}[M(d, y)]

    The rows of the batch are one draw, since M is of all of them together. Nothing is
    smoothed, so nothing is biased by it (an estimator may be); the price is variance, which
    grows with the rows. With `Enumeration` it is exact.

    Args:
        metric: any that takes 0, 1 or one-hot decisions.
        scores: logits, (rows,) or (rows, classes).
        target: (rows,).
        estimate: of `calculus.gradients`, as ScoreFunction("leave_one_out", draws=8).
        options: of the metric.

    Example:
        >>> from anypart.calculus.gradients import Enumeration
        >>> from anypart.calculus.smoothing.metrics import f1
        >>> z, y = torch.zeros(3), torch.tensor([1, 0, 1])
        >>> round(float(as_reward(f1, z, y, Enumeration())), 4)
        0.5167

    """
    p: Finite = Bernoulli(scores) if scores.ndim == 1 else Categorical(scores)

    def judge(drawn: Tensor) -> Tensor:
        with torch.no_grad():
            found = [metric(probabilities(d), target, 0.0, **options) for d in drawn]
        return torch.stack(found).to(scores.dtype)

    return estimate(judge, p)
