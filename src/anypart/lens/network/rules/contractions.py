"""Matrix products and convolutions: a product with a constant 0 carries nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.rules.pointwise import sum_to
from anypart.lens.network.sets import Made, Node, Rule, Sets, nodes_of, nonzero_of, varies_of

FACTORS = {  # operation → names of the two factors
    "mm": ("self", "mat2"),
    "bmm": ("self", "mat2"),
    "mv": ("self", "vec"),
    "dot": ("self", "tensor"),
    "vdot": ("self", "other"),
    "matmul": ("self", "other"),
    "addmm": ("mat1", "mat2"),
    "addmv": ("mat", "vec"),
    "baddbmm": ("batch1", "batch2"),
}


def product(sets: Sets, call: Call) -> Made:
    """Multiply matrices, perhaps with something added."""
    left, right = (call[name] for name in FACTORS[call.name])
    shape = call.values[0].shape
    rows = left.shape if left.dim() > 1 else (1, *left.shape)
    cols = right.shape if right.dim() > 1 else (*right.shape, 1)
    full = (*rows[:-1], cols[-1])  # the product's shape before ones are dropped
    a, b = (
        [f(x).float().reshape(s) for f in (varies_of, nonzero_of)]
        for x, s in ((left, rows), (right, cols))
    )
    varies = ((a[0] @ b[1] + a[1] @ b[0]) > 0).reshape(shape)
    added = call["self"] if call.name.startswith(("add", "badd")) else None
    if isinstance(added, Traced):
        varies = varies | varies_of(added)
    nodes = nodes_of([left, right, added])

    def back(mask: Tensor) -> Sequence[Tensor]:
        count = mask.reshape(len(mask), *full).float()
        found: list[Tensor] = []
        if isinstance(left, Traced):
            found.append((count @ b[1].mT > 0).reshape(-1, *left.shape))
        if isinstance(right, Traced):
            found.append((a[1].mT @ count > 0).reshape(-1, *right.shape))
        if isinstance(added, Traced):
            found.append(sum_to(mask, added.shape))
        return found

    return [Node(varies, nodes, back)]


def convolution(sets: Sets, call: Call) -> Made:
    """Slide a constant kernel."""
    data, weight, bias = call["input"], call["weight"], call["bias"]
    if not isinstance(data, Traced) or isinstance(weight, Traced) or isinstance(bias, Traced):
        raise sets.unknown(call, "its kernel depends on the input")
    names = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")
    settings = [call[name] for name in names]
    kernel = nonzero_of(weight).float()
    node = nodes_of([data])[0]
    varies = torch.ops.aten.convolution(node.varies.float(), kernel, None, *settings) > 0

    def back(mask: Tensor) -> Sequence[Tensor]:
        queries = len(mask)
        count = mask.flatten(0, 1).float()
        shape = (queries * node.shape[0], *node.shape[1:])
        read = torch.ops.aten.convolution_backward(
            count, torch.zeros(()).expand(shape), kernel, None, *settings, [True, False, False]
        )[0]
        return ((read > 0).reshape(queries, *node.shape),)

    return [Node(varies, (node,), back)]


CONTRACTIONS: dict[str, Rule] = {
    **dict.fromkeys(FACTORS, product),
    "convolution": convolution,
    "_convolution": convolution,
}
