"""Draws from a tree: the states from the roots down, then the cells, a block at a time."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class SampleTables:
    """A tree given one row's evidence is again a tree; this is it, ready to draw from.

    Args:
        states: per node, the distributions of its state by the state above.
        cells: per column, the distributions of its code by the node's state; None where
            the evidence has the code.

    """

    states: tuple[AliasTable, ...]
    cells: tuple[AliasTable | None, ...]


def tabulate(circuit: Circuit, messages: Upward | None, evidence: Evidence) -> SampleTables:
    """Multiply the tree's tables by the upward messages of a row, and make them alias tables.

    Args:
        circuit: the tree.
        messages: of the first row of the evidence; None if it says nothing.
        evidence: the first row counts.

    Cost:
        O(Σ states above · states · log states).

    """
    below = [None] * circuit.shape.n_nodes if messages is None else messages.below
    cells: list[AliasTable | None] = []
    for column, emission in enumerate(circuit.emissions):
        weights = evidence.weights.get(column)
        fixed = messages is not None and evidence.seen[0, column]
        said = None if weights is None else _likelihood(weights[:1])
        cells.append(None if fixed else _table(emission, said))
    states = [_table(t, b) for t, b in zip(circuit.transitions, below, strict=True)]
    return SampleTables(tuple(states), tuple(cells))


def sample_same(
    circuit: Circuit, tables: SampleTables, evidence: Evidence, rng: np.random.Generator
) -> Codes:
    """Draw many rows with the same evidence, (rows, cols).

    Cost:
        O(nodes + cols) per row, whatever the number of states.
    """
    out = np.empty(evidence.codes.shape, np.int32)
    for start in range(0, evidence.n_rows, SAMPLE_ROWS):
        part = out[start : start + SAMPLE_ROWS]
        n = len(part)
        states: list[Places] = []
        for node, parent in enumerate(circuit.shape.parents):
            above = states[parent] if parent >= 0 else None
            states.append(tables.states[node].draw(above, n, rng))
        for column, node in enumerate(circuit.shape.node_of):
            table = tables.cells[column]
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
