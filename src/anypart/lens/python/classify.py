"""What an object is, found by trying: iterable, iterator, generator; mutable, hashable."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from types import GeneratorType
from typing import Any

from anypart.lens.python.inside.looks import look

_NEW: tuple[Any, ...] = ("new", 7, b"n", 1.5)  # a container of numbers takes no word
_TRIES = """
x[0] = new|x[first] = new|x[new] = new|del x[0]|del x[first]|x.append(new)|x.add(new)
x.insert(0, new)|x.extend([new])|x.update({new: new})|x.update([new])|x.pop()|x.popitem()
x.remove(first)|x.discard(first)|x.clear()|x.reverse()|x.rotate(1)|x.sort()|x += x|x |= x2
x *= 2|x.lens_probe = new|setattr(x, name, new)|delattr(x, name)|next(x)|x.send(None)|x.close()
x.read()|x.write(new)|x.set(new)|x.random()
"""
_ATTEMPTS = tuple(one for line in _TRIES.split("\n") for one in line.split("|") if one)
_GENTLE = ("x[0] = x[0]", "x[first] = x[first]", "x.lens_probe = 1; del x.lens_probe")


@dataclass(frozen=True)
class Test:
    """One thing that was tried.

    Args:
        code: what was run, with `x` for the object.
        outcome: what came of it: `changed`, `unchanged`, or the error.

    """

    __test__ = False  # no test of ours, whatever its name makes pytest think

    code: str
    outcome: str


@dataclass(frozen=True)
class Classified:
    """What an object was found to be.

    Args:
        type: its type's name.
        iterable: `iter(x)` gives something.
        iterator: it is its own iterator, with a `next`.
        generator: it also takes `send`, `throw` and `close`, and was made by `yield`.
        reusable: two walks over it give the same; None if it is not iterable.
        sized: it has a length.
        indexable: it takes a subscript.
        hashable: it can be a key.
        mutable: some operation changed it while it stayed the same object; None if it could
            not be tried, because nothing like it could be made to try it on.
        changed_by: the operations that changed it.
        deeply_immutable: neither it nor anything in it can be changed; None if unknown.
        tests: all that was tried.

    """

    type: str
    iterable: bool
    iterator: bool
    generator: bool
    reusable: bool | None
    sized: bool
    indexable: bool
    hashable: bool
    mutable: bool | None
    changed_by: tuple[str, ...]
    deeply_immutable: bool | None
    tests: tuple[Test, ...]

    def __str__(self) -> str:
        """Write it as text: the findings, then what they rest on."""
        kind = (
            "a generator"
            if self.generator
            else "an iterator"
            if self.iterator
            else "iterable"
            if self.iterable
            else "not iterable"
        )
        words = {True: "yes", False: "no", None: "could not be tried"}
        lines = [f"{self.type}: {kind}"]
        for name in ("mutable", "deeply_immutable", "hashable", "reusable", "sized", "indexable"):
            value = getattr(self, name)
            if name != "reusable" or value is not None:
                lines.append(f"  {name.replace('_', ' ') + ':':18} {words[value]}")
        if self.changed_by:
            lines.append(f"  changed by: {'; '.join(self.changed_by)}")
        else:
            lines.append(f"  {len(self.tests)} operations tried, none changed it")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def classify(value: Any, make: Callable[[], Any] | None = None) -> Classified:
    """Find out what an object is by trying operations on copies of it.

    Args:
        value: any object. It is not changed: what might change it is tried on copies, and an
            iterator is not read.
        make: gives a fresh object like `value`, for one that cannot be copied (a generator,
            an open file); copies of `value` are made without it.

    Cost:
        A copy for each of some 120 attempts.

    Example:
        >>> found = classify((1, [2]))
        >>> found.mutable, found.hashable, found.deeply_immutable
        (False, False, False)
        >>> classify([1]).changed_by[:2]
        ("x[0] = 'new'", 'del x[0]')

    """
    fresh = make or (lambda: copy.deepcopy(value))
    iterable = _works(lambda: iter(value))
    iterator = iterable and iter(value) is value and hasattr(type(value), "__next__")
    with warnings.catch_warnings():
        # From 3.12 on, a copy of what itertools makes warns that a later Python makes none.
        warnings.simplefilter("ignore", DeprecationWarning)
        mutable, tests = _mutable(value, fresh)
        deeply_immutable = _deeply_immutable(value, mutable)
    changed = tuple(test.code for test in tests if test.outcome == "changed")
    return Classified(
        type=type(value).__name__,
        iterable=iterable,
        iterator=iterator,
        generator=type(value) is GeneratorType,  # isinstance would ask the value
        reusable=(not iterator) if iterable else None,
        sized=_works(lambda: len(value)),
        indexable=hasattr(type(value), "__getitem__"),
        hashable=_works(lambda: hash(value)),
        mutable=mutable,
        changed_by=changed,
        deeply_immutable=deeply_immutable,
        tests=tests,
    )


def _works(do: Callable[[], Any]) -> bool:
    try:
        do()
    except Exception:
        return False
    return True


def _mutable(value: Any, fresh: Callable[[], Any]) -> tuple[bool | None, tuple[Test, ...]]:
    try:
        other = fresh()
    except Exception as error:
        return None, (Test("copy.deepcopy(x)", f"{type(error).__name__}: {error}"),)
    if other is value:
        # A copy that is the object itself: only what changes nothing may be tried on it.
        tests = tuple(_gentle(value, code) for code in _GENTLE)
    else:
        tests = tuple(_attempts(fresh))
    return any(test.outcome == "changed" for test in tests), tests


def _gentle(value: Any, code: str) -> Test:
    try:
        exec(code, {"x": value, "first": _first(value)})
    except Exception as error:
        return Test(code, f"{type(error).__name__}: {error}")
    return Test(code, "changed")  # what may be assigned to may be changed


def _attempts(fresh: Callable[[], Any]) -> Iterator[Test]:
    for code in _ATTEMPTS:
        news = _NEW if "new" in code else (None,)
        told = Test(code, "")
        for new in news:
            told = _attempt(code.replace("new", repr(new)) if "new" in code else code, fresh())
            if told.outcome == "changed":
                break
        yield told


def _attempt(code: str, thing: Any) -> Test:
    names = {
        "x": thing,
        "x2": _like(thing),
        "first": _first(thing),
        "name": next((label[1:] for label, _ in look(thing).parts if label[:1] == "."), "?"),
    }
    before = _content(thing)
    try:
        exec(code, names)
    except Exception as error:
        outcome = f"{type(error).__name__}: {error}"
    else:
        outcome = "unchanged"
    if names["x"] is not thing:
        return Test(code, "another object" if outcome == "unchanged" else outcome)
    return Test(code, "changed" if _content(thing) != before else outcome)


def _content(thing: Any) -> Any:
    """Return what an object holds; the parts are kept, so that their addresses stay theirs."""
    found = look(thing)
    parts = [(label, id(part)) for label, part in found.parts]
    # An iterator over an iterator (map, zip) moves when what it draws from does.
    inner = [_content(part) for label, part in found.parts if label == "over"]
    # What C keeps for itself, such as an array its memory, shows in what a copy is made of.
    inside = _pickled(thing) if found.kind in ("opaque", "iterator") else None
    inner = inner if found.kind == "iterator" else []
    return found.text, parts, inside, inner, _Kept(found.parts)


def _pickled(thing: Any) -> bytes | None:
    try:
        return pickle.dumps(thing)
    except Exception:
        return None


class _Kept:
    """Holds parts and is equal to any other: only addresses are compared."""

    def __init__(self, parts: Any) -> None:
        self._parts = parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Kept)

    def __hash__(self) -> int:
        return 0


def _like(thing: Any) -> Any:
    """Return another of the same type with something in it, for `|=`."""
    for made in ({"new": 1}, ["new"]):
        try:
            return type(thing)(made)
        except Exception:
            continue
    return None


def _first(thing: Any) -> Any:
    """Return the first item of what can be walked again; an iterator is not read."""
    try:
        walk = iter(thing)
        return None if walk is thing else next(walk, None)
    except Exception:
        return None


def _deeply_immutable(value: Any, mutable: bool | None) -> bool | None:
    if mutable is not False:
        return None if mutable is None else False
    seen: set[int] = {id(value)}
    queue = [part for _, part in look(value).parts]
    for part in queue:
        if id(part) in seen:
            continue
        seen.add(id(part))
        inner, _ = _mutable(part, lambda part=part: copy.deepcopy(part))
        if inner is not False:
            return None if inner is None else False
        queue += [one for _, one in look(part).parts]
    return True
