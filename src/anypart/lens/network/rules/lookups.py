"""Operations that look something up at places that may depend on the input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.rules.moves import move
from anypart.lens.network.rules.pointwise import sum_to
from anypart.lens.network.rules.windows import linear
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
    """`x[:, places]`: depend on the places, and on all that they can choose from."""
    data, given = call["self"], call["indices"]
    used = [x for x in given if x is not None]
    if not any(isinstance(x, Traced) for x in used):
        return move(sets, call)
    first = next(d for d, x in enumerate(given) if x is not None)
    if len(given) > first + len(used) or any(x.dtype == torch.bool for x in used):
        raise sets.unknown(call, "its places are a mask, or along axes that lie apart")
    spread = torch.broadcast_shapes(*(x.shape for x in used))
    rest = data.dim() - first - len(used)
    nodes = nodes_of([data, *used])
    places = torch.zeros(spread, dtype=torch.bool)
    for node in nodes_of(used):
        places = places | node.varies
    chosen = varies_of(data).flatten(first, first + len(used) - 1).any(first)
    lead = data.shape[:first]
    chosen = chosen.reshape(*lead, *[1] * len(spread), *data.shape[data.dim() - rest :])
    varies = places.reshape(*places.shape, *[1] * rest) | chosen

    def back(mask: Tensor) -> Sequence[Tensor]:
        found: list[Tensor] = []
        if isinstance(data, Traced):
            read = mask.flatten(first + 1, first + len(spread)).any(first + 1) if spread else mask
            ones = [1] * len(used)
            read = read.reshape(len(mask), *lead, *ones, *data.shape[data.dim() - rest :])
            found.append(read.expand(-1, *data.shape))
        there = mask.flatten(mask.dim() - rest).any(-1) if rest else mask
        there = there.flatten(1, first).any(1) if first else there
        return [*found, *(sum_to(there, node.shape) for node in nodes_of(used))]

    return [Node(varies.expand(call.values[0].shape), nodes, back)]


def sampled(sets: Sets, call: Call) -> Made:
    """`grid_sample` at places that depend: any place of the plane can be read."""
    data, grid = call["input"], call["grid"]
    if not isinstance(grid, Traced):
        return linear(sets, call)
    space = data.dim() - 2
    somewhere = varies_of(data).flatten(2).any(2)
    varies = somewhere.reshape(*somewhere.shape, *[1] * space) | varies_of(grid).any(-1)[:, None]

    def back(mask: Tensor) -> Sequence[Tensor]:
        found: list[Tensor] = []
        if isinstance(data, Traced):
            read = mask.flatten(3).any(3)
            found.append(read.reshape(*read.shape, *[1] * space).expand(-1, *data.shape))
        found.append(mask.any(2).unsqueeze(-1).expand(-1, *grid.shape))
        return found

    return [Node(varies.expand(call.values[0].shape), nodes_of([data, grid]), back)]


LOOKUPS: dict[str, Rule] = {
    "embedding": embedding,
    "_embedding_bag": bag,
    "_embedding_bag_forward_only": bag,
    "gather": gather,
    "index_select": index_select,
    "index": index,
    "grid_sampler_2d": sampled,
    "grid_sampler_3d": sampled,
}
