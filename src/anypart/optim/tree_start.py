"""Where the training of trees begins: structure, margins and first tables from a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from anypart.models.chow_liu import identity_emissions
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.hidden_tree import tree_shape
from anypart.models.independent import independent_shape
from anypart.models.latent_tree import Shape
from anypart.models.latent_tree.circuit import Array
from anypart.models.stack import log_sum
from anypart.models.structure import (
    determined,
    foretold,
    pair_counts,
    spanning_tree,
    strayed,
)
from anypart.optim.expected_counts import e_step_down, e_step_up, make_batch

CLUSTER_ROUNDS = 30  # of EM that deals the rows of the sample to the trees of a mixture
RESTRUCTURE_ROUNDS = 3
PSEUDO = 0.01  # rows added to what a category of a host settles
MOST_WORK = 1e11  # multiplications to find structures with, about two seconds


@dataclass
class GrowingTree:
    """A tree in training.

    Args:
        shape: nodes and columns, fixed.
        transitions, emissions: its tables now.
        learns_emissions: False where a node's state is the column's code.
        own_code: in a hidden tree, node → the column whose code is the node's state.

    """

    shape: Shape
    transitions: list[Array]
    emissions: list[Array]
    learns_emissions: bool
    own_code: dict[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True)
class Sample:
    """Rows to start from, and what is known of every column.

    Args:
        layout: the columns.
        codes, seen: (rows, cols).
        margins: per column, (n_cats,) share of each category among the seen cells.

    """

    layout: Layout
    codes: Codes
    seen: Mask
    margins: tuple[Array, ...]


def make_sample(layout: Layout, codes: Codes, seen: Mask) -> Sample:
    """Count the margins of a sample, half a row added to every category."""
    margins: list[Array] = []
    for column, n_cats in enumerate(layout.n_cats):
        counts = np.bincount(codes[seen[:, column], column], minlength=n_cats) + 0.5
        margins.append((counts / counts.sum()).astype(np.float32))
    return Sample(layout, codes, seen, tuple(margins))


def fewer_rows(sample: Sample, n_structures: int) -> Sample:
    """Keep so many rows that counting all pairs stays within `MOST_WORK`, at least 500."""
    n_rows = int(max(500, MOST_WORK / n_structures / sample.layout.total**2))
    return replace(sample, codes=sample.codes[:n_rows], seen=sample.seen[:n_rows])


def settled(sample: Sample) -> dict[int, int]:
    """Find columns that another one settles: column → the one that settles it."""
    sample = fewer_rows(sample, 1)
    return determined(sample.layout, pair_counts(sample.layout, sample.codes, sample.seen))


def settled_tables(sample: Sample) -> tuple[dict[int, int], dict[int, Array]]:
    """Find columns that another one settles, and how.

    Returns:
        Settled column → its host, and settled column → (n_cats of the host, its own n_cats)
        log-probabilities, nats, `PSEUDO` rows of its margin added to each category.

    """
    hosts, tables = settled(sample), dict[int, Array]()
    for column, host in hosts.items():
        both = sample.seen[:, column] & sample.seen[:, host]
        counts = np.zeros((sample.layout.n_cats[host], sample.layout.n_cats[column]))
        np.add.at(counts, (sample.codes[both, host], sample.codes[both, column]), 1.0)
        counts += PSEUDO * sample.margins[column]
        tables[column] = np.log(counts / counts.sum(1, keepdims=True)).astype(np.float32)
    return hosts, tables


def start_independent(sample: Sample) -> GrowingTree:
    """One node, one state."""
    emissions = [m[None, :].copy() for m in sample.margins]
    shape = independent_shape(sample.layout.n_cols)
    return GrowingTree(shape, [np.ones((1, 1), np.float32)], emissions, True)


def start_hidden(
    sample: Sample,
    n_states: int,
    noise: float,
    rng: np.random.Generator,
    edges: Sequence[Sequence[int]] = (),
) -> GrowingTree:
    """A node per column along the spanning tree; random tables around the margins.

    A column that another one settles (`structure.determined`) has no node of its own: it
    hangs, with the column that settles it, on a node whose state is that column's code.
    """
    sample = fewer_rows(sample, 1)
    counts = pair_counts(sample.layout, sample.codes, sample.seen)
    hosts = determined(sample.layout, counts)
    free = np.array([c for c in range(sample.layout.n_cols) if c not in hosts])
    if edges:
        weights = np.zeros((sample.layout.n_cols, sample.layout.n_cols))
        weights[tuple(np.array(edges).T)] = 1.0
        weights += weights.T
    else:
        weights = _weights(sample.layout, counts, noise, rng)
    order, parent = spanning_tree(weights[np.ix_(free, free)])
    among = tree_shape(order, parent, (n_states,) * len(free))
    shape, own_code = _with_settled(among, free, hosts, sample.layout)
    transitions = [
        _around(sample.margins[own_code[i]], n_states, rng)
        if i in own_code
        else rng.dirichlet(np.ones(n_states), shape.states_above(i)).astype(np.float32)
        for i in range(shape.n_nodes)
    ]
    emissions = [_around(margin, n_states, rng) for margin in sample.margins]
    for column in own_code.values():
        emissions[column] = np.eye(sample.layout.n_cats[column], dtype=np.float32)
    for column, host in hosts.items():
        joint = counts[sample.layout.slices[host], sample.layout.slices[column]]
        emissions[column] = to_shares(joint + 0.01 * sample.margins[column])
    return GrowingTree(shape, transitions, emissions, True, own_code)


def _around(margin: Array, n_states: int, rng: np.random.Generator) -> Array:
    """Draw a table whose rows are the margin, each category made more or less likely."""
    return to_shares(rng.gamma(1.0, size=(n_states, len(margin))) * margin + 1e-6)


def _with_settled(
    among: Shape, free: NDArray[np.intp], hosts: Mapping[int, int], layout: Layout
) -> tuple[Shape, dict[int, int]]:
    """Add a node below the node of each column that settles others, and hang them on it."""
    node_of = dict(zip(free.tolist(), among.node_of, strict=True))
    parents, n_states = list(among.parents), list(among.n_states)
    own_code: dict[int, int] = {}
    for host in sorted(set(hosts.values())):
        own_code[len(parents)] = host
        parents.append(node_of[host])
        n_states.append(layout.n_cats[host])
        node_of[host] = len(parents) - 1
    for column, host in hosts.items():
        node_of[column] = node_of[host]
    places = tuple(node_of[c] for c in range(layout.n_cols))
    return Shape(tuple(parents), tuple(n_states), places), own_code


def start_chow_liu(sample: Sample, noise: float, rng: np.random.Generator) -> GrowingTree:
    """The spanning tree with the sample's counts in its tables."""
    return _observed_tree(fewer_rows(sample, 1), None, noise, rng)


def start_mixture(
    sample: Sample, n_trees: int, noise: float, rng: np.random.Generator
) -> tuple[list[GrowingTree], NDArray[np.float64]]:
    """Deal the rows to classes, and give each class its own tree; then deal again.

    Returns:
        The trees, and the share of the rows that each explains.

    """
    sample = fewer_rows(sample, n_trees * RESTRUCTURE_ROUNDS)
    classes = independent_shape(sample.layout.n_cols)
    classes = Shape((-1,), (n_trees,), classes.node_of)
    transitions = [np.full((1, n_trees), 1 / n_trees, np.float32)]
    emissions = [
        (t / t.sum(axis=1, keepdims=True)).astype(np.float32)
        for t in (rng.gamma(2.0, size=(n_trees, len(m))) * m + 1e-6 for m in sample.margins)
    ]
    batch = make_batch(sample.layout, sample.codes, sample.seen)
    for _ in range(CLUSTER_ROUNDS):
        passed = e_step_up(classes, transitions, emissions, batch)
        counts = e_step_down(classes, transitions, batch, passed)
        transitions = [to_shares(counts.transitions[0] + 1)]
        emissions = [
            to_shares(c + m) for c, m in zip(counts.emissions, sample.margins, strict=True)
        ]
    below = e_step_up(classes, transitions, emissions, batch).below[0] * transitions[0]
    share = below / below.sum(axis=1, keepdims=True)
    trees: list[GrowingTree] = []
    for _ in range(RESTRUCTURE_ROUNDS):
        trees = [_observed_tree(sample, share[:, m], noise, rng) for m in range(n_trees)]
        logs = np.stack(
            [e_step_up(t.shape, t.transitions, t.emissions, batch).log_prob for t in trees]
        )
        logs += np.log(share.mean(axis=0) + 1e-6)[:, None]
        share = np.exp(logs - log_sum(logs, 0)).T
    return trees, share.mean(axis=0).astype(np.float64)


def to_shares(table: NDArray[np.floating]) -> Array:
    """Divide each row by its sum."""
    return (table / table.sum(axis=1, keepdims=True)).astype(np.float32)


def _weights(
    layout: Layout, counts: NDArray[np.floating], noise: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    return strayed(layout, counts, noise, rng) if noise else foretold(layout, counts)


def _observed_tree(
    sample: Sample,
    share: NDArray[np.floating] | None,
    noise: float,
    rng: np.random.Generator,
) -> GrowingTree:
    """A Chow-Liu tree from the pair counts of (a share of) the sample."""
    layout = sample.layout
    counts = pair_counts(layout, sample.codes, sample.seen, share)
    order, parent = spanning_tree(_weights(layout, counts, noise, rng))
    shape = tree_shape(order, parent, layout.n_cats)
    transitions: list[Array] = []
    for column in order:
        margin = sample.margins[column]
        here = layout.slices[column]
        if parent[column] < 0:
            table = np.diag(counts[here, here])[None, :]
        else:
            table = counts[layout.slices[parent[column]], here]
        transitions.append(to_shares(table + margin))
    return GrowingTree(shape, transitions, list(identity_emissions(layout.n_cats)), False)
