"""Draws from a tree: the states from the roots down, then the cells, a block at a time."""

from __future__ import annotations

import numpy as np

from anypart.models.contract import Codes, Evidence, Floats
from anypart.models.latent_tree.circuit import Array, Circuit
from anypart.models.latent_tree.draw import AliasTable, Places, alias_table, draw_rows
from anypart.models.latent_tree.passes import Upward

SAMPLE_ROWS = 16_384  # drawn together; the states of all nodes stay in the cache


def sample_block(
    circuit: Circuit, messages: Upward, evidence: Evidence, rng: np.random.Generator
) -> Codes:
    """Draw the cells that are not seen, each row given its own evidence, (rows, cols).

    Cost:
        O(rows · Σ states), after the upward pass.
    """
    n = evidence.n_rows
    out = evidence.codes.T.copy()
    states: list[Places] = []
    for node, parent in enumerate(circuit.shape.parents):
        prior = circuit.transitions[node]
        weights = prior.take(states[parent], axis=0) if parent >= 0 else prior
        below = messages.below[node]
        weights = weights if below is None else weights * below
        states.append(draw_rows(np.broadcast_to(weights, (n, weights.shape[1])), rng))
    for column, node in enumerate(circuit.shape.node_of):
        open_rows = np.flatnonzero(~evidence.seen[:, column])
        if not len(open_rows):
            continue
        cells = circuit.emissions[column].take(states[node][open_rows], axis=0)
        if column in evidence.weights:
            cells = cells * _likelihood(evidence.weights[column])
        out[column, open_rows] = draw_rows(cells, rng)
    return np.ascontiguousarray(out.T)


def sample_same(
    circuit: Circuit, messages: Upward | None, evidence: Evidence, rng: np.random.Generator
) -> Codes:
    """Draw many rows with the same evidence: a tree given evidence is again a tree.

    Its transitions are the old ones times the upward messages; they are tabulated once.

    Cost:
        O(nodes + cols) per row, whatever the number of states.
    """
    n_nodes, n_cols = circuit.shape.n_nodes, len(circuit.emissions)
    below = [None] * n_nodes if messages is None else messages.below
    down = [_table(t, b) for t, b in zip(circuit.transitions, below, strict=True)]
    emit: list[AliasTable | None] = []
    for column in range(n_cols):
        weights = evidence.weights.get(column)
        fixed = evidence.n_rows and evidence.seen[0, column]
        said = None if weights is None else _likelihood(weights[:1])
        emit.append(None if fixed else _table(circuit.emissions[column], said))
    out = np.empty((evidence.n_rows, n_cols), np.int32)
    for start in range(0, evidence.n_rows, SAMPLE_ROWS):
        part = out[start : start + SAMPLE_ROWS]
        n = len(part)
        states: list[Places] = []
        for node, parent in enumerate(circuit.shape.parents):
            states.append(down[node].draw(states[parent] if parent >= 0 else None, n, rng))
        for column, node in enumerate(circuit.shape.node_of):
            table = emit[column]
            if table is None:
                part[:, column] = evidence.codes[start : start + n, column]
            else:
                part[:, column] = table.draw(states[node], n, rng)
    return out


def _likelihood(weights: Floats) -> Array:
    """Weights of the categories up to a factor per row, at most 1."""
    top = weights.max(axis=1, keepdims=True)
    return np.exp(weights - np.where(np.isfinite(top), top, 0.0)).astype(np.float32)


def _table(probs: Array, said: Array | None) -> AliasTable:
    """Tabulate distributions given what is said; those that cannot occur become even."""
    given = probs if said is None else probs * said
    empty = given.sum(axis=1, keepdims=True) <= 0
    return alias_table(np.where(empty, np.float32(1), given))
