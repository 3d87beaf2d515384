"""Operations whose output element reads one element of each argument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.sets import (
    ABSORBS,
    Made,
    Node,
    Rule,
    Sets,
    everything,
    nodes_of,
    nonzero_of,
    varies_of,
)


def sum_to(mask: Tensor, shape: Sequence[int]) -> Tensor:
    """Undo broadcasting: (queries, *out) → (queries, *shape), any of what was made from it."""
    for _ in range(mask.dim() - 1 - len(shape)):
        mask = mask.any(1)
    for at, n in enumerate(shape, 1):
        if n == 1 and mask.shape[at] != 1:
            mask = mask.any(at, keepdim=True)
    return mask


def pointwise(sets: Sets, call: Call) -> Made:
    """Depend on every argument's element; see `_killed` for what does not."""
    shape = call.values[0].shape
    nodes = nodes_of(call.traced)
    killed = _killed(call)
    if killed is None and any(n.whole for n in nodes):
        varies = everything(shape)
    else:
        varies = torch.zeros(shape, dtype=torch.bool)
        for node in nodes:
            varies = varies | node.varies
        if killed is not None:
            varies = varies & ~killed

    def back(mask: Tensor) -> Sequence[Tensor]:
        return [sum_to(mask, node.shape) for node in nodes]

    return [Node(varies, nodes, back)] * len(call.values)


def _killed(call: Call) -> Tensor | None:
    """Find the elements where a constant leaves nothing of the other argument."""
    left, right = call.given.get("self"), call.given.get("other")
    if call.name == "mul":
        return _any(_zero(left), _zero(right))
    if call.name in ("div", "true_divide"):
        return _zero(left)
    if call.name == "pow":
        return _zero(call["exponent"])
    if call.name in ("bitwise_and", "logical_and"):
        return _any(_zero(left), _zero(right))
    if call.name in ("bitwise_or", "logical_or"):
        return _any(_true(left), _true(right))
    if call.name in ("add", "sub"):
        if call["alpha"] != 1:
            return None
        return _any(absorbs(left, -1), absorbs(right, -1 if call.name == "add" else 1))
    return None


def _any(left: Tensor | None, right: Tensor | None) -> Tensor | None:
    if left is None or right is None:
        return left if right is None else right
    return left | right


def _zero(x: Any) -> Tensor | None:
    zero = ~nonzero_of(x)
    return zero if zero.any() else None


def _true(x: Any) -> Tensor | None:
    """Find constants that are true, bit for bit: with "or", nothing else matters."""
    if isinstance(x, Traced) or not isinstance(x, Tensor) or x.dtype != torch.bool:
        return None
    return x if x.any() else None


def absorbs(x: Any, sign: int) -> Tensor | None:
    """Find constants that stand for −∞ once they are added (sign −1) or subtracted."""
    value = torch.as_tensor(plain(x))
    if not value.is_floating_point():
        return None
    huge = ((value * sign >= ABSORBS) | value.isinf()) & ~varies_of(x)
    return huge if huge.any() else None


def choose(sets: Sets, call: Call) -> Made:
    """`where` and `masked_fill`: one argument or the other, by a condition."""
    if call.name == "where":
        condition, chosen, other = call["condition"], call["self"], call["other"]
    else:
        condition, chosen, other = call["mask"], call["value"], call["self"]
    return [either(condition, chosen, other, call.values[0].shape)]


def either(condition: Tensor, chosen: Any, other: Any, shape: Sequence[int]) -> Node:
    """Depend on a condition that depends, and on whatever it can choose."""
    open_ = varies_of(condition)
    first, second = (plain(condition) | open_), (~plain(condition) | open_)
    varies = open_ | (first & varies_of(chosen)) | (second & varies_of(other))
    parts = [(condition, open_), (chosen, first), (other, second)]
    nodes = nodes_of([x for x, _ in parts])
    where = [w for x, w in parts if nodes_of([x])]

    def back(mask: Tensor) -> Sequence[Tensor]:
        return [sum_to(mask & w, node.shape) for node, w in zip(nodes, where, strict=True)]

    return Node(varies.expand(tuple(shape)), nodes, back)


def shape_only(sets: Sets, call: Call) -> Made:
    """Read the shape of an argument and nothing else, or write a constant."""
    return [None] * len(call.values)


def gated(sets: Sets, call: Call) -> Made:
    """`glu`: one half times the sigmoid of the other."""
    node, dim = nodes_of(call.traced)[0], cast(int, call["dim"]) % call["self"].dim()
    first, second = node.varies.chunk(2, dim)

    def back(mask: Tensor) -> Sequence[Tensor]:
        return (torch.cat([mask, mask], dim + 1),)

    return [Node(first | second, (node,), back)]


_SHAPE_ONLY = (
    "zeros_like ones_like full_like empty_like rand_like randn_like randint_like new_zeros "
    "new_ones new_full new_empty new_empty_strided zero normal uniform bernoulli exponential"
)
SHAPE_ONLY = _SHAPE_ONLY.split()
UNTAGGED = ["hardswish", "floor_divide", "bucketize", "searchsorted", "polar", "complex"]
"""Elementwise operations that torch does not tag as such."""
POINTWISE: dict[str, Rule] = {
    "where": choose,
    "masked_fill": choose,
    "glu": gated,
    "_prelu_kernel": pointwise,
    "native_dropout": pointwise,
    "rrelu_with_noise": pointwise,
    **dict.fromkeys(UNTAGGED, pointwise),
    **dict.fromkeys(SHAPE_ONLY, shape_only),
}
