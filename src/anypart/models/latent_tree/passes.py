"""Messages up and down a tree: the sum-product algorithm, a block of rows at a time.

Messages are probabilities (not logs) divided by their sums, so that all the work is
matrix products in float32; the logs of the sums are added up per row in float64.
A message of `None` says nothing (all ones) for every row of the block.

References:
    Pearl, Probabilistic Reasoning in Intelligent Systems (1988), chapter 4.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Evidence
from anypart.models.latent_tree.circuit import Array, Circuit


@dataclass(frozen=True)
class Upward:
    """What the evidence says, gathered towards the roots.

    Args:
        log_prob: (rows,) log-probability of the evidence, nats.
        factors: per node, the messages of its columns and then of its children.
        below: per node, the product of its factors, (rows or 1, states).

    """

    log_prob: NDArray[np.float64]
    factors: tuple[tuple[Array | None, ...], ...]
    below: tuple[Array | None, ...]


def scale_to_one(message: Array) -> NDArray[np.float64]:
    """Divide each row by its sum, in place; return the logs of the sums, nats (rows,).

    A row of zeros stays one and gets −inf: the event is impossible.
    """
    total = message @ np.ones(message.shape[1], np.float32)
    message *= (1.0 / np.where(total > 0, total, np.float32(1)))[:, None]
    with np.errstate(divide="ignore"):
        return np.log(total, dtype=np.float64)


def multiply(factors: Sequence[Array | None]) -> tuple[Array | None, NDArray[np.float64]]:
    """Multiply messages, rescaling after each product of two.

    Returns:
        The product divided by its sums (None if nothing is said), and the logs of the
        sums, nats, (rows or 1,).

    """
    said = [f for f in factors if f is not None]
    logs: NDArray[np.float64] = np.zeros(1)
    if not said:
        return None, logs
    product = said[0]
    for factor in said[1:]:
        product = product * factor
        logs = logs + scale_to_one(product)
    return product, logs


def column_message(
    circuit: Circuit, column: int, evidence: Evidence
) -> tuple[Array | None, NDArray[np.float64] | float]:
    """Return what the evidence on one column says about its node, and its log-scale."""
    table, logs = circuit.lookups[column], circuit.lookup_logs[column]
    if column in evidence.weights:
        weights = np.asarray(evidence.weights[column], np.float64)
        top = weights.max(axis=1, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        share = np.exp(weights - top + np.maximum(logs[:-1], -1e300))
        most = share.max(axis=1, keepdims=True)
        scaled = (share / np.where(most > 0, most, 1.0)).astype(np.float32)
        message = scaled @ table[:-1]
        with np.errstate(divide="ignore"):
            log_most = np.log(most[:, 0])
        return message, scale_to_one(message) + top[:, 0] + log_most
    seen = evidence.seen[:, column]
    if not seen.any():
        return None, 0.0
    index = np.where(seen, evidence.codes[:, column], len(logs) - 1)
    return table.take(index, axis=0), logs.take(index)


def upward(circuit: Circuit, evidence: Evidence) -> Upward:
    """Gather the evidence towards the roots.

    Cost:
        O(rows · Σ states above · states) time; memory for one message per column and
        node.
    """
    shape = circuit.shape
    total = np.zeros(evidence.n_rows)
    factors: list[tuple[Array | None, ...]] = [()] * shape.n_nodes
    below: list[Array | None] = [None] * shape.n_nodes
    above: list[Array | None] = [None] * shape.n_nodes  # message of each node to its parent
    for node in range(shape.n_nodes - 1, -1, -1):
        said: list[Array | None] = []
        for column in shape.columns[node]:
            message, log_scale = column_message(circuit, column, evidence)
            said.append(message)
            total += log_scale
        said.extend(above[child] for child in shape.children[node])
        factors[node] = tuple(said)
        product, logs = multiply(said)
        total += logs
        below[node] = product
        if product is None:
            continue
        message = product @ circuit.transitions[node].T  # (rows, states above)
        if shape.parents[node] < 0:
            total += scale_to_one(message)
        above[node] = message
    return Upward(total, tuple(factors), tuple(below))


def downward(
    circuit: Circuit, messages: Upward, wanted: Sequence[bool]
) -> tuple[dict[int, Array], list[Array]]:
    """Carry what all other evidence says to the wanted columns.

    The message to a column leaves that column's own evidence out by multiplying the
    other factors (prefixes times suffixes), never by dividing, so that a zero is safe.

    Args:
        circuit: the tree.
        messages: from `upward`.
        wanted: per column, whether its message is needed.

    Returns:
        Column → (rows or 1, states) probability of its node's states together with all
        other evidence, up to a factor per row; and per node the same with all evidence.

    Cost:
        As `upward`, and about three products per message.

    """
    shape = circuit.shape
    out: dict[int, Array] = {}
    node_all: list[Array] = []
    arriving: dict[int, Array] = {}
    for node in range(shape.n_nodes):
        first = arriving.pop(node) if shape.parents[node] >= 0 else circuit.transitions[node]
        columns, children = shape.columns[node], shape.children[node]
        targets = [wanted[c] for c in columns] + [True] * len(children)
        everything, others = _all_but_one(first, messages.factors[node], targets)
        node_all.append(everything)
        for place, column in enumerate(columns):
            if wanted[column]:
                out[column] = others[place]
        for place, child in enumerate(children, start=len(columns)):
            arriving[child] = others[place] @ circuit.transitions[child]
    return out, node_all


def _all_but_one(
    first: Array, factors: Sequence[Array | None], targets: Sequence[bool]
) -> tuple[Array, dict[int, Array]]:
    """Multiply `first` with all factors, and with all but one for each target."""
    said = [(i, f) for i, f in enumerate(factors) if f is not None]
    before: dict[int, Array] = {}
    running = first
    for place, factor in said:
        before[place] = running
        running = running * factor
        scale_to_one(running)
    others = {i: running for i, t in enumerate(targets) if t and factors[i] is None}
    after: Array | None = None
    for place, factor in reversed(said):
        if targets[place]:
            others[place] = before[place]
            if after is not None:
                others[place] = before[place] * after
                scale_to_one(others[place])
        if after is None:
            after = factor
        else:
            after = after * factor
            scale_to_one(after)
    return running, others
