"""`freeze`: a deep copy that nothing can change."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import fractions
import pathlib
import uuid
from collections.abc import Mapping, Set
from dataclasses import fields
from typing import Any, NoReturn

import numpy as np

from anypart.base.errors import FreezeError
from anypart.base.frozen.mapping import FrozenDict

#: Types whose values cannot change and hold no other values that could.
ATOMS = (
    type(None), bool, int, float, complex, str, bytes, range, type, type(Ellipsis),
    dt.date, dt.time, dt.timedelta, dt.timezone, decimal.Decimal, fractions.Fraction,
    uuid.UUID, pathlib.PurePath, enum.Enum, np.generic, np.dtype,
)  # fmt: skip


class FrozenArray(np.ndarray[Any, Any]):
    """An array that nothing can change: its memory is bytes, and its shape and type stay.

    What is computed from it is a plain array; its parts are frozen like itself. What does not
    ask an array whether it may be written gets around it: `torch.from_numpy`, which warns, an
    address in ctypes, and NumPy's own methods called on the type (`np.ndarray.shape.__set__`).
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise FreezeError(f"a frozen array keeps its {name}. Change a copy: numpy.array(frozen).")

    def __setstate__(self, state: Any) -> NoReturn:
        raise FreezeError("a frozen array keeps its contents. Change a copy: numpy.array(frozen).")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        written = inputs[:1] if method == "at" else named.get("out", ())
        if any(isinstance(array, FrozenArray) for array in written):
            # Before 2.5 NumPy itself let `at` write into memory that is read-only.
            raise FreezeError(f"{ufunc.__name__} cannot write into a frozen array. Copy it first.")
        plain = (a.view(np.ndarray) if isinstance(a, FrozenArray) else a for a in inputs)
        return getattr(ufunc, method)(*plain, **named)

    def __deepcopy__(self, memo: Any) -> Any:
        return self if is_frozen(self) else np.array(self)

    def __reduce__(self) -> Any:
        return freeze, (np.array(self),)


for _name in ("shape", "dtype", "strides", "flat", "real", "imag", "data"):
    # Without a way to set it, not even for `object.__setattr__`.
    setattr(FrozenArray, _name, property(getattr(np.ndarray, _name).__get__))


def freeze(value: Any) -> Any:
    """Copy a value so that nothing in it can change, however deep.

    Lists become tuples, sets frozensets, dicts `FrozenDict`, bytearrays bytes; arrays are
    copied onto memory that cannot be written; frozen dataclasses are made anew from
    frozen fields. What is frozen already is returned as it is.

    Args:
        value: of those types and of numbers, text, bytes, dates, enums, paths, types.

    Raises:
        FreezeError: a type of which it is not known that its values stay as they are, or a
            structure that contains itself or nests too deep to be followed.

    Cost:
        O(size) time and memory.

    Example:
        >>> freeze({"a": [1, {2}]})
        FrozenDict({'a': (1, frozenset({2}))})

    """
    try:
        return _freeze(value, ())
    except RecursionError:
        raise FreezeError(
            f"this {type(value).__name__} nests too deep to be followed. Make it flatter."
        ) from None


def _freeze(value: Any, within: tuple[int, ...]) -> Any:
    if id(value) in within:
        raise FreezeError(
            f"this {type(value).__name__} contains itself; what cannot change cannot be tied "
            "into a knot. Break the cycle, such as by names instead of references."
        )
    if is_frozen(value):
        return value
    within = (*within, id(value))
    if isinstance(value, np.ndarray):
        return _frozen_array(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Mapping):
        return FrozenDict({_freeze(k, within): _freeze(v, within) for k, v in value.items()})
    if isinstance(value, Set):
        return frozenset(_freeze(v, within) for v in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
        return type(value)(*(_freeze(v, within) for v in value))
    if isinstance(value, list | tuple):
        return tuple(_freeze(v, within) for v in value)
    if _is_frozen_dataclass(value):
        made = object.__new__(type(value))
        for field in fields(value):
            object.__setattr__(made, field.name, _freeze(getattr(value, field.name), within))
        return made
    raise FreezeError(
        f"a {type(value).__module__}.{type(value).__qualname__} cannot be frozen: its methods may "
        "change it. Make it a frozen dataclass, or give the values that it holds."
    )


def _frozen_array(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if array.dtype.hasobject:
        raise FreezeError(
            "an array of objects cannot be frozen: they may change. Freeze array.tolist()."
        )
    if array.dtype.names or isinstance(array, np.ma.MaskedArray):
        what = "named fields, whose names can be set," if array.dtype.names else "a mask"
        raise FreezeError(
            f"an array with {what} cannot be frozen. Freeze a dict of its plain arrays."
        )
    # Bytes cannot be written, so the array cannot be made writeable again.
    return np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape).view(FrozenArray)


def thaw(value: Any) -> Any:
    """Copy a frozen value into dicts and lists that are one's own, as JSON has them.

    Sets become lists in the order of what they are written as, arrays lists of numbers.

    Example:
        >>> thaw(freeze({"a": [1, {"b": 2}]}))
        {'a': [1, {'b': 2}]}

    """
    if isinstance(value, Mapping):
        return {k: thaw(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [thaw(v) for v in value]
    if isinstance(value, Set):
        return [thaw(v) for v in sorted(value, key=repr)]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if _is_frozen_dataclass(value):
        return {field.name: thaw(getattr(value, field.name)) for field in fields(value)}
    return value


def is_atom(value: Any) -> bool:
    """Whether a value is one of `ATOMS`, and nothing was hung on it."""
    if isinstance(value, type | enum.Enum):
        return True
    if isinstance(value, np.void) or (isinstance(value, np.dtype) and value.names):
        return False  # the names of fields can be set
    return isinstance(value, ATOMS) and not vars_of(value)


def is_frozen(value: Any) -> bool:
    """Whether nothing in a value can change, as far as Python's own operations go.

    A frozen dataclass counts, although `object.__setattr__` gets around it; `FrozenDict`,
    tuples, frozensets and frozen arrays have no such way around in Python itself.

    Example:
        >>> is_frozen((1, frozenset({2}))), is_frozen((1, []))
        (True, False)

    """
    if is_atom(value):
        return True
    if isinstance(value, np.ndarray):
        return isinstance(value, FrozenArray) and isinstance(_memory(value), bytes)
    if isinstance(value, FrozenDict):
        return all(is_frozen(k) and is_frozen(v) for k, v in value.items())
    if _is_frozen_dataclass(value):
        return all(is_frozen(getattr(value, field.name)) for field in fields(value))
    if isinstance(value, tuple | frozenset) and not _has_attributes(value):
        return all(map(is_frozen, value))
    return False


def _has_attributes(value: Any) -> bool:
    """Whether an object has room for attributes, set or not."""
    slots = (kind.__dict__.get("__slots__") for kind in type(value).__mro__)
    return hasattr(value, "__dict__") or any(slots)


def vars_of(value: Any) -> dict[str, Any]:
    """Return an object's own attributes by name, those in slots too."""
    found = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name in ("__dict__", "__weakref__"):
                continue
            if name.startswith("__") and not name.endswith("__"):
                name = f"_{kind.__name__.lstrip('_')}{name}"
            if hasattr(value, name):
                found[name] = getattr(value, name)
    return found


def _is_frozen_dataclass(value: Any) -> bool:
    params = getattr(type(value), "__dataclass_params__", None)
    if params is None or not params.frozen or isinstance(value, type):
        return False
    return set(vars_of(value)) <= {field.name for field in fields(value)}


def _memory(array: np.ndarray[Any, Any]) -> Any:
    """Return what owns an array's memory."""
    owner: Any = array
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return owner
