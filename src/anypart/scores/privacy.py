"""Whether drawn rows give away training rows: nearest rows, and exact copies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.schema import Column
from anypart.optim.distances.rows import squared_distances
from anypart.scores.rows import Coding, Reals, ScoredRows, code_rows
from anypart.scores.vectors import vectors

BLOCK = 1_000  # drawn rows whose distances are held at once
LEAST_ROWS = 50


@dataclass(frozen=True)
class Privacy:
    """Drawn rows beside those that were fitted and those that were held out.

    Distances are between ranks of numbers, in [0, 1]; two categories are 1 apart.

    Args:
        rows: fitted rows, and as many held-out ones, that distances were taken to.
        to_fitted: median distance of a drawn row to the closest fitted one.
        to_held_out: the same to the closest held-out one.
        nearer: share of drawn rows that are closer to a fitted row than to any held-out
            one, ties by half: .5 if the fit remembers no row.
        error: its standard error.
        copies: share of drawn rows that are in the whole fitted table, cell by cell.
        held_out_copies: the same of held-out rows: what rows share by nature.

    """

    rows: int
    to_fitted: float
    to_held_out: float
    nearer: float
    error: float
    copies: float
    held_out_copies: float


def score_privacy(
    fitted: Coding,
    drawn: ScoredRows,
    held_out: ScoredRows,
    some_fitted: ScoredRows,
    batches: Iterator[pa.RecordBatch],
    seed: int,
) -> Privacy | None:
    """Compare drawn rows with fitted and held-out ones; None of fewer than 50 of each.

    Args:
        fitted: what codes rows.
        drawn: rows that the fit drew.
        held_out: rows that it has not seen.
        some_fitted: rows that it has seen, chosen at random.
        batches: all rows that it has seen, for copies.
        seed: of the rows that are taken where there are too many.

    Cost:
        A pass over the fitted rows, and O(drawn · rows · dims).

    References:
        Platzer & Reutterer, "Holdout-based empirical assessment of mixed-type synthetic
        data" (2021): the closest record, against held-out rows.

    """
    n = min(held_out.n_rows, some_fitted.n_rows)
    if min(n, drawn.n_rows) < LEAST_ROWS:
        return None
    rng = generator(seed, "scores", "privacy")
    sides = [r.take(rng.permutation(r.n_rows)[:n]) for r in (some_fitted, held_out)]
    near, far = _nearest(fitted.schema.modelled, drawn, sides)
    copies = _copies(fitted, [drawn, held_out], batches)
    nearer, error = _nearer(near, far)
    return Privacy(
        rows=n,
        to_fitted=float(np.median(near.distance)),
        to_held_out=float(np.median(far.distance)),
        nearer=nearer,
        error=error,
        copies=copies[0],
        held_out_copies=copies[1],
    )


@dataclass(frozen=True)
class _Closest:
    """The closest row of a side to each drawn row, and how far it is, (drawn,) each."""

    row_ix: NDArray[np.intp]
    distance: Reals


def _nearest(
    columns: tuple[Column, ...], drawn: ScoredRows, sides: list[ScoredRows]
) -> tuple[_Closest, _Closest]:
    x, *others = vectors(columns, [drawn, *sides])
    found: list[_Closest] = []
    for y in others:
        blocks = [squared_distances(x[i : i + BLOCK], y) for i in range(0, len(x), BLOCK)]
        least = np.concatenate([b.min(axis=1) for b in blocks])
        # Rounded, so that the same distance by another sum is a tie.
        row_ix = np.concatenate([b.argmin(axis=1) for b in blocks])
        found.append(_Closest(row_ix, np.sqrt(least.round(9))))
    return found[0], found[1]


def _nearer(near: _Closest, far: _Closest) -> tuple[float, float]:
    """Share of drawn rows that are closer to the first side, ties by half; its standard error.

    If the fit remembers no row, which side each row of both lies on is a fair coin, and one
    coin decides for all drawn rows that it is the closest to.
    """
    ahead, behind = near.distance < far.distance, near.distance > far.distance
    counts = np.concatenate(
        [np.bincount(side.row_ix[m]) for side, m in ((near, ahead), (far, behind))]
    )
    share = 0.5 + (ahead.sum() - behind.sum()) / (2 * len(ahead))
    return float(share), float(np.sqrt((counts.astype(np.float64) ** 2).sum()) / (2 * len(ahead)))


def _copies(
    fitted: Coding, some: list[ScoredRows], batches: Iterator[pa.RecordBatch]
) -> list[float]:
    """Share of the rows of each side that are among those of a stream."""
    marks = [_marks(rows) for rows in some]
    met = [np.zeros(len(m), np.bool_) for m in marks]
    for batch in batches:
        there = _marks(code_rows(fitted, batch))
        met = [m | np.isin(mark, there) for m, mark in zip(met, marks, strict=True)]
    return [float(m.mean()) for m in met]


def _marks(rows: ScoredRows) -> np.ndarray:
    """Write every row as one value that is equal for equal cells, (rows,)."""
    numeric = ~np.isnan(rows.reals)
    # A number counts as it is; two values of one cell are two values. A gap is no number.
    cells = np.where(numeric, rows.reals, np.where(rows.seen, rows.codes, np.nan))
    cells = np.ascontiguousarray(cells + 0.0)  # -0 is 0
    return cells.view(np.dtype((np.void, cells.dtype.itemsize * cells.shape[1]))).ravel()
