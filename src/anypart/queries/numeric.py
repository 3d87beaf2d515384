"""Distributions on a line: what the probabilities of cells say about means and quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.data.codec import Codec, _of_type, _typed
from anypart.data.schema import Column
from anypart.data.values import placed

Reals = NDArray[np.float64]
POINTS = 16


def typed(x: Reals, column: Column) -> pa.Array:
    """Give numbers of a column's line its Arrow type and spelling; integers are rounded."""
    return _typed(x, None, column)


def unspelt(array: pa.Array, column: Column) -> pa.Array:
    """Undo the spelling of a column's values: `$1,234.50` is the double again."""
    if column.spelling.is_plain:
        return array
    return _of_type(placed(array, column)[0], None, column)


@dataclass(frozen=True)
class Points:
    """A numeric column as equally likely values inside each cell, ascending.

    Args:
        values: (points,) in the column's unit.
        codes: (points,) whose cell each lies in.
        share: (points,) of the cell's mass.

    """

    values: Reals
    codes: NDArray[np.intp]
    share: Reals

    def quantile(self, probs: Reals, level: float) -> tuple[Reals, NDArray[np.intp]]:
        """Return the least value with at least `level` below it, and its code, (rows,).

        Args:
            probs: (rows, n_cats).
            level: in (0, 1).

        """
        mass = np.cumsum(probs[:, self.codes] * self.share, axis=1)
        at = (mass < level * mass[:, -1:]).sum(axis=1)
        at = np.minimum(at, len(self.values) - 1)
        return self.values[at], self.codes[at]

    def moment(self, n_cats: int, power: int) -> Reals:
        """Return the mean of the values to a power in each cell, (n_cats,)."""
        weights = self.values**power * self.share
        return np.bincount(self.codes, weights, n_cats).astype(np.float64)


def points_of(codec: Codec, at: int, spans: list[Reals] | None = None) -> Points:
    """Lay out the values of a column, or of parts of its cells.

    Args:
        codec: knows the cells.
        at: a numeric column.
        spans: (n_cats, 2) quantiles of disjoint parts; all of every cell if None.

    Cost:
        O(16 · n_cats), and a sort.

    """
    cells = codec.columns[at].cells
    if spans is None:
        spans = [np.tile([0.0, 1.0], (len(cells), 1))]
    values, codes, share = list[Reals](), list[NDArray[np.intp]](), list[Reals]()
    u = (np.arange(POINTS) + 0.5) / POINTS
    for span in spans:
        width = span[:, 1] - span[:, 0]
        for codes_here, grid in _grids(cells, width, u):
            q = span[codes_here, :1] + width[codes_here, None] * grid
            code = np.repeat(codes_here, len(grid))
            values.append(codec.values_at(at, code, q.ravel()))
            codes.append(code)
            share.append(np.repeat(width[codes_here] / len(grid), len(grid)))
    x, code, s = np.concatenate(values), np.concatenate(codes), np.concatenate(share)
    total = np.bincount(code, s, len(cells))
    order = np.argsort(x, kind="stable")
    return Points(x[order], code[order], (s / total[code])[order])


def _grids(cells: tuple, width: Reals, u: Reals) -> list[tuple[NDArray[np.intp], Reals]]:
    is_atom = np.array([c.is_atom for c in cells])
    inside = width > 0
    return [
        (np.flatnonzero(inside & is_atom), np.array([0.5])),
        (np.flatnonzero(inside & ~is_atom), u),
    ]
