"""One random model of each family of a given size, beside its published form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from anypart.models.boosted_trees import BoostedTrees
from anypart.models.continuous_mixture import ContinuousMixture
from anypart.models.contract import Layout
from anypart.models.eonade import EoNADE
from anypart.models.fvsbn import FVSBN
from anypart.models.hidden_tree import HiddenTree, tree_shape
from anypart.models.latent_tree import TreeParts
from anypart.models.made import MADE, spread_degrees
from anypart.models.nade import NADE
from anypart.models.order_agnostic import OrderAgnostic
from anypart.models.rnade import RNADE
from anypart.models.separate_networks import SeparateNetworks
from benchmarks.autoregressive import published

MIXES = 5
ROUNDS, DEPTH = 300, 4  # of boosted trees
BLOCKS = 2  # of the order-agnostic network
MIXES_ALL = 4_096  # points of the continuous mixture
STATES = 64  # of each node of a hidden tree


@dataclass(frozen=True)
class Entry:
    """A family to be timed.

    Args:
        name: of the family.
        model: ours.
        other: the published form, in torch.
        work: multiplications of one row's evaluation, masked ones left out.
        real: whether it is timed on real numbers.
    """

    name: str
    model: Any
    other: Any
    work: int
    real: bool = False


def entries(n: int, d: int) -> list[Entry]:
    rng = np.random.default_rng(0)
    layout, order = Layout((2,) * n), np.arange(n)
    means = np.full(n, 0.5, np.float32)

    def normal(*shape: int) -> np.ndarray:
        return (rng.normal(size=shape) * 0.05).astype(np.float32)

    weight = np.triu(normal(n, n), 1)
    logistic = FVSBN(layout, order, means, {"weight": weight, "bias": normal(n)})
    shared = {"weight": normal(n, d), "bias": normal(d)}
    shared |= {"out_weight": normal(n, d), "out_bias": normal(n)}
    nade = NADE(layout, order, means, shared)
    eonade = EoNADE(layout, means, shared | {"told": normal(n, d)}, order[None])
    (degrees,) = spread_degrees(layout, (d,), 1, rng)
    masked = {"0.weight": normal(n, d), "0.bias": normal(d), "0.degrees": degrees}
    masked |= {"out_weight": normal(d, n), "out_bias": normal(n)}
    made = MADE(layout, means, masked | {"direct": np.zeros((n, n), np.float32)}, order[None])
    heard = order[None, :, None] < order[:, None, None]
    every = {"weight": normal(n, n, d // 8) * heard, "bias": normal(n, d // 8)}
    every |= {"out_weight": normal(n, d // 8), "out_bias": normal(n)}
    separate = SeparateNetworks(layout, order, means, every)
    return [
        Entry("fvsbn", logistic, published.fvsbn(n), n * (n - 1) // 2),
        Entry("nade", nade, published.NADE(n, d), 2 * n * d),
        Entry("eonade, 1 order", eonade, published.NADE(n, d), 3 * n * d),
        Entry("made, 1 order", made, published.made(n, d), n * d + n * (n - 1) // 2),
        Entry(
            f"separate_networks, {d // 8} hidden",
            separate,
            published.SeparateNetworks(n, d // 8),
            (d // 8) * (n * (n - 1) // 2 + n),
        ),
        Entry("rnade, real values", _rnade(n, d, normal), *_rnade_other(n, d), real=True),
        _trees(n, rng),
        _order_agnostic(n, d, normal),
        _continuous_mixture(n, d, normal),
        _hidden_tree(n, rng),
    ]


def _rnade(n: int, d: int, normal: Callable[..., np.ndarray]) -> RNADE:
    arrays = {"weight": normal(n, d), "bias": normal(d), "scale": np.ones(n, np.float32)}
    arrays |= {"out_weight": normal(3, n, MIXES, d), "out_bias": normal(3, n, MIXES)}
    arrays |= {"centres": np.zeros(2 * n, np.float32), "edges": np.zeros(2 * n, np.float32)}
    return RNADE(Layout((2,) * n), np.arange(n), np.full(n, 0.5, np.float32), arrays)


def _rnade_other(n: int, d: int) -> tuple[Any, int]:
    return published.RNADE(n, d, MIXES), n * d * (1 + 3 * MIXES)


def _trees(n: int, rng: np.random.Generator) -> Entry:
    shape = (ROUNDS, n, 2**DEPTH - 1)
    tests = rng.integers(0, np.maximum(np.arange(n), 1)[None, :, None], shape)
    tests[:, 0] = -1  # the first column has nothing to ask
    values = (rng.normal(size=(ROUNDS, n, 2**DEPTH)) * 0.05).astype(np.float32)
    values[:, 0] = 0
    arrays: dict[str, Any] = {"tests": tests, "values": values}
    arrays |= {"weight": np.zeros((n, n), np.float32), "bias": np.zeros(n, np.float32)}
    ours = BoostedTrees(Layout((2,) * n), np.arange(n), np.full(n, 0.5, np.float32), arrays)
    other = published.Trees(torch.from_numpy(np.maximum(tests, 0)), torch.from_numpy(values))
    name = f"boosted_trees, {ROUNDS} rounds of depth {DEPTH}"
    return Entry(name, ours, other, ROUNDS * n * (DEPTH + 1))


def _order_agnostic(n: int, d: int, normal: Callable[..., np.ndarray]) -> Entry:
    arrays = {"embed": normal(3 * n, d), "direct": normal(3 * n, 2 * n)}
    arrays |= {"out_weight": normal(d, 2 * n), "out_bias": normal(2 * n)}
    arrays |= {"norm_scale": np.ones(d, np.float32), "norm_shift": normal(d)}
    for i in range(BLOCKS):
        arrays |= {f"{i}.scale": np.ones(d, np.float32), f"{i}.shift": normal(d)}
        arrays |= {f"{i}.{way}_weight": normal(d, d) for way in ("in", "out")}
        arrays |= {f"{i}.{way}_bias": normal(d) for way in ("in", "out")}
    ours = OrderAgnostic(Layout((2,) * n), arrays, np.arange(n)[None])
    other = published.OrderAgnostic(n, d, BLOCKS)
    return Entry("order_agnostic, 1 order", ours, other, n * BLOCKS * 2 * d * d)


def _continuous_mixture(n: int, d: int, normal: Callable[..., np.ndarray]) -> Entry:
    arrays = {"points": normal(MIXES_ALL, 16), "0.weight": normal(16, d), "0.bias": normal(d)}
    arrays |= {"0.scale": np.ones(d, np.float32), "0.shift": normal(d)}
    arrays |= {"out_weight": normal(d, 2 * n), "out_bias": normal(2 * n)}
    arrays |= {"log_weights": np.full(MIXES_ALL, -np.log(MIXES_ALL), np.float32)}
    ours = ContinuousMixture(Layout((2,) * n), arrays)
    tables = ours.log_tables.reshape(MIXES_ALL, n, 2)
    logits = torch.from_numpy(tables[..., 1] - tables[..., 0])
    other = published.ContinuousMixture(torch.from_numpy(arrays["log_weights"]), logits)
    return Entry(f"continuous_mixture, {MIXES_ALL:,} points", ours, other, n * MIXES_ALL)


def _hidden_tree(n: int, rng: np.random.Generator) -> Entry:
    order = np.arange(n)
    parent = np.array([-1, *(int(rng.integers(max(i - 5, 0), i)) for i in range(1, n))])
    shape = tree_shape(order, parent, (STATES,) * n)

    def rows(*size: int) -> np.ndarray:
        return rng.dirichlet(np.ones(size[-1]), size[:-1]).astype(np.float32)

    transitions = tuple(rows(1 if i == 0 else STATES, STATES) for i in range(n))
    emissions = tuple(rows(STATES, 2) for _ in range(n))
    ours = HiddenTree(Layout((2,) * n), TreeParts(shape, transitions, emissions))
    tensors = [torch.from_numpy(t) for t in transitions], [torch.from_numpy(e) for e in emissions]
    other = published.HiddenTree(list(shape.parents), *tensors)
    return Entry(f"hidden_tree, {STATES} states", ours, other, n * STATES**2)
