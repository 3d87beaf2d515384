"""Operations that are made of others: torch's own decompositions, and a few more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor


def _trilinear(
    one: Tensor,
    weight: Tensor,
    other: Tensor,
    expand1: Sequence[int],
    expand2: Sequence[int],
    expand3: Sequence[int],
    sumdim: Sequence[int],
    unroll_dim: int = 1,
) -> Tensor:
    """Sum the products of three tensors (`nn.Bilinear`)."""
    factors = [one, weight, other]
    for at, expand in enumerate((expand1, expand2, expand3)):
        for axis in sorted(expand):
            factors[at] = factors[at].unsqueeze(axis)
    return (factors[0] * factors[1] * factors[2]).sum(list(sumdim))


def _distances(one: Tensor, other: Tensor, p: float, compute_mode: int | None) -> Tensor:
    """Take the norm of every pair of rows' difference (`cdist`)."""
    return torch.linalg.vector_norm(one.unsqueeze(-2) - other.unsqueeze(-3), p, -1)


_OWN: dict[str, Callable[..., Any]] = {
    "aten::_trilinear": _trilinear,
    "aten::_cdist_forward": _distances,
}


@cache
def parts_of(func: Any) -> Callable[..., Any] | None:
    """Return a function that does what an operation does by others, None if none is known."""
    name = func._schema.name
    if name in _OWN:
        return _OWN[name]
    if func.has_kernel_for_dispatch_key(torch._C.DispatchKey.CompositeImplicitAutograd):  # type: ignore[attr-defined]
        return func.decompose
    from torch._decomp import decomposition_table as table

    if func in table:
        return table[func]
    if not name.endswith("_") or not func._schema.is_mutable:
        return None
    home = getattr(torch.ops.aten, name.split("::")[-1][:-1], None)
    plain = getattr(home, func._overloadname, None)
    if plain is None:
        return None

    def in_place(target: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return target.copy_(plain(target, *args, **kwargs))

    return in_place
