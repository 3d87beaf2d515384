"""A type asked about itself, whatever its metaclass would answer."""

from __future__ import annotations

import types
from typing import Any

Part = tuple[str, Any]
_DESCRIPTORS = (types.GetSetDescriptorType, types.MemberDescriptorType)
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, or by C as if by one


def of_type(kind: type, name: str) -> Any:
    """Return `kind.name` as `type` keeps it: `__name__`, `__mro__`, `__dict__`, ….

    Example:
        >>> of_type(bool, "__mro__")
        (<class 'bool'>, <class 'int'>, <class 'object'>)

    """
    return type.__dict__[name].__get__(kind)


def static(kind: type, name: str) -> Any:
    """Return a class attribute as it is stored, None if there is none."""
    for base in of_type(kind, "__mro__"):
        if name in of_type(base, "__dict__"):
            return of_type(base, "__dict__")[name]
    return None


def type_name(kind: type) -> str:
    """Return `module.Name` of a type, the name alone if it is a built-in one.

    Example:
        >>> type_name(list), type_name(types.SimpleNamespace)
        ('list', 'types.SimpleNamespace')

    """
    module, name = of_type(kind, "__module__"), of_type(kind, "__name__")
    return name if module == "builtins" else f"{module}.{name}"


def is_built_in(kind: type) -> bool:
    """Say whether a type was made in C."""
    static_one = not of_type(kind, "__flags__") & _HEAP_TYPE
    return static_one or of_type(kind, "__module__") == "itertools"


def is_own(kind: type) -> bool:
    """Say whether the snippet made a type."""
    return of_type(kind, "__module__") == "__main__"


def attributes(thing: Any) -> list[Part]:
    """List instance attributes: what is in `__dict__`, then the slots that are filled."""
    found: list[Part] = []
    slots: list[Part] = []
    for base in of_type(type(thing), "__mro__"):
        for name, stored in of_type(base, "__dict__").items():
            if type(stored) not in _DESCRIPTORS:
                continue
            if name == "__dict__" and not found:
                found = [(f".{k}", v) for k, v in dict.items(stored.__get__(thing))]
            elif type(stored) is types.MemberDescriptorType and not is_built_in(base):
                try:
                    slots.append((f".{name}", stored.__get__(thing)))
                except AttributeError:
                    continue  # a slot that is not filled
    return found + slots
