"""Which inputs an output can depend on, whatever their values are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from anypart.base.errors import LensError
from anypart.lens.network.calls import Traced, tensors
from anypart.lens.network.sets import Node, Sets, follow, start

Index = int | slice | Sequence[int | slice] | Tensor
Example = Tensor | Sequence[Any]
MASK_BYTES = 1 << 26  # of one layer's masks at a time, about


def which_inputs(module: Callable[..., Any], example: Example, output_ix: Index) -> Any:
    """Find the inputs that an output can depend on, whatever the inputs' values are.

    The module runs once, as it is (training or evaluation), on the example; then the output's
    index set is followed back through every operation, with the real masks and weights:
    weights of 0, masked products and masked attention carry nothing, while a maximum that is
    not reached, a unit that is off, and rounding do. Nothing is missed. More than any input can
    show is counted where two paths cancel exactly, where a place is computed (it is taken to
    be anywhere on its axis), and in matrices that are inverted or factored (taken as a whole);
    a complex number is one element.

    Args:
        module: a torch module or a function of tensors.
        example: its input, or a sequence of its inputs; shapes matter, values do not.
        output_ix: of an element of the output (of its first tensor, if there are several);
            a mask or slices stand for any of several elements.

    Returns:
        A mask of the example's shape; for a sequence, one for each tensor in it.

    Raises:
        LensError: an operation without a rule, which is named; a module whose course depends
            on values; an index that is not there.

    Cost:
        One run and about one backward pass.

    Example:
        >>> import torch
        >>> causal = torch.nn.Conv1d(1, 1, 3, padding=2)
        >>> which_inputs(causal, torch.zeros(1, 1, 6), (0, 0, 3)).int().flatten().tolist()
        [0, 1, 1, 1, 0, 0]

    """
    output, inputs, single = _run(module, example)
    asked = torch.zeros(output.shape, dtype=torch.bool)
    try:
        asked[output_ix if isinstance(output_ix, int | slice | Tensor) else tuple(output_ix)] = True
    except (IndexError, TypeError) as error:
        raise LensError(
            f"The output has the shape {tuple(output.shape)}; output_ix {output_ix!r} is not in "
            f"it ({error}). Give one index for each axis."
        ) from None
    masks = [m[0] for m in _follow(output, asked[None], inputs)]
    return masks[0] if single else tuple(masks)


def dependence(module: Callable[..., Any], example: Example) -> Tensor:
    """Find which inputs every output can depend on: `which_inputs` of all outputs at once.

    Args:
        module: a torch module or a function of tensors.
        example: its input, or a sequence of inputs.

    Returns:
        (outputs, inputs) mask, both flattened; several inputs one after another.

    Cost:
        One run, and a matrix of outputs × the largest layer, in parts of bounded memory.

    Example:
        >>> import torch
        >>> dependence(torch.nn.Conv1d(1, 1, 2), torch.zeros(1, 1, 4)).int()
        tensor([[1, 1, 0, 0],
                [0, 1, 1, 0],
                [0, 0, 1, 1]], dtype=torch.int32)

    """
    output, inputs, _ = _run(module, example)
    n_out = output.numel()
    widest = max([n_out, *(i.numel() for i in inputs)])
    together = max(1, MASK_BYTES // max(4 * widest, 1))
    rows: list[Tensor] = []
    for first in range(0, n_out, together):
        count = min(together, n_out - first)
        asked = torch.zeros(count, n_out, dtype=torch.bool)
        asked[torch.arange(count), torch.arange(first, first + count)] = True
        masks = _follow(output, asked.reshape(count, *output.shape), inputs)
        rows.append(torch.cat([m.reshape(count, -1) for m in masks], 1))
    return torch.cat(rows) if rows else torch.zeros(0, sum(i.numel() for i in inputs)).bool()


def _run(module: Callable[..., Any], example: Example) -> tuple[Tensor, list[Traced], bool]:
    """Run a module on traced inputs; return its first tensor, the inputs, and if it is one."""
    single = isinstance(example, Tensor)
    given = (example,) if isinstance(example, Tensor) else tuple(example)
    traced = tuple(start(x) for x in given)
    inputs = [x for x in traced if isinstance(x, Traced)]
    if not inputs:
        raise LensError("The example holds no tensor. Give a tensor, or a sequence with one.")
    found = tensors(Sets().run(module, traced))
    if not found:
        raise LensError("The module returned no tensor. Wrap it in a function that returns one.")
    return found[0], inputs, single


def _follow(output: Tensor, asked: Tensor, inputs: Sequence[Traced]) -> list[Tensor]:
    ends = [cast(Node, i.state) for i in inputs]
    if not isinstance(output, Traced):
        return [torch.zeros(len(asked), *e.shape, dtype=torch.bool) for e in ends]
    with torch.no_grad():
        return follow(cast(Node, output.state), asked, ends)
