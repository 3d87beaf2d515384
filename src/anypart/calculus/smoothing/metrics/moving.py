"""What a mini-batch is not told: totals and scores of the rows before it.

A metric that is no mean over rows is biased on mini-batches. Of a function of totals the
totals are kept (`Totals`), of an order the latest scores (`Recent`); only the batch's own part
has a derivative, taken at what is kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

from anypart.base.errors import QuestionError


class Totals:
    r"""Moving means of what a metric counts, for ratios and sums of them over mini-batches.

    .. math:: T \leftarrow (1 - \rho) T + \rho \, c_{\text{batch}}, \qquad
        \text{gradient} = \nabla F(T) \cdot \nabla c_{\text{batch}}

    The slope is taken at the totals, so as ρ → 0 (or with a slow model) the expected
    gradient is that of the metric of all rows; the batch's own ratio has no such limit.

    Args:
        rate: ρ, the weight of a new batch, in (0, 1]; the first 1/ρ batches count alike.

    References:
        Wang & Yang, "Finite-sum coupled compositional stochastic optimization" (2022).

    """

    def __init__(self, rate: float = 0.1) -> None:
        if not 0 < rate <= 1:
            raise QuestionError(f"The weight of a new batch lies in (0, 1], and {rate} does not.")
        self.rate, self._batches, self._kept = rate, 0, torch.zeros(())

    def update(self, batch: Tensor) -> Tensor:
        """Add a batch's means; return the totals with the batch's derivative."""
        self._batches += 1
        weight = max(self.rate, 1 / self._batches)  # the first batches count alike
        self._kept = (1 - weight) * self._kept + weight * batch.detach()
        return self._kept + (batch - batch.detach())


class Recent:
    """The latest scores and labels, for orders over mini-batches.

    A batch is put among them, so that its rows are ranked among many. With a slow model the
    expected gradient nears that of all rows as `most` does; the batch's own order has no
    such limit.

    Args:
        most: rows that are kept.

    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise QuestionError(f"At least one row is kept, not {most}.")
        self.most = most
        self._scores, self._labels = torch.zeros(0), torch.zeros(0)

    def join(self, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the batch and what was kept before it, each row once, and keep the batch."""
        before = slice(max(0, len(self._scores) + len(scores) - self.most), None)
        old = self._scores[before].to(scores), self._labels[before].to(labels)
        all_scores, all_labels = torch.cat([old[0], scores]), torch.cat([old[1], labels])
        self._scores, self._labels = all_scores.detach(), all_labels.detach()
        return all_scores, all_labels
