"""Operations along axes, and products of matrices: attention with its mask."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.field import UNSEEN, WHOLE, Field, hull
from anypart.lens.network.rules.contractions import FACTORS
from anypart.lens.network.rules.groups import GROUPS, axes_of, reduced, running, softmax, within
from anypart.lens.network.rules.matrices import batch_axes
from anypart.lens.network.sets import ABSORBS
from anypart.lens.network.sight import Part, Sight, join_parts
from anypart.lens.network.sight_rules.pointwise import Made, join_sights, nothing, sight, stretched
from anypart.lens.network.tracer import Tracer


def grouped(tracer: Tracer, call: Call) -> Made:
    """Reductions, sorting, softmax and normalisations."""
    kind = GROUPS[call.name]
    data = call["self"] if "self" in call.given else call["input"]
    seen, n = sight(data), data.dim()
    if kind is reduced:
        axes = axes_of(call.given.get("dim"), n)
        seen, keep = _all_along(seen, axes), len(call.values[0].shape) == n
        cut = [seen.blank(1) if a in axes else p for a, p in enumerate(seen.axes)]
        cut = cut if keep else [p for a, p in enumerate(cut) if a not in axes]
        return [seen._replace(axes=tuple(cut))] * len(call.values)
    if kind is running:
        return [_prefix(seen, call["dim"] % n)] * len(call.values)
    if kind is softmax:
        return [_softmax(seen, call["dim"] % n)]
    if kind is within:
        axes = axes_of(call.given.get("dim", -1), n)
        seen = _all_along(seen, axes)
        shape = call.values[0].shape
        sized = [seen.blank(shape[a]) if a in axes else p for a, p in enumerate(seen.axes)]
        return [seen._replace(axes=tuple(sized))] * len(call.values)
    others: list[Sight | None] = [None] * (len(call.values) - 1)
    if call.name == "native_layer_norm":
        return [_all_along(seen, range(n - len(call["normalized_shape"]), n)), *others]
    if call.name == "native_group_norm":
        return [_all_along(seen, range(1, n)), *others]
    training = call.given.get("training", call.name != "_native_batch_norm_legit_no_training")
    return [_all_along(seen, [a for a in range(n) if a != 1]) if training else seen, *others]


def multiplied(tracer: Tracer, call: Call) -> Made:
    """Multiply matrices: the summed axis is seen as a whole, or as a mask lets through."""
    names = FACTORS[call.name]
    left, right = call[names[0]], call[names[1]]
    shape = call.values[0].shape
    parts: list[tuple[Part, ...]] = []
    base = sight(call.traced[0])
    made = base._replace(rest=nothing(base), axes=(), blocked=None)
    n_left, n_right = left.dim(), right.dim()
    weights = sight(left) if isinstance(left, Traced) else None
    masked = weights is not None and weights.blocked is not None and n_right > 1
    if weights is not None:
        parts += weights.axes[:-1]
        made = made.also(weights.rest)._replace(loose=weights.loose)
        if not masked:
            made = made.also(weights.over([n_left - 1]))
    else:
        parts += [base.blank(n) for n in left.shape[:-1]]
    if isinstance(right, Traced):
        other = sight(right)
        summed = max(n_right - 2, 0)
        made = made.also(other.rest)._replace(loose=made.loose or other.loose)
        if not masked:
            made = made.also(other.over([summed]))
        for axis in range(n_right - 2):
            joined = join_parts(made, parts[axis], other.axes[axis])
            if joined is None:
                raise tracer.unknown(call, "its arguments' axes are cut differently")
            parts[axis] = joined
        parts += other.axes[-1:] if n_right > 1 else ()
    else:
        parts += [base.blank(right.shape[-1])] if n_right > 1 else []
    made = made._replace(axes=tuple(parts))
    if masked and weights is not None:
        columns = weights
        if isinstance(right, Traced):
            other = sight(right)
            swapped = other._replace(axes=(*other.axes[:-2], other.axes[-1], other.axes[-2]))
            made = _masked(weights, swapped, made)
        made = _masked(weights, columns, made)
    added = call["self"] if call.name.startswith(("add", "badd")) else None
    if isinstance(added, Traced):
        joined = join_sights(made, stretched(sight(added), shape))
        if joined is None:
            raise tracer.unknown(call, "its arguments' axes are cut differently")
        made = joined
    if call.name == "baddbmm" and isinstance(added, Tensor) and not isinstance(added, Traced):
        shut = plain(added) <= -ABSORBS
        made = made._replace(blocked=shut if shut.any() else None)
    return [made]


def whole(tracer: Tracer, call: Call) -> Made:
    """Inverses, determinants, factors: every output sees whole matrices."""
    found: Sight | None = None
    for x, n in zip(call.traced, batch_axes(call), strict=True):
        seen = sight(x)
        seen = seen.also(seen.over(range(n, x.dim())))
        seen = seen._replace(axes=seen.axes[:n], blocked=None)
        if found is not None:
            shape = torch.broadcast_shapes(found.shape, seen.shape)
            found = join_sights(stretched(found, shape), stretched(seen, shape))
            if found is None:
                raise tracer.unknown(call, "its arguments' axes are cut differently")
        else:
            found = seen
    assert found is not None
    made = list[Sight | None]()
    for value in call.values:
        first = stretched(found, value.shape[: max(value.dim() - 2, len(found.axes))])
        rest = [found.blank(n)[0:] for n in value.shape[len(first.axes) :]]
        made.append(first._replace(axes=(*first.axes, *rest)))
    return made


def planes(tracer: Tracer, call: Call) -> Made:
    """Put the largest back where it was: it can have been anywhere in its plane."""
    shape = call.values[0].shape
    n_axes = len(shape) - (2 if call.name.endswith("2d") else 3)
    found: Sight | None = None
    for x in call.traced:
        seen = _all_along(sight(x), range(n_axes, len(shape)))
        axes = (*seen.axes[:n_axes], *(seen.blank(n) for n in shape[n_axes:]))
        seen = seen._replace(axes=axes)
        found = seen if found is None else join_sights(found, seen)
    return [found]


def _all_along(seen: Sight, axes: Sequence[int]) -> Sight:
    return seen.also(seen.over(axes))._replace(blocked=None)


def _prefix(seen: Sight, dim: int) -> Sight:
    part = seen.single(dim)
    fields = [
        f
        if f in (UNSEEN, WHOLE)
        else Field(0, tuple(hull(map(f.at, range(o + 1))) for o in range(part.size)), table=True)
        for f in part.fields
    ]
    axes = (*seen.axes[:dim], (Part(part.size, tuple(fields)),), *seen.axes[dim + 1 :])
    return seen._replace(axes=axes)


def _softmax(seen: Sight, dim: int) -> Sight:
    if seen.blocked is None or dim != len(seen.axes) - 1 or dim == 0:
        return _all_along(seen, [dim])
    return _masked(seen, seen, seen)


def _masked(weights: Sight, along: Sight, made: Sight) -> Sight:
    """Let each row see what `along` sees at the columns that its mask lets through."""
    assert weights.blocked is not None
    part, row = along.single(-1 % len(along.axes)), len(weights.axes) - 2
    shape = weights.shape
    open_ = ~weights.blocked.expand(shape).reshape(-1, *shape[-2:])
    allowed = [o.nonzero().flatten().tolist() for o in open_.any(0)]
    fields = [
        f
        if f in (UNSEEN, WHOLE)
        else Field(0, tuple(hull(map(f.at, columns)) for columns in allowed), table=True)
        for f in part.fields
    ]
    axis = made.axes[row]
    joined = join_parts(made, axis, [Part(shape[-2], tuple(fields))])
    if joined is None:  # the rows are positions along two axes
        return _all_along(made, [len(made.axes) - 1])._replace(loose=True)
    return made._replace(axes=(*made.axes[:row], joined, *made.axes[row + 1 :]))
