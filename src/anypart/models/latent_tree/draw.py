"""Draws from tables of probabilities, one per row, without a loop over rows.

References:
    Walker, "An efficient method for generating discrete random variables with general
    distributions" (1977); Vose, "A linear algorithm for generating random numbers with a
    given distribution" (1991).

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int32]


@dataclass(frozen=True)
class AliasTable:
    """One distribution per row, drawn from in constant time.

    Args:
        keep: (rows · cats,) the share of each place that is its own.
        other: (rows · cats,) who owns the rest of it.
        n_cats: the number of places of one distribution.

    """

    keep: NDArray[np.float32]
    other: Places
    n_cats: int

    def draw(self, row: NDArray[np.integer] | None, n: int, rng: np.random.Generator) -> Places:
        """Draw once from the distribution at each `row` (None: the first), (n,)."""
        if self.n_cats == 1:
            return np.zeros(n, np.int32)
        u = rng.random(n)
        u *= self.n_cats
        place = u.astype(np.int32)
        u -= place
        index = place if row is None else row * np.int32(self.n_cats) + place
        return np.where(u < self.keep.take(index), place, self.other.take(index))


def alias_table(probs: NDArray[np.floating]) -> AliasTable:
    """Tabulate the distributions in the rows of `probs`, (rows, cats), all rows at once.

    The poor places (less than their fair share) come first in ascending order, then the
    rich; each of the cats − 1 steps settles one place in every row: the current rich one
    fills up a poor one, or has become poor itself and is filled by the next rich one.

    Cost:
        O(rows · cats · log cats).
    """
    n_rows, n_cats = probs.shape
    p = probs.astype(np.float64)
    p *= n_cats / p.sum(axis=1, keepdims=True)
    order = np.argsort(p, axis=1, kind="stable")
    keep = np.ones((n_rows, n_cats))
    other = np.tile(np.arange(n_cats, dtype=np.int32), (n_rows, 1))
    row = np.arange(n_rows)
    poor = np.zeros(n_rows, np.int64)  # next poor place, a position in `order`
    n_poor = (p < 1.0).sum(axis=1)
    rich = np.minimum(n_poor, n_cats - 1)  # current rich place
    left = p[row, order[row, rich]]
    for _ in range(n_cats - 1):
        spent = (left < 1.0) & (rich < n_cats - 1)
        fill = ~spent & (poor < n_poor) & (poor < rich)
        giver = order[row, np.minimum(rich + 1, n_cats - 1)]
        here = order[row, np.where(spent, rich, np.minimum(poor, n_cats - 1))]
        own = np.where(spent, left, p[row, here])
        to = np.where(spent, giver, order[row, rich])
        change = spent | fill
        keep[row[change], here[change]] = own[change]
        other[row[change], here[change]] = to[change]
        left = np.where(spent, p[row, giver] - (1.0 - left), left - np.where(fill, 1 - own, 0))
        rich += spent
        poor += fill
    return AliasTable(keep.astype(np.float32).ravel(), other.ravel(), n_cats)


def draw_rows(weights: NDArray[np.floating], rng: np.random.Generator) -> Places:
    """Draw a place per row in proportion to its weights, (rows,), by inverse CDF.

    A place with weight 0 is never drawn; every row has a positive weight.

    Cost:
        O(rows · cats).
    """
    n_rows, n_cats = weights.shape
    if n_cats == 1:
        return np.zeros(n_rows, np.int32)
    cumulative = np.cumsum(weights, axis=1)
    total = cumulative[:, -1]
    mark = np.minimum(rng.random(n_rows) * total, np.nextafter(total, 0)).astype(total.dtype)
    mark = np.minimum(mark, np.nextafter(total, total.dtype.type(0)))
    return (cumulative <= mark[:, None]).sum(axis=1, dtype=np.int32)
