"""What a tensor sees once parts of it were written: the boxes that lie in it, put together.

Padding around a ring is such a tensor: its middle is the input, its rims are copies of the
other side, written one after another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from anypart.lens.network.field import EVERYTHING, NOTHING, UNSEEN, WHOLE, Field, Interval, hull
from anypart.lens.network.sight import Part, Sight, always


class Piece(NamedTuple):
    """A box of a tensor, with as many axes, and what its elements see."""

    first: tuple[int, ...]
    sight: Sight


def piece_of(view: Tensor, seen: Sight, target: Tensor) -> Piece | None:
    """Find a view in another one of the same storage; None if it is no box in it.

    Args:
        view: may lack axes of the target's, along which it has one position.
        seen: what its elements see.
        target: the whole.

    """
    corners = _corner(view, target.stride()), _corner(target, target.stride())
    axes, taken = list[tuple[Part, ...]](), 0
    for stride in target.stride():
        same = taken < view.dim() and view.stride(taken) == stride
        axes.append(seen.axes[taken] if same else seen.blank(1))
        taken += same
    if taken < view.dim() or corners[0] is None or corners[1] is None:
        return None
    first = tuple(a - b for a, b in zip(corners[0], corners[1], strict=True))
    whole = seen._replace(axes=tuple(axes))
    ends = zip(first, whole.shape, target.shape, strict=True)
    return Piece(first, whole) if all(f >= 0 and f + n <= m for f, n, m in ends) else None


def _corner(view: Tensor, strides: Sequence[int]) -> tuple[int, ...] | None:
    """Where a view's first element lies in its storage, along each axis."""
    left, found = int(view.storage_offset()), [0] * len(strides)
    for axis in sorted(range(len(strides)), key=lambda a: -strides[a]):
        if strides[axis] > 0:
            found[axis], left = divmod(left, strides[axis])
    return None if left else tuple(found)


def put_together(before: Sight, pieces: Sequence[Piece]) -> Sight:
    """Say what a tensor sees after boxes of it were written.

    Args:
        before: what it saw.
        pieces: in the order of writing.

    Returns:
        What an element sees, as ever, along each axis apart; `loose` where the boxes do not
        agree on it.

    """
    every = [Piece((0,) * len(before.axes), before), *pieces]
    last = torch.zeros(before.shape, dtype=torch.int16)  # who wrote each element
    for k, piece in enumerate(every):
        spans = zip(piece.first, piece.sight.shape, strict=True)
        last[tuple(slice(f, f + n) for f, n in spans)] = k
    said = [_said(piece, last == k, before) for k, piece in enumerate(every)]
    merged = [[[NOTHING] * size for _ in before.ends] for size in before.shape]
    for axis, place, seen in (one for piece in said for one in piece):
        for end, interval in enumerate(seen):
            merged[axis][end][place] = hull((merged[axis][end][place], interval))
    parts = [Part(len(ends[0]), tuple(map(_field, ends))) for ends in merged]
    loose = any(p.sight.loose for p in every) or not all(
        _agrees(piece, last == k, merged) for k, piece in enumerate(said)
    )
    axes, rest = tuple((part,) for part in parts), (UNSEEN,) * len(before.ends)
    return before._replace(axes=axes, rest=rest, blocked=None, loose=loose)


Said = list[tuple[int, int, list[Interval]]]  # axis, place on it, what is seen of each input axis


def _said(piece: Piece, own: Tensor, target: Sight) -> Said:
    """Return what a piece says of the places at which an element is its own."""
    found: Said = []
    for axis, size in enumerate(target.shape):
        intervals = _intervals(piece, axis, target)
        there = own.movedim(axis, 0).reshape(size, -1).any(1)
        for place in there.nonzero().flatten().tolist():
            found.append((axis, place, [seen[place - piece.first[axis]] for seen in intervals]))
    return found


def _agrees(said: Said, own: Tensor, merged: list[list[list[Interval]]]) -> bool:
    """Whether all together see no more at a piece's places than it does."""
    if all(x[2] == [ends[x[1]] for ends in merged[x[0]]] for x in said):
        return True
    if any(interval != NOTHING for _, _, seen in said for interval in seen):
        return False
    blind = torch.zeros_like(own)  # who sees nothing of one axis of the input sees nothing
    for end in range(len(merged[0])):
        sees = torch.zeros_like(own)
        for axis, ends in enumerate(merged):
            along = [-1 if a == axis else 1 for a in range(own.dim())]
            sees |= torch.tensor([i != NOTHING for i in ends[end]]).reshape(along)
        blind |= ~sees
    return bool(blind[own].all())


def _intervals(piece: Piece, axis: int, target: Sight) -> list[list[Interval]]:
    """What the positions of a box see along one of its axes, for each axis of the input."""
    part, shape = piece.sight.single(axis), piece.sight.shape
    partial = [a for a, n in enumerate(target.shape) if shape[a] != n]
    # What all of its elements see is told by the axis along which there are others.
    tells = axis == (partial[0] if partial else 0)
    found = list[list[Interval]]()
    for field, rest, end in zip(part.fields, piece.sight.rest, target.ends, strict=True):
        more = [rest.at(0)] if tells else []
        seen = [hull([field.at(at), *more]) for at in range(shape[axis])]
        found.append([EVERYTHING if always(i, end) == WHOLE else i for i in seen])
    return found


def _field(seen: Sequence[Interval]) -> Field:
    if set(seen) == {NOTHING}:
        return UNSEEN
    if set(seen) == {EVERYTHING}:
        return WHOLE
    return Field(0, tuple(seen), table=True)
