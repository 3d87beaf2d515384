"""Operations that read at places: fixed ones are followed, others may read all along an axis."""

from __future__ import annotations

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.field import UNSEEN, WHOLE, Field, hull
from anypart.lens.network.sight import Part, Sight
from anypart.lens.network.sight_rules.moves import take
from anypart.lens.network.sight_rules.pointwise import Made, join_sights, sight
from anypart.lens.network.tracer import Tracer


def gathered(tracer: Tracer, call: Call) -> Made:
    """Read, for each element, a place along one axis."""
    data, places = call["self"], call["index"]
    dim = call["dim"] % max(places.dim(), 1)
    if not isinstance(data, Traced):
        return [_anywhere(tracer, call, None, sight(places), dim)]
    seen = sight(data)
    for axis, n in enumerate(places.shape):
        if axis != dim and n != seen.shape[axis]:
            seen = take(seen, axis, range(n))
    if isinstance(places, Traced):
        return [_anywhere(tracer, call, seen, sight(places), dim)]
    read = _known(tracer, call, places).movedim(dim, 0).flatten(1)
    return [_some(seen, dim, [sorted(set(row)) for row in read.tolist()])]


def chosen(tracer: Tracer, call: Call) -> Made:
    """Take positions of one axis by a list of numbers."""
    data, places = call["self"], call["index"]
    dim = call["dim"] % data.dim()
    if not isinstance(places, Traced):
        return [take(sight(data), dim, _known(tracer, call, places).reshape(-1).tolist())]
    alone = sight(places)
    shape = call.values[0].shape
    axes = [alone.blank(n) for n in shape]
    axes[dim] = alone.axes[0]
    there = alone._replace(axes=tuple(axes))
    seen = sight(data) if isinstance(data, Traced) else None
    return [_anywhere(tracer, call, seen, there, dim)]


def indexed(tracer: Tracer, call: Call) -> Made:
    """`x[:, places]`: along one axis, by one list of numbers or of yes and no."""
    given = [(dim, x) for dim, x in enumerate(call["indices"]) if x is not None]
    dim, places = given[0]
    if len(given) > 1 or isinstance(places, Traced) or places.dim() != 1:
        raise tracer.unknown(call, "its places are no single list of fixed numbers")
    places = _known(tracer, call, places)
    if places.dtype == torch.bool:
        places = places.nonzero().reshape(-1)
    n = call["self"].shape[dim]
    return [take(sight(call["self"]), dim, [p % n for p in places.tolist()])]


def scattered(tracer: Tracer, call: Call) -> Made:
    """Write along one axis: what lies on it can land anywhere on it."""
    data, places = call["self"], call["index"]
    dim, shape = call["dim"] % max(places.dim(), 1), call.values[0].shape
    found: Sight | None = sight(data) if isinstance(data, Traced) else None
    for x in (places, call.given.get("src")):
        if not isinstance(x, Traced):
            continue
        seen = sight(x)
        seen = seen.also(seen.over([dim]))
        for axis, n in enumerate(shape):
            if axis != dim and n != seen.shape[axis]:
                seen = take(seen, axis, range(n))
        axes = (*seen.axes[:dim], seen.blank(shape[dim]), *seen.axes[dim + 1 :])
        seen = seen._replace(axes=axes, blocked=None, loose=not isinstance(places, Traced))
        found = seen if found is None else join_sights(found, seen)
        if found is None:
            raise tracer.unknown(call, "its arguments' axes are cut differently")
    return [found]


def sampled(tracer: Tracer, call: Call) -> Made:
    """Read at places of a plane that a grid tells: anywhere."""
    data, grid, shape = call["input"], call["grid"], call.values[0].shape
    space = len(shape) - 2
    found: Sight | None = None
    if isinstance(data, Traced):
        seen = sight(data)
        seen = seen.also(seen.over(range(2, len(shape))))
        axes = (*seen.axes[:2], *(seen.blank(n) for n in shape[2:]))
        found = seen._replace(axes=axes, blocked=None, loose=not isinstance(grid, Traced))
    if isinstance(grid, Traced):
        seen = sight(grid)
        seen = seen.also(seen.over([space + 1]))
        axes = (seen.axes[0], seen.blank(shape[1]), *seen.axes[1 : space + 1])
        there = seen._replace(axes=axes, blocked=None)
        found = there if found is None else join_sights(found, there)
    if found is None:
        raise tracer.unknown(call, "its arguments' axes are cut differently")
    return [found]


def _known(tracer: Tracer, call: Call, places: Tensor) -> Tensor:
    if places.is_meta:
        raise tracer.unknown(call, "its places have no values")
    return places


def _some(seen: Sight, dim: int, read: list[list[int]]) -> Sight:
    """Let each position of an axis see what some positions of it saw."""
    part = seen.single(dim)
    fields = tuple(
        f
        if f in (UNSEEN, WHOLE)
        else Field(0, tuple(hull(map(f.at, places)) for places in read), table=True)
        for f in part.fields
    )
    axes = (*seen.axes[:dim], (Part(len(read), fields),), *seen.axes[dim + 1 :])
    loose = seen.loose or (not part.plain and any(len(places) > 1 for places in read))
    return seen._replace(axes=axes, blocked=None, loose=loose)


def _anywhere(tracer: Tracer, call: Call, data: Sight | None, places: Sight, dim: int) -> Sight:
    """See the place, and all that it can choose from."""
    if data is None:
        return places._replace(blocked=None)
    data = data.also(data.over([dim]))
    shape = call.values[0].shape
    axes = (*data.axes[:dim], data.blank(shape[dim]), *data.axes[dim + 1 :])
    joined = join_sights(data._replace(axes=axes, blocked=None), places)
    if joined is None:
        raise tracer.unknown(call, "its arguments' axes are cut differently")
    return joined
