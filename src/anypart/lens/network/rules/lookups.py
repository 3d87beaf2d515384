"""Operations that look something up at places that may depend on the input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.rules.moves import move
from anypart.lens.network.rules.pointwise import sum_to
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of, varies_of


def embedding(sets: Sets, call: Call) -> Made:
    """Depend on the index, where the rows of the table differ."""
    table, places = call["weight"], call["indices"]
    if not isinstance(places, Traced):
        return move(sets, call)
    if isinstance(table, Traced):
        raise sets.unknown(call, "its table depends on the input as well")
    (node,) = nodes_of([places])
    varies = node.varies.unsqueeze(-1) & (table != table[:1]).any(0)
    return [Node(varies, (node,), lambda mask: (mask.any(-1),))]


def bag(sets: Sets, call: Call) -> Made:
    """Depend on every index of a bag, where the rows of the table differ."""
    table, places, offsets = call["weight"], call["indices"], call["offsets"]
    if not isinstance(places, Traced) or any(isinstance(x, Traced) for x in (table, offsets)):
        raise sets.unknown(call, "its table or its bags depend on the input")
    (node,) = nodes_of([places])
    n_bags = call.values[0].shape[0]
    starts = offsets[:n_bags].contiguous()
    owner = torch.searchsorted(starts, torch.arange(len(places)), right=True) - 1
    owns = torch.nn.functional.one_hot(owner, n_bags).T.float()  # (bags, indices)
    if call["per_sample_weights"] is not None:
        owns = owns * (plain(call["per_sample_weights"]) != 0)
    some = (owns @ node.varies.float()) > 0

    def back(mask: Tensor) -> Sequence[Tensor]:
        return ((mask.any(-1).float() @ owns) > 0,)

    made = Node(some.unsqueeze(-1) & (table != table[:1]).any(0), (node,), back)
    return [made, *[None] * (len(call.values) - 1)]


def gather(sets: Sets, call: Call) -> Made:
    """Depend on the index and on all it can choose from along the axis."""
    data, places = call["self"], call["index"]
    if not isinstance(places, Traced):
        return move(sets, call)
    dim = call["dim"] % places.dim()
    nodes = nodes_of([places, data])
    inside = tuple(slice(None) if d == dim else slice(n) for d, n in enumerate(places.shape))
    seen = varies_of(data)[inside].any(dim, keepdim=True)

    def back(mask: Tensor) -> Sequence[Tensor]:
        if len(nodes) == 1:
            return (mask,)
        read = torch.zeros(len(mask), *data.shape, dtype=torch.bool)
        read[(slice(None), *inside)] = mask.any(dim + 1, keepdim=True)
        return mask, read

    return [Node(nodes[0].varies | seen, nodes, back)]


def index_select(sets: Sets, call: Call) -> Made:
    """Depend on the index of the slice and on all slices it can choose from."""
    data, places = call["self"], call["index"]
    if not isinstance(places, Traced):
        return move(sets, call)
    dim = call["dim"] % data.dim()
    nodes = nodes_of([places, data])
    along = [-1 if d == dim else 1 for d in range(data.dim())]
    shape = call.values[0].shape
    varies = nodes[0].varies.reshape(along) | varies_of(data).any(dim, keepdim=True)

    def back(mask: Tensor) -> Sequence[Tensor]:
        rows = mask.movedim(dim + 1, 1).flatten(2).any(2)
        read = mask.any(dim + 1, keepdim=True)
        return (rows, read.expand(-1, *data.shape)) if len(nodes) == 2 else (rows,)

    return [Node(varies.expand(shape), nodes, back)]


def index(sets: Sets, call: Call) -> Made:
    """Depend on the indices, `table[x, y]`, and on nothing else if the table is a constant."""
    if not any(isinstance(x, Traced) for x in call["indices"]):
        return move(sets, call)
    if isinstance(call["self"], Traced) or any(x is None for x in call["indices"]):
        raise sets.unknown(call, "what it reads and where it reads both depend on the input")
    nodes = nodes_of(call["indices"])
    shape = call.values[0].shape
    rest = call["self"].dim() - len(call["indices"])
    varies = torch.zeros(shape[: len(shape) - rest], dtype=torch.bool)
    for node in nodes:
        varies = varies | node.varies

    def back(mask: Tensor) -> Sequence[Tensor]:
        read = mask.flatten(mask.dim() - rest).any(-1) if rest else mask
        return [sum_to(read, node.shape) for node in nodes]

    return [Node(varies.reshape(*varies.shape, *[1] * rest).expand(shape), nodes, back)]


LOOKUPS: dict[str, Rule] = {
    "embedding": embedding,
    "_embedding_bag": bag,
    "_embedding_bag_forward_only": bag,
    "gather": gather,
    "index_select": index_select,
    "index": index,
}
