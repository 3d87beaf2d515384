"""Conditionals that complete rows are enough for: of one cell, when all others are seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Mask, Model


def by_category(model: Model, evidence: Evidence, col: int) -> NDArray[np.float64]:
    """Put every category in a column's place: its share of their sum, (rows, cats), nats.

    Exact if `model.log_prob` is exact for rows in which all other cells are as they are.
    """
    codes, seen = evidence.codes.copy(), evidence.seen.copy()
    seen[:, col] = True
    logs = np.empty((evidence.n_rows, model.layout.n_cats[col]))
    for code in range(logs.shape[1]):
        codes[:, col] = code
        logs[:, code] = model.log_prob(Evidence(codes, seen, evidence.weights))
    return logs - np.logaddexp.reduce(logs, axis=1, keepdims=True)


def fill_single_gaps(
    model: Model, evidence: Evidence
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Answer the rows with at most one unseen cell.

    Returns:
        Log-probabilities, (rows, flat), certain where seen; and the rows that have more
        unseen cells, which are still to be filled.

    """
    gaps = (~evidence.seen).sum(axis=1)
    found = np.full((evidence.n_rows, model.layout.total), -np.inf, np.float32)
    row, col = np.nonzero(evidence.seen)
    starts = np.array([s.start for s in model.layout.slices])
    found[row, starts[col] + evidence.codes[row, col]] = 0
    for col, place in enumerate(model.layout.slices):
        rows = np.flatnonzero((gaps == 1) & ~evidence.seen[:, col])
        if len(rows):
            found[rows, place] = by_category(model, evidence.rows(rows), col)
    return found, np.flatnonzero(gaps > 1)


def leave_each_out(model: Model, codes: Codes, seen: Mask) -> NDArray[np.float32]:
    """Log-probabilities of every cell given the other seen ones, (rows, flat)."""
    cells = [by_category(model, Evidence(codes, seen), c) for c in range(model.layout.n_cols)]
    return np.concatenate(cells, axis=1).astype(np.float32)
