"""Operations along axes: reductions, softmax, normalisations, running sums, sorting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.sets import ABSORBS, Made, Node, Rule, Sets, nodes_of


def axes_of(dim: Any, n: int) -> list[int]:
    """Write an axis argument as sorted axes; none and [] mean all."""
    if dim is None or dim == []:
        return list(range(n))
    return sorted({d % n if n else 0 for d in ([dim] if isinstance(dim, int) else dim)})


def _any_over(mask: Tensor, axes: Sequence[int]) -> Tensor:
    """Return whether any is true along axes, which stay with size 1."""
    for axis in axes:
        mask = mask.any(axis, keepdim=True)
    return mask


def reduced(sets: Sets, call: Call) -> Made:
    """Depend on everything along the axes that go."""
    node = nodes_of(call.traced)[0]
    axes = axes_of(call.given.get("dim"), len(node.shape))
    varies = _any_over(node.varies, axes).reshape(call.values[0].shape)
    kept = [1 if d in axes else n for d, n in enumerate(node.shape)]

    def back(mask: Tensor) -> Sequence[Tensor]:
        return (mask.reshape(len(mask), *kept).expand(-1, *node.shape),)

    return [Node(varies, (node,), back)] * len(call.values)


def _mixed(node: Node, axes: Sequence[int], shape: Sequence[int], killed: Tensor | None) -> Node:
    """Depend on everything along the axes, which stay."""
    varies = _any_over(node.varies, axes).expand(
        [n if d in axes else -1 for d, n in enumerate(shape)]
    )
    if killed is not None:
        varies = varies & ~killed

    def back(mask: Tensor) -> Sequence[Tensor]:
        return (_any_over(mask, [d + 1 for d in axes]).expand(-1, *node.shape),)

    return Node(varies, (node,), back)


def within(sets: Sets, call: Call) -> Made:
    """`sort`, `topk`, transforms: every output along the axis reads the whole axis."""
    node = nodes_of(call.traced)[0]
    axes = axes_of(call.given.get("dim", -1), len(node.shape))
    return [_mixed(node, axes, value.shape, None) for value in call.values]


def softmax(sets: Sets, call: Call) -> Made:
    """Leave out what is behind a mask, and a lone element, whose weight is always 1."""
    node, axis = nodes_of(call.traced)[0], call["dim"] % max(call["self"].dim(), 1)
    if node.whole and node.shape[axis] > 1:
        return [_mixed(node, [axis], node.shape, None)]
    masked = ~node.varies & (call["self"].value <= -ABSORBS)
    alone = (~masked).sum(axis, keepdim=True) == 1
    return [_mixed(node, [axis], node.shape, masked | alone)]


def running(sets: Sets, call: Call) -> Made:
    """`cumsum` and its like: everything up to here."""
    node, axis = nodes_of(call.traced)[0], call["dim"] % call["self"].dim()

    def back(mask: Tensor) -> Sequence[Tensor]:
        ahead = mask.flip(axis + 1).cumsum(axis + 1).flip(axis + 1)
        return (ahead > 0,)

    return [Node(node.varies.cumsum(axis) > 0, (node,), back)] * len(call.values)


def _normalised(sets: Sets, call: Call, grouped: Sequence[int], axes: Sequence[int]) -> Made:
    """Read a whole group, seen in the shape `grouped`; weights of 0 let nothing through."""
    data, weight = call["input"], call.given.get("weight")
    if any(isinstance(call.given.get(n), Traced) for n in ("weight", "bias")):
        raise sets.unknown(call, "its weights depend on the input")
    node = nodes_of([data])[0]
    shape = node.shape
    size = 1
    for axis in axes:
        size *= grouped[axis]
    seen = _any_over(node.varies.reshape(tuple(grouped)), axes).expand(tuple(grouped))
    varies = seen.reshape(shape)
    if weight is not None:
        last = call.name == "native_layer_norm"
        at = weight if last else weight.reshape(-1, *[1] * (len(shape) - 2))
        varies = varies & (at != 0)
    if size == 1:
        varies = torch.zeros(shape, dtype=torch.bool)  # one element is its own mean

    def back(mask: Tensor) -> Sequence[Tensor]:
        read = mask.reshape(len(mask), *grouped)
        read = _any_over(read, [a + 1 for a in axes]).expand(-1, *grouped)
        return (read.reshape(len(mask), *shape),)

    # Mean and spread of the groups come out too; nobody reads them.
    return [Node(varies, (node,), back), *[None] * (len(call.values) - 1)]


def layer_norm(sets: Sets, call: Call) -> Made:
    """Read the normalised axes."""
    shape = call["input"].shape
    first = len(shape) - len(call["normalized_shape"])
    return _normalised(sets, call, shape, range(first, len(shape)))


def group_norm(sets: Sets, call: Call) -> Made:
    """Read a group of channels of one example."""
    groups = call["N"], call["group"]
    return _normalised(sets, call, (*groups, call["input"].numel() // (groups[0] * groups[1])), [2])


def batch_norm(sets: Sets, call: Call) -> Made:
    """In training, read the channel in the whole batch; in evaluation, the element alone."""
    shape = call["input"].shape
    training = call.given.get("training", call.name != "_native_batch_norm_legit_no_training")
    axes = [d for d in range(len(shape)) if d != 1] if training else []
    if training:
        return _normalised(sets, call, shape, axes)
    node, weight = nodes_of([call["input"]])[0], call["weight"]
    varies = node.varies
    if weight is not None and not weight.all():
        varies = varies & (weight != 0).reshape(-1, *[1] * (len(shape) - 2))
    return [Node(varies, (node,), lambda mask: (mask,)), *[None] * (len(call.values) - 1)]


_REDUCED = (
    "sum mean amax amin max min argmax argmin prod any all var std var_mean std_mean norm "
    "linalg_vector_norm logsumexp median nanmedian mode count_nonzero aminmax nansum kthvalue"
)
_WITHIN = "sort argsort topk _fft_r2c _fft_c2r _fft_c2c renorm"
_SOFTMAX = "_softmax _log_softmax _safe_softmax"
_RUNNING = "cumsum cumprod cummax cummin logcumsumexp _cummax_helper"
GROUPS: dict[str, Rule] = {
    **dict.fromkeys(_REDUCED.split(), reduced),
    **dict.fromkeys(_WITHIN.split(), within),
    **dict.fromkeys(_SOFTMAX.split(), softmax),
    **dict.fromkeys(_RUNNING.split(), running),
    "native_layer_norm": layer_norm,
    "native_group_norm": group_norm,
    **dict.fromkeys(
        (
            "native_batch_norm",
            "_native_batch_norm_legit",
            "_native_batch_norm_legit_no_training",
            "_batch_norm_with_update",
            "_batch_norm_no_update",
        ),
        batch_norm,
    ),
}
