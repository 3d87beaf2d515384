"""What a traced run is made of: tensors that depend on the input, and operations on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_map

from anypart.base.errors import LensError


class Traced(Tensor):
    """A tensor that depends on the input."""

    value: Tensor
    state: Any
    seen_write: int
    root: Traced | None  # the tensor that this one is a view of

    @staticmethod
    def __new__(
        cls: type[Traced],
        value: Tensor,
        state: Any,
        seen_write: int = 0,
        root: Traced | None = None,
    ) -> Traced:
        """Wrap a value."""
        made = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            value.shape,
            strides=value.stride(),
            storage_offset=value.storage_offset(),
            dtype=value.dtype,
            device=torch.device("cpu"),
        )
        made.value, made.state, made.seen_write = value, state, seen_write
        made.root = root if root is not None and storage_of(root) == storage_of(made) else None
        return made

    def __init__(
        self, value: Tensor, state: Any, seen_write: int = 0, root: Traced | None = None
    ) -> None:
        """Do nothing more than `__new__`."""

    @property
    def owner(self) -> Traced:
        """The tensor that this one is a view of, or itself."""
        return self if self.root is None else self.root

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[attr-defined]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Refuse: the module's run is over."""
        raise LensError(
            f"{func} met a traced tensor after its module had run. "
            "Look at values inside the module."
        )


@dataclass
class Call:
    """One operation with its arguments by name; traced ones are `Traced`.

    Args:
        func: the operation.
        name: without overload and trailing underscore, such as "add".
        given: every argument by its name in the operation's schema.
        traced: the traced arguments, each once.
        values: what came out, tensors only.
        args: the arguments by position.

    """

    func: Any
    name: str
    given: dict[str, Any]
    traced: list[Traced]
    values: list[Tensor]
    args: tuple[Any, ...] = ()

    def __getitem__(self, name: str) -> Any:
        """Return an argument."""
        return self.given[name]

    def run(self, replace: Callable[[Tensor], Any]) -> list[Tensor]:
        """Run the operation again with every tensor replaced; return its tensors."""
        given = tree_map(lambda x: replace(x) if isinstance(x, Tensor) else x, self.given)
        args = [a.name for a in self.func._schema.arguments if not a.kwarg_only]
        rest = {k: v for k, v in given.items() if k not in args}
        return tensors(self.func(*(given[a] for a in args), **rest))


def storage_of(x: Tensor) -> int:
    """Return what identifies the memory of a tensor, or of a traced tensor's value."""
    return cast(Tensor, plain(x)).untyped_storage()._cdata


def plain(x: Any) -> Any:
    """Return the value of a traced tensor, anything else as it is."""
    return x.value if isinstance(x, Traced) else x


def mapped(change: Callable[[Tensor], Any], tree: Any) -> Any:
    """Change the tensors in nested lists, tuples and dicts (torch's own way is slower)."""
    if isinstance(tree, Tensor):
        return change(tree)
    if isinstance(tree, tuple | list):
        return type(tree)([mapped(change, x) for x in tree])
    if isinstance(tree, dict):
        return {k: mapped(change, x) for k, x in tree.items()}
    return tree


def collect(tree: Any, found: list[Traced]) -> None:
    """Find the traced tensors, each once."""
    for x in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(x, Traced):
            if not any(x is y for y in found):
                found.append(x)
        elif isinstance(x, tuple | list):
            collect(x, found)


def tensors(tree: Any) -> list[Tensor]:
    """Return the tensors in nested lists and tuples."""
    if isinstance(tree, Tensor):
        return [tree]
    return [x for x in tree_flatten(tree)[0] if isinstance(x, Tensor)]


@cache
def names_of(func: Any) -> dict[str, Any]:
    """Return the arguments of an operation with their defaults."""
    return {a.name: a.default_value for a in func._schema.arguments}
