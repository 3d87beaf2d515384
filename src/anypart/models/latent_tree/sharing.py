"""Rows that agree on a subtree share its message: a smaller tree for many rows.

Messages go up, so what a subtree says depends on its own cells only. Where few different
ones occur, the subtree's message is made once for each of them and looked up like that of
one column. On adult that saves two thirds of the matrix products.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence
from anypart.models.latent_tree.circuit import Array, Circuit
from anypart.models.latent_tree.passes import multiply, scale_to_one
from anypart.models.latent_tree.shape import Shape

FEWEST_ROWS = 1_000  # below, counting takes as long as the products it saves
SHARED = 0.25  # different ones a row, up to which a message is worth a table
MOST_COUNTED = 1 << 21  # keys up to here are numbered by a table, beyond by sorting


@dataclass
class _Columns:
    """Columns with what their codes say: the tree's own, and subtrees made into ones."""

    codes: list[Codes] = field(default_factory=list[Codes])
    lookups: list[Array] = field(default_factory=list[Array])
    logs: list[NDArray[np.float64]] = field(default_factory=list[NDArray[np.float64]])

    def add(self, codes: Codes, lookup: Array, logs: NDArray[np.float64]) -> int:
        self.codes.append(codes)
        self.lookups.append(lookup)
        self.logs.append(logs)
        return len(self.codes) - 1


def share_subtrees(circuit: Circuit, evidence: Evidence) -> tuple[Circuit, Evidence]:
    """Make columns of the subtrees in which many rows agree.

    Args:
        circuit: a tree.
        evidence: about many rows.

    Returns:
        A tree for messages upwards only (it has no emissions), and the evidence on its
        columns: the rows have the same log-probabilities there.

    Cost:
        O(rows) a node for numbering, and products for the different ones only.

    """
    shape, n_rows = circuit.shape, evidence.n_rows
    if n_rows < FEWEST_ROWS or evidence.weights:
        return circuit, evidence
    columns = _Columns()
    on: list[list[int]] = [[] for _ in range(shape.n_nodes)]  # columns of each node
    whole = np.zeros(shape.n_nodes, np.bool_)  # nodes that stay
    for node in range(shape.n_nodes - 1, -1, -1):
        for column in shape.columns[node]:
            on[node].append(_own(circuit, evidence, column, columns))
        parent = shape.parents[node]
        if parent < 0 or whole[list(shape.children[node])].any():
            whole[node] = True
            continue
        ids, firsts = _number([columns.codes[c] for c in on[node]], columns.logs, on[node])
        if len(firsts) > SHARED * n_rows:
            whole[node] = True
            continue
        message, logs = _message(circuit.transitions[node], columns, on[node], firsts)
        on[parent].append(columns.add(ids, message, logs))
    return _without(circuit, columns, on, whole)


def _own(circuit: Circuit, evidence: Evidence, column: int, columns: _Columns) -> int:
    """Take over a column of the tree, its unseen cells as a code of their own."""
    lookup, logs = circuit.lookups[column], circuit.lookup_logs[column]
    unseen = np.int32(len(logs) - 1)
    codes = np.where(evidence.seen[:, column], evidence.codes[:, column], unseen)
    return columns.add(codes.astype(np.int32), lookup, logs)


def _number(
    codes: Sequence[Codes], logs: Sequence[NDArray[np.float64]], which: Sequence[int]
) -> tuple[Codes, NDArray[np.intp]]:
    """Number the different rows of some columns: each row's number, and a row for each."""
    key, span = codes[0].astype(np.int64), len(logs[which[0]])
    for code, column in zip(codes[1:], which[1:], strict=True):
        if span * len(logs[column]) >= 1 << 62:
            firsts, key = np.unique(key, return_index=True, return_inverse=True)[1:]
            span = len(firsts)
        key = key * len(logs[column]) + code
        span *= len(logs[column])
    if span > MOST_COUNTED:
        _, firsts, ids = np.unique(key, return_index=True, return_inverse=True)
        return ids.astype(np.int32), firsts
    row_of = np.full(span, -1, np.intp)
    row_of[key] = np.arange(len(key))
    there = np.flatnonzero(row_of >= 0)
    number = np.empty(span, np.int32)
    number[there] = np.arange(len(there), dtype=np.int32)
    return number[key], row_of[there]


def _message(
    transition: Array, columns: _Columns, which: Sequence[int], rows: NDArray[np.intp]
) -> tuple[Array, NDArray[np.float64]]:
    """Make the message of a node to its parent for some rows, and its logs."""
    said: list[Array | None] = []
    total = np.zeros(len(rows))
    for column in which:
        codes = columns.codes[column][rows]
        said.append(columns.lookups[column].take(codes, axis=0))
        total += columns.logs[column].take(codes)
    product, logs = multiply(said)
    message = product @ transition.T
    return message, total + logs + scale_to_one(message)


def _without(
    circuit: Circuit, columns: _Columns, on: Sequence[Sequence[int]], whole: NDArray[np.bool_]
) -> tuple[Circuit, Evidence]:
    """Keep the nodes that stay, and the columns that hang on them."""
    kept = np.flatnonzero(whole).tolist()
    number = {node: new for new, node in enumerate(kept)}
    used = [(c, number[node]) for node in kept for c in on[node]]
    shape = circuit.shape
    smaller = Shape(
        tuple(number.get(shape.parents[i], -1) for i in kept),
        tuple(shape.n_states[i] for i in kept),
        tuple(node for _, node in used),
    )
    codes = np.stack([columns.codes[c] for c, _ in used], axis=1)
    seen = np.ones(codes.shape, np.bool_)
    return replace(
        circuit,
        shape=smaller,
        transitions=tuple(circuit.transitions[i] for i in kept),
        emissions=(),
        lookups=tuple(columns.lookups[c] for c, _ in used),
        lookup_logs=tuple(columns.logs[c] for c, _ in used),
        kept=tuple(circuit.kept[i] for i in kept),
    ), Evidence(codes, seen)
