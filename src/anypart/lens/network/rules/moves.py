"""Operations that move elements: each output element is one input element, or a constant.

What comes from where is found by running the operation itself on the elements' numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from anypart.lens.network.calls import Call, Traced, tensors
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of, scatter

DATA: dict[str, tuple[str, ...]] = {  # operation → its arguments that hold elements
    "cat": ("tensors",),
    "stack": ("tensors",),
    "copy": ("self", "src"),
    "fill": ("self", "value"),
    "index_put": ("self", "values"),
    "_index_put_impl": ("self", "values"),
    "scatter": ("self", "src", "value"),
    "masked_scatter": ("self", "source"),
    "block_diag": ("tensors",),
    "slice_scatter": ("self", "src"),
    "select_scatter": ("self", "src"),
    "diagonal_scatter": ("self", "src"),
    "constant_pad_nd": ("self", "value"),
    "embedding": ("weight",),
}
_SELF = (
    "permute transpose t numpy_T expand select slice split split_with_sizes unsafe_split "
    "unsafe_split_with_sizes unbind chunk flip roll rot90 index index_select gather repeat unfold "
    "im2col tril triu diagonal diagonal_copy diag_embed masked_select take as_strided "
    "pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle reflection_pad1d "
    "reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d "
    "upsample_nearest1d upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d "
    "_upsample_nearest_exact2d _upsample_nearest_exact3d repeat_interleave"
)
_SAME_ORDER = (
    "view _unsafe_view reshape _reshape_alias unsqueeze squeeze clone alias detach _to_copy "
    "contiguous lift_fresh to"
)


def move(sets: Sets, call: Call) -> Made:
    """Run the operation on numbers of elements; what is no number came from a constant."""
    data = DATA.get(call.name, ("self",))
    others = [x for name, x in call.given.items() if name not in data]
    if any(isinstance(x, Traced) for x in tensors(others)):
        raise sets.unknown(call, "where it reads from depends on the input")
    held: list[Any] = []
    n = 0

    def number(x: Any) -> Any:
        nonlocal n
        if not isinstance(x, Traced):
            keep = not isinstance(x, Tensor | int | float) or isinstance(x, bool)
            return (
                x
                if keep
                else torch.full_like(x, -1, dtype=torch.double)
                if isinstance(x, Tensor)
                else -1
            )
        held.append(x)
        ids = torch.arange(n + 1, n + 1 + x.numel(), dtype=torch.double).reshape(x.shape)
        n += x.numel()
        return ids

    given = {k: tree_map(number, v) if k in data else v for k, v in call.given.items()}
    found = Call(call.func, call.name, given, [], []).run(lambda x: x)
    nodes = nodes_of(held)
    flat = torch.cat(
        [*(node.varies.reshape(-1) for node in nodes), torch.zeros(1, dtype=torch.bool)]
    )
    return [_moved(out, nodes, flat) for out in found]


def _moved(found: Tensor, nodes: Sequence[Node], flat: Tensor) -> Node:
    source = torch.where(found > 0, found - 1, -1).long()

    def back(mask: Tensor) -> Sequence[Tensor]:
        whole = scatter(mask, source, len(flat) - 1)
        parts = whole.split([node.varies.numel() for node in nodes], 1)
        return [p.reshape(-1, *node.shape) for p, node in zip(parts, nodes, strict=True)]

    return Node(flat[source], nodes, back)


def same_order(sets: Sets, call: Call) -> Made:
    """Keep the elements in their order, in another shape."""
    node = nodes_of(call.traced)[0]
    varies = node.varies
    shape = call.values[0].shape
    varies = varies.reshape(-1)[:1].expand(shape) if node.whole else varies.reshape(shape)

    def back(mask: Tensor) -> Sequence[Tensor]:
        return (mask.reshape(mask.shape[0], *node.shape),)

    return [Node(varies, (node,), back)]


def paired(sets: Sets, call: Call) -> Made:
    """Take two numbers as one complex number, or one as two."""
    node = nodes_of(call.traced)[0]
    if call.name == "view_as_complex":
        return [
            Node(node.varies.any(-1), (node,), lambda m: (m.unsqueeze(-1).expand(-1, *node.shape),))
        ]
    two = node.varies.unsqueeze(-1).expand(*node.shape, 2)
    return [Node(two, (node,), lambda mask: (mask.any(-1),))]


MOVES: dict[str, Rule] = {
    "view_as_complex": paired,
    "view_as_real": paired,
    **dict.fromkeys(cast("list[str]", _SELF.split()), move),
    **dict.fromkeys(DATA, move),
    **dict.fromkeys(_SAME_ORDER.split(), same_order),
}
