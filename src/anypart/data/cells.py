"""Cells of a numeric column: which values become atoms, where the intervals lie.

A value is an atom if its share is far above what its neighbours explain: zeros of a capital
gain, 40 hours a week. A column of few distinct values is atoms throughout. The other values
are cut into intervals of equal mass, the outermost again where the tail is long, and each of
them into pieces of equal mass.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from anypart.data.grid import Grid, find_grid
from anypart.data.schema import Cell

FEW_COLUMNS = 12  # that many can have finer cells, and models of more states to tie them
MAX_INTERVALS = 64
MAX_ATOMS = 128
FINER = 2  # times as many intervals and atoms
ROWS_PER_FINE_CELL = 150
FEW_VALUES = 150
ROWS_PER_PIECE = 16
MAX_PIECES = 9  # eight inner knots
LONG = 4  # times the interval beside it: then an outermost one is cut again
ROWS_IN_TAIL = 40  # at least, in each part
ROWS_PER_OUTER_PIECE, MAX_OUTER_PIECES = 4, 64  # of the first and last cell: long tails

Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


def distinct(x: Reals) -> tuple[Reals, Ints]:
    """Return the distinct values, ascending, and their counts."""
    # np.sort is vectorised, np.unique of random values is not and takes a hundred times as long.
    x = np.sort(x)
    if not len(x):
        return x, np.zeros(0, np.int64)
    starts = np.flatnonzero(np.concatenate([[True], x[1:] != x[:-1]]))
    return x[starts], np.diff(np.concatenate([starts, [len(x)]]))


def make_cells(x: Reals, *, finer: bool = False) -> tuple[tuple[Cell, ...], float]:
    """Cut the line of a column into cells.

    Args:
        x: (n,) finite values of the training rows, n at least 1.
        finer: make up to twice as many, where each has 150 rows.

    Returns:
        The cells by code, and the resolution.

    """
    values, counts = distinct(x + 0.0)  # −0 is 0
    grid = find_grid(values)
    steps = grid.steps(values)
    budget, most_atoms = min(len(x) // 40 + 4, MAX_INTERVALS), MAX_ATOMS
    if finer:
        budget = max(budget, min(len(x) // ROWS_PER_FINE_CELL, FINER * MAX_INTERVALS))
        most_atoms *= FINER
    atomic = _atoms(counts, len(x), budget, most_atoms, gridded=grid.over > 0)
    atoms, rest = steps[atomic], steps[~atomic]
    places = rest - np.searchsorted(atoms, rest) if grid.over else rest
    edges = _intervals(places, counts[~atomic], len(x), budget, steps, atoms, grid)
    cells = [Cell(v, v) for v in values[atomic].tolist()]
    cells += _interval_cells(edges, places, counts[~atomic], atoms, grid)
    return tuple(sorted(cells, key=_middle)), grid.resolution


def _middle(cell: Cell) -> tuple[float, float]:
    edges = [cell.low, *cell.knots, cell.high]
    half = len(edges) // 2
    return (
        (edges[half] + edges[-half - 1]) / 2
        if len(edges) % 2
        else (edges[half - 1] + edges[half]) / 2
    ), cell.low


def _atoms(counts: Ints, n: int, budget: int, most: int, *, gridded: bool) -> NDArray[np.bool_]:
    """Choose the values that become atoms: a quarter of an equal-mass cell, or few values."""
    few = len(counts) <= budget or (gridded and len(counts) <= FEW_VALUES and n >= 20 * len(counts))
    least = 3.0 if few else max(min(20.0, n / budget / 2), n / budget / 4)
    if (counts >= least).sum() > most:
        least = max(least, float(np.sort(counts)[-most]) + 0.5)
    return counts >= least


def _intervals(
    places: Reals, counts: Ints, n: int, budget: int, steps: Reals, atoms: Reals, grid: Grid
) -> Reals:
    """Return the bounds of the intervals, ascending, at least two, as places."""
    gridded = grid.over > 0
    if not len(places) or (not gridded and len(places) == 1):
        # Nothing to learn a density from: one cell around everything, so that every value
        # has a code; not below zero if nothing is.
        pad = max(1.0, np.ceil(0.1 * (steps[-1] - steps[0])), np.abs(steps).max() * 1e-6)
        pad = np.ceil(pad) if gridded else pad
        low = max(0.0, steps[0] - pad) if steps[0] >= 0 else steps[0] - pad
        ends = np.array([low, steps[-1] + pad + 1])
        return ends - np.searchsorted(atoms, ends).astype(np.float64) if gridded else ends
    m = int(counts.sum())
    k = max(round(budget * m / n), min(4, m // 30), 1)
    end = places[-1] + 1 if gridded else np.nextafter(places[-1], np.inf)
    edges = np.array([places[0], *_split(places, counts, k, gridded=gridded), end])
    return _cut_tail(_cut_tail(edges, places, counts, -1, gridded), places, counts, 0, gridded)


def _cut_tail(edges: Reals, places: Reals, counts: Ints, side: int, gridded: bool) -> Reals:
    """Halve the outermost interval of a side again and again, while it is long and has rows."""
    while len(edges) > 2:
        outer = slice(0, 2) if side == 0 else slice(-2, None)
        low, high = edges[outer]
        beside = edges[2] - edges[1] if side == 0 else edges[-2] - edges[-3]
        inside = (places >= low) & (places < high)
        if high - low < LONG * beside or counts[inside].sum() < 2 * ROWS_IN_TAIL:
            break
        middle = _split(places[inside], counts[inside], 2, gridded=gridded)
        if not middle:
            break
        edges = np.insert(edges, 1 if side == 0 else len(edges) - 1, middle[0])
    return edges


def _split(places: Reals, counts: Ints, k: int, *, gridded: bool) -> list[float]:
    """Return up to k − 1 inner bounds between distinct places, of equal mass each side."""
    if k < 2 or len(places) < 2:
        return []
    mass = np.cumsum(counts)
    targets = mass[-1] * np.arange(1, k) / k
    # The bound nearest to the target: before or after the place that holds it.
    after = np.searchsorted(mass, targets)
    before = np.where(after > 0, mass[np.maximum(after - 1, 0)], 0)
    after = np.where(targets - before < mass[after] - targets, after - 1, after) + 1
    at = np.unique(after[(after > 0) & (after < len(places))])
    middle = (places[at - 1] + places[at]) / 2
    return (np.ceil(middle) if gridded else middle).tolist()


def _interval_cells(
    edges: Reals, places: Reals, counts: Ints, atoms: Reals, grid: Grid
) -> list[Cell]:
    gridded = grid.over > 0
    gaps = atoms - np.arange(len(atoms))

    def value(place: float) -> float:
        step = place + np.searchsorted(gaps, place, side="right") if gridded else place
        return float(grid.values(np.array([step]))[0])

    cells = list[Cell]()
    for low, high in pairwise(edges.tolist()):
        inside = (places >= low) & (places < high)
        m = int(counts[inside].sum())
        outer = (low == edges[0]) + (high == edges[-1])
        rows, most = (
            (ROWS_PER_OUTER_PIECE, MAX_OUTER_PIECES) if outer else (ROWS_PER_PIECE, MAX_PIECES)
        )
        pieces = min(max(m // rows, 1), most)
        knots = _split(places[inside], counts[inside], pieces, gridded=gridded)
        top = value(high - 1) + grid.resolution if gridded else high
        if high != edges[-1]:
            top = value(high)
        cells.append(Cell(value(low), float(top), tuple(map(value, knots)), tail=outer / (m + 2)))
    return cells
