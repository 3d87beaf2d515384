"""The distribution of a numeric cell: its mean, its quantiles, where a value lies in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
POINTS = 16  # quantiles that stand for an interval


@dataclass(frozen=True)
class Points:
    """Values that stand for the codes of a numeric column, ascending.

    An interval may lie around an atom, so codes have no order; points have.

    Args:
        values: (points,) in the column's unit.
        owner: (points,) the code of each.
        share: (points,) the part of its code's mass.

    """

    values: Reals
    owner: NDArray[np.int64]
    share: Reals

    def quantile(self, probs: Reals, level: float) -> Reals:
        """Smallest point with at least `level` of the mass at or below it, (rows,).

        Args:
            probs: (rows, n_cats), rows sum to 1.
            level: in (0, 1).

        Cost:
            O(rows · points).

        """
        mass = np.cumsum(probs[:, self.owner] * self.share, axis=1)
        at = (mass < level * mass[:, -1:]).sum(axis=1)
        return self.values[np.minimum(at, len(self.values) - 1)]

    def rank(self, probs: Reals, x: Reals, u: Reals) -> Reals:
        r"""Randomised probability integral transform of each value, (rows,).

        .. math:: F(x^-) + u \, (F(x) - F(x^-))

        Uniform on [0, 1] if `probs` are right, atoms included.

        Args:
            probs: (rows, n_cats).
            x: (rows,) values.
            u: (rows,) uniform on [0, 1].

        References:
            Czado, Gneiting & Held, "Predictive model assessment for count data" (2009),
            section 2.

        """
        mass = np.concatenate(
            [np.zeros((len(probs), 1)), np.cumsum(probs[:, self.owner] * self.share, axis=1)], 1
        )
        below = np.searchsorted(self.values, x, side="left")
        upto = np.searchsorted(self.values, x, side="right")
        row = np.arange(len(x))
        low, high = mass[row, below], mass[row, upto]
        # Between two points, the value lies anywhere in the next point's share.
        gap = (upto == below) & (upto < len(self.values))
        high = np.where(gap, mass[row, np.minimum(upto + 1, len(self.values))], high)
        return np.clip(low + u * (high - low), 0.0, 1.0)


def column_points(codec: Any, column_ix: int, n_cats: int) -> Points:
    """Make the points of a numeric column."""
    u = (np.arange(POINTS) + 0.5) / POINTS
    codes = np.repeat(np.arange(n_cats), POINTS)
    values = np.asarray(codec.values_at(column_ix, codes, np.tile(u, n_cats)), np.float64)
    order = np.argsort(values, kind="stable")
    return Points(values[order], codes[order], np.full(len(codes), 1 / POINTS))
