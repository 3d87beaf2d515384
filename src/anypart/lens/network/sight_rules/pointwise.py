"""Operations whose output position reads one position of each argument."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.field import UNSEEN, Field
from anypart.lens.network.sets import ABSORBS
from anypart.lens.network.sight import Part, Sight, join_parts
from anypart.lens.network.tracer import Tracer

Made = Sequence[Sight | None]
Rule = Callable[[Tracer, Call], Made]


def sight(x: Any) -> Sight:
    """Return what a traced tensor sees."""
    return cast(Sight, x.state)


def pointwise(tracer: Tracer, call: Call) -> Made:
    """See what every argument's position sees."""
    shape = call.values[0].shape
    found = sight(call.traced[0])
    if len(call.traced) > 1 or found.shape != tuple(shape):
        found = stretched(sight(call.traced[0]), shape)
        for other in call.traced[1:]:
            joined = join_sights(found, stretched(sight(other), shape))
            if joined is None:
                raise tracer.unknown(call, "its arguments' axes are cut differently")
            found = joined
    return [found._replace(blocked=_blocked(call, found))] * len(call.values)


def stretched(one: Sight, shape: Sequence[int]) -> Sight:
    """Broadcast: what position 0 of a stretched axis sees, all of them see."""
    axes = [one.blank(1)] * (len(shape) - len(one.axes)) + list(one.axes)
    gone = [a for a, n in enumerate(shape) if n != 1 and _size(axes[a]) == 1]
    more = one.total([p for a in gone for p in axes[a]])
    for a in gone:
        axes[a] = one.blank(shape[a])
    return one.also(more)._replace(axes=tuple(axes))


def _size(parts: Sequence[Part]) -> int:
    size = 1
    for part in parts:
        size *= part.size
    return size


def join_sights(one: Sight, other: Sight) -> Sight | None:
    """See what either of two tensors of one shape sees; None if they are cut differently."""
    axes = [join_parts(one, a, b) for a, b in zip(one.axes, other.axes, strict=True)]
    if any(a is None for a in axes):
        return None
    both = one.also(other.rest)
    return both._replace(
        axes=tuple(cast("list[tuple[Part, ...]]", axes)), loose=one.loose or other.loose
    )


def nothing(one: Sight) -> tuple[Field, ...]:
    """Return fields that see nothing."""
    return (UNSEEN,) * len(one.ends)


def _blocked(call: Call, found: Sight) -> Tensor | None:
    """Keep the elements that a constant mask sets to −∞ (or 0), if there are any."""
    known = [sight(x).blocked for x in call.traced if sight(x).blocked is not None]
    if call.name == "masked_fill" and not isinstance(call["mask"], Traced):
        value = call["value"]
        shut = isinstance(value, Tensor) or value == 0 or value <= -ABSORBS
        return plain(call["mask"]) if shut else None
    if call.name == "where" and not isinstance(call["condition"], Traced):
        taken = plain(call["condition"])
        return taken if not isinstance(call["self"], Traced) else ~taken
    if call.name in ("add", "mul"):
        for x in (call["self"], call["other"]):
            if (
                isinstance(x, Tensor)
                and not isinstance(x, Traced)
                and x.dim() > 1
                and not x.is_meta
            ):
                if call.name == "mul":
                    return x == 0 if (x == 0).any() else None
                return x <= -ABSORBS if (x <= -ABSORBS).any() else None
    return known[0] if len(known) == 1 and len(call.traced) == 1 else None


def same(tracer: Tracer, call: Call) -> Made:
    """Keep everything as it is."""
    found = sight(call.traced[0])
    return [found] * len(call.values)


def gated(tracer: Tracer, call: Call) -> Made:
    """Pair two halves of an axis."""
    found = sight(call["self"])
    dim = call["dim"] % len(found.axes)
    if not found.single(dim).plain:
        raise tracer.unknown(call, "it gates along an axis that is followed")
    axes = list(found.axes)
    axes[dim] = found.blank(call.values[0].shape[dim])
    return [found._replace(axes=tuple(axes))]


def shape_only(tracer: Tracer, call: Call) -> Made:
    """Read a shape and nothing else, or write a constant."""
    return [None] * len(call.values)


def triangle(tracer: Tracer, call: Call) -> Made:
    """Set a triangle to 0."""
    shut = call.func(torch.ones(call["self"].shape), call["diagonal"]) == 0
    return [sight(call["self"])._replace(blocked=shut)]
