r"""Which elements an element can depend on, as masks that flow from an output to the input.

Forward, every operation runs once on real values and says which of its elements *vary* with
the input: a product with a weight of 0, or an attention weight behind a mask, does not.
Backward, the mask of the elements asked about becomes, operation by operation, the mask of
the elements that they were made from; only what varies is followed.

Every path is counted, so nothing is missed; two paths that cancel exactly are still counted.
A constant of −1e9 or less that is added (a mask before a softmax) is read as −∞.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from anypart.lens.network.calls import Call, Traced, plain
from anypart.lens.network.tracer import Tracer

Back = Callable[[Tensor], Sequence[Tensor | None]]
"""Mask of an output, (queries, *shape), → one mask for each parent."""

ABSORBS = 1e9


class Node:
    """The dependence of one tensor.

    Args:
        varies: mask of the elements that depend on the input at all.
        parents: what the tensor was made from.
        back: from a mask of this tensor to masks of its parents.

    """

    __slots__ = ("age", "back", "parents", "varies", "whole")
    _born = 0

    def __init__(
        self, varies: Tensor, parents: Sequence[Node] = (), back: Back | None = None
    ) -> None:
        self.varies, self.parents, self.back = varies, parents, back
        self.whole = all(
            s == 0 for s, n in zip(varies.stride(), varies.shape, strict=True) if n > 1
        )
        self.whole = self.whole and varies.numel() > 0 and bool(varies.reshape(-1)[0])
        Node._born += 1
        self.age = Node._born

    @property
    def shape(self) -> torch.Size:
        """The tensor's shape."""
        return self.varies.shape


def everything(shape: Sequence[int]) -> Tensor:
    """Make a mask that is true everywhere, in one element of memory."""
    return torch.ones((), dtype=torch.bool).expand(tuple(shape))


def varies_of(x: Any) -> Tensor:
    """Which elements of an argument vary with the input (none of a constant's)."""
    if isinstance(x, Traced):
        return cast(Node, x.state).varies
    return torch.zeros((), dtype=torch.bool).expand(x.shape if isinstance(x, Tensor) else ())


def nonzero_of(x: Any) -> Tensor:
    """Which elements of an argument are not certainly 0."""
    if isinstance(x, Traced):
        node = cast(Node, x.state)
        return node.varies if node.whole else node.varies | (x.value != 0)
    return torch.as_tensor(x) != 0


def nodes_of(traced: Sequence[Any]) -> list[Node]:
    """Return the nodes of the traced ones among the arguments."""
    return [cast(Node, x.state) for x in traced if isinstance(x, Traced)]


Made = Sequence[Node | None]
Rule = Callable[["Sets", Call], Made]


class Sets(Tracer):
    """Follows which input elements every element can depend on."""

    def knows(self, name: str, func: Any) -> bool:
        """Look the operation up in the table of rules."""
        from anypart.lens.network.rules import rule_of

        return rule_of(name, func) is not None

    def states(self, call: Call) -> list[Any]:
        """Apply the rule of an operation."""
        from anypart.lens.network.rules import rule_of

        rule = rule_of(call.name, call.func)
        assert rule is not None
        return [
            node if node is not None and node.varies.any() else None for node in rule(self, call)
        ]

    def constant(self, value: Tensor) -> Node:
        """Return the state of a tensor that no longer depends on the input."""
        return Node(torch.zeros(value.shape, dtype=torch.bool))

    def write(self, whole: Any, storage: Any, target: Tensor, state: Node) -> Node:
        """Replace a view's elements in the flat node of its storage."""
        n = storage.nbytes() // target.element_size()
        places = _places(target, n)
        before = whole if whole is not None else Node(torch.zeros(n, dtype=torch.bool))
        varies = before.varies.clone()
        varies[places.reshape(-1)] = state.varies.reshape(-1)

        def back(mask: Tensor) -> Sequence[Tensor]:
            kept = mask.clone()
            kept[:, places.reshape(-1)] = False
            return kept, mask[:, places]

        return Node(varies, (before, state), back)

    def read(self, whole: Any, target: Tensor, since: int, before: Any) -> Node | None:
        """Take a view's elements out of the flat node of its storage."""
        places = _places(target, whole.varies.numel())

        def back(mask: Tensor) -> Sequence[Tensor]:
            return (scatter(mask, places, whole.varies.numel()),)

        return Node(whole.varies[places], (whole,), back)


def _places(view: Tensor, n: int) -> Tensor:
    """Say where each element of a view lies in its storage."""
    return torch.arange(n).as_strided(view.shape, view.stride(), view.storage_offset())


def scatter(mask: Tensor, places: Tensor, n: int) -> Tensor:
    """Carry (queries, *shape) to the flat places that its elements came from; −1 is nowhere."""
    queries = mask.shape[0]
    found = torch.zeros(queries, n + 1, dtype=torch.uint8)
    flat = torch.where(places < 0, n, places).reshape(1, -1).expand(queries, -1)
    found.scatter_reduce_(1, flat, mask.reshape(queries, -1).to(torch.uint8), "amax")
    return found[:, :n].bool()


def follow(node: Node, mask: Tensor, inputs: Sequence[Node]) -> list[Tensor]:
    """Follow a mask back to the inputs.

    Args:
        node: of the output.
        mask: (queries, *shape of the output) the elements asked about.
        inputs: nodes to arrive at.

    Returns:
        For every input, (queries, *its shape): what the elements asked about can depend on.

    Cost:
        As one backward pass for each query, together.

    """
    waiting, masks = {node.age: node}, {node.age: mask}
    while waiting:
        now = waiting.pop(max(waiting))  # nothing younger can still add to it
        if now.back is None:
            continue
        asked = masks.pop(now.age) & now.varies
        for parent, part in zip(now.parents, now.back(asked), strict=True):
            if part is None:
                continue
            before = masks.get(parent.age)
            masks[parent.age] = part if before is None else before | part
            waiting[parent.age] = parent
    queries = mask.shape[0]
    nothing = [torch.zeros(queries, *i.shape, dtype=torch.bool) for i in inputs]
    return [masks.get(i.age, none) for i, none in zip(inputs, nothing, strict=True)]


def start(value: Any) -> Any:
    """Make an input tensor a traced one; anything else stays."""
    return (
        Traced(plain(value), Node(everything(value.shape))) if isinstance(value, Tensor) else value
    )
