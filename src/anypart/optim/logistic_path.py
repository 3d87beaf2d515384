r"""Training of logistic autoregression along a path of penalties.

The path goes from a strong penalty, where the model is nearly independent, to a weak one,
each point from the last one's solution; the training loop keeps the point that is best on
validation rows. Columns differ in how much penalty they need, and validation rows are too
few to choose one for each: so the training rows are halved first, each half is fitted along
the path and judged on the other, and every column gets its own multiple of the path's
penalty. On dna (1,600 rows) that is worth a nat.

References:
    Friedman, Hastie and Tibshirani 2010, Regularization paths for generalized linear
    models via coordinate descent (the path with warm starts).

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Layout, Mask
from anypart.models.fvsbn import FVSBN
from anypart.models.orders import make_order
from anypart.models.places import Array, Places
from anypart.optim.logistic import Regressions

STRIDE = 2  # points of the path from one at which the halves are judged to the next


@dataclass(frozen=True)
class PathSettings:
    """How logistic autoregression is trained.

    Args:
        order: of the columns, see `models.orders.make_order`.
        strongest, weakest: the ends of the path of penalties λ.
        points: on the path, one a step of the learner.
        passes: over the rows at a point, at most.
        crossed: whether each column has its own multiple of the path's penalty.

    """

    order: str | Sequence[int] = "chow_liu"
    strongest: float = 300.0
    weakest: float = 0.02
    points: int = 25
    passes: int = 40
    crossed: bool = True

    def penalty(self, point: int) -> float:
        """Return λ of a point; beyond the last it stays.

        Example:
            >>> path = PathSettings(points=3)
            >>> [round(path.penalty(k), 4) for k in (0, 1, 2, 9)]
            [300.0, 2.4495, 0.02, 0.02]

        """
        share = min(point / max(self.points - 1, 1), 1.0)
        return float(self.strongest * (self.weakest / self.strongest) ** share)


class PathLearner:
    """Walks the path of penalties on rows that it was given at the start, a point a step.

    Every step takes all rows, so the batches of the training loop are not read.

    Args:
        layout: the columns.
        codes: (rows, cols) the rows to learn from.
        seen: (rows, cols) which of their cells have a value.
        settings: of the path and the order.
        seed: of a random order.

    Cost:
        A step: up to `passes` products of the rows with the parameters, and of their
        transposes. The first step walks the whole path on both halves.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: PathSettings, seed: int
    ) -> None:
        self._layout, self._settings, self._point = layout, settings, 0
        self._order = make_order(settings.order, layout, codes, seen, seed)
        self._codes, self._seen = codes[:, self._order], seen[:, self._order]
        self._places = Places(Layout(tuple(layout.n_cats[c] for c in self._order.tolist())))
        self._means = self._places.margins(self._codes, self._seen)
        self._rows = Regressions(self._places, self._codes, self._seen, self._means)
        self._theta = self._rows.start()
        self._multiple = np.ones(self._places.total, np.float32)
        self._best = 0  # point of the path, once the halves have been judged

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Go to the next point of the path; see `Learner.step`."""
        if not self._places.total:
            return 0.0
        if not self._point and self._settings.crossed:
            self._multiple = self._multiples()
        penalty = self._settings.penalty(self._point) * self._multiple
        self._point += 1
        self._theta, loss = self._rows.minimise(self._theta, penalty, self._settings.passes)
        return -loss

    def to_best(self) -> None:
        """Walk to the point that the halves found best together; for `crossed` paths."""
        self.step(self._codes, self._seen, 0.0)
        while self._point <= self._best:
            self.step(self._codes, self._seen, 0.0)

    def _multiples(self) -> Array:
        """Find what each column's penalty is to that of all columns together, (places,)."""
        halves = slice(0, None, 2), slice(1, None, 2)
        one, other = self._halved(*halves), self._halved(*reversed(halves))
        points = min(len(one), len(other))
        losses = one[:points] + other[:points]
        best, together = losses.argmin(axis=0), int(losses.sum(axis=1).argmin())
        self._best = STRIDE * together
        penalties = np.array([self._settings.penalty(STRIDE * k) for k in range(len(losses))])
        return self._rows.per_place(penalties[best] / penalties[together])

    def _halved(self, learnt: slice, held: slice) -> NDArray[np.float64]:
        """Fit some rows along the path, (points, cols) nats of the rows held out."""
        fit, judge = (
            Regressions(self._places, self._codes[part], self._seen[part], self._means)
            for part in (learnt, held)
        )
        losses: list[NDArray[np.float64]] = []
        theta, even = fit.start(), np.ones(self._places.total, np.float32)
        for point in range(0, self._settings.points, STRIDE):
            penalty = np.float32(self._settings.penalty(point))
            theta, _ = fit.minimise(theta, penalty * even, self._settings.passes)
            losses.append(judge.look(theta, 0 * even).loss)
            if losses[-1].sum() > 1.02 * np.min([x.sum() for x in losses]):
                break  # all columns together have long been past their best
        return np.array(losses)

    def model(self) -> FVSBN:
        """Return the model at the present point; later steps leave it alone."""
        weight = self._theta[1:].copy()
        bias = self._theta[0] - self._means @ weight
        return FVSBN(self._layout, self._order, self._means, {"weight": weight, "bias": bias})

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parameters, the multiples and the point of the path."""
        return {
            "theta": self._theta.copy(),
            "multiple": self._multiple.copy(),
            "point": np.array(self._point),
        }

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._theta, self._multiple = arrays["theta"].copy(), arrays["multiple"].copy()
        self._point = int(arrays["point"])
