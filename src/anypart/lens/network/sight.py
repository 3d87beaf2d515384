"""What every element of a tensor sees of the input, as intervals along the input's axes.

An axis of a tensor is made of parts (an axis that was flattened from two has two); a part
may carry, for each input axis, a field: the interval that each of its positions sees. What
all elements see, whatever their position, is `rest`. An element sees the hull of the fields
of its position in every part, and of the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import NamedTuple

from torch import Tensor

from anypart.lens.network.field import UNSEEN, WHOLE, Field, Interval, hull

Fields = tuple[Field, ...]
"""One for each input axis that is followed."""


class Part(NamedTuple):
    """A factor of an axis: its size, and what its positions see."""

    size: int
    fields: Fields

    @property
    def plain(self) -> bool:
        """Whether its position says nothing about what is seen."""
        return all(f == UNSEEN for f in self.fields)


class Sight(NamedTuple):
    """What the elements of one tensor see.

    Args:
        axes: the parts of every axis.
        rest: seen by all elements.
        ends: sizes of the input axes that are followed.
        blocked: elements behind a mask (before a softmax: −∞; after it: 0).
        loose: some interval may be larger than it has to be.

    """

    axes: tuple[tuple[Part, ...], ...]
    rest: Fields
    ends: tuple[int, ...]
    blocked: Tensor | None = None
    loose: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(prod(p.size for p in parts) for parts in self.axes)

    def blank(self, size: int) -> tuple[Part, ...]:
        """Make an axis whose position says nothing."""
        return (Part(size, (UNSEEN,) * len(self.ends)),)

    def over(self, axes: Iterable[int]) -> Fields:
        """Return what all positions along some axes see together."""
        return self.total([p for a in axes for p in self.axes[a]])

    def total(self, parts: Iterable[Part]) -> Fields:
        """Return what all positions of some parts see together."""
        found = [UNSEEN] * len(self.ends)
        for part in parts:
            for at, field in enumerate(part.fields):
                if field != UNSEEN:
                    seen = field if field == WHOLE else all_of(field, part.size, self.ends[at])
                    found[at] = meet(found[at], seen, self.ends[at])
        return tuple(found)

    def also(self, more: Fields) -> Sight:
        """Let all elements see more."""
        rest = tuple(meet(a, b, n) for a, b, n in zip(self.rest, more, self.ends, strict=True))
        return self._replace(rest=rest)

    def through(self, axis: int, change: Callable[[Field], Field], size: int) -> Sight:
        """Change what the positions of one axis see; its parts become one."""
        part = self.single(axis)
        made = Part(size, tuple(f if f in (UNSEEN, WHOLE) else change(f) for f in part.fields))
        return self._replace(axes=(*self.axes[:axis], (made,), *self.axes[axis + 1 :]))

    def single(self, axis: int) -> Part:
        """Write the parts of an axis as one."""
        parts = [p for p in self.axes[axis] if p.size != 1 or not p.plain]
        if len(parts) < 2:
            return parts[0] if parts else self.blank(1)[0]
        size = prod(p.size for p in parts)
        fields: list[Field] = []
        for at in range(len(self.ends)):
            field, step = UNSEEN, size
            for part in parts:
                step //= part.size
                if part.fields[at] != UNSEEN:
                    places = [(o // step) % part.size for o in range(size)]
                    field = field.join(part.fields[at].take(places), size)
            fields.append(field)
        return Part(size, tuple(fields))

    def interval(self, position: Sequence[int], at: int) -> Interval:
        """Return what one element sees along the input axis number `at`."""
        seen = [self.rest[at].at(0)]
        for parts, place in zip(self.axes, position, strict=True):
            step = prod(p.size for p in parts)
            for part in parts:
                step //= part.size
                seen.append(part.fields[at].at((place // step) % part.size))
        return hull(seen)


def all_of(field: Field, size: int, end: int) -> Field:
    """Return the field of somebody who sees what all `size` positions see."""
    if field.table or field.jump == 0:
        seen = hull(field.at(o) for o in range(size if field.table else field.period))
    else:
        ends = {*range(min(size, field.period)), *range(max(size - field.period, 0), size)}
        seen = hull(field.at(o) for o in ends)
    return always(seen, end)


def always(seen: Interval, end: int) -> Field:
    """Make the field of positions that all see the same; all of the input is `WHOLE`."""
    if seen[0] > seen[1]:
        return UNSEEN
    return WHOLE if seen[0] <= 0 and seen[1] >= end - 1 else Field(0, (seen,))


def meet(one: Field, other: Field, end: int) -> Field:
    """Join two fields of the rest, which do not depend on a position."""
    if other in (UNSEEN, one) or one == WHOLE:
        return one
    return always(hull((one.at(0), other.at(0))), end)


def join_parts(
    one: Sight, first: Sequence[Part], second: Sequence[Part]
) -> tuple[Part, ...] | None:
    """Join what the parts of two axes of equal size see; None if they are cut differently."""
    first = [p for p in first if p.size != 1] or list(first[:1])
    second = [p for p in second if p.size != 1] or list(second[:1])
    if all(p.plain for p in second):
        return tuple(first)
    if all(p.plain for p in first):
        return tuple(second)
    if [p.size for p in first] != [p.size for p in second]:
        return None
    return tuple(
        Part(a.size, tuple(f.join(g, a.size) for f, g in zip(a.fields, b.fields, strict=True)))
        for a, b in zip(first, second, strict=True)
    )


def regroup(sight: Sight, shape: Sequence[int]) -> Sight:
    """Cut the axes anew, as a view does.

    A part that is cut in two gives its field to the outer one: what any of the inner
    positions sees. That is exact once the inner ones are mixed, and loose before.
    """
    left = [p for parts in sight.axes for p in parts if p.size != 1]
    ones = [p for parts in sight.axes for p in parts if p.size == 1 and not p.plain]
    if ones:
        sight = sight.also(sight.total(ones))
    loose = sight.loose
    axes: list[tuple[Part, ...]] = []
    for size in shape:
        parts: list[Part] = []
        room = size
        while room > 1:
            part = left.pop(0)
            if room % part.size == 0:
                parts.append(part)
                room //= part.size
                continue
            if part.size % room:
                return sight._replace(axes=(), loose=True)  # cut across: nothing is known
            inner = part.size // room
            fields = tuple(
                f if f in (UNSEEN, WHOLE) else f.window(inner, inner) for f in part.fields
            )
            loose = loose or not part.plain
            parts.append(Part(room, fields))
            left.insert(0, Part(inner, sight.blank(1)[0].fields))
            room = 1
        axes.append(tuple(parts) or sight.blank(1))
    return sight._replace(axes=tuple(axes), loose=loose)
