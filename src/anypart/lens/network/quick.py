"""Output shapes of the commonest operations, without torch's own slow way to them.

torch computes shapes of "meta" tensors in Python, about a millisecond an operation; a trace
of a large network would be nothing else. What is not here is left to torch.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from anypart.lens.network.calls import Traced, plain

_aten = torch.ops.aten
_NAMES = (
    "relu sigmoid tanh silu gelu elu leaky_relu hardswish hardsigmoid hardtanh exp log sqrt "
    "rsqrt neg abs square softplus mish"
)
_IN_PLACE_NAMES = "relu sigmoid tanh silu elu leaky_relu hardswish hardsigmoid hardtanh"
_UNARY = {getattr(_aten, name).default for name in _NAMES.split()}
_IN_PLACE = {getattr(_aten, f"{name}_").default for name in _IN_PLACE_NAMES.split()} | {
    _aten.add_.Tensor,
    _aten.mul_.Tensor,
    _aten.sub_.Tensor,
    _aten.div_.Tensor,
}
_BINARY = {_aten.add.Tensor, _aten.mul.Tensor, _aten.sub.Tensor, _aten.div.Tensor}
_BATCH_NORM = {_aten.native_batch_norm.default}
_CONVOLUTION = {_aten.convolution.default}


def quick_shape(func: Any, args: Any) -> Any:
    """Return empty outputs of the right shapes, None if torch has to say."""
    first = args[0] if args else None
    if not isinstance(first, Traced):
        return None
    value = first.value
    if func in _IN_PLACE:
        return value
    if func in _UNARY:
        return _like(value, value.shape)
    if func in _BINARY:
        other = plain(args[1])
        if not isinstance(other, Tensor):
            return None
        if other.shape == value.shape and other.dtype == value.dtype:
            return _like(value, value.shape)
        same = other.dtype == value.dtype and value.is_floating_point()
        return _like(value, torch.broadcast_shapes(value.shape, other.shape)) if same else None
    if func in _BATCH_NORM:
        return _like(value, value.shape), _like(value, (0,)), _like(value, (0,))
    if func in _CONVOLUTION:
        return _like(value, _convolved(value.shape, args))
    if func is _aten.max_pool2d_with_indices.default:
        return _pooled(value, *args[1:])
    return None


def _like(value: Tensor, shape: Any) -> Tensor:
    return torch.empty(shape, dtype=value.dtype, device="meta")


def _pooled(
    value: Tensor, kernel: Any, stride: Any = (), padding: Any = (0,), *more: Any
) -> tuple[Tensor, Tensor] | None:
    if more:  # dilation, or windows over the rim
        return None
    kernel, padding = (x * 2 if len(x) == 1 else x for x in (list(kernel), list(padding)))
    stride = kernel if not stride else list(stride) * 2 if len(stride) == 1 else stride
    sizes = zip(value.shape[-2:], kernel, stride, padding, strict=True)
    shape = (*value.shape[:-2], *((n + 2 * p - k) // s + 1 for n, k, s, p in sizes))
    return _like(value, shape), torch.empty(shape, dtype=torch.long, device="meta")


def _convolved(shape: Any, args: Any) -> tuple[int, ...]:
    _, weight, _, strides, paddings, dilations, transposed, extras, groups = args
    takes = weight.shape[0] if transposed else weight.shape[1] * groups
    if shape[1] != takes:
        raise RuntimeError(f"A kernel for {takes} channels is given {shape[1]}.")
    made = [shape[0], weight.shape[1] * groups if transposed else weight.shape[0]]
    for at, (n, kernel) in enumerate(zip(shape[2:], weight.shape[2:], strict=True)):
        stride, padding, dilation, extra = (
            x[at] if len(x) > 1 else x[0] for x in (strides, paddings, dilations, extras)
        )
        reach = dilation * (kernel - 1) + 1
        if transposed:
            made.append((n - 1) * stride - 2 * padding + reach + extra)
        else:
            made.append((n + 2 * padding - reach) // stride + 1)
    if min(made) < 1:
        raise RuntimeError(f"A kernel of {tuple(weight.shape)} does not fit {tuple(shape)}.")
    return tuple(made)
