"""Pools and resampling: an output reads a window, whatever its values are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from anypart.lens.network.calls import Call, Traced, tensors
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of

_SPREAD = {
    1: functional.conv_transpose1d,
    2: functional.conv_transpose2d,
    3: functional.conv_transpose3d,
}


def max_pool(sets: Sets, call: Call) -> Made:
    """Any element of a window can be the largest one for some input."""
    node = nodes_of(call.traced)[0]
    n_axes = len(call["kernel_size"])
    varies = call.run(lambda _: node.varies.float())[0] > 0
    kernel, padding, dilation = (
        list(call[name]) * (n_axes if len(call[name]) == 1 else 1)
        for name in ("kernel_size", "padding", "dilation")
    )
    stride = list(call["stride"] or kernel)

    def back(mask: Tensor) -> Sequence[Tensor]:
        taps = torch.ones(1, 1, *kernel)
        flat = mask.reshape(-1, 1, *mask.shape[-n_axes:]).float()
        read = _SPREAD[n_axes](flat, taps, stride=stride, dilation=dilation) > 0
        for axis, (before, n) in enumerate(zip(padding, node.shape[-n_axes:], strict=True), 2):
            short = max(before + n - read.shape[axis], 0)
            if short:
                more = [*read.shape[:axis], short, *read.shape[axis + 1 :]]
                read = torch.cat([read, torch.zeros(more, dtype=torch.bool)], axis)
            read = read.narrow(axis, before, n)
        return (read.reshape(len(mask), *node.shape),)

    return [Node(varies, (node,), back)] * len(call.values)


def linear(sets: Sets, call: Call) -> Made:
    """A linear operation with constant coefficients: its transpose says what is read."""
    data = call.traced[0]
    others = [x for x in tensors(call.given) if x is not data]
    if any(isinstance(x, Traced) for x in others):
        raise sets.unknown(call, "where it reads from depends on the input")
    node = nodes_of([data])[0]

    def apply(x: Tensor) -> Tensor:
        func, given = call.func, call.given
        if call.name in _MEAN_OF:
            func, given = _MEAN_OF[call.name], {k: given[k] for k in ("self", "output_size")}

        def replace(y: Tensor) -> Tensor:
            if y is data:
                return x
            if y is call.given.get("grid"):  # one for each example
                y = y.repeat(len(x) // len(y), *[1] * (y.dim() - 1))
            return y.to(x.dtype) if y.is_floating_point() else y

        return Call(func, call.name, given, [], []).run(replace)[0]

    varies = apply(_weighed(node.varies)) != 0

    def back(mask: Tensor) -> Sequence[Tensor]:
        queries = len(mask)
        shape = (queries * node.shape[0], *node.shape[1:])
        with torch.enable_grad():
            x = torch.zeros(shape, dtype=torch.double, requires_grad=True)
            weights = _weighed(mask.flatten(0, 1))
            (read,) = torch.autograd.grad(apply(x), x, weights)
        return ((read != 0).reshape(queries, *node.shape),)

    return [Node(varies, (node,), back)] * len(call.values)


def _weighed(mask: Tensor) -> Tensor:
    """Give what is true random weights, so that coefficients cannot cancel."""
    noise = torch.Generator().manual_seed(0)
    return mask * (torch.rand(mask.shape, generator=noise, dtype=torch.double) + 0.5)


_MEAN_OF: dict[str, Any] = {
    "adaptive_max_pool2d": torch.ops.aten._adaptive_avg_pool2d.default,
    "adaptive_max_pool3d": torch.ops.aten._adaptive_avg_pool3d.default,
}
_LINEAR = (
    "avg_pool1d avg_pool2d avg_pool3d _adaptive_avg_pool2d _adaptive_avg_pool3d "
    "adaptive_avg_pool1d adaptive_max_pool2d adaptive_max_pool3d upsample_linear1d "
    "upsample_bilinear2d upsample_trilinear3d upsample_bicubic2d _upsample_bilinear2d_aa "
    "_upsample_bicubic2d_aa col2im"
)
WINDOWS: dict[str, Rule] = {
    "max_pool1d_with_indices": max_pool,
    "max_pool2d_with_indices": max_pool,
    "max_pool3d_with_indices": max_pool,
    **dict.fromkeys(_LINEAR.split(), linear),
}
