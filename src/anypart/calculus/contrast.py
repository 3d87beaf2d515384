"""Contrastive losses between two views, the bound they give, and what shows a collapse."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from anypart.base.errors import GradientError


def info_nce(scores: Tensor) -> Tensor:
    r"""Cross-entropy of finding each row's partner among all candidates, nats.

    .. math:: -\frac1n \sum_i \log \frac{e^{s_{ii}}}{\sum_j e^{s_{ij}}}

    With scores log p(y|x) − log p(y) it is the least; log n less its mean never exceeds the
    mutual information of the pairs, whatever the scores (`information_bound`).

    Args:
        scores: (n, candidates), candidates at least n; row i's partner is candidate i.

    References:
        van den Oord, Li and Vinyals 2018, Representation learning with contrastive
        predictive coding, eq. 4 and appendix A.1.

    Example:
        >>> round(float(info_nce(torch.zeros(8, 8))), 4)  # uniform: ln 8
        2.0794

    """
    return functional.cross_entropy(scores, torch.arange(len(scores), device=scores.device))


def information_bound(loss: Tensor | float, candidates: int) -> Tensor | float:
    r"""What an `info_nce` loss proves of the mutual information at least, nats.

    .. math:: I(x; y) \ge \log n - E[\text{loss}]

    It holds in expectation over batches of n independent pairs, of which each row's
    candidates are the partners; it is never more than log n.
    """
    return math.log(candidates) - loss


def nt_xent(
    first: Tensor, second: Tensor, temperature: float = 0.5, *, negatives: bool = True
) -> Tensor:
    r"""Normalised, temperature-scaled cross-entropy between two views of each row, nats.

    .. math:: -\frac{1}{2N} \sum_{i=1}^{2N}
        \log \frac{e^{\cos(z_i, z_{i'}) / \tau}}{\sum_{j \ne i} e^{\cos(z_i, z_j) / \tau}}

    Each of the 2N views has the other view of its row for a partner, i', and the 2N − 2
    views of other rows as negatives; with all similarities equal it is log(2N − 1).

    Args:
        first: (rows, dims) of one view of each row.
        second: (rows, dims) of another.
        temperature: above 0; the lower, the more the nearest negatives count.
        negatives: False drops the denominator's other rows and leaves the pull of the
            partners alone, −cos/τ, whose least is reached by one vector for all rows.

    Raises:
        GradientError: the temperature is not above 0, or a row has no negative.

    References:
        Chen et al. 2020, A simple framework for contrastive learning (SimCLR), eq. 1.

    Example:
        >>> same = torch.ones(4, 3)
        >>> round(float(nt_xent(same, same)), 4)  # ln 7
        1.9459
        >>> nt_xent(same, same, 0.0)
        Traceback (most recent call last):
        anypart.base.errors.GradientError: The temperature is 0.0. Give it a number above 0.

    """
    if not temperature > 0:
        raise GradientError(f"The temperature is {temperature}. Give it a number above 0.")
    one, two = functional.normalize(first, dim=1), functional.normalize(second, dim=1)
    if not negatives:
        return -(one * two).sum(1).mean() / temperature
    n = len(one)
    if n < 2:
        raise GradientError(
            "One row has no other to be told from. Give batches of two rows or more."
        )
    views = torch.cat([one, two])  # (2 rows, dims)
    scores = views @ views.T / temperature
    scores = scores.masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
    partner = torch.arange(2 * n).roll(n)
    return functional.cross_entropy(scores, partner)


def spread(vectors: Tensor) -> Tensor:
    r"""How far directions are from one another: 1 − ‖mean of the unit vectors‖², in [0, 1].

    0 if all point the same way, the collapse of contrastive learning without negatives;
    1 − 1/n for n orthogonal vectors.
    """
    mean = functional.normalize(vectors, dim=1).mean(0)
    return 1 - (mean * mean).sum()


def effective_rank(vectors: Tensor) -> Tensor:
    """How many dimensions the vectors use: exp of the entropy of their singular values.

    1 after a collapse to a line; at most the number of dimensions. A rank that is far
    below it while the spread is high is a dimensional collapse.

    References:
        Roy and Vetterli 2007, The effective rank. Garrido et al. 2023, RankMe, eq. 1.

    """
    values = torch.linalg.svdvals(vectors)
    share = values / values.sum().clamp(min=1e-12)
    return torch.exp(-(share * torch.log(share.clamp(min=1e-12))).sum())
