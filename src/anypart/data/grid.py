"""The grid that the values of a numeric column lie on: how far they were rounded."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

MAX_DECIMALS = 6
_EXACT = 2.0**53


@dataclass(frozen=True)
class Grid:
    """The multiples of `over / under`, or the whole line if `over` is 0.

    A value is a whole number of steps, `steps * over / under`: one correctly rounded
    division, so that 391 steps of 1/10 are the double nearest to 39.1.
    """

    over: int
    under: int = 1

    @staticmethod
    def of(resolution: float) -> Grid:
        """Return the grid of a spacing; 0 is the whole line."""
        ratio = Fraction(resolution).limit_denominator(10**MAX_DECIMALS)
        return Grid(ratio.numerator, ratio.denominator)

    @property
    def resolution(self) -> float:
        """The spacing of neighbouring values; 0 on the whole line."""
        return self.over / self.under

    def steps(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Round values to whole steps; on the whole line they stay."""
        return np.rint(x * self.under / self.over) if self.over else x

    def values(self, steps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values of whole steps."""
        return steps * self.over / self.under if self.over else steps


def find_grid(values: NDArray[np.float64]) -> Grid:
    """Find the coarsest grid that holds all values: gcd of them as decimals.

    Six decimals at most; with fewer than ten distinct values the spacing is a power of
    ten at most 1, because a common factor may then be chance (2^-10 per doubling else).

    Args:
        values: (n,) finite, distinct.

    """
    if not len(values):
        return Grid(0)
    for decimals in range(MAX_DECIMALS + 1):
        scaled = values * 10.0**decimals
        whole = np.rint(scaled)
        if np.abs(whole).max() >= _EXACT:
            return Grid(0)  # beyond 2^53 doubles have no ones left to count
        if (whole / 10.0**decimals == values).all():
            common = int(np.gcd.reduce(whole.astype(np.int64))) if len(values) >= 10 else 1
            ratio = Fraction(max(common, 1), 10**decimals)
            return Grid(ratio.numerator, ratio.denominator)
    return Grid(0)
