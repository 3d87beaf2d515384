"""The E-step of a latent tree: how often each state met each state and each category.

References:
    Dempster, Laird & Rubin, "Maximum likelihood from incomplete data via the EM
    algorithm" (1977); Pearl (1988), chapter 4, for the two passes.

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Layout, Mask
from anypart.models.latent_tree import Shape
from anypart.models.latent_tree.circuit import Array
from anypart.models.latent_tree.passes import scale_to_one

TINY = 1e-30  # a message below this stands for a state with no posterior


@dataclass(frozen=True)
class Batch:
    """A mini-batch made ready: places to look up, and one-hot columns to count with.

    Args:
        places: per column, (rows,) the code, or n_cats where it is unseen.
        hot: per column, (rows, n_cats + 1) one-hot of `places`.

    """

    places: tuple[NDArray[np.int32], ...]
    hot: tuple[Array, ...]


def make_batch(layout: Layout, codes: Codes, seen: Mask) -> Batch:
    """Make a mini-batch ready for any number of trees."""
    n_cats = np.array(layout.n_cats, np.int32)
    places = np.where(seen, codes, n_cats)  # (rows, cols)
    ends = np.cumsum(n_cats + 1)
    flat = np.zeros((len(codes), int(ends[-1])), np.float32)
    np.put_along_axis(flat, places + (ends - n_cats - 1), np.float32(1), axis=1)
    starts = ends - n_cats - 1
    hot = tuple(flat[:, s:e] for s, e in zip(starts, ends, strict=True))
    return Batch(tuple(np.ascontiguousarray(places.T)), hot)


@dataclass
class Counts:
    """Expected counts: `transitions` and `emissions` shaped as the tables they are of."""

    transitions: list[Array]
    emissions: list[Array]


@dataclass
class _Passed:
    """What the upward pass leaves for the downward one."""

    log_prob: NDArray[np.float64]
    tables: list[Array]  # per column, (n_cats + 1, states): emission, then ones
    below: dict[int, Array]  # per node that was not summed out, (rows, states)
    above: list[Array]  # per node, its message to the parent


def e_step_up(
    shape: Shape, transitions: Sequence[Array], emissions: Sequence[Array], batch: Batch
) -> _Passed:
    """Carry the batch to the roots; `log_prob` is of each row's seen cells, nats."""
    ones = [np.ones((1, e.shape[0]), np.float32) for e in emissions]
    tables = [np.concatenate([e.T, one]) for e, one in zip(emissions, ones, strict=True)]
    n_rows = len(batch.hot[0])
    total = np.zeros(n_rows)
    below: dict[int, Array] = {}
    above: list[Array] = [np.empty(0, np.float32)] * shape.n_nodes
    for node in range(shape.n_nodes - 1, -1, -1):
        columns = shape.columns[node]
        if shape.lifted[node]:
            lifted = tables[columns[0]] @ transitions[node].T  # (n_cats + 1, states above)
            above[node] = lifted.take(batch.places[columns[0]], axis=0)
            continue
        product = np.ones((n_rows, shape.n_states[node]), np.float32)
        for column in columns:
            product *= tables[column].take(batch.places[column], axis=0)
            total += scale_to_one(product)
        for child in shape.children[node]:
            product *= above[child]
            total += scale_to_one(product)
        below[node] = product
        above[node] = product @ transitions[node].T
        if shape.parents[node] < 0:
            with np.errstate(divide="ignore"):
                total += np.log(above[node][:, 0], dtype=np.float64)
    return _Passed(total, tables, below, above)


def e_step_down(
    shape: Shape,
    transitions: Sequence[Array],
    batch: Batch,
    passed: _Passed,
    share: NDArray[np.floating] | None = None,
) -> Counts:
    """Carry posteriors to the leaves and count.

    Args:
        shape: nodes and columns.
        transitions: per node, as `e_step_up` had them.
        batch: the rows.
        passed: what it returned.
        share: (rows,) how much each row counts, 1 if not given.

    Cost:
        O(rows · Σ states above · states); a node that can be summed out costs
        O(rows · n_cats · states above) instead.

    """
    n_nodes, n_cols = shape.n_nodes, len(shape.node_of)
    counts = Counts([np.empty(0, np.float32)] * n_nodes, [np.empty(0, np.float32)] * n_cols)
    posterior: dict[int, Array] = {}
    for node, parent in enumerate(shape.parents):
        table = transitions[node]
        columns = shape.columns[node]
        if parent < 0:
            ratio: Array = np.reciprocal(_at_least_tiny(passed.above[node]))
            if share is not None:
                ratio *= share[:, None].astype(np.float32)
        else:
            ratio = posterior[parent] / _at_least_tiny(passed.above[node])
        if shape.lifted[node]:
            (column,) = columns
            met = batch.hot[column].T @ ratio  # (n_cats + 1, states above)
            counts.transitions[node] = table * (met.T @ passed.tables[column])
            counts.emissions[column] = (passed.tables[column] * (met @ table))[:-1].T
            continue
        counts.transitions[node] = table * (ratio.T @ passed.below[node])
        own = (ratio @ table) * passed.below[node]
        posterior[node] = own
        for column in columns:
            counts.emissions[column] = own.T @ batch.hot[column][:, :-1]
    return counts


def _at_least_tiny(message: Array) -> Array:
    """Keep a message away from zero, to divide by it."""
    return np.maximum(message, TINY, dtype=np.float32)
