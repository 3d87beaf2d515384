"""Watches every tensor operation of a module, whatever Python does around it.

A `Traced` tensor stands for one that depends on the input. It carries a value (real, or only
a shape) and a state, which an engine computes for every operation. All other tensors (weights,
masks, positions) are plain and are computed as ever. Writes in place are followed through
views: after a write, whoever looks at the same storage reads the new state.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from anypart.base.errors import LensError
from anypart.lens.network.calls import (
    Call,
    Traced,
    collect,
    mapped,
    names_of,
    plain,
    storage_of,
    tensors,
)
from anypart.lens.network.running import plainly, watched

ASKS_FOR_VALUES = {
    *("_local_scalar_dense", "item", "is_nonzero", "nonzero", "equal", "bincount"),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "masked_select"),
}


def _fixed(name: str, args: Any) -> bool:
    """Whether the size that is asked for is told by a constant."""
    return name == "masked_select" and not isinstance(args[1], Traced)


class Tracer(TorchDispatchMode):
    """Runs operations and asks the engine (a subclass) for the state of what comes out."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[int, tuple[Any, int, Any]] = {}  # storage → it, count, its state
        self._writes = 0
        self.where: list[str] = []

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # to skip it, torch would import its compiler: seconds

    def knows(self, name: str, func: Any) -> bool:
        """Say whether there is a rule for an operation (its name without underscore)."""
        raise NotImplementedError

    def states(self, call: Call) -> list[Any]:
        """Return the state of every tensor in `call.values`; None if it is a constant."""
        raise NotImplementedError

    def constant(self, value: Tensor) -> Any:
        """Return the state of a tensor that no longer depends on the input."""
        raise NotImplementedError

    def write(self, whole: Any, storage: Any, target: Tensor, state: Any) -> Any:
        """Return the state of a storage after `target` (a view of it) was written.

        `whole` is the state before, None if nothing was written yet.
        """
        raise NotImplementedError

    def read(self, whole: Any, target: Tensor, since: int, before: Any) -> Any:
        """Return the state of a view of a storage that was written.

        Args:
            whole: the state of the storage.
            target: the view.
            since: the count of writes when the view was last read.
            before: its state then; None if it was a constant.

        Returns:
            None if what was written since is elsewhere.

        """
        raise NotImplementedError

    def compute(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Compute the values of an operation."""
        return func(*mapped(plain, args), **mapped(plain, kwargs))

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operation."""
        kwargs = kwargs or {}
        if self._written:
            args, kwargs = mapped(self._fresh, args), mapped(self._fresh, kwargs)
        traced = list[Traced]()
        collect(args, traced)
        if kwargs:
            collect(kwargs, traced)
        if not traced:
            found = func(*args, **kwargs)
            if func._schema.name.startswith("aten::bernoulli"):
                found.fill_(1)  # dropout: what one draw leaves out, another lets through
            return found
        schema = func._schema
        name = schema.name.split("::")[-1]
        if name == "_linalg_check_errors":
            return None  # a matrix without an inverse is no matter of what depends on what
        if name in ASKS_FOR_VALUES and not _fixed(name, args):
            raise LensError(
                f"{self._place()}the module looks at a value that depends on its input ({name}), "
                "to choose what to do or how large a tensor is. What it does for this input says "
                "nothing about others. Give the part of it without that choice."
            )
        bare = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        if not self.knows(bare, func):
            return self._by_parts(func, args, kwargs)
        found = self.compute(func, args, kwargs)
        given = names_of(func).copy()
        given |= dict(zip(given, args, strict=False)) | kwargs
        values = [found] if isinstance(found, Tensor) else tensors(found)
        call = Call(func, bare, given, traced, values, args)
        states = self.states(call)
        if schema.is_mutable:
            return self._in_place(
                call, found, states, dict(zip(given, args, strict=False)) | kwargs
            )
        return self._wrapped(found, states, traced[0].owner)

    def _by_parts(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Run an operation without a rule as the operations that it is made of."""
        from anypart.lens.network.parts import parts_of

        parts = parts_of(func)
        if parts is None:
            raise self.unknown(func)
        try:
            with self:
                return parts(*args, **kwargs)
        except (LensError, NotImplementedError) as error:
            raise self.unknown(func) from error

    def _wrapped(self, found: Any, states: list[Any], root: Traced | None = None) -> Any:
        if isinstance(found, Tensor):
            state = states[0]
            return found if state is None else Traced(found, state, self._writes, root)
        if isinstance(found, tuple) and all(isinstance(x, Tensor) for x in found):
            return tuple(self._wrapped(x, [s], root) for x, s in zip(found, states, strict=True))
        left = iter(states)

        def wrap(x: Any) -> Any:
            if not isinstance(x, Tensor):
                return x
            state = next(left)
            return x if state is None else Traced(x, state, self._writes, root)

        return tree_map(wrap, found)

    def _in_place(self, call: Call, found: Any, states: list[Any], given: dict[str, Any]) -> Any:
        """Give the written arguments their new states."""
        written = [a for a in call.func._schema.arguments if a.alias_info and a.alias_info.is_write]
        targets = [given[a.name] for a in written if given.get(a.name) is not None]
        if len(targets) != 1 or not isinstance(targets[0], Tensor):
            return self._wrapped(found, states)  # an `out=` of several tensors
        target = targets[0]
        value = cast(Tensor, plain(target))
        if torch.Tag.inplace_view in call.func.tags:
            assert isinstance(target, Traced)
            with no_dispatch():  # the wrapper's own sizes
                call.func(*call.args)
            target.state = states[0]
            return target
        state = states[0] if states and states[0] is not None else self.constant(value)
        storage = value.untyped_storage()
        _, _, whole = self._written.get(storage._cdata, (storage, 0, None))
        if whole is None:
            root = target.owner if isinstance(target, Traced) else None
            before = self.constant(value) if root is None else root.state
            whole = self.write(None, storage, value if root is None else root.value, before)
        self._writes += 1
        after = self.write(whole, storage, value, state)
        self._written[storage._cdata] = (storage, self._writes, after)
        if isinstance(target, Traced):
            target.state, target.seen_write = state, self._writes
        return target if isinstance(found, Tensor) else found

    def _fresh(self, x: Tensor) -> Tensor:
        """Bring a tensor up to date if its storage was written through another view."""
        value = cast(Tensor, plain(x))
        _, count, whole = self._written.get(storage_of(x), (None, 0, None))
        if isinstance(x, Traced):
            if x.seen_write < count:
                state = self.read(whole, value, x.seen_write, x.state)
                x.state, x.seen_write = x.state if state is None else state, count
            return x
        state = self.read(whole, value, 0, None) if count else None
        return x if state is None else Traced(value, state, count)

    def _place(self) -> str:
        return f"In {self.where[-1]}, " if self.where and self.where[-1] else ""

    def unknown(self, asked: Call | Any, why: str = "") -> LensError:
        """Make the error for an operation that the engine has no rule for."""
        func = asked.func if isinstance(asked, Call) else asked
        place = f" (in {self.where[-1]})" if self.where and self.where[-1] else ""
        return LensError(
            f"No rule for {func}{place}{': ' + why if why else ''}. Nothing is guessed: "
            "replace that operation, or look at the part before it."
        )

    def left(self, name: str, module: Any, found: Any) -> None:
        """Take note of a module that has ended, and of its output."""

    def run(self, module: Any, inputs: tuple[Any, ...]) -> Any:
        """Run a module or a function on traced inputs; its buffers are left as they were.

        Raises:
            LensError: an operation without a rule, or the module does not run on the inputs.

        """
        with watched(module, self.where, self.left) as run, plainly(), self:
            try:
                found = run(*inputs)
            except LensError:
                raise
            except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
                shapes = ", ".join(str(tuple(x.shape)) for x in inputs if isinstance(x, Tensor))
                why = str(error).strip().rstrip(".") or type(error).__name__
                place = self._place()
                raise LensError(
                    f"{place}{'t' if place else 'T'}he module does not run on an input of shape "
                    f"{shapes}: {why}. Give it what it takes."
                ) from error
            return tree_map(lambda x: self._fresh(x) if isinstance(x, Tensor) else x, found)
