"""Metrics of an order: AUC, average precision, NDCG. Soft by the sigmoid of score differences.

A difference that is compared with 0 keeps a derivative at every distance, which the
projections of `rank` lose where they are exact; hence pairs, at O(n²) time and memory: of
many rows take batches.
"""

from __future__ import annotations

import torch
from torch import Tensor

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing.contract import check, softplus
from anypart.calculus.smoothing.metrics.moving import Recent
from anypart.calculus.smoothing.metrics.predicted import Predicted, metric
from anypart.calculus.smoothing.steps import step


def _scores(
    predicted: Predicted, target: Tensor, temperature: float, recent: Recent | None = None
) -> tuple[Tensor, Tensor]:
    z = predicted.log_scores(target)
    if z.shape != target.shape or z.ndim != 1:
        raise QuestionError(
            f"An order is of one score a row; these have shape {tuple(z.shape)}. Choose a class."
        )
    check(z, temperature)
    if recent is not None:
        z, target = recent.join(z, target)
    yes = target > 0
    if not 0 < int(yes.sum()) < len(yes):
        raise QuestionError(
            f"All {len(yes)} rows are {'positive' if bool(yes[0]) else 'negative'}, and an order "
            "is between classes. Draw batches that hold both."
        )
    return z, yes


def _ahead(a: Tensor, b: Tensor) -> Tensor:
    """How far a is above b; infinities of one sign tie."""
    gap = a - b
    if bool(a.isfinite().all()) or bool(b.isfinite().all()):
        return gap
    return gap.nan_to_num(nan=0.0, posinf=torch.inf, neginf=-torch.inf)


@metric(larger_is_better=True)
def auc(predicted: Predicted, target: Tensor, temperature: float = 1.0) -> Tensor:
    r"""Area under the ROC curve: the chance that a positive scores above a negative.

    .. math:: \frac{1}{|P||N|} \sum_{i \in P} \sum_{j \in N} \sigma((z_i - z_j)/t)

    A mean over pairs, so over batches that hold both classes it is unbiased; batches of one
    class are refused. Ties count ½, hard and soft.

    Cost:
        O(|P| |N|).

    Example:
        >>> from anypart.calculus.smoothing.metrics import logits
        >>> z, y = torch.tensor([2.0, -1.0, 0.3, 0.1]), torch.tensor([1, 0, 0, 1])
        >>> float(auc(logits(z), y, 0))
        0.75

    """
    z, yes = _scores(predicted, target, temperature)
    return step(_ahead(z[yes, None], z[None, ~yes]), temperature).mean()


def pair_loss(predicted: Predicted, target: Tensor) -> Tensor:
    r"""Logistic loss of pairs: how far, in nats, positives are from standing above negatives.

    .. math:: \frac{1}{|P||N|} \sum_{i \in P} \sum_{j \in N} \log(1 + e^{z_j - z_i})
        \ge \log 2 \cdot (1 - \text{AUC})

    No temperature: it does not near the metric, it bounds it. In return it is convex in the
    scores, and a wrong pair costs the more the further it is wrong (a warm `auc` counts it as
    one at most, and gains by larger scores while it stays wrong). A mean over pairs, so over
    batches that hold both classes it is unbiased.

    Cost:
        O(|P| |N|).

    References:
        Gao & Zhou, "On the consistency of AUC pairwise optimization" (2015).

    Example:
        >>> from anypart.calculus.smoothing.metrics import logits
        >>> z, y = torch.tensor([2.0, -1.0, 0.3, 0.1]), torch.tensor([1, 0, 0, 1])
        >>> round(float(pair_loss(logits(z), y)), 4)
        0.3255

    """
    z, yes = _scores(predicted, target, 0.0)
    return softplus(_ahead(z[None, ~yes], z[yes, None])).mean()


@metric(larger_is_better=True)
def average_precision(
    predicted: Predicted, target: Tensor, temperature: float = 1.0, recent: Recent | None = None
) -> Tensor:
    """Mean over positives of the precision at their place in the order.

    Soft: of every positive, the soft number of positives above it over that of all rows
    above it. Agrees with scikit-learn as the temperature falls, and at 0 also with ties,
    which there count as above. Biased on mini-batches (a ratio) without `recent`.

    Args:
        predicted: logits or probabilities, one a row.
        target: 0 and 1.
        temperature: in the unit of the scores, log-odds.
        recent: the rows before, among which the batch is ranked, for mini-batches. The slope
            is that of the batch's rows, as large as if all rows had moved.

    Cost:
        O(|P| n).

    """
    z, yes = _scores(predicted, target, temperature, recent)
    gap = _ahead(z[None, :], z[yes, None])
    above = (gap >= 0).to(z.dtype) if temperature == 0 else torch.sigmoid(gap / temperature)
    own = torch.zeros_like(above).scatter(1, yes.nonzero(), 1.0)
    above = above * (1 - own) + own  # a row is not below itself
    found = ((above * yes).sum(1) / above.sum(1)).mean()
    # Of all these rows only the batch has moved.
    return found.detach() + (found - found.detach()) * (len(z) / len(target))


@metric(larger_is_better=True)
def ndcg(
    predicted: Predicted, target: Tensor, temperature: float = 1.0, k: int | None = None
) -> Tensor:
    r"""Normalised discounted cumulative gain of each list (the last dimension), averaged.

    .. math:: \sum_i \frac{g_i}{\log_2(1 + r_i)} \Big/ \text{its best}, \qquad
        r_i = 1 + \sum_{j \ne i} \sigma((z_j - z_i)/t)

    Gains are the target itself, as in scikit-learn. With `k`, places beyond it fade at
    k + ½ over a tenth of a place times the temperature. A list without gains counts 0. At
    temperature 0 items of one score share the discounts of their places, as in scikit-learn;
    above it each has the discount of their mean place, which is a little less. A mean over
    lists, so a mini-batch of lists is unbiased.

    Args:
        predicted: scores, higher first, (…, items).
        target: gains of at least 0, (…, items).
        temperature: in the unit of the scores.
        k: only the first k places count.

    """
    z = predicted.scores
    check(z, temperature)
    if z.shape != target.shape or not z.numel() or bool((target < 0).any()):
        raise QuestionError(
            f"NDCG takes a score and a gain of at least 0 for every item, not shapes "
            f"{tuple(z.shape)} and {tuple(target.shape)}."
        )
    gain = target.to(z.dtype)
    discount = 1 / torch.log2(torch.arange(2, 2 + z.shape[-1], dtype=z.dtype, device=z.device))
    if k is not None:
        discount = discount * (torch.arange(len(discount), device=z.device) < k)
    gap = _ahead(z[..., None, :], z[..., :, None])
    if temperature == 0:
        weight = _shared(discount, (gap > 0).sum(-1), (gap == 0).sum(-1))
    else:
        place = step(gap, temperature).sum(-1) + 0.5
        weight = 1 / torch.log2(1 + place)
        if k is not None:
            weight = weight * step(k + 0.5 - place, temperature / 10)
    best = (gain.sort(-1, descending=True).values * discount).sum(-1)
    found = (gain * weight).sum(-1)
    return (found / torch.where(best > 0, best, torch.ones_like(best))).mean()


def _shared(discount: Tensor, above: Tensor, tied: Tensor) -> Tensor:
    """Mean discount over the places that an item shares with those of its score."""
    total = torch.nn.functional.pad(discount.cumsum(0), (1, 0))
    return (total[above + tied] - total[above]) / tied
