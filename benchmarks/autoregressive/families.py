"""One random model of each family of a given size, beside its published form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from anypart.models.contract import Layout
from anypart.models.eonade import EoNADE
from anypart.models.fvsbn import FVSBN
from anypart.models.made import MADE, spread_degrees
from anypart.models.nade import NADE
from anypart.models.rnade import RNADE
from anypart.models.separate_networks import SeparateNetworks
from benchmarks.autoregressive import published

MIXES = 5


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
    ]


def _rnade(n: int, d: int, normal: Callable[..., np.ndarray]) -> RNADE:
    arrays = {"weight": normal(n, d), "bias": normal(d), "scale": np.ones(n, np.float32)}
    arrays |= {"out_weight": normal(3, n, MIXES, d), "out_bias": normal(3, n, MIXES)}
    arrays |= {"centres": np.zeros(2 * n, np.float32), "edges": np.zeros(2 * n, np.float32)}
    return RNADE(Layout((2,) * n), np.arange(n), np.full(n, 0.5, np.float32), arrays)


def _rnade_other(n: int, d: int) -> tuple[Any, int]:
    return published.RNADE(n, d, MIXES), n * d * (1 + 3 * MIXES)
