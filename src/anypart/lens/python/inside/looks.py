"""What one object is made of, found without running a line of the snippet's code.

Nothing here calls `repr`, `len`, `==` or an attribute that a snippet could have written:
types are asked through `type`, contents through the built-in type's own methods.
"""

from __future__ import annotations

import gc
import opcode
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import count, repeat
from typing import Any, NamedTuple

from .kinds import Part, attributes, is_built_in, is_own, of_type, static, type_name

MOST_TEXT = 120  # characters of one value
_BIG = 2**200  # an integer beyond is told by its size: its digits would take long


class Look(NamedTuple):
    """What an object is made of.

    Args:
        kind: atom, sequence, mapping, set, instance, function, class, iterator or opaque.
        text: what is said of it in a few words; for an atom its value.
        parts: (label, object) pairs, in order.

    """

    kind: str
    text: str
    parts: list[Part]


def atom_text(value: Any) -> str:
    r"""Write a number, a string or another value without parts.

    Example:
        >>> atom_text("it's"), atom_text(10**1000), atom_text(True)
        ('"it\'s"', '<int of 3322 bits>', 'True')

    """
    kind: Any = type(value)
    if kind is int and abs(value) > _BIG:
        return f"<int of {value.bit_length()} bits>"
    if kind in (str, bytes, bytearray) and len(value) > MOST_TEXT:
        return f"{value[: MOST_TEXT - 20]!r}… ({len(value):,} long)"
    return repr(value)[:MOST_TEXT]


ATOMS = frozenset(
    (type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented))
)
_NAMES = """
array.array datetime.date datetime.datetime datetime.time datetime.timedelta
datetime.timezone decimal.Decimal memoryview re.Pattern
"""
_PLAIN_REPR = frozenset(_NAMES.split())  # C types whose repr runs no code of anybody else's
DATA = ATOMS | {list, tuple, dict, set, frozenset, bytearray}


def look(thing: Any) -> Look:
    """Say what an object is made of; its own code, if it has any, does not run."""
    kind = type(thing)
    if kind in ATOMS:
        return Look("atom", atom_text(thing), [])
    for base in of_type(kind, "__mro__"):
        how = _HOW.get(base)
        if how is not None:
            found = how(thing)
            own = [] if kind is base or base in _OWN_ATTRIBUTES else attributes(thing)
            return found._replace(parts=found.parts + own) if own else found
    name = type_name(kind)
    if name in _PLAIN_REPR:
        return Look("atom", repr(thing)[:MOST_TEXT], [])
    enum_name = _enum_name(thing)
    if enum_name:
        return Look("atom", enum_name, [])
    if _is_iterator(kind):
        return Look("iterator", _position(thing), _inner(thing))
    parts = attributes(thing)
    return Look("instance" if parts or is_own(kind) else "opaque", "", parts)


def _enum_name(thing: Any) -> str:
    kind = type(thing)
    if any(type_name(base) == "enum.Enum" for base in of_type(kind, "__mro__")):
        stored = dict(attributes(thing))
        return f"{of_type(kind, '__name__')}.{stored.get('._name_', '?')}"
    return ""


def _sequence(walk: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Look]:
    def how(thing: Any) -> Look:
        fields = static(type(thing), "_fields") if type(thing) is not tuple else None
        labels = (
            map(str, fields)
            if type(fields) is tuple and len(fields) == tuple.__len__(thing)
            else map(str, count())
        )
        return Look("sequence", "", list(zip(labels, walk(thing), strict=False)))

    return how


def _set(walk: Callable[[Any], Iterable[Any]]) -> Callable[[Any], Look]:
    return lambda thing: Look("set", "", list(zip(repeat(""), walk(thing), strict=False)))


def short(thing: Any) -> str:
    """Write a value in a few words; tuples of atoms in full, what has parts by its type."""
    kind = type(thing)
    if kind in ATOMS:
        return atom_text(thing)
    if kind is tuple and len(thing) <= 6:
        inner = ", ".join(map(short, thing))
        return f"({inner},)" if len(thing) == 1 else f"({inner})"
    return _enum_name(thing) or f"<{of_type(kind, '__name__')}>"


def _mapping(thing: Any) -> Look:
    parts: list[Part] = []
    walk = OrderedDict.items if OrderedDict in of_type(type(thing), "__mro__") else dict.items
    for key, value in walk(thing):
        if type(key) not in ATOMS:
            parts.append((f"key {short(key)}", key))
        parts.append((short(key), value))
    return Look("mapping", "", parts)


def _function(thing: types.FunctionType) -> Look:
    code = thing.__code__
    n_args = code.co_argcount
    names = code.co_varnames
    defaults = thing.__defaults__ or ()
    parts: list[Part] = [
        (f"{name}=", value)
        for name, value in zip(names[n_args - len(defaults) : n_args], defaults, strict=False)
    ]
    parts += [(f"{name}=", value) for name, value in (thing.__kwdefaults__ or {}).items()]
    for name, cell in zip(code.co_freevars, thing.__closure__ or (), strict=False):
        try:
            parts.append((f"closure {name}", cell.cell_contents))
        except ValueError:
            continue  # not bound yet
    parts += [(f".{name}", value) for name, value in thing.__dict__.items()]
    given = ", ".join(names[: n_args + code.co_kwonlyargcount])
    return Look("function", f"{thing.__name__}({given})", parts)


def _class(thing: type) -> Look:
    if not is_own(thing):
        return Look("atom", f"<class {type_name(thing)}>", [])
    stored = of_type(thing, "__dict__")
    parts = [
        (f".{name}", value)
        for name, value in stored.items()
        if (not name.startswith("__") or name == "__init__")
        and type(value) not in (types.MemberDescriptorType, types.GetSetDescriptorType)
    ]
    name = of_type(thing, "__name__")
    above = [base for base in of_type(thing, "__bases__") if base is not object]
    bases = ", ".join(of_type(base, "__name__") for base in above)
    return Look("class", f"{name}({bases})" if bases else name, parts)


def _method(thing: types.MethodType) -> Look:
    return Look(
        "function", short_name(thing), [("self", thing.__self__), ("function", thing.__func__)]
    )


def short_name(thing: Any) -> str:
    """Return the name of a bound method, as its function has it."""
    function = thing.__func__
    return function.__name__ if type(function) is types.FunctionType else ""


def _builtin(thing: types.BuiltinFunctionType) -> Look:
    owner = thing.__self__
    bound = owner is not None and type(owner) is not types.ModuleType
    return Look("function", thing.__name__, [("self", owner)] if bound else [])


def _suspended(prefix: str) -> Callable[[Any], Look]:
    """Look into a generator or coroutine: where it stands, and its local names."""

    def how(thing: Any) -> Look:
        name, frame = thing.__name__, getattr(thing, f"{prefix}_frame")
        if frame is None:
            return Look("iterator", f"{name}: finished", [])
        if getattr(thing, f"{prefix}_running"):
            return Look("iterator", f"{name}: running", [])
        where = f"paused at line {frame.f_lineno}" if _started(frame) else "not started"
        parts = [(k, v) for k, v in frame.f_locals.items() if not k.startswith(".")]
        inner = getattr(thing, "gi_yieldfrom" if prefix == "gi" else f"{prefix}_await")
        return Look("iterator", f"{name}: {where}", parts + ([("from", inner)] if inner else []))

    return how


def _started(frame: types.FrameType) -> bool:
    code, at = frame.f_code.co_code, frame.f_lasti
    return _MADE not in (code[at], code[at - 2])  # 3.13 stands one instruction further


_MADE = opcode.opmap["RETURN_GENERATOR"]


def _is_iterator(kind: type) -> bool:
    return is_built_in(kind) and static(kind, "__next__") is not None


def _position(thing: Any) -> str:
    """Say how far a built-in iterator has come, where it tells."""
    name = type_name(type(thing))
    if name in ("list_iterator", "tuple_iterator", "str_iterator", "str_ascii_iterator"):
        state = thing.__reduce__()
        if len(state) == 3:
            return f"next index {state[2]}"
        return "exhausted"
    hint = static(type(thing), "__length_hint__")
    return f"{hint(thing)} left" if hint is not None else ""


def _inner(thing: Any) -> list[Part]:
    found = gc.get_referents(thing)
    if type(thing) in (map, zip, enumerate):  # they keep their iterators in a tuple of their own
        found = [*found, *(one for some in found if type(some) is tuple for one in some)]
        found = [one for one in found if _is_iterator(type(one))]
    skipped = (type, types.ModuleType, types.CodeType)
    return [("over", one) for one in found if type(one) not in skipped]


def _exception(thing: BaseException) -> Look:
    args = BaseException.__dict__["args"].__get__(thing)
    parts: list[Part] = [(f"args {i}", one) for i, one in enumerate(args)]
    for name in ("__cause__", "__context__"):
        other = BaseException.__dict__[name].__get__(thing)
        if other is not None:
            parts.append((name, other))
    return Look("instance", "", parts)


def _referents(thing: Any) -> Look:
    return Look("opaque", "", _inner(thing))


def _partial(thing: Any) -> Look:
    parts: list[Part] = [("function", thing.func)]
    parts += [(f"args {i}", one) for i, one in enumerate(thing.args)]
    parts += [(f"{name}=", one) for name, one in thing.keywords.items()]
    return Look("function", "partial", parts)


def _plain(kind: str, text: Callable[[Any], str]) -> Callable[[Any], Look]:
    return lambda thing: Look(kind, text(thing), [])


_HOW: dict[type, Callable[[Any], Look]] = {
    list: _sequence(list.__iter__),
    tuple: _sequence(tuple.__iter__),
    deque: _sequence(deque.__iter__),
    dict: _mapping,
    set: _set(set.__iter__),
    frozenset: _set(frozenset.__iter__),
    bytearray: _plain("sequence", lambda one: atom_text(bytearray(memoryview(one)))),
    slice: _plain("atom", lambda one: f"slice({short(one.start)}, {short(one.stop)}, …)"),
    types.FunctionType: _function,
    types.MethodType: _method,
    types.BuiltinFunctionType: _builtin,
    types.ModuleType: _plain("atom", lambda one: f"<module {one.__dict__.get('__name__')}>"),
    types.GeneratorType: _suspended("gi"),
    types.CoroutineType: _suspended("cr"),
    types.AsyncGeneratorType: _suspended("ag"),
    types.MappingProxyType: _referents,
    type({}.keys()): _referents,
    type({}.values()): _referents,
    type({}.items()): _referents,
    staticmethod: _referents,
    classmethod: _referents,
    property: _referents,
    partial: _partial,
    BaseException: _exception,
    type: _class,
}
_OWN_ATTRIBUTES = frozenset((type, types.FunctionType, types.ModuleType, types.MethodType))
