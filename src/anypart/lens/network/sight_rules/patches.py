"""Patches: windows that become an axis of their own, and are added up again.

A patch's elements see one place each; here each sees its whole patch. That is exact once
they are mixed, and loose before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anypart.lens.network.calls import Call
from anypart.lens.network.field import UNSEEN, WHOLE, Field
from anypart.lens.network.sight import Part
from anypart.lens.network.sight_rules.pointwise import Made, sight
from anypart.lens.network.tracer import Tracer


def unfolded(tracer: Tracer, call: Call) -> Made:
    """`x.unfold`: windows along one axis; their insides are a new last axis."""
    seen, dim = sight(call["self"]), call["dimension"] % call["self"].dim()
    size, shape = call["size"], call.values[0].shape
    loose = seen.loose or (size > 1 and not seen.single(dim).plain)
    seen = seen.through(dim, lambda f: f.window(size, call["step"]), shape[dim])
    return [seen._replace(axes=(*seen.axes, seen.blank(size)), blocked=None, loose=loose)]


def cut_out(tracer: Tracer, call: Call) -> Made:
    """`functional.unfold`: patches of both last axes become columns."""
    seen, shape = sight(call["self"]), call.values[0].shape
    first = len(seen.axes) - 2
    seen, loose = seen.also(seen.over([first - 1])), seen.loose
    columns = list[Part]()
    names = ("kernel_size", "dilation", "padding", "stride")
    for at, (kernel, dilation, padding, stride) in enumerate(
        zip(*(_pair(call[n]) for n in names), strict=True)
    ):
        part, n = seen.single(first + at), seen.shape[first + at]
        n_out = (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        loose = loose or (kernel > 1 and not part.plain)
        change = lambda f: f.window(kernel, stride, padding, dilation)  # noqa: B023, E731
        columns.append(_changed(part, change, n_out))
    axes = (*seen.axes[: first - 1], seen.blank(shape[first - 1]), tuple(columns))
    return [seen._replace(axes=axes, blocked=None, loose=loose)]


def added_up(tracer: Tracer, call: Call) -> Made:
    """`functional.fold`: every place adds up the patches that lie over it."""
    seen, shape = sight(call["self"]), call.values[0].shape
    last = len(seen.axes) - 1
    seen = seen.also(seen.over([last - 1]))
    numbers = [_pair(call[n]) for n in ("kernel_size", "dilation", "padding", "stride")]
    counts = [
        (n + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for n, kernel, dilation, padding, stride in zip(shape[-2:], *numbers, strict=True)
    ]
    parts = list(seen.axes[last])
    if all(p.plain for p in parts):
        parts = [seen.blank(n)[0] for n in counts]
    if [p.size for p in parts] != counts:
        raise tracer.unknown(call, "its columns are not the patches of two axes")
    axes = list[tuple[Part, ...]]()
    for part, n, (kernel, dilation, padding, stride) in zip(
        parts, shape[-2:], zip(*numbers, strict=True), strict=True
    ):
        change = lambda f: f.spread(kernel, stride, padding, dilation)  # noqa: B023, E731
        axes.append((_changed(part, change, n),))
    channel = seen.blank(shape[-3])
    return [seen._replace(axes=(*seen.axes[: last - 1], channel, *axes), blocked=None)]


def _changed(part: Part, change: Callable[[Field], Field], size: int) -> Part:
    return Part(size, tuple(f if f in (UNSEEN, WHOLE) else change(f) for f in part.fields))


def _pair(numbers: Sequence[int]) -> list[int]:
    return list(numbers) * (2 if len(numbers) == 1 else 1)
