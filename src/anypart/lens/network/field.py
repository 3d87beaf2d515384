r"""Intervals of input positions along one axis, one for every output position.

.. math:: o = qP + r \;\mapsto\; [\,qJ + \mathrm{low}_r,\; qJ + \mathrm{high}_r\,]

An ordinary stack of convolutions and pools has period P = 1 and jump J; a transposed
convolution of stride s multiplies the period by s, for its phases see different intervals.
Positions outside the input stand for padding and are counted, as is usual. A *table* is a
field without a rule: one interval for each of its P positions and nothing beyond them.

Cost: O(period · taps) for each operation.

References:
    Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural
    networks; Dumoulin and Visin 2016, A guide to convolution arithmetic.

"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, inf, lcm
from typing import NamedTuple

Interval = tuple[float, float]
"""(first, last) input position; (inf, −inf) sees nothing, (−inf, inf) sees everything."""

NOTHING: Interval = (inf, -inf)
EVERYTHING: Interval = (-inf, inf)


def hull(intervals: Iterable[Interval]) -> Interval:
    """Return the smallest interval that holds all.

    Example:
        >>> hull([(2, 5), (-1, 3)]), hull([])
        ((-1, 5), (inf, -inf))

    """
    low, high = NOTHING
    for first, last in intervals:
        low, high = min(low, first), max(high, last)
    return low, high


class Field(NamedTuple):
    """What every position along one axis sees.

    Args:
        jump: input positions between output positions that are one period apart.
        phases: the intervals of the first `period` output positions.
        table: there are only these positions; others see nothing.

    """

    jump: int
    phases: tuple[Interval, ...]
    table: bool = False

    @property
    def period(self) -> int:
        """Count the output positions after which the rule repeats."""
        return len(self.phases)

    @property
    def rate(self) -> Fraction | None:
        """Input positions per output position; None if there is no rule."""
        return None if self.table else Fraction(self.jump, self.period)

    @property
    def size(self) -> float:
        """Positions in the largest interval: the receptive field."""
        return max((max(high - low + 1, 0) for low, high in self.phases), default=0)

    def at(self, position: int) -> Interval:
        """Return the interval that one output position sees."""
        if self.table:
            return self.phases[position] if 0 <= position < self.period else NOTHING
        period, r = divmod(position, self.period)
        low, high = self.phases[r]
        return low + period * self.jump, high + period * self.jump

    def window(self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Field:
        """Slide a kernel: output o reads positions stride·o − padding + dilation·tap.

        Example:
            >>> SELF.window(3, stride=2, padding=1).window(3).at(1)
            (1, 7)

        """
        if self.period == 1 and not self.table:
            low, high = self.phases[0]
            back, jump = -padding * self.jump, self.jump
            ahead = back + dilation * (kernel - 1) * jump
            return Field(jump * stride, ((low + back, high + ahead),))
        if self.table:
            n_out = max((self.period + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1, 0)
        else:
            n_out = self.period // gcd(self.period, stride)
        taps = range(0, dilation * kernel, dilation)
        phases = [hull(self.at(stride * o - padding + t) for t in taps) for o in range(n_out)]
        return self._like(stride * n_out, phases)

    def spread(
        self, kernel: int, stride: int = 1, padding: int = 0, dilation: int = 1, extra: int = 0
    ) -> Field:
        """Spread a kernel: position i writes to stride·i − padding + dilation·tap.

        That is what a transposed convolution does. `extra` positions at its end matter for
        a table only.

        Example:
            >>> [SELF.spread(3, stride=2, padding=1).at(o) for o in range(4)]
            [(0, 0), (0, 1), (1, 1), (1, 2)]

        """
        n_out = self.period * stride
        if self.table:
            n_out = (self.period - 1) * stride + dilation * (kernel - 1) + 1 - 2 * padding + extra
        phases = list[Interval]()
        for o in range(n_out):
            reached = (o + padding - dilation * tap for tap in range(kernel))
            phases.append(hull(self.at(i // stride) for i in reached if i % stride == 0))
        return self._like(self.period, phases)

    def take(self, positions: Sequence[int]) -> Field:
        """Read some positions, in an order without a rule."""
        return Field(0, tuple(self.at(p) for p in positions), table=True)

    def tabulate(self, n_out: int) -> Field:
        """Write the intervals of the first `n_out` positions down."""
        return self if self.table and self.period == n_out else self.take(range(n_out))

    def join(self, other: Field, n_out: int | None = None) -> Field:
        """See what either of two fields sees (the paths of a branch meet).

        Args:
            other: of the same axis.
            n_out: positions there are; needed where the two have no common rule.

        """
        if self in (other, WHOLE) or other == UNSEEN:
            return self
        if self == UNSEEN or other == WHOLE:
            return other
        if self.table or other.table or self.rate != other.rate:
            n = n_out if n_out is not None else max(self.period, other.period)
            both = zip(self.tabulate(n).phases, other.tabulate(n).phases, strict=True)
            return Field(0, tuple(hull(pair) for pair in both), table=True)
        period = lcm(self.period, other.period)
        phases = tuple(hull((self.at(o), other.at(o))) for o in range(period))
        return Field(self.jump * (period // self.period), phases).reduced()

    def reduced(self) -> Field:
        """Write the rule with its shortest period."""
        for period in range(1, self.period if not self.table else 1):
            if self.period % period or (self.jump * period) % self.period:
                continue
            short = Field(self.jump * period // self.period, self.phases[:period])
            if all(short.at(o) == seen for o, seen in enumerate(self.phases)):
                return short
        return self

    def _like(self, n_read: int, phases: list[Interval]) -> Field:
        """Make a field whose period reads `n_read` positions of this one."""
        if self.table:
            return Field(0, tuple(phases), table=True)
        return Field(n_read * self.jump // self.period, tuple(phases)).reduced()


SELF = Field(1, ((0, 0),))
"""The input itself: every position sees itself."""


WHOLE = Field(0, (EVERYTHING,))
"""Every position sees the whole input (global pooling, attention)."""

UNSEEN = Field(0, (NOTHING,))
"""No position sees anything (a constant)."""
