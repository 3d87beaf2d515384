"""One small random model of every family along one order, for its laws."""

from __future__ import annotations

import numpy as np

from anypart.models.boosted_trees import BoostedTrees
from anypart.models.contract import Layout
from anypart.models.eonade import EoNADE
from anypart.models.fvsbn import FVSBN
from anypart.models.made import MADE, spread_degrees
from anypart.models.nade import NADE
from anypart.models.places import Places
from anypart.models.rnade import RNADE
from anypart.models.separate_networks import SeparateNetworks

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
    tests = np.full((n_rounds, len(n_cats), 7), -1, np.int32)
    for at, start in enumerate(places.starts):
        if start:  # questions about earlier columns only
            asked = rng.integers(-1, start, (n_rounds, 7))
            tests[:, at] = np.where(
                asked < 0, -1, asked + places.total * rng.integers(2, size=asked.shape)
            )
    values = normal(rng, n_rounds, places.total, 8) / 8
    weight = np.where(places.before, normal(rng, places.total, places.total), 0)
    arrays = {"tests": tests, "values": values, "bias": normal(rng, places.total)}
    arrays["weight"] = weight.astype(np.float32)
    return BoostedTrees(Layout(n_cats), order, means, arrays)


def trees_about_one(rng, n_cats=N_CATS):
    """Trees of one column only: the others have their biases."""
    whole, at = boosted_trees(rng, n_cats), int(rng.integers(1, len(n_cats)))
    tests, values = np.full_like(whole.arrays["tests"], -1), 0 * whole.arrays["values"]
    place = whole.places.slices[at]
    tests[:, at], values[:, place] = whole.arrays["tests"][:, at], whole.arrays["values"][:, place]
    arrays = {**whole.arrays, "tests": tests, "values": values}
    return BoostedTrees(Layout(n_cats), whole.order, whole.means, arrays)


def nade(rng, n_cats=N_CATS):
    order, places, means = order_and_means(rng, n_cats)
    arrays = {
        "weight": normal(rng, places.total, 6) * 2,
        "bias": normal(rng, 6),
        "out_weight": normal(rng, places.total, 6),
        "out_bias": normal(rng, places.total),
    }
    return NADE(Layout(n_cats), order, means, arrays)


def separate_networks(rng, n_cats=N_CATS):
    order, places, means = order_and_means(rng, n_cats)
    earlier = places.column_of[None, :] < np.arange(len(n_cats))[:, None]
    arrays = {
        "weight": normal(rng, len(n_cats), places.total, 4) * earlier[:, :, None],
        "bias": normal(rng, len(n_cats), 4),
        "out_weight": normal(rng, places.total, 4),
        "out_bias": normal(rng, places.total),
    }
    return SeparateNetworks(Layout(n_cats), order, means, arrays)


def orders_of(rng, n_orders, n_cats):
    return np.stack([rng.permutation(len(n_cats)) for _ in range(n_orders)])


def eonade(rng, n_cats=N_CATS, n_orders=3):
    layout = Layout(n_cats)
    places = Places(layout)
    arrays = {
        "weight": normal(rng, places.total, 6) * 2,
        "told": normal(rng, len(n_cats), 6),
        "bias": normal(rng, 6),
        "out_weight": normal(rng, places.total, 6),
        "out_bias": normal(rng, places.total),
    }
    means = rng.random(places.total).astype(np.float32)
    return EoNADE(layout, means, arrays, orders_of(rng, n_orders, n_cats))


def made(rng, n_cats=N_CATS, n_orders=3, widths=(11, 8)):
    layout = Layout(n_cats)
    places, before = Places(layout), Places(layout).total
    arrays = {}
    for i, degrees in enumerate(spread_degrees(layout, widths, n_orders, rng)):
        arrays[f"{i}.weight"] = normal(rng, before, widths[i])
        arrays[f"{i}.bias"] = normal(rng, widths[i])
        arrays[f"{i}.degrees"] = degrees
        before = widths[i]
    arrays["out_weight"] = normal(rng, before, places.total) * 0.3
    arrays["direct"] = normal(rng, places.total, places.total) * 0.3
    arrays["out_bias"] = normal(rng, places.total)
    means = rng.random(places.total).astype(np.float32)
    return MADE(layout, means, arrays, orders_of(rng, n_orders, n_cats))


def rnade(rng, n_cats=N_CATS, mixes=3):
    order, places, means = order_and_means(rng, n_cats)
    n_cols, inner = len(n_cats), places.layout
    edges = np.full(inner.total, np.inf, np.float32)
    centres = np.zeros(inner.total, np.float32)
    for place, n in zip(inner.slices, inner.n_cats, strict=True):
        edges[place][:-1] = np.linspace(-1, 1, n + 1)[1:-1]
        centres[place] = np.linspace(-1.5, 1.5, n)
    arrays = {
        "weight": normal(rng, n_cols, 6),
        "bias": normal(rng, 6),
        "scale": normal(rng, n_cols),
        "out_weight": normal(rng, 3, n_cols, mixes, 6) * 0.5,
        "out_bias": normal(rng, 3, n_cols, mixes),
        "centres": centres,
        "edges": edges,
    }
    return RNADE(Layout(n_cats), order, means, arrays)


def eonade_along_one(rng):
    return eonade(rng, n_orders=1).mixture.members[0]


def made_along_one(rng):
    return made(rng, n_orders=1).mixture.members[0]


# What has one order, and walks; what mixes several orders.
ONE_ORDER = {
    "boosted_trees": boosted_trees,
    "trees_about_one": trees_about_one,
    "fvsbn": fvsbn,
    "nade": nade,
    "separate_networks": separate_networks,
    "rnade": rnade,
    "eonade_along_one": eonade_along_one,
    "made_along_one": made_along_one,
}
MANY_ORDERS = {"eonade": eonade, "made": made}
