r"""Distances as losses of a mixture of products, in torch.

.. math:: p_\theta(x) = \sum_k w_k \prod_c t_{k c x_c}

Where rows can be listed, every distance is a sum over all of them. On rows alone, forward KL
is the likelihood, and MMD under a product kernel is a sum over pairs of classes, with no draws.

References:
    Gretton et al. 2012, A kernel two-sample test, equation 1.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from anypart.models.contract import Codes, Layout
from anypart.optim.distances.models import all_rows

PAIRS = 2_000  # of rows, whose median distance sets the kernel's width


class Mixture:
    """p_θ as log-weights and log-tables.

    Args:
        layout: the columns.
        weights: (classes,) logits of the classes.
        tables: (classes, flat) logits of the categories.

    """

    def __init__(self, layout: Layout, weights: Tensor, tables: Tensor) -> None:
        self._layout = layout
        self.log_weights = torch.log_softmax(weights, 0)
        parts = tables.split(layout.n_cats, 1)
        self.log_tables = torch.cat([torch.log_softmax(part, 1) for part in parts], 1)

    def log_prob(self, hot: Tensor) -> Tensor:
        """Log-probability of rows, (…, flat) of ones at their seen cells, nats."""
        return torch.logsumexp(hot @ self.log_tables.T + self.log_weights, -1)


class Objective(Protocol):
    """A distance from rows to p_θ, up to a constant that θ does not move."""

    def loss(self, q: Mixture, hot: Tensor) -> Tensor:
        """Give a scalar whose gradient is the distance's, from a batch, (rows, flat)."""
        ...

    def level(self, q: Mixture, hot: Tensor) -> float:
        """Measure the distance to other rows, to tell when to stop."""
        ...


class Likelihood:
    """Forward KL without the entropy of the data: minus the mean log-likelihood."""

    def loss(self, q: Mixture, hot: Tensor) -> Tensor:
        """See `Objective`."""
        return -q.log_prob(hot).mean()

    def level(self, q: Mixture, hot: Tensor) -> float:
        """See `Objective`."""
        return -float(q.log_prob(hot).mean())


def between(distance: str, p: Tensor, log_q: Tensor) -> Tensor:
    """A distance between probabilities of the same cells, (states,) each; Hellinger squared.

    The square has a gradient at 0, and the same minimum.
    """
    q, log_p = log_q.exp(), torch.log(p.clamp_min(1e-38))
    if distance == "total_variation":
        return (p - q).abs().sum() / 2
    if distance == "hellinger":
        return (p.sqrt() - (log_q / 2).exp()).square().sum() / 2
    if distance == "forward_kl":
        return (p * (log_p - log_q)).sum()
    if distance == "reverse_kl":
        return (q * (log_q - log_p)).sum()
    assert distance == "jensen_shannon"
    middle = torch.logaddexp(log_p, log_q) - math.log(2)
    return ((p * (log_p - middle)).sum() + (q * (log_q - middle)).sum()) / 2


class Listed:
    """A distance over all rows that there can be, from the shares of the training rows.

    Reverse KL is infinite where the model has what no row has, so one row more is thought to
    be spread evenly over all cells.

    Args:
        distance: its name.
        layout: the columns.
        codes: (rows, cols) all training rows, complete.

    """

    def __init__(self, distance: str, layout: Layout, codes: Codes) -> None:
        self._distance, self._layout = distance, layout
        self._states = torch.from_numpy(one_hot(layout, all_rows(layout.n_cats)))
        self._p = self._shares(codes)

    def _shares(self, codes: NDArray[Any]) -> Tensor:
        index = np.ravel_multi_index(tuple(codes.T), self._layout.n_cats)
        n_states = len(self._states)
        counts = np.bincount(index, minlength=n_states).astype(np.float64)
        if self._distance == "reverse_kl":
            counts += 1 / n_states
        return torch.from_numpy(counts / counts.sum())

    def loss(self, q: Mixture, hot: Tensor) -> Tensor:
        """See `Objective`; all training rows count at every step."""
        return between(self._distance, self._p, q.log_prob(self._states).double())

    def level(self, q: Mixture, hot: Tensor) -> float:
        """See `Objective`."""
        parts = hot.split(self._layout.n_cats, 1)
        codes = torch.stack([part.argmax(1) for part in parts], 1).numpy()
        log_q = q.log_prob(self._states).double()
        return float(between(self._distance, self._shares(codes), log_q))


class Kernel:
    r"""Squared MMD under exp(−(columns that differ) / 2s²), s² their median over pairs of rows.

    .. math:: E\,k(x, y) = \sum_{kl} w_k w_l \prod_c (\rho + (1 - \rho)\, t_{kc} \cdot t_{lc}),
        \qquad \rho = e^{-1/2s^2}

    The kernel tells all distributions of the cells apart, so 0 is reached by p_data alone. It
    does not know that the cells of numbers have an order.

    Args:
        layout: the columns.
        codes: (rows, cols) training rows.
        rng: chooses the pairs.

    """

    def __init__(self, layout: Layout, codes: Codes, rng: np.random.Generator) -> None:
        self._layout = layout
        a, b = rng.integers(0, len(codes), (2, PAIRS))
        apart = (codes[a] != codes[b]).sum(axis=1)
        median = float(np.median(apart[apart > 0])) if apart.any() else 1.0
        self.rho = math.exp(-1 / (2 * median))

    def _product(self, dots: list[Tensor]) -> Tensor:
        logs = torch.stack([torch.log(self.rho + (1 - self.rho) * d) for d in dots])
        return logs.sum(0).exp()

    def loss(self, q: Mixture, hot: Tensor) -> Tensor:
        """See `Objective`: without the mean over pairs of data rows."""
        w, sizes = q.log_weights.exp(), self._layout.n_cats
        tables, rows = q.log_tables.exp().split(sizes, 1), hot.split(sizes, 1)
        own = self._product([t @ t.T for t in tables])
        crossed = self._product([x @ t.T for x, t in zip(rows, tables, strict=True)])
        return w @ own @ w - 2 * (crossed @ w).mean()

    def level(self, q: Mixture, hot: Tensor) -> float:
        """See `Objective`."""
        return float(self.loss(q, hot))


def one_hot(layout: Layout, codes: Codes, seen: NDArray[np.bool_] | None = None) -> Any:
    """Write rows as ones at the categories of their seen cells, (rows, flat)."""
    hot = np.zeros((len(codes), layout.total), np.float32)
    starts = np.array([s.start for s in layout.slices])
    rows, cols = np.nonzero(np.ones(codes.shape, np.bool_) if seen is None else seen)
    hot[rows, codes[rows, cols] + starts[cols]] = 1
    return hot
