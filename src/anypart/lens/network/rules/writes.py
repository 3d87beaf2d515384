"""Operations that write at places: what is added up there, and places that depend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.rules.moves import move
from anypart.lens.network.rules.pointwise import either, sum_to
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of, varies_of


def scattered(sets: Sets, call: Call) -> Made:
    """Write along an axis: at fixed places one by one, or summed, or at any place of a line."""
    if isinstance(call["index"], Traced):
        return _anywhere(call)
    if call.name == "scatter" and call.given.get("reduce") is None:
        return move(sets, call)
    places = plain(call["index"])
    inside = tuple(slice(n) for n in places.shape)
    dim = call["dim"] % max(places.dim(), 1)
    lines = tuple(slice(None) if d == dim else slice(n) for d, n in enumerate(places.shape))
    spots = _numbers(call["self"])[lines].gather(dim, places)
    return [_added(call, spots, _source(call), inside)]


def _source(call: Call) -> Any:
    return next((call[n] for n in ("src", "source", "values", "value") if n in call.given), None)


def _numbers(x: Tensor) -> Tensor:
    return torch.arange(x.numel()).reshape(x.shape)


def put(sets: Sets, call: Call) -> Made:
    """`x[places] = values`, perhaps adding; a mask that depends chooses element by element."""
    given, data = call["indices"], call["self"]
    if any(isinstance(x, Traced) for x in given):
        mask, chosen = given[0], call["values"]
        fits = len(given) == 1 and mask.dtype == torch.bool and mask.shape == data.shape
        if not fits or chosen.numel() != 1 or call["accumulate"]:
            raise sets.unknown(call, "where it writes depends on the input")
        return [either(mask, chosen, data, data.shape)]
    if not call["accumulate"]:
        return move(sets, call)
    spots = _numbers(data)[tuple(slice(None) if x is None else x for x in given)]
    return [_added(call, spots, call["values"], None)]


def _added(call: Call, spots: Tensor, source: Any, inside: Any) -> Node:
    """Let every place read its own element and all that is written to it.

    Args:
        call: the operation.
        spots: flat place in the output of every written element.
        source: what is written; a number or a constant carries nothing.
        inside: the part of the source that is written, None if it is broadcast.

    """
    data, shape = call["self"], call.values[0].shape
    nodes = nodes_of([data, source])
    flat = torch.zeros(shape.numel() + 1, dtype=torch.bool)
    written = varies_of(source)
    written = written if inside is None or not isinstance(source, Tensor) else written[inside]
    flat[torch.where(written.expand(spots.shape), spots, shape.numel())] = True
    kept = torch.ones(shape.numel(), dtype=torch.bool)
    if call.given.get("include_self") is False:
        kept[spots] = False
    kept = kept.reshape(shape)

    def back(mask: Tensor) -> Sequence[Tensor]:
        found = [mask & kept] if isinstance(data, Traced) else []
        if isinstance(source, Traced):
            read = mask.flatten(1)[:, spots]
            if inside is None:
                found.append(sum_to(read, source.shape))
            else:
                whole = torch.zeros(len(mask), *source.shape, dtype=torch.bool)
                whole[(slice(None), *inside)] = read
                found.append(whole)
        return found

    return Node(flat[:-1].reshape(shape) | (varies_of(data) & kept), nodes, back)


def _anywhere(call: Call) -> Made:
    """Write at places that depend: what lies on a line can land anywhere on it."""
    data, places, source = call["self"], call["index"], _source(call)
    dim = call["dim"] % max(places.dim(), 1)
    inside = tuple(slice(n) for n in places.shape)
    lines = tuple(slice(None) if d == dim else slice(n) for d, n in enumerate(places.shape))
    moved = varies_of(places)
    if isinstance(source, Traced):
        moved = moved | varies_of(source)[inside]
    varies = varies_of(data).clone()
    varies[lines] |= moved.any(dim, keepdim=True)

    def back(mask: Tensor) -> Sequence[Tensor]:
        line = mask[(slice(None), *lines)].any(dim + 1, keepdim=True)
        found = [mask] if isinstance(data, Traced) else []
        found.append(line.expand(-1, *places.shape))
        if isinstance(source, Traced):
            whole = torch.zeros(len(mask), *source.shape, dtype=torch.bool)
            whole[(slice(None), *inside)] = line
            found.append(whole)
        return found

    return [Node(varies, nodes_of([data, places, source]), back)]


def unpooled(sets: Sets, call: Call) -> Made:
    """Put the largest back where it was: it can have been anywhere in its plane."""
    space = 2 if call.name.endswith("2d") else 3
    nodes = nodes_of([call["self"], call["indices"]])
    varies = torch.zeros((), dtype=torch.bool)
    for node in nodes:
        varies = varies | node.varies.flatten(-space).any(-1)
    varies = varies.reshape((*varies.shape, *[1] * space)).expand(call.values[0].shape)

    def back(mask: Tensor) -> Sequence[Tensor]:
        plane = mask.flatten(-space).any(-1)
        plane = plane.reshape((*plane.shape, *[1] * space))
        return [plane.expand(-1, *node.shape) for node in nodes]

    return [Node(varies, nodes, back)]


WRITES: dict[str, Rule] = {
    **dict.fromkeys(("scatter", "scatter_add", "scatter_reduce"), scattered),
    **dict.fromkeys(("max_unpool2d", "max_unpool3d"), unpooled),
    **dict.fromkeys(("index_put", "_index_put_impl"), put),
}
