r"""`Line`: the codes of one numeric column, both ways, and the density inside a cell.

The measure is stated once, here. An atom is a value with a mass of its own: log-measure 0.
Between the atoms the column has a density per unit: a cell's mass is spread over its pieces
(equal mass each, uniform inside). On a grid of spacing r the mass of one grid point, divided
by r, is the density; for integers (r = 1) that is the point's mass. Values are rounded to
the grid first, so that the density of a value off the grid is its nearest grid point's.

Outside the outermost cells the density goes on as an exponential (on a grid geometric) tail
that holds the cell's `tail` share; its mean is the mean distance of the cell's own values
from its inner bound. Values are never drawn from the tails.

Atoms are taken out of the intervals around them by counting grid points without them
(*places*): point g has place g − #{atoms < g}, so that an interval is a run of places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.data.grid import Grid
from anypart.data.schema import Column

Reals = NDArray[np.float64]


class Line:
    """Codes, values and densities of one numeric column."""

    def __init__(self, column: Column) -> None:
        cells = column.cells
        self.grid = Grid.of(column.resolution)
        self.n_cats = len(cells)
        is_atom = np.array([c.is_atom for c in cells], np.bool_)
        lows = np.array([c.low for c in cells], np.float64)
        self.atom_codes = np.flatnonzero(is_atom)[np.argsort(lows[is_atom], kind="stable")]
        self.atoms = self.grid.steps(lows[self.atom_codes])
        order = np.flatnonzero(~is_atom)
        order = order[np.argsort(lows[order], kind="stable")]
        self.atom_values = np.where(is_atom, lows, np.nan)
        self._lay_pieces(cells, order.astype(np.int32))

    def _lay_pieces(self, cells: tuple, order: NDArray[np.int32]) -> None:
        """Lay the pieces of all intervals, in `order`, on the axis of places."""
        starts, owners = list[float](), list[int]()
        self.first_piece = np.zeros(self.n_cats, np.int64)
        self.n_pieces = np.ones(self.n_cats, np.int64)
        for code in order:
            self.first_piece[code] = len(starts)
            self.n_pieces[code] = len(cells[code].knots) + 1
            starts += [cells[code].low, *cells[code].knots]
            owners += [int(code)] * int(self.n_pieces[code])
        ends = [*starts, cells[order[-1]].high]
        self.edges = self.places(self.grid.steps(np.array(ends, np.float64)))
        self.owner = np.array(owners, np.int32)
        self.tails = self._tails(cells, order)
        share = np.array([1.0 - cells[c].tail for c in owners]) / self.n_pieces[self.owner]
        width = np.diff(self.edges) * (self.grid.resolution or 1.0)
        self.log_density = np.log(share) - np.log(width)

    def _tails(self, cells: tuple, order: NDArray[np.int32]) -> tuple[float, float, float, float]:
        """Return (share, mean) of the tail below, then above; means in steps."""
        first, last = order[0], order[-1]
        both = 0.5 if first == last else 1.0
        low, high = (self._mean_place(c) for c in (first, last))
        inner_high = self.edges[self.first_piece[first] + self.n_pieces[first]]
        inner_low = self.edges[self.first_piece[last]]
        floor = 1.0 if self.grid.over else float(np.finfo(np.float64).tiny)
        return (
            cells[first].tail * both,
            max(float(inner_high) - low, floor),
            cells[last].tail * both,
            max(high - float(inner_low), floor),
        )

    def _mean_place(self, code: int) -> float:
        start = self.first_piece[code]
        edges = self.edges[start : start + self.n_pieces[code] + 1]
        return float(np.mean((edges[1:] + edges[:-1]) / 2))

    def places(self, steps: Reals) -> Reals:
        """Count the grid points before each one, atoms left out; the same on the whole line."""
        return steps - np.searchsorted(self.atoms, steps) if self.grid.over else steps

    def _steps(self, places: Reals) -> Reals:
        if not self.grid.over or not len(self.atoms):
            return places
        gaps = self.atoms - np.arange(len(self.atoms))
        return places + np.searchsorted(gaps, places, side="right")

    def encode(self, x: Reals) -> tuple[NDArray[np.int32], Reals]:
        """Code values, and state the log-density of each inside its cell.

        Args:
            x: (n,) finite values.

        Returns:
            Codes, and log-densities in nats per unit; 0 for atoms.

        Cost:
            Two binary searches a value.

        """
        steps = self.grid.steps(x)
        at = np.searchsorted(self.atoms, steps)
        places = steps - at if self.grid.over else steps
        piece = np.searchsorted(self.edges[1:-1], places, side="right")
        codes, density = self.owner[piece], self.log_density[piece]
        below, above = places < self.edges[0], places >= self.edges[-1]
        if below.any() or above.any():
            density[below] = self._tail(self.edges[0] - places[below], 0)
            density[above] = self._tail(places[above] - self.edges[-1], 2)
        if len(self.atoms):
            near = np.minimum(at, len(self.atoms) - 1)
            hit = self.atoms[near] == steps
            codes = np.where(hit, self.atom_codes[near].astype(np.int32), codes)
            density = np.where(hit, 0.0, density)
        return codes, density

    def _tail(self, distance: Reals, side: int) -> Reals:
        share, mean = self.tails[side : side + 2]
        with np.errstate(divide="ignore"):
            log_share = np.log(share)
        if not self.grid.over:
            return log_share - np.log(mean) - distance / mean
        # Geometric on 0, 1, 2, …: below, the first point beyond is one step away.
        count = distance - (1 if side == 0 else 0)
        log_stay = np.log(mean) - np.log1p(mean)
        return log_share - np.log1p(mean) + count * log_stay - np.log(self.grid.resolution)

    def values(self, codes: NDArray[np.integer], u: Reals) -> Reals:
        """Return the value of each code at the quantile `u` in [0, 1] of its cell."""
        x = self.atom_values[codes]
        inside = np.flatnonzero(np.isnan(x))
        if len(inside):
            x[inside] = self._inside(codes[inside], np.asarray(u)[inside])
        return x

    def _inside(self, codes: NDArray[np.integer], u: Reals) -> Reals:
        n = self.n_pieces[codes]
        t = u * n
        k = np.minimum(t.astype(np.int64), n - 1)
        piece = self.first_piece[codes] + k
        low, high = self.edges[piece], self.edges[piece + 1]
        place = low + (t - k) * (high - low)
        if self.grid.over:
            return self.grid.values(self._steps(np.minimum(np.floor(place), high - 1)))
        place = np.clip(place, low, np.nextafter(high, low))
        if len(self.atoms):  # a draw that meets an atom by chance steps aside
            near = np.minimum(np.searchsorted(self.atoms, place), len(self.atoms) - 1)
            place = np.where(self.atoms[near] == place, np.nextafter(place, low + high), place)
        return place

    def spans(self, low: float, high: float, *, open_low: bool, open_high: bool) -> Reals:
        """Return the part of each cell between two values, as quantiles, (n_cats, 2).

        The share of the cell's mass is `spans[:, 1] - spans[:, 0]`; a value at a quantile
        within the span lies between `low` and `high`.
        """
        return np.stack(
            [self._below(low, strict=not open_low), self._below(high, strict=open_high)], axis=1
        )

    def _below(self, bound: float, *, strict: bool) -> Reals:
        """Share of each cell at values < bound (`strict`) or ≤ bound."""
        if self.grid.over:
            exact = bound * self.grid.under / self.grid.over
            near = np.rint(exact)
            if abs(exact - near) > 1e-9 * max(1.0, abs(near)):
                near, strict = np.ceil(exact), True
            step = near if strict else near + 1
        else:
            step = bound if strict else np.nextafter(bound, np.inf)
        place = self.places(np.array([step], np.float64))[0]
        part = np.clip((place - self.edges[:-1]) / np.diff(self.edges), 0.0, 1.0)
        out = np.bincount(self.owner, part, self.n_cats) / self.n_pieces
        out[self.atom_codes] = self.atoms < step
        return out

    def means(self, power: int = 1) -> Reals:
        """Mean of the values (to a power) of each cell, (n_cats,); of 288 quantiles."""
        u = (np.arange(288) + 0.5) / 288
        codes = np.repeat(np.arange(self.n_cats), len(u))
        grid = self.values(codes, np.tile(u, self.n_cats)).reshape(self.n_cats, -1)
        return (grid**power).mean(1)
