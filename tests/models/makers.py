"""One small random model of every family with exact answers, for the laws."""

from __future__ import annotations

import numpy as np

from anypart.models.chow_liu import ChowLiu, identity_emissions
from anypart.models.conditional_table import ConditionalTable
from anypart.models.continuous_mixture import ContinuousMixture, shapes
from anypart.models.contract import Layout
from anypart.models.hidden_tree import HiddenTree
from anypart.models.independent import Independent, independent_shape
from anypart.models.latent_classes import LatentClasses, classes_shape
from anypart.models.latent_tree import LatentTree, Shape, TreeParts
from anypart.models.settled import Settled
from anypart.models.stack import Stack
from anypart.models.tree_mixture import TreeMixture

N_CATS = (2, 4, 3, 1, 2)


def random_table(rng, rows, cats):
    """Rows that sum to 1, some of them far from even."""
    return (
        rng.dirichlet(np.full(cats, 0.5), rows).astype(np.float32)
        if cats > 1
        else np.ones((rows, 1), np.float32)
    )


def random_parts(rng, shape, n_cats, emissions=None):
    transitions = [
        random_table(rng, shape.states_above(i), k) for i, k in enumerate(shape.n_states)
    ]
    if emissions is None:
        emissions = [
            random_table(rng, shape.n_states[shape.node_of[c]], n) for c, n in enumerate(n_cats)
        ]
    return TreeParts(shape, tuple(transitions), tuple(emissions))


def independent(rng):
    return Independent(Layout(N_CATS), random_parts(rng, independent_shape(5), N_CATS))


def chow_liu(rng):
    node_of = tuple(rng.permutation(5).tolist())
    states = tuple(N_CATS[node_of.index(i)] for i in range(5))
    parents = (-1, *(int(rng.integers(i)) for i in range(1, 5)))
    shape = Shape(parents, states, node_of)
    return ChowLiu(Layout(N_CATS), random_parts(rng, shape, N_CATS, identity_emissions(N_CATS)))


def hidden_tree(rng):
    parents = (-1, *(int(rng.integers(i)) for i in range(1, 5)))
    shape = Shape(parents, (3, 2, 4, 3, 2), tuple(rng.permutation(5).tolist()))
    return HiddenTree(Layout(N_CATS), random_parts(rng, shape, N_CATS))


def latent_classes(rng):
    return LatentClasses(Layout(N_CATS), random_parts(rng, classes_shape(5, 4), N_CATS))


def latent_tree(rng):
    """Two roots, a node with nothing on it, a node with two columns, a bare chain."""
    shape = Shape((-1, 0, 1, -1, 3), (3, 2, 4, 2, 3), (2, 2, 0, 4, 4))
    return LatentTree(Layout(N_CATS), random_parts(rng, shape, N_CATS))


def tree_mixture(rng):
    return TreeMixture([chow_liu(rng) for _ in range(3)], np.log(rng.dirichlet(np.ones(3))))


def continuous_mixture(rng):
    sizes = shapes(Layout(N_CATS), 6, 2, 4)
    arrays = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    arrays["log_weights"] = np.log(rng.dirichlet(np.ones(6))).astype(np.float32)
    return ContinuousMixture(Layout(N_CATS), arrays)


def settled(rng):
    """The third and the last column hang on the second, one of them by a near rule."""
    free = (N_CATS[0], N_CATS[1], N_CATS[3])
    parts = random_parts(rng, classes_shape(3, 4), free)
    hosts = {2: 1, 4: 1}
    tables = {c: np.log(random_table(rng, N_CATS[1], N_CATS[c]) + 1e-3) for c in hosts}
    tables = {c: t - np.log(np.exp(t).sum(1, keepdims=True)) for c, t in tables.items()}
    return Settled(Layout(N_CATS), LatentClasses(Layout(free), parts), hosts, tables)


def conditional_table(rng):
    tables = [rng.dirichlet(np.full(n, 0.5), N_CATS[:c]) for c, n in enumerate(N_CATS)]
    return ConditionalTable(Layout(N_CATS), tables)


def stack(rng):
    members = [independent(rng), hidden_tree(rng), tree_mixture(rng)]
    return Stack(members, np.log(rng.dirichlet(np.ones(3))))


MAKERS = {
    "independent": independent,
    "chow_liu": chow_liu,
    "tree_mixture": tree_mixture,
    "hidden_tree": hidden_tree,
    "latent_classes": latent_classes,
    "continuous_mixture": continuous_mixture,
    "settled": settled,
    "conditional_table": conditional_table,
    "stack": stack,
    "latent_tree": latent_tree,
}
