"""Operations that move positions: slices, views, padding, joining."""

from __future__ import annotations

from collections.abc import Sequence

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.field import UNSEEN, WHOLE, Field, hull
from anypart.lens.network.sight import Part, Sight, always, regroup
from anypart.lens.network.sight_rules.pointwise import Made, join_sights, nothing, sight, stretched
from anypart.lens.network.tracer import Tracer


def sliced(tracer: Tracer, call: Call) -> Made:
    """Take a range of positions."""
    seen, dim = sight(call["self"]), call["dim"] % call["self"].dim()
    return [take(seen, dim, range(seen.shape[dim])[call["start"] : call["end"] : call["step"]])]


def selected(tracer: Tracer, call: Call) -> Made:
    """Take one position; what it sees, all see."""
    seen, dim = sight(call["self"]), call["dim"] % call["self"].dim()
    return [_picked(seen, dim, call["index"] % seen.shape[dim])]


def split(tracer: Tracer, call: Call) -> Made:
    """Cut an axis into pieces."""
    seen, dim = sight(call["self"]), call["dim"] % call["self"].dim()
    if call.name == "unbind":
        return [_picked(seen, dim, i) for i in range(len(call.values))]
    found: list[Sight] = []
    start = 0
    for value in call.values:
        found.append(take(seen, dim, range(start, start + value.shape[dim])))
        start += value.shape[dim]
    return found


def padded(tracer: Tracer, call: Call) -> Made:
    """Put positions before and after; constants, or positions that are there."""
    seen, numbers = (
        sight(call["self"]),
        list(call["pad"] if "pad" in call.given else call["padding"]),
    )
    kind = call.name.split("_")[0]
    for back, (before, after) in enumerate(zip(numbers[::2], numbers[1::2], strict=True)):
        axis = len(seen.axes) - 1 - back
        n = seen.shape[axis]
        places = list(range(-before, n + after))
        if kind == "reflection":
            places = [abs(p) if p < n else 2 * (n - 1) - p for p in places]
        elif kind == "replication":
            places = [min(max(p, 0), n - 1) for p in places]
        seen = take(seen, axis, places)
    return [seen]


def ordered(tracer: Tracer, call: Call) -> Made:
    """Change the order of the axes."""
    seen, n = sight(call["self"]), call["self"].dim()
    if call.name == "permute":
        order = [d % n for d in call["dims"]]
    else:
        first, second = (call["dim0"], call["dim1"]) if call.name == "transpose" else (0, 1)
        order = list(range(n))
        if n > 1:
            order[first % n], order[second % n] = order[second % n], order[first % n]
    blocked = seen.blocked
    if blocked is not None:
        blocked = blocked.expand(seen.shape).permute(order)
    return [seen._replace(axes=tuple(seen.axes[d] for d in order), blocked=blocked)]


def viewed(tracer: Tracer, call: Call) -> Made:
    """Cut the axes anew."""
    seen, shape = sight(call.traced[0]), call.values[0].shape
    blocked = seen.blocked
    if blocked is not None:
        blocked = blocked.expand(seen.shape).reshape(tuple(shape))
    return [regroup(seen, shape)._replace(blocked=blocked)]


def expanded(tracer: Tracer, call: Call) -> Made:
    """Broadcast."""
    return [stretched(sight(call["self"]), call.values[0].shape)]


def repeated(tracer: Tracer, call: Call) -> Made:
    """Lay copies side by side."""
    seen, shape = sight(call["self"]), call.values[0].shape
    more = len(shape) - len(seen.axes)
    axes = [seen.blank(1)] * more + list(seen.axes)
    seen = seen._replace(axes=tuple(axes))
    for axis, size in enumerate(shape):
        n = seen.shape[axis]
        if size != n:
            seen = take(seen, axis, [o % n for o in range(size)])
    return [seen]


def paired(tracer: Tracer, call: Call) -> Made:
    """Take two numbers as one complex number, or one as two."""
    seen = sight(call["self"])
    if call.name == "view_as_real":
        return [seen._replace(axes=(*seen.axes, seen.blank(2)), blocked=None)]
    seen = seen.also(seen.over([len(seen.axes) - 1]))
    return [seen._replace(axes=seen.axes[:-1], blocked=None)]


def rolled(tracer: Tracer, call: Call) -> Made:
    """Shift positions around, or turn them back to front."""
    seen = sight(call["self"])
    if call.name == "flip":
        for dim in call["dims"]:
            n = seen.shape[dim]
            seen = take(seen, dim % len(seen.axes), range(n)[::-1])
        return [seen]
    for dim, shift in zip(call["dims"], call["shifts"], strict=True):
        n = seen.shape[dim]
        seen = take(seen, dim % len(seen.axes), [(o - shift) % n for o in range(n)])
    return [seen]


def joined_up(tracer: Tracer, call: Call) -> Made:
    """Put pieces one after another; what a whole piece sees, its positions see."""
    pieces = call["tensors"]
    first = sight(call.traced[0])
    shape = call.values[0].shape
    dim = call["dim"] % len(shape)
    if call.name == "stack":
        sights = [_stacked(sight(x), dim) if isinstance(x, Traced) else None for x in pieces]
        sizes = [1] * len(pieces)
    else:
        sights = [sight(x) if isinstance(x, Traced) else None for x in pieces]
        sizes = [x.shape[dim] for x in pieces]
    known = [s for s in sights if s is not None]
    alone = [s.single(dim) if s else None for s in sights]
    rests = {s.rest for s in known}
    along = any(p is not None and not p.plain for p in alone) or len(rests) > 1
    found: Sight | None = known[0]._replace(axes=_without(known[0], dim), rest=nothing(first))
    for other in known[1:]:
        found = (
            join_sights(found, other._replace(axes=_without(other, dim), rest=nothing(first)))
            if found
            else None
        )
    if found is None:
        raise tracer.unknown(call, "its arguments' axes are cut differently")
    part = first.blank(shape[dim])[0]
    if not along:
        found = found.also(known[0].rest)
    else:
        fields: list[Field] = []
        for at in range(len(first.ends)):
            phases: list[tuple[float, float]] = []
            for s, p, n in zip(sights, alone, sizes, strict=True):
                for o in range(n):
                    seen = [p.fields[at].at(o), s.rest[at].at(0)] if s and p else []
                    phases.append(hull(seen))
            empty = all(low > high for low, high in phases)
            full = all(always(i, first.ends[at]) == WHOLE for i in phases)
            field = Field(0, tuple(phases), table=True)
            fields.append(UNSEEN if empty else WHOLE if full else field)
        part = Part(shape[dim], tuple(fields))
    axes = (*found.axes[:dim], (part,), *found.axes[dim + 1 :])
    return [found._replace(axes=axes, blocked=None)]


def copied(tracer: Tracer, call: Call) -> Made:
    """Write one tensor, or one number, over another."""
    source = call.given.get("src", call.given.get("value"))
    if not isinstance(source, Traced):
        return [None]
    return [stretched(sight(source), call.values[0].shape)]


def embedded(tracer: Tracer, call: Call) -> Made:
    """Look rows up in a constant table."""
    if isinstance(call["weight"], Traced):
        raise tracer.unknown(call, "its table depends on the input")
    seen = sight(call["indices"])
    return [seen._replace(axes=(*seen.axes, seen.blank(call.values[0].shape[-1])), blocked=None)]


def shuffled(tracer: Tracer, call: Call) -> Made:
    """Move channels into space."""
    seen, shape = sight(call["self"]), call.values[0].shape
    scale = call["upscale_factor"]
    for axis in (len(shape) - 2, len(shape) - 1):
        seen = seen.through(axis, lambda f: _repeated(f, scale), shape[axis])
    channel = len(shape) - 3
    seen = seen.also(seen.over([channel]))
    axes = (*seen.axes[:channel], seen.blank(shape[channel]), *seen.axes[channel + 1 :])
    return [seen._replace(axes=axes, blocked=None)]


def unshuffled(tracer: Tracer, call: Call) -> Made:
    """Move space into channels: the field of a position is that of all its channels."""
    seen, shape = sight(call["self"]), call.values[0].shape
    scale = call["downscale_factor"]
    for axis in (len(shape) - 2, len(shape) - 1):
        seen = seen.through(axis, lambda f: f.window(scale, scale), shape[axis])
    channel = len(shape) - 3
    axes = (*seen.axes[:channel], seen.blank(shape[channel]), *seen.axes[channel + 1 :])
    return [seen._replace(axes=axes, blocked=None, loose=True)]


def take(seen: Sight, axis: int, places: Sequence[int]) -> Sight:
    """Read some positions of an axis; −1 is a constant."""
    part = seen.single(axis)
    made: list[Field] = []
    first, n = (places[0] if places else 0), len(places)
    even = list(places) == list(range(first, first + n))
    for f in part.fields:
        if f in (UNSEEN, WHOLE):
            made.append(f)
        elif even and not f.table:
            made.append(f.window(1, 1, -first))
        else:
            made.append(Field(0, tuple(f.at(p) for p in places), table=True))
    axes = (*seen.axes[:axis], (Part(n, tuple(made)),), *seen.axes[axis + 1 :])
    return seen._replace(axes=axes, blocked=None)


def _picked(seen: Sight, dim: int, index: int) -> Sight:
    part = seen.single(dim)
    more = tuple(
        f if f in (UNSEEN, WHOLE) else always(f.at(index), n)
        for f, n in zip(part.fields, seen.ends, strict=True)
    )
    seen = seen.also(more)
    return seen._replace(axes=(*seen.axes[:dim], *seen.axes[dim + 1 :]), blocked=None)


def _stacked(one: Sight, dim: int) -> Sight:
    return one._replace(axes=(*one.axes[:dim], one.blank(1), *one.axes[dim:]))


def _without(one: Sight, dim: int) -> tuple[tuple[Part, ...], ...]:
    return (*one.axes[:dim], one.blank(1), *one.axes[dim + 1 :])


def _repeated(field: Field, times: int) -> Field:
    phases = tuple(i for i in field.phases for _ in range(times))
    return Field(field.jump, phases, field.table).reduced()
