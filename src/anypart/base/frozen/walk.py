"""What is reachable from a value: what two values share, and what one costs."""

from __future__ import annotations

import gc
import re
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, is_dataclass
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FrameType,
    FunctionType,
    MappingProxyType,
    MethodType,
    ModuleType,
    TracebackType,
)
from typing import Any
from weakref import ReferenceType

import numpy as np

from anypart.base.frozen.freeze import ATOMS, is_atom, vars_of
from anypart.base.frozen.mapping import FrozenDict

# The program, not its data; frames lead to all that a module holds.
_PROGRAM = (type, ModuleType, BuiltinFunctionType, CodeType, FrameType, TracebackType)

_STAYING = (tuple, frozenset, FunctionType, MethodType, MappingProxyType, ReferenceType)


@dataclass(frozen=True)
class _Memory:
    """Memory of a tensor, which no Python object stands for."""

    address: int
    size: int


@dataclass(frozen=True)
class Sharing:
    """One mutable object that two structures share.

    Args:
        left: the shortest path to it in the first structure, as Python writes it.
        right: the shortest path in the second.
        kind: its type.

    """

    left: str
    right: str
    kind: str


def shared(left: Any, right: Any) -> list[Sharing]:
    """List the mutable objects that are reachable from both of two structures.

    A change of one of them through one structure is seen through the other. Objects that
    cannot change are no aliasing, but what they hold is looked at: what iterators,
    generators and partial functions hold too, as far as the garbage collector knows it.
    Arrays share if their memory has one owner, tensors if they have one storage. No code of
    the objects themselves is run, so a lazy mapping is its fields and not its items.

    Args:
        left: any object.
        right: any object.

    Returns:
        In the order in which a breadth-first walk of `left` meets them.

    Cost:
        O(objects reachable); every object is looked at once.

    Example:
        >>> row = [1, 2]
        >>> shared({"a": row}, [(row, 3)])
        [Sharing(left="['a']", right='[0][0]', kind='list')]
        >>> shared({"a": row}, [tuple(row)])
        []

    """
    here, there = dict(_walk(left)), dict(_walk(right))
    return [
        Sharing(_plain(path), _plain(there[key][1]), _name(value))
        for key, (value, path) in here.items()
        if key in there and _can_change(value) and not path.endswith(".__dict__")
    ]


def _plain(path: str) -> str:
    return re.sub(r"\.__dict__\['(\w+)'\]", r".\1", path)


def footprint(value: Any) -> int:
    """Count the bytes that a structure keeps in memory, every object once.

    What is shared within it is counted once, and a view costs its header and the memory
    that it looks at, once for all views. Classes, functions' code and modules belong to
    the program and are not counted, nor is memory that only a library's own code knows
    of, such as that of a Polars column.

    Cost:
        O(objects reachable).

    Example:
        >>> big = np.zeros(1000)
        >>> footprint([big, big[:10], big[10:]]) < 9_000
        True

    """
    return sum(_own_size(found) for _, (found, _) in _walk(value))


def _walk(root: Any) -> Iterator[tuple[Any, tuple[Any, str]]]:
    """Yield identity → (object, shortest path), breadth first."""
    waiting = deque([(root, "")])
    met = dict[Any, Any]()  # held, so that no identity is used again
    while waiting:
        value, path = waiting.popleft()
        key = value if type(value) is _Memory else id(value)
        if key in met or isinstance(value, _PROGRAM):
            continue
        met[key] = value
        yield key, (value, path)
        waiting.extend((child, path + step) for step, child in _children(value))


def _children(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what an object holds, and how it is written to get there."""
    if is_atom(value):
        return
    if isinstance(value, FrozenDict):
        yield ".held", tuple.__getitem__(value, 0)  # the mapping below
    elif isinstance(value, np.ndarray):
        if value.base is not None:
            yield ".base", value.base
        elif value.dtype.hasobject:
            for place, item in enumerate(value.ravel()):
                yield f".flat[{place}]", item
    elif isinstance(value, dict):
        for place, (key, item) in enumerate(dict.items(value)):
            yield f"[{key!r}]" if isinstance(key, str | int) else f".value({place})", item
            yield f".key({place})", key
    elif isinstance(value, list | tuple | deque):
        for place, item in enumerate(_items(value)):
            yield f"[{place}]", item
    elif isinstance(value, set | frozenset):
        for place, item in enumerate(_items(value)):
            yield f".item({place})", item
    elif hasattr(type(value), "untyped_storage"):  # torch's; torch itself need not be there
        storage = value.untyped_storage()
        yield ".untyped_storage()", _Memory(storage.data_ptr(), storage.nbytes())
    yield from _attributes(value)
    if not isinstance(value, FunctionType | FrozenDict):
        # What is held by C, such as a cell's, an iterator's or a generator's objects. From
        # Python 3.13 on attributes lie in the object itself, beside the dict that shows them.
        held = getattr(value, "__dict__", None)
        named = set(map(id, dict.values(held))) if isinstance(held, dict) else ()
        for place, item in enumerate(gc.get_referents(value)):
            if id(item) not in named:
                yield f".referent({place})", item


def _items(value: Any) -> Iterator[Any]:
    """Iterate as the type below does, not as a class of somebody's own may."""
    below: Any = next(t for t in (list, tuple, deque, set, frozenset) if isinstance(value, t))
    return below.__iter__(value)


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, FunctionType):
        parts = ("__defaults__", "__kwdefaults__", "__closure__", "__dict__")
        held = ((f".{name}", getattr(value, name)) for name in parts)
        yield from (pair for pair in held if pair[1])
    elif isinstance(value, MethodType):
        yield ".__self__", value.__self__
        yield ".__func__", value.__func__
    elif isinstance(value, CellType | MappingProxyType):
        name = ".cell_contents" if isinstance(value, CellType) else ".mapping"
        yield from ((name, item) for item in gc.get_referents(value))  # none in an empty cell
    elif isinstance(value, memoryview):
        with suppress(ValueError):  # it was released
            yield ".obj", value.obj
    elif isinstance(value, np.ndarray):
        return
    else:
        held = getattr(value, "__dict__", None)
        if isinstance(held, dict):
            yield ".__dict__", held
        slots = vars_of(value)
        for name, item in slots.items():
            if not held or name not in held:
                yield f".{name}", item


def _can_change(value: Any) -> bool:
    if isinstance(value, (*ATOMS, *_STAYING)) or type(value) is object:
        return False
    if isinstance(value, np.ndarray):
        return value.flags.writeable
    if isinstance(value, memoryview):
        return not value.readonly
    if type(value) is _Memory:
        return True
    params = getattr(type(value), "__dataclass_params__", None)
    return not (is_dataclass(value) and params is not None and params.frozen)


def _own_size(value: Any) -> int:
    """Return the bytes of an object itself, without what it refers to."""
    if type(value) is _Memory:
        return value.size
    return sys.getsizeof(value)


def _name(value: Any) -> str:
    if type(value) is _Memory:
        return "storage of a tensor"
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
