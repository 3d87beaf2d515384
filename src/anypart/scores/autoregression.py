"""The proof that a fitted network hears only what it may, on its trained weights.

A chain p(x_1) p(x_2 | x_1) … sums to 1 only if no column's conditional depends on itself or
on a later column. The network's index sets decide it: a torch function with the trained
weights is shown to give the model's own logits, and its dependence (`lens.network`) is
compared with the order. An order-agnostic network must not read the code of an unseen cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anypart.base.seeds import generator
from anypart.models.contract import Evidence, Model
from anypart.models.many_orders import ManyOrders
from anypart.models.one_order import OneOrder
from anypart.models.order_agnostic import OrderAgnostic
from anypart.models.stack import Stack

if TYPE_CHECKING:
    import torch

    Twin = Callable[[torch.Tensor], torch.Tensor]

AGREES = 1e-3  # logits of the two forms, float32
ROWS = 16  # on which they are compared


@dataclass(frozen=True)
class Proof:
    """Whether one chain of a model is autoregressive.

    Args:
        family: of the model.
        proved: no conditional depends on its own or on a later column.
        leaks: (column that is predicted, column that it depends on and must not).
        why: why nothing was proved, empty if it was decided.

    """

    family: str
    proved: bool
    leaks: tuple[tuple[int, int], ...] = ()
    why: str = ""


@dataclass(frozen=True)
class Autoregression:
    """How many chains of networks a fit has, and how many are proved autoregressive.

    Args:
        chains: every order of every network.
        proved: those proved on their trained weights.
        notes: what was not proved, and why.

    """

    chains: int
    proved: int
    notes: tuple[str, ...] = ()


def score_autoregression(model: Model) -> Autoregression | None:
    """Prove every network of a model; None if there is none."""
    found = list(prove(model))
    if not found:
        return None
    notes = {
        f"{p.family}: {p.why or f'column {p.leaks[0][0]} depends on column {p.leaks[0][1]}'}"
        for p in found
        if not p.proved
    }
    return Autoregression(len(found), sum(p.proved for p in found), tuple(sorted(notes)))


def prove(model: Model) -> Iterator[Proof]:
    """Decide for every chain of networks in a model whether it is autoregressive.

    Args:
        model: any of the catalogue; a stack's members are taken one by one.

    Returns:
        A proof for each order of each network; nothing for families that are no networks.

    Cost:
        One run and one backward pass of each network for every place, in masks.

    """
    if isinstance(model, Stack):
        for member in model.members:
            yield from prove(member)
    elif isinstance(model, ManyOrders):
        yield from prove(model.mixture)
    elif isinstance(model, OrderAgnostic):
        yield from (_any_order(model, order) for order in model.orders)
    elif isinstance(model, OneOrder):
        twin = _TWINS.get(model.family)
        if twin is not None:
            yield _one_order(model, twin(model))
        elif model.family not in NO_NETWORKS:
            why = "no index sets are followed through its arithmetic"
            yield Proof(model.family, False, (), why)


def _one_order(model: OneOrder, twin: Twin) -> Proof:
    import torch

    from anypart.lens.network.asking import dependence

    column_of = model.places.column_of
    rng = generator(0, "twin")
    codes = np.stack([rng.integers(0, n, ROWS) for n in model.places.layout.n_cats], 1)
    x = model.places.encode(codes.astype(np.int32), rng.random(codes.shape) < 0.9, model.means)
    with torch.no_grad():
        same = np.allclose(twin(torch.from_numpy(x)).numpy(), model._logits(x), atol=AGREES)
    if not same:
        return Proof(model.family, False, (), "its logits are not those of its weights")
    reads = dependence(twin, torch.zeros(1, len(column_of))).numpy()
    out, read = np.nonzero(reads & (column_of[None, :] >= column_of[:, None]))
    pairs = {
        (int(model.order[column_of[o]]), int(model.order[column_of[i]]))
        for o, i in zip(out, read, strict=True)
    }
    return Proof(model.family, not pairs, tuple(sorted(pairs)))


def _any_order(model: OrderAgnostic, order: Any) -> Proof:
    import torch

    from anypart.lens.network.asking import which_inputs
    from anypart.optim.gradient import masked_logits

    layout, n_cols = model.layout, model.layout.n_cols
    arrays = model.state()[1]
    parameters = {n: torch.from_numpy(a) for n, a in arrays.items() if n != "orders"}
    position = np.argsort(order)
    seen = position[None, :] < np.arange(n_cols)[:, None]  # row i: the first i of the order
    starts = torch.tensor([s.start for s in layout.slices])
    unseen = layout.total + torch.arange(n_cols)

    def logits(codes: torch.Tensor) -> torch.Tensor:
        tokens = torch.where(torch.from_numpy(seen), codes + starts, unseen)
        return masked_logits(parameters, tokens, 0.0, None)

    codes = np.stack(
        [generator(0, "codes", c).integers(0, n, n_cols) for c, n in enumerate(layout.n_cats)], 1
    )
    with torch.no_grad():
        raw = logits(torch.from_numpy(codes)).numpy().astype(np.float64)
    said = model.conditional(Evidence(codes.astype(np.int32), seen))
    asked = np.zeros(raw.shape, bool)
    for at, column in enumerate(np.asarray(order).tolist()):
        place = layout.slices[column]
        asked[at, place] = True
        mine = raw[at, place] - np.logaddexp.reduce(raw[at, place])
        if not np.allclose(mine, said[at, place], atol=AGREES):
            return Proof(model.family, False, (), "its answers are not those of its weights")
    reads = which_inputs(logits, torch.from_numpy(codes), torch.from_numpy(asked)).numpy()
    pairs = {(int(order[row]), int(column)) for row, column in np.argwhere(reads & ~seen)}
    return Proof(model.family, not pairs, tuple(sorted(pairs)))


def _weights(model: OneOrder) -> dict[str, torch.Tensor]:
    import torch

    return {n: torch.from_numpy(np.array(a)) for n, a in model.arrays.items()}


def _linear(model: OneOrder) -> Twin:
    p = _weights(model)
    return lambda x: x @ p["weight"] + p["bias"]


def _masked(model: OneOrder) -> Twin:
    p = _weights(model)

    def logits(x: torch.Tensor) -> torch.Tensor:
        hidden = x
        for i in range(sum(name.endswith(".degrees") for name in p)):
            hidden = (hidden @ p[f"{i}.weight"] + p[f"{i}.bias"]).relu()
        return hidden @ p["out_weight"] + p["out_bias"] + x @ p["direct"]

    return logits


def _separate(model: OneOrder) -> Twin:
    import torch

    p, owner = _weights(model), torch.from_numpy(model.places.column_of)

    def logits(x: torch.Tensor) -> torch.Tensor:
        hidden = torch.sigmoid(torch.einsum("rp,cpw->rcw", x, p["weight"]) + p["bias"])
        return (hidden[:, owner] * p["out_weight"]).sum(2) + p["out_bias"]

    return logits


def _recursive(model: OneOrder) -> Twin:
    from anypart.optim.chain_families import nade_logits

    p, order = _weights(model), np.arange(model.layout.n_cols)
    return lambda x: nade_logits(p, x, model.places, order)


_TWINS: dict[str, Callable[[OneOrder], Twin]] = {
    "fvsbn": _linear,
    "made": _masked,
    "separate_networks": _separate,
    "nade": _recursive,
}
NO_NETWORKS = {"boosted_trees", "conditional_table"}
