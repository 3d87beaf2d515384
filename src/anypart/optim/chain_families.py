"""The networks along orders: where each begins, and its logits in torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.eonade import EoNADE
from anypart.models.made import MADE, masks, spread_degrees
from anypart.models.nade import NADE
from anypart.models.orders import make_order
from anypart.models.places import Array, Places
from anypart.models.separate_networks import SeparateNetworks
from anypart.optim.chain_real import RNADENetwork
from anypart.optim.chains import ChainLearner, ChainSettings, Network, Start

if TYPE_CHECKING:
    import torch

    Parameters = dict[str, torch.Tensor]


def _nade_start(start: Start) -> dict[str, Array]:
    total, width = start.places.total, start.settings.width
    return {
        "weight": start.uniform("weight", total, total, width),
        "bias": np.zeros(width, np.float32),
        "out_weight": start.uniform("out", width, total, width) * np.float32(0.1),
        "out_bias": start.places.log_odds(start.means),
    }


def nade_logits(
    parameters: Parameters, x: torch.Tensor, places: Places, order: NDArray[np.int64]
) -> torch.Tensor:
    """Do in torch what `NADE` does in NumPy, all positions at once, (rows, places).

    Args:
        parameters: by name; places and columns as in `places`.
        x: (rows, places).
        places: of the columns.
        order: (cols,) which of those columns comes at each position.

    Cost:
        O(rows · places · width) time and memory.

    """
    import torch

    p, cols = parameters, order.tolist()
    moved = torch.tensor([i for c in cols for i in range(*places.slices[c].indices(places.total))])
    ends = torch.tensor(np.cumsum([0, *(places.sizes[c] for c in cols)])[:-1])
    added = x[:, moved, None] * p["weight"][moved]  # (rows, places, width)
    nothing = added.new_zeros(len(x), 1, added.shape[2])
    before = torch.cat([nothing, added.cumsum(1)], 1)[:, ends] + p["bias"]  # (rows, cols, width)
    if "told" in p:
        told = p["told"][torch.tensor(cols)]
        before = before + told.cumsum(0) - told
    hidden = torch.sigmoid(before)
    owner = np.repeat(np.arange(len(cols)), [places.sizes[c] for c in cols])
    logits = (hidden[:, torch.from_numpy(owner)] * p["out_weight"][moved]).sum(2)
    back = torch.empty_like(moved).scatter_(0, moved, torch.arange(len(moved)))
    return logits[:, back] + p["out_bias"]


class NADENetwork:
    """NADE along one order; its places lie in the order."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with."""
        return _nade_start(self._start)

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        places = self._start.places
        return nade_logits(parameters, x, places, np.arange(len(places.sizes)))

    def model(self, arrays: dict[str, Array]) -> NADE:
        """Make the model of trained parameters."""
        return NADE(self._start.layout, self._start.order, self._start.means, arrays)


class EoNADENetwork:
    """NADE along a fresh random order at each step."""

    def __init__(self, start: Start) -> None:
        self._start = start

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with."""
        shape = len(self._start.places.sizes), self._start.settings.width
        told = self._start.uniform("told", shape[0], *shape)
        return _nade_start(self._start) | {"told": told}

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        places = self._start.places
        order = generator(self._start.seed, "order", step).permutation(len(places.sizes))
        return nade_logits(parameters, x, places, order)

    def model(self, arrays: dict[str, Array]) -> EoNADE:
        """Make the model of trained parameters."""
        return EoNADE(self._start.layout, self._start.means, arrays, _orders(self._start))


def _orders(start: Start) -> NDArray[np.int64]:
    """The order of the settings and random ones, (orders, cols)."""
    rng, question = generator(start.seed, "orders"), start.settings.stated
    others = [rng.permutation(start.layout.n_cols) for _ in range(start.settings.orders - 1)]
    return np.stack([start.order, *(question.ranked(o) if question else o for o in others)])


class MADENetwork:
    """MADE along several orders, each with its own degrees, one after another."""

    def __init__(self, start: Start) -> None:
        import torch

        self._start, self._orders = start, _orders(start)
        widths = (start.settings.width,) * start.settings.layers
        rng = generator(start.seed, "degrees")
        self._degrees = spread_degrees(start.layout, widths, len(self._orders), rng)
        self._masks: list[list[torch.Tensor]] = []
        for number, order in enumerate(self._orders):
            hidden, out, direct = masks(start.places, order, [d[number] for d in self._degrees])
            self._masks.append([torch.from_numpy(m).float() for m in (*hidden, out, direct)])

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with."""
        start, before = self._start, self._start.places.total
        made: dict[str, Array] = {}
        for i in range(start.settings.layers):
            width = start.settings.width
            made[f"{i}.weight"] = start.uniform(f"weight {i}", before // 3, before, width)
            made[f"{i}.bias"] = np.zeros(width, np.float32)
            before = width
        total = start.places.total
        made["out_weight"] = start.uniform("out", before, before, total) * np.float32(0.1)
        made["out_bias"] = start.places.log_odds(start.means)
        if start.settings.direct:
            made["direct"] = np.zeros((total, total), np.float32)
        return made

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        import torch

        p, hidden = parameters, x
        *inner, out, direct = self._masks[step % len(self._masks)]
        for i, mask in enumerate(inner):
            hidden = torch.relu(hidden @ (p[f"{i}.weight"] * mask) + p[f"{i}.bias"])
        logits = hidden @ (p["out_weight"] * out) + p["out_bias"]
        return logits + x @ (p["direct"] * direct) if "direct" in p else logits

    def model(self, arrays: dict[str, Array]) -> MADE:
        """Make the model of trained parameters."""
        total = self._start.places.total
        every: dict[str, NDArray[Any]] = {"direct": np.zeros((total, total), np.float32)}
        every |= arrays | {f"{i}.degrees": d for i, d in enumerate(self._degrees)}
        return MADE(self._start.layout, self._start.means, every, self._orders)


class SeparateNetwork:
    """A network for each column; its places lie in the order."""

    def __init__(self, start: Start) -> None:
        import torch

        self._start = start
        self._column_of = torch.from_numpy(start.places.column_of)
        n_cols = len(start.places.sizes)
        self._heard = (self._column_of < torch.arange(n_cols)[:, None]).float()  # (cols, places)

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with."""
        start, width = self._start, self._start.settings.width
        total, n_cols = start.places.total, len(start.places.sizes)
        weight = start.uniform("weight", total // 2, n_cols, total, width)
        return {
            "weight": weight * self._heard.numpy()[:, :, None],
            "bias": np.zeros((n_cols, width), np.float32),
            "out_weight": start.uniform("out", width, total, width) * np.float32(0.1),
            "out_bias": start.places.log_odds(start.means),
        }

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        import torch

        p = parameters
        weight = p["weight"] * self._heard[:, :, None]
        hidden = torch.sigmoid(torch.einsum("rp,cpw->rcw", x, weight) + p["bias"])
        return (hidden[:, self._column_of] * p["out_weight"]).sum(2) + p["out_bias"]

    def model(self, arrays: dict[str, Array]) -> SeparateNetworks:
        """Make the model of trained parameters."""
        heard = self._heard.numpy()[:, :, None]
        own = arrays | {"weight": arrays["weight"] * heard}
        return SeparateNetworks(self._start.layout, self._start.order, self._start.means, own)


NETWORKS: Mapping[str, tuple[type[Network], bool]] = {  # and whether places lie in the order
    "nade": (NADENetwork, True),
    "eonade": (EoNADENetwork, False),
    "made": (MADENetwork, False),
    "separate_networks": (SeparateNetwork, True),
    "rnade": (RNADENetwork, True),
}


def chain_learner(
    family: str, layout: Layout, rows: tuple[Codes, Mask], settings: ChainSettings, seed: int
) -> ChainLearner:
    """Make the learner of a network along orders.

    Args:
        family: a key of `NETWORKS`.
        layout: the columns.
        rows: codes and seen, (rows, cols), to find the order and the starting log-odds on.
        settings: of the network and its training.
        seed: of everything random.

    """
    network, in_order = NETWORKS[family]
    codes, seen = rows
    order = make_order(settings.order, layout, codes, seen, seed, settings.stated)
    columns = order if in_order else np.arange(layout.n_cols)
    places = Places(Layout(tuple(layout.n_cats[c] for c in columns.tolist())))
    means = places.margins(codes[:, columns], seen[:, columns])
    start = Start(layout, places, means, order, settings, seed)
    return ChainLearner(network(start), start, in_order=in_order)
