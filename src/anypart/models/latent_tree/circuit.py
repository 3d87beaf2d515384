"""What inference runs on: the tree with its childless nodes summed out beforehand.

A node without children that carries one column matters only through p(column | parent's
state) = transition @ emission. Hanging such columns on the parent removes about half of
the nodes of a tree, and half of its matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.latent_tree.shape import Shape

Array = NDArray[Any]  # float32; checkers cannot follow NumPy's promotion of scalars


@dataclass(frozen=True)
class Circuit:
    """A latent tree made ready for messages.

    Args:
        shape: the shape without the nodes that were summed out.
        transitions: per node, (states above, states), rows sum to 1.
        emissions: per column, (states, n_cats), rows sum to 1.
        lookups: per column, (n_cats + 1, states): the message of each code, divided by
            its sum; the last row, all ones, is the message of an unseen cell.
        lookup_logs: per column, (n_cats + 1,) log of that sum, nats; 0 in the last place.
        kept: the number each node had in the original shape.

    """

    shape: Shape
    transitions: tuple[Array, ...]
    emissions: tuple[Array, ...]
    lookups: tuple[Array, ...]
    lookup_logs: tuple[NDArray[np.float64], ...]
    kept: tuple[int, ...]


def build_circuit(
    shape: Shape, transitions: Sequence[Array], emissions: Sequence[Array]
) -> Circuit:
    """Sum out the childless nodes and tabulate the messages of all codes.

    Cost:
        O(states² · n_cats) per column.
    """
    kept = tuple(i for i in range(shape.n_nodes) if not shape.lifted[i])
    number = {node: new for new, node in enumerate(kept)}
    parents = tuple(number[p] if (p := shape.parents[i]) >= 0 else -1 for i in kept)
    node_of: list[int] = []
    tables: list[Array] = []
    for column, node in enumerate(shape.node_of):
        if shape.lifted[node]:
            node_of.append(number[shape.parents[node]])
            tables.append(_rows_to_one(transitions[node] @ emissions[column]))
        else:
            node_of.append(number[node])
            tables.append(emissions[column])
    lookups = [_lookup(table) for table in tables]
    return Circuit(
        Shape(parents, tuple(shape.n_states[i] for i in kept), tuple(node_of)),
        tuple(transitions[i] for i in kept),
        tuple(tables),
        tuple(table for table, _ in lookups),
        tuple(logs for _, logs in lookups),
        kept,
    )


def _rows_to_one(table: Array) -> Array:
    """Take away what rounding added, so that summing a column out costs nothing."""
    return np.asarray(table / table.sum(axis=1, keepdims=True), dtype=np.float32)


def _lookup(emission: Array) -> tuple[Array, NDArray[np.float64]]:
    """Tabulate the message of every code and of an unseen cell."""
    n_states = emission.shape[0]
    message = np.concatenate([emission.T, np.ones((1, n_states), np.float32)])
    scale = message.sum(axis=1, dtype=np.float64)
    scale[-1] = 1.0
    possible = np.where(scale > 0, scale, 1.0)
    with np.errstate(divide="ignore"):
        logs = np.log(scale)
    return np.ascontiguousarray(message / possible[:, None], dtype=np.float32), logs
