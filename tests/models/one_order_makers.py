"""One small random model of every family along one order, for its laws."""

from __future__ import annotations

import numpy as np

from anypart.models.boosted_trees import LEAVES, NODES, BoostedTrees
from anypart.models.contract import Layout
from anypart.models.fvsbn import FVSBN
from anypart.models.places import Places

N_CATS = (2, 4, 3, 1, 2)


def order_and_means(rng, n_cats):
    order = rng.permutation(len(n_cats))
    places = Places(Layout(tuple(n_cats[c] for c in order)))
    return order, places, rng.random(places.total).astype(np.float32)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def fvsbn(rng, n_cats=N_CATS):
    order, places, means = order_and_means(rng, n_cats)
    weight = np.where(places.before, normal(rng, places.total, places.total), 0)
    arrays = {"weight": weight.astype(np.float32), "bias": normal(rng, places.total)}
    return FVSBN(Layout(n_cats), order, means, arrays)


def boosted_trees(rng, n_cats=N_CATS):
    order, places, means = order_and_means(rng, n_cats)
    n_rounds = 60
    tests = np.full((n_rounds, len(n_cats), NODES), -1, np.int32)
    for at, start in enumerate(places.starts):
        if start:  # questions about earlier columns only
            asked = rng.integers(-1, start, (n_rounds, NODES))
            tests[:, at] = np.where(
                asked < 0, -1, asked + places.total * rng.integers(2, size=asked.shape)
            )
    values = normal(rng, n_rounds, places.total, LEAVES) / 8
    arrays = {"tests": tests, "values": values, "bias": normal(rng, places.total)}
    return BoostedTrees(Layout(n_cats), order, means, arrays)


ONE_ORDER = {"boosted_trees": boosted_trees, "fvsbn": fvsbn}
