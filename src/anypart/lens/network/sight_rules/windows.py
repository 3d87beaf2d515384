"""Convolutions, pools and resampling."""

from __future__ import annotations

from math import floor
from typing import Any

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.field import Field, hull
from anypart.lens.network.sight_rules.pointwise import Made, sight
from anypart.lens.network.tracer import Tracer


def convolved(tracer: Tracer, call: Call) -> Made:
    """Slide a kernel; channels are mixed."""
    data, weight = call["input"], call["weight"]
    if not isinstance(data, Traced):
        raise tracer.unknown(call, "its kernel alone depends on the input")
    seen, shape = sight(data), call.values[0].shape
    seen = seen.also(seen.over([1]))
    for kernel in call.traced[1:]:  # the same at every position
        seen = seen.also(sight(kernel).over(range(kernel.dim()))).also(sight(kernel).rest)
    n_axes = len(shape) - 2
    many = [
        list(call[n]) * n_axes if len(call[n]) == 1 else list(call[n])
        for n in ("stride", "padding", "dilation", "output_padding")
    ]
    for at in range(n_axes):
        stride, padding, dilation, extra = (numbers[at] for numbers in many)
        kernel = weight.shape[at + 2]
        if (kernel, stride, padding, extra) == (1, 1, 0, 0):
            continue  # the parts of the axis stay apart
        if call["transposed"]:
            change = lambda f: f.spread(kernel, stride, padding, dilation, extra)  # noqa: B023, E731
        else:
            change = lambda f: f.window(kernel, stride, padding, dilation)  # noqa: B023, E731
        seen = seen.through(at + 2, change, shape[at + 2])
    return [seen._replace(axes=(seen.axes[0], seen.blank(shape[1]), *seen.axes[2:]), blocked=None)]


def pooled(tracer: Tracer, call: Call) -> Made:
    """Slide a window."""
    seen, shape = sight(call.traced[0]), call.values[0].shape
    kernels = list(call["kernel_size"])
    n_axes = int(call.name.split("pool")[1][0])
    kernels *= n_axes if len(kernels) == 1 else 1
    strides = list(call["stride"] or kernels)
    paddings, dilations = list(call["padding"]), list(call.given.get("dilation", [1]))
    for at, kernel in enumerate(kernels):
        stride, padding, dilation = (
            x[at] if len(x) > 1 else x[0] for x in (strides, paddings, dilations)
        )
        axis = len(shape) - n_axes + at

        def change(
            f: Field, n: int = shape[axis], s: Any = (kernel, stride, padding, dilation)
        ) -> Field:
            if not f.table:
                return f.window(*s)
            kernel, stride, padding, dilation = s
            starts = (stride * o - padding for o in range(n))
            taps = range(0, dilation * kernel, dilation)
            return Field(0, tuple(hull(f.at(b + t) for t in taps) for b in starts), table=True)

        seen = seen.through(axis, change, shape[axis])
    return [seen] * len(call.values)


def adapted(tracer: Tracer, call: Call) -> Made:
    """Cut into as many windows as are asked for."""
    seen, shape = sight(call["self"]), call.values[0].shape
    sizes = call["output_size"]
    for axis, (n_in, n) in enumerate(zip(seen.shape, shape, strict=True)):
        if axis < len(shape) - len(sizes) or n == n_in:
            continue
        if n == 1:
            seen = seen.also(seen.over([axis]))
            seen = seen._replace(axes=(*seen.axes[:axis], seen.blank(1), *seen.axes[axis + 1 :]))
            continue

        def change(f: Field, n: int = n, n_in: int = n_in) -> Field:
            if n_in % n == 0 and not f.table:
                return f.window(n_in // n, n_in // n)
            cuts = [range(o * n_in // n, -(-(o + 1) * n_in // n)) for o in range(n)]
            return Field(0, tuple(hull(map(f.at, cut)) for cut in cuts), table=True)

        seen = seen.through(axis, change, n)
    return [seen] * len(call.values)


def resampled(tracer: Tracer, call: Call) -> Made:
    """Read the neighbours that an interpolation weighs."""
    seen, shape = (
        sight(call["self"] if "self" in call.given else call["input"]),
        call.values[0].shape,
    )
    name = call.name
    around = 0 if "nearest" in name else 2 if "bicubic" in name else 1
    corners = bool(call.given.get("align_corners"))
    if "_aa" in name:
        raise tracer.unknown(call)
    for axis in range(2, len(shape)):
        n_in, n = seen.shape[axis], shape[axis]

        def change(f: Field, n: int = n, n_in: int = n_in) -> Field:
            def taps(o: int) -> range:
                if around == 0:
                    shift = 0.5 if "exact" in name else 0.0
                    at = floor((o + shift) * n_in / n)
                    return range(at, at + 1)
                at = o * (n_in - 1) / max(n - 1, 1) if corners else (o + 0.5) * n_in / n - 0.5
                if at == floor(at):
                    return range(floor(at), floor(at) + 1)
                return range(floor(at) - around + 1, floor(at) + around + 1)

            if n % n_in == 0 and not corners and not f.table and f.period == 1:
                scale = n // n_in
                return Field(
                    f.jump, tuple(hull(map(f.at, taps(o))) for o in range(scale))
                ).reduced()
            inside = [[min(max(i, 0), n_in - 1) for i in taps(o)] for o in range(n)]
            return Field(0, tuple(hull(map(f.at, i)) for i in inside), table=True)

        seen = seen.through(axis, change, n)
    return [seen]
