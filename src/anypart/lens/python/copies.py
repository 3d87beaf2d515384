"""Assignment, copy and deep copy of one object: what each shares with it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from anypart.lens.python.inside.looks import look, short

_WAYS: dict[str, Callable[[Any], Any]] = {
    "b = a": lambda a: a,
    "b = a[:]": lambda a: a[:],
    "b = type(a)(a)": lambda a: type(a)(a),
    "b = copy.copy(a)": copy.copy,
    "b = copy.deepcopy(a)": copy.deepcopy,
}


@dataclass(frozen=True)
class Copied:
    """One way to make `b` of `a`.

    Args:
        code: the way.
        same: `b is a`.
        shared: places below `a` whose object is below `b` at the same place, as paths.
        own: places whose object is another one.
        error: why it cannot be done; empty if it can.

    """

    code: str
    same: bool
    shared: tuple[str, ...]
    own: tuple[str, ...]
    error: str = ""

    def __str__(self) -> str:
        """Write it as a line of text."""
        if self.error:
            return f"{self.code:22} {self.error}"
        if self.same:
            return f"{self.code:22} the same object"
        shared, own = (", ".join(some) or "nothing" for some in (self.shared, self.own))
        return f"{self.code:22} another object; shares {shared}; has for itself {own}"

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def copies(value: Any) -> list[Copied]:
    """Copy an object in every way and tell which containers inside are shared.

    Numbers, strings and other things without parts are left out: that they are shared is of
    no consequence.

    Args:
        value: any object; it is not changed.

    Example:
        >>> for one in copies([[1, 2], 3]):
        ...     print(one)
        b = a                  the same object
        b = a[:]               another object; shares a[0]; has for itself nothing
        b = type(a)(a)         another object; shares a[0]; has for itself nothing
        b = copy.copy(a)       another object; shares a[0]; has for itself nothing
        b = copy.deepcopy(a)   another object; shares nothing; has for itself a[0]

    """
    return [_copied(value, code, way) for code, way in _WAYS.items()]


def _copied(value: Any, code: str, way: Callable[[Any], Any]) -> Copied:
    try:
        made = way(value)
    except Exception as error:
        return Copied(code, False, (), (), f"{type(error).__name__}: {error}")
    if made is value:
        return Copied(code, True, (), ())
    places, others = _places(value), _places(made)
    shared = tuple(path for path, part in places.items() if others.get(path) is part)
    own = tuple(path for path, part in others.items() if places.get(path) is not part)
    return Copied(code, False, shared, own)


def _places(value: Any) -> dict[str, Any]:
    """Return path → object for all containers below an object, each once."""
    found: dict[str, Any] = {}
    seen = {id(value)}
    queue = [("a", value)]
    for path, thing in queue:
        for label, part in look(thing).parts:
            if id(part) in seen or look(part).kind in ("atom", "function", "class"):
                continue
            seen.add(id(part))
            where = path + (label if label.startswith(".") else f"[{label or short(part)}]")
            found[where] = part
            queue.append((where, part))
    return found
