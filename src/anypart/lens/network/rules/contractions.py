"""Matrix products and convolutions: a product with a constant 0 carries nothing."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced
from anypart.lens.network.rules.pointwise import absorbs, sum_to
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
    added = call["self"] if call.given.get("beta", 0) != 0 else None
    if isinstance(added, Traced):
        varies = varies | varies_of(added)
    elif added is not None and (shut := absorbs(added, -1)) is not None:
        varies = varies & ~shut  # a mask before a softmax
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
    """Slide a kernel, which may depend on the input itself."""
    data, weight, bias = call["input"], call["weight"], call["bias"]
    names = ("stride", "padding", "dilation", "transposed", "output_padding", "groups")
    settings = [call[name] for name in names]
    kernel = nonzero_of(weight).float()
    varies = torch.ops.aten.convolution(varies_of(data).float(), kernel, None, *settings) > 0
    filled = kernel
    if isinstance(weight, Traced):
        filled = nonzero_of(data).float()
        taps = varies_of(weight).float()
        varies |= torch.ops.aten.convolution(filled, taps, None, *settings) > 0
    if isinstance(bias, Traced):
        varies |= varies_of(bias).reshape(-1, *[1] * (varies.dim() - 2))

    def gradient(count: Tensor, x: Tensor, which: Sequence[bool]) -> Sequence[Tensor]:
        return torch.ops.aten.convolution_backward(
            count, x, kernel, None, *settings, [*which, False]
        )

    def back(mask: Tensor) -> Sequence[Tensor]:
        queries = len(mask)
        found: list[Tensor] = []
        if isinstance(data, Traced):
            shape = (queries * data.shape[0], *data.shape[1:])
            count = mask.flatten(0, 1).float()
            read = gradient(count, torch.zeros(()).expand(shape), (True, False))[0] > 0
            found.append(read.reshape(queries, *data.shape))
        if isinstance(weight, Traced):
            reads = [gradient(m.float(), filled, (False, True))[1] > 0 for m in mask]
            found.append(torch.stack(reads))
        if isinstance(bias, Traced):
            found.append(mask.movedim(2, 1).flatten(2).any(2))
        return found

    return [Node(varies, nodes_of([data, weight, bias]), back)]


CONTRACTIONS: dict[str, Rule] = {
    **dict.fromkeys(FACTORS, product),
    "convolution": convolution,
    "_convolution": convolution,
}
