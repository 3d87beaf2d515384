"""The most likely row of a tree whose states are the columns' own codes: max-product.

References:
    Pearl, Probabilistic Reasoning in Intelligent Systems (1988), chapter 5.

"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.models.contract import Codes, Evidence
from anypart.models.latent_tree.circuit import Array
from anypart.models.latent_tree.shape import Shape


def most_likely_row(shape: Shape, transitions: Sequence[Array], evidence: Evidence) -> Codes:
    """Find the row of highest probability that agrees with each row's evidence, (rows, cols).

    Args:
        shape: each node carries one column and has its codes as states.
        transitions: per node, (states above, states).
        evidence: what is given; log-weights count as factors.

    Raises:
        QuestionError: the event of a row is impossible.

    Cost:
        O(rows · Σ states above · states).

    """
    best: list[NDArray[np.float64]] = [_said(evidence, c[0], k) for c, k in _nodes(shape)]
    arrow: list[NDArray[np.intp]] = [np.empty(0, np.intp)] * shape.n_nodes
    with np.errstate(divide="ignore"):
        logs = [np.log(t, dtype=np.float64) for t in transitions]
    top = np.zeros(evidence.n_rows)
    for node in range(shape.n_nodes - 1, -1, -1):
        parent = shape.parents[node]
        each = [row + best[node] for row in logs[node]]  # per state above, (rows, states)
        arrow[node] = np.stack([e.argmax(axis=1) for e in each], axis=1)
        value = np.stack([e.max(axis=1) for e in each], axis=1)
        if parent < 0:
            top += value[:, 0]
        else:
            best[parent] = best[parent] + value
    if np.isneginf(top).any():
        raise QuestionError(
            f"Row {int(np.argmin(top))} says something that the model gives probability 0, so "
            "it has no most likely row. Leave a condition out, or widen it."
        )
    out = np.empty(evidence.codes.shape, np.int32)
    rows = np.arange(evidence.n_rows)
    for node, parent in enumerate(shape.parents):
        above = out[:, shape.columns[parent][0]] if parent >= 0 else np.zeros_like(rows)
        out[:, shape.columns[node][0]] = arrow[node][rows, above]
    return out


def _nodes(shape: Shape) -> list[tuple[tuple[int, ...], int]]:
    """The columns and the number of states of every node."""
    return list(zip(shape.columns, shape.n_states, strict=True))


def _said(evidence: Evidence, column: int, n_cats: int) -> NDArray[np.float64]:
    """Log-weight of each category by what is said of a column, (rows, n_cats)."""
    if column in evidence.weights:
        weights = np.asarray(evidence.weights[column], np.float64)
        return np.repeat(weights, evidence.n_rows, axis=0) if len(weights) == 1 else weights
    fits = evidence.codes[:, column, None] == np.arange(n_cats)
    return np.where(fits | ~evidence.seen[:, column, None], 0.0, -np.inf)
