r"""Penalised logistic regressions of all columns on earlier ones, solved together.

.. math:: \min_W \; -\sum_{n, i} \log p(x_{ni} | x_{n,<i})
    + \sum_i \frac{\lambda_i}{2} \lVert W_{\cdot i} \rVert^2

Columns are separate convex problems that share every matrix product. Each has its own
L-BFGS: inner products, step and line search are per column, so that a hard column does not
hold back the others.

References:
    Nocedal and Wright 2006, Numerical optimization, algorithm 7.4 (L-BFGS).

"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Mask
from anypart.models.places import Array, Places

ROWS_TOGETHER = 1_024  # keeps a block's logits near the processor
MEMORY = 8  # pairs of steps and gradients
ENOUGH = 1e-3  # nats per row that a step still promises, over all columns
SLACK = 1e-6  # of a column's objective: what float32 cannot tell


@dataclass
class Look:
    """The objective and its gradient at some parameters.

    Args:
        loss: (cols,) nats, with the penalty.
        gradient: (1 + places, places), the biases first.
        curvature: (places,) mean of p(1 − p).

    """

    loss: NDArray[np.float64]
    gradient: Array
    curvature: Array


class Regressions:
    """The coded rows, and parameters on their way to the optimum.

    Args:
        places: of the columns, in their order.
        codes: (rows, cols), in the order.
        seen: (rows, cols).
        means: (places,) that a cell without a value enters as.

    """

    def __init__(self, places: Places, codes: Codes, seen: Mask, means: Array) -> None:
        self.places, self.means = places, means
        self._x = places.encode(codes, seen, means)
        self._seen = None if seen.all() else seen
        self.n_rows = len(codes)
        self.spread = np.maximum(((self._x - means) ** 2).mean(axis=0), 1e-6)  # (places,)
        self._later = np.concatenate(
            [np.ones((1, places.total), np.float32), places.before.astype(np.float32)]
        )

    def start(self) -> Array:
        """Parameters of the independent model, (1 + places, places), the biases first."""
        theta = np.zeros((1 + self.places.total, self.places.total), np.float32)
        theta[0] = self.places.log_odds(self.means)
        return theta

    def look(self, theta: Array, penalty: Array) -> Look:
        """Measure parameters over all rows; inputs are taken about their means.

        Args:
            theta: (1 + places, places).
            penalty: (places,) λ of each place's column; zeros measure rows held out.

        """
        weight, total = theta[1:], self.places.total
        bias = theta[0] - self.means @ weight
        gradient = np.zeros_like(theta)
        loss, curvature = np.zeros(total), np.zeros(total)
        for start in range(0, self.n_rows, ROWS_TOGETHER):
            rows = slice(start, start + ROWS_TOGETHER)
            x = self._x[rows]
            p, nats = self._shares(x @ weight + bias, x)
            residual = p - x
            p *= 1 - p
            if self._seen is not None:
                mask = self._seen[rows][:, self.places.column_of]
                for part in (residual, nats, p):
                    part *= mask
            loss += nats.sum(axis=0)
            curvature += p.sum(axis=0)
            gradient[0] += residual.sum(axis=0)
            gradient[1:] += x.T @ residual
        gradient[1:] -= self.means[:, None] * gradient[0]
        gradient[1:] += penalty * weight
        gradient *= self._later
        loss += 0.5 * penalty * np.square(weight).sum(axis=0, dtype=np.float64)
        return Look(self.by_column(loss), gradient, (curvature / self.n_rows).astype(np.float32))

    def _shares(self, logits: Array, x: Array) -> tuple[Array, Array]:
        """Turn logits into probabilities, and what each place costs in nats."""
        small = np.exp(-np.abs(logits))
        nats = np.maximum(logits, 0) + np.log(1 + small) - x * logits
        larger = 1 / (1 + small)
        p = np.where(logits >= 0, larger, small * larger)
        for col in self.places.larger:
            place = self.places.slices[col]
            centred = logits[:, place] - logits[:, place].max(axis=1, keepdims=True)
            e = np.exp(centred)
            norm = e.sum(axis=1, keepdims=True)
            p[:, place] = e / norm
            nats[:, place] = x[:, place] * (np.log(norm) - centred)
        return p, nats

    def by_column(self, per_place: NDArray[Any]) -> NDArray[np.float64]:
        """Sum places of a column, (cols with places,)."""
        starts = [s for s, n in zip(self.places.starts, self.places.sizes, strict=True) if n]
        return np.add.reduceat(per_place, starts).astype(np.float64)

    def dot(self, a: Array, b: Array) -> NDArray[np.float64]:
        """Inner product of each column's parameters, (cols with places,)."""
        return self.by_column(np.einsum("ij,ij->j", a, b).astype(np.float64))

    def per_place(self, per_column: NDArray[np.float64]) -> Array:
        """Give each place its column's number, (places,)."""
        sizes = [n for n in self.places.sizes if n]
        return np.repeat(per_column, sizes).astype(np.float32)

    def minimise(self, theta: Array, penalty: Array, passes: int) -> tuple[Array, float]:
        """Go to the optimum from parameters nearby.

        Args:
            theta: (1 + places, places), left as it is.
            penalty: (places,) λ of each place's column.
            passes: over the rows, at most.

        Returns:
            The parameters, and the mean loss before the first step, nats per row.

        """
        first = now = self.look(theta, penalty)
        memory, size = _Memory(), np.ones(len(now.loss))
        for _ in range(passes):
            way = memory.direction(now.gradient, self._inverse(now, penalty), self)
            slope = self.dot(now.gradient, way)
            if -slope.sum() < ENOUGH * self.n_rows:
                break
            moved = np.multiply(self.per_place(size), way, dtype=np.float32)
            then = self.look(theta + moved, penalty)
            good = then.loss <= now.loss + 1e-4 * size * slope + SLACK * np.abs(now.loss)
            now, kept = self._keep(now, then, good, moved, memory)
            theta = theta + moved * kept
            size = np.where(good, 1.0, size * 0.3)
        return theta, float(first.loss.sum() / self.n_rows)

    def _inverse(self, now: Look, penalty: Array) -> Array:
        """Inverse of the Hessian's diagonal, if inputs and errors were independent."""
        spread = np.concatenate([np.ones(1, np.float32), self.spread])
        bent = self.n_rows * np.outer(spread, np.maximum(now.curvature, 1e-6))
        bent[1:] += penalty
        return (1 / bent).astype(np.float32)

    def _keep(
        self, now: Look, then: Look, good: NDArray[np.bool_], moved: Array, memory: _Memory
    ) -> tuple[Look, Array]:
        """Accept the move in the columns where it was good; the others stay."""
        kept = self.per_place(good.astype(np.float64))
        memory.add(moved * kept, (then.gradient - now.gradient) * kept, self)
        mixed = Look(
            np.where(good, then.loss, now.loss),
            np.where(kept > 0, then.gradient, now.gradient),
            np.where(kept > 0, then.curvature, now.curvature),
        )
        return mixed, kept


@dataclass
class _Memory:
    """The last steps and changes of the gradient, and 1 / their product, a column each."""

    steps: list[Array] = field(default_factory=list[Array])
    changes: list[Array] = field(default_factory=list[Array])
    scales: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])

    def add(self, step: Array, change: Array, rows: Regressions) -> None:
        product = rows.dot(step, change)
        bent = product > 1e-10  # a column that did not move teaches nothing
        self.steps.append(step)
        self.changes.append(change)
        self.scales.append(np.where(bent, 1 / np.where(bent, product, 1), 0.0))
        for kept in (self.steps, self.changes, self.scales):
            del kept[:-MEMORY]

    def direction(self, gradient: Array, inverse: Array, rows: Regressions) -> Array:
        """Two loops over the memory: the way down, (1 + places, places)."""
        way = -gradient
        alphas: list[Array] = []
        for s, y, rho in zip(*map(reversed, (self.steps, self.changes, self.scales)), strict=True):
            alpha = rows.per_place(rho * rows.dot(s, way))
            way -= alpha * y
            alphas.append(alpha)
        way *= inverse
        for s, y, rho in zip(self.steps, self.changes, self.scales, strict=True):
            beta = rows.per_place(rho * rows.dot(y, way))
            way += (alphas.pop() - beta) * s
        return way
