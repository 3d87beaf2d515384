r"""Training of logistic autoregression: all columns at once, along a path of penalties.

.. math:: \min_W \; -\sum_{n, i} \log p(x_{ni} | x_{n,<i}) + \frac\lambda2 \lVert W \rVert^2

Columns are separate convex problems that share every matrix product. Each has its own
L-BFGS: inner products, step and line search are per column, so that a hard column does not
hold back the others. The path goes from a strong penalty, where the model is nearly
independent, to a weak one, each point from the last one's solution; the training loop
keeps the point that is best on validation rows.

References:
    Nocedal and Wright 2006, Numerical optimization, algorithm 7.4 (L-BFGS);
    Friedman, Hastie and Tibshirani 2010, Regularization paths for generalized linear
    models via coordinate descent (the path with warm starts).

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Layout, Mask
from anypart.models.fvsbn import FVSBN
from anypart.models.orders import make_order
from anypart.models.places import Array, Places

ROWS_TOGETHER = 1_024  # keeps a block's logits near the processor
MOST_FLOATS = 60_000_000  # of the coded rows, 240 MB; beyond, a part of the rows is enough
MEMORY = 8  # pairs of steps and gradients
ENOUGH = 1e-3  # nats per row that a step still promises, over all columns
SLACK = 1e-6  # of a column's objective: what float32 cannot tell


@dataclass(frozen=True)
class PathSettings:
    """How logistic autoregression is trained.

    Args:
        order: of the columns, see `models.orders.make_order`.
        strongest, weakest: the ends of the path of penalties λ.
        points: on the path, one a step of the learner.
        passes: over the rows at a point, at most.

    """

    order: str | Sequence[int] = "chow_liu"
    strongest: float = 300.0
    weakest: float = 0.02
    points: int = 25
    passes: int = 40

    def penalty(self, point: int) -> float:
        """Return λ of a point; beyond the last it stays.

        Example:
            >>> path = PathSettings(points=3)
            >>> [round(path.penalty(k), 4) for k in (0, 1, 2, 9)]
            [300.0, 2.4495, 0.02, 0.02]

        """
        share = min(point / max(self.points - 1, 1), 1.0)
        return float(self.strongest * (self.weakest / self.strongest) ** share)


@dataclass
class _Look:
    """The objective and its gradient at some parameters.

    Args:
        loss: (cols,) nats, with the penalty.
        gradient: (1 + places, places), the biases first.
        curvature: (places,) mean of p(1 − p).

    """

    loss: NDArray[np.float64]
    gradient: Array
    curvature: Array


class _Rows:
    """The coded training rows and what is computed from them."""

    def __init__(self, places: Places, codes: Codes, seen: Mask, means: Array) -> None:
        self.places, self.means = places, means
        self._x = places.encode(codes, seen, means)
        self._seen = None if seen.all() else seen
        self._codes = codes if places.larger else None
        self.n_rows = len(codes)
        self.spread = np.maximum(((self._x - means) ** 2).mean(axis=0), 1e-6)  # (places,)
        self._later = np.concatenate(
            [np.ones((1, places.total), np.float32), places.before.astype(np.float32)]
        )

    def look(self, theta: Array, penalty: float) -> _Look:
        """Measure parameters over all rows; inputs are taken about their means."""
        weight, total = theta[1:], self.places.total
        bias = theta[0] - self.means @ weight
        gradient = np.zeros_like(theta)
        loss, curvature = np.zeros(total), np.zeros(total)
        for start in range(0, self.n_rows, ROWS_TOGETHER):
            rows = slice(start, start + ROWS_TOGETHER)
            x = self._x[rows]
            p, nats = self._shares(x @ weight + bias, x, rows)
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
        return _Look(self.by_column(loss), gradient, (curvature / self.n_rows).astype(np.float32))

    def _shares(self, logits: Array, x: Array, rows: slice) -> tuple[Array, Array]:
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


@dataclass
class _Memory:
    """The last steps and changes of the gradient, and 1 / their product, a column each."""

    steps: list[Array] = field(default_factory=list[Array])
    changes: list[Array] = field(default_factory=list[Array])
    scales: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])

    def add(self, step: Array, change: Array, rows: _Rows) -> None:
        product = rows.dot(step, change)
        bent = product > 1e-10  # a column that did not move teaches nothing
        self.steps.append(step)
        self.changes.append(change)
        self.scales.append(np.where(bent, 1 / np.where(bent, product, 1), 0.0))
        for kept in (self.steps, self.changes, self.scales):
            del kept[:-MEMORY]

    def direction(self, gradient: Array, inverse: Array, rows: _Rows) -> Array:
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


class PathLearner:
    """Walks the path of penalties on rows that it was given at the start, a point a step.

    Every step takes all rows, so the batches of the training loop are not read.

    Args:
        layout: the columns.
        codes, seen: (rows, cols) the rows to learn from.
        settings: of the path and the order.
        seed: of a random order.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: PathSettings, seed: int
    ) -> None:
        self._layout, self._settings, self._point = layout, settings, 0
        self._order = make_order(settings.order, layout, codes, seen, seed)
        codes, seen = codes[:, self._order], seen[:, self._order]
        self._places = Places(Layout(tuple(layout.n_cats[c] for c in self._order.tolist())))
        means = self._places.margins(codes, seen)
        self._rows = _Rows(self._places, codes, seen, means)
        self._theta = np.zeros((1 + self._places.total, self._places.total), np.float32)
        self._theta[0] = self._places.log_odds(means)

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Go to the next point of the path; see `Learner.step`."""
        penalty = self._settings.penalty(self._point)
        self._point += 1
        if not self._places.total:
            return 0.0
        first = now = self._rows.look(self._theta, penalty)
        memory, size = _Memory(), np.ones(len(now.loss))
        for _ in range(self._settings.passes):
            inverse = self._inverse(now, penalty)
            way = memory.direction(now.gradient, inverse, self._rows)
            slope = self._rows.dot(now.gradient, way)
            if -slope.sum() < ENOUGH * self._rows.n_rows:
                break
            moved = self._rows.per_place(size) * way
            then = self._rows.look(self._theta + moved, penalty)
            good = then.loss <= now.loss + 1e-4 * size * slope + SLACK * np.abs(now.loss)
            now, kept = self._keep(now, then, good, moved, memory)
            self._theta += moved * kept
            size = np.where(good, 1.0, size * 0.3)
        return -float(first.loss.sum() / self._rows.n_rows)

    def _inverse(self, now: _Look, penalty: float) -> Array:
        """Inverse of the Hessian's diagonal, if inputs and errors were independent."""
        spread = np.concatenate([np.ones(1, np.float32), self._rows.spread])
        bent = self._rows.n_rows * np.outer(spread, np.maximum(now.curvature, 1e-6))
        bent[1:] += penalty
        return (1 / bent).astype(np.float32)

    def _keep(
        self, now: _Look, then: _Look, good: NDArray[np.bool_], moved: Array, memory: _Memory
    ) -> tuple[_Look, Array]:
        """Accept the move in the columns where it was good; the others stay."""
        kept = self._rows.per_place(good.astype(np.float64))
        memory.add(moved * kept, (then.gradient - now.gradient) * kept, self._rows)
        mixed = _Look(
            np.where(good, then.loss, now.loss),
            np.where(kept > 0, then.gradient, now.gradient),
            np.where(kept > 0, then.curvature, now.curvature),
        )
        return mixed, kept

    def model(self) -> FVSBN:
        """Return the model at the present point; later steps leave it alone."""
        weight = self._theta[1:].copy()
        bias = self._theta[0] - self._rows.means @ weight
        arrays = {"weight": weight, "bias": bias}
        return FVSBN(self._layout, self._order, self._rows.means, arrays)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parameters and the point of the path."""
        return {"theta": self._theta.copy(), "point": np.array(self._point)}

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._theta = arrays["theta"].copy()
        self._point = int(arrays["point"])
