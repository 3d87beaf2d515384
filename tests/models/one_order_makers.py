"""One small random model of every family along one order, for its laws."""

from __future__ import annotations

import numpy as np

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


ONE_ORDER = {"fvsbn": fvsbn}
