"""What two types can do: every operation run on both, with its result or its error."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from anypart.base.errors import LensError

DATA = (3, 2, 3, 7, 8, 1)
_MOST = 60  # characters of a result


@dataclass(frozen=True)
class Outcome:
    """What an operation did to one type.

    Args:
        result: what it gave, as text; of an error its type and message.
        worked: it raised nothing.
        mutated: the object stayed the same one and holds something else.
        rebound: the name `x` leads to another object afterwards.

    """

    result: str
    worked: bool
    mutated: bool
    rebound: bool

    def __str__(self) -> str:
        """Write it in a few words."""
        said = " (mutated)" if self.mutated else " (another object)" if self.rebound else ""
        return self.result + said


@dataclass(frozen=True)
class Operation:
    """One operation on each type.

    Args:
        group: reading, making, changing, comparing, or asking about memory.
        code: with `x` for the object and `y` for another with one item.
        outcomes: type's name → what it did.

    """

    group: str
    code: str
    outcomes: dict[str, Outcome]

    @property
    def shared(self) -> bool:
        """Say whether it works on all of the types."""
        return all(outcome.worked for outcome in self.outcomes.values())

    @property
    def differs(self) -> bool:
        """Say whether it works on some only, changes some only, or is true of some only."""
        told = self.outcomes.values()
        truths = {o.result if o.result in ("True", "False") else "" for o in told}
        return len({(o.worked, o.mutated, o.rebound) for o in told}) > 1 or len(truths) > 1


@dataclass(frozen=True)
class Operations:
    """A table of operations.

    Args:
        types: names, in the order asked.
        rows: operations.

    """

    types: tuple[str, ...]
    rows: tuple[Operation, ...]

    def __iter__(self) -> Iterator[Operation]:
        """Go through the operations."""
        return iter(self.rows)

    def of(self, code: str) -> Operation:
        """Return one operation.

        Raises:
            KeyError: one that was not run.

        """
        for row in self.rows:
            if row.code == code:
                return row
        raise KeyError(code)

    def __str__(self) -> str:
        """Write it as a table in text."""
        lines = [f"  {'':26} " + " ".join(f"{name:44}" for name in self.types).rstrip()]
        for at, row in enumerate(self.rows):
            if not at or self.rows[at - 1].group != row.group:
                lines.append(f"{row.group}:")
            cells = " ".join(f"{str(row.outcomes[name])[:44]:44}" for name in self.types)
            lines.append(f"{'≠' if row.differs else ' '} {row.code:26} {cells}".rstrip())
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


_CODES = {
    "read": (
        "x[0]|x[-1]|x[1:3]|x[::-1]|len(x)|3 in x|min(x)|sum(x)|list(enumerate(x))[:1]"
        "|[n for n in x]|first, *rest = x|next(iter(x))|next(x)|x.count(3)|x.index(7)"
    ),
    "make another": (
        "x + y|x * 2|sorted(x)|list(reversed(x))|list(x)|tuple(x)|x.copy()|x[:]|(*x, 5)"
    ),
    "change": (
        "x[0] = 9|x[1:3] = [9]|del x[0]|x.append(9)|x.extend(y)|x.insert(0, 9)|x.remove(3)|x.pop()"
        "|x.pop(0)|x.sort()|x.reverse()|x.clear()|x += y|x *= 2|x.label = 1"
    ),
    "compare and key": "x == type(x)(x)|x < y|x is x[:]|hash(x)|{x: 1}|x == tuple(x)|x == list(x)",
    "memory": "x.__sizeof__()|type(x)().__sizeof__()",
}


def operations(*types: Callable[[Any], Any]) -> Operations:
    """Run every operation on each type and set the results side by side.

    Args:
        types: made from an iterable; list and tuple if none is given.

    Returns:
        One row for each operation: a fixed set, and each public method that one of the types
        has besides.

    Raises:
        LensError: a type that cannot be made from six integers.

    Example:
        >>> table = operations(list, tuple)
        >>> str(table.of("x += y").outcomes["list"]), str(table.of("x += y").outcomes["tuple"])
        ('None (mutated)', 'None (another object)')
        >>> print(table.of("x[0] = 9").outcomes["tuple"])
        TypeError: 'tuple' object does not support item assignment

    """
    makers = types or (list, tuple)
    names = [getattr(make, "__name__", repr(make)) for make in makers]
    for name, make in zip(names, makers, strict=True):
        try:
            make(DATA)
        except Exception as error:
            raise LensError(
                f"{name}({DATA}) raises {type(error).__name__}: {error}. Give types that are made "
                "from an iterable of integers, as list and tuple are."
            ) from None
    rows = [
        Operation(group, code, _outcomes(names, makers, code))
        for group, codes in _all_codes(makers)
        for code in codes
    ]
    return Operations(tuple(names), tuple(rows))


def _all_codes(makers: Sequence[Callable[[Any], Any]]) -> Iterator[tuple[str, list[str]]]:
    known = "|".join(_CODES.values())
    for group, codes in _CODES.items():
        if group != "memory":
            yield group, codes.split("|")
    more = sorted(
        {name for make in makers for name in dir(make(DATA)) if not name.startswith("_")}
        - {name for name in dir(list) if f"x.{name}(" in known}
    )
    yield "other methods", [code for name in more if (code := _method_code(makers, name))]
    yield "memory", _CODES["memory"].split("|")


def _method_code(makers: Sequence[Callable[[Any], Any]], name: str) -> str:
    """Find arguments that a method takes, those first with which it changes something."""
    codes = [f"x.{name}({args})" for args in ("", "3", "9", "y", "0, 9")]
    runs = [(code, _run(make, code)) for code in codes for make in makers]
    taken = [(code, told) for code, told in runs if told.worked]
    changing = [code for code, told in taken if told.mutated]
    return (changing or [code for code, _ in taken] or codes)[0]


def _outcomes(
    names: Sequence[str], makers: Sequence[Callable[[Any], Any]], code: str
) -> dict[str, Outcome]:
    return {name: _run(make, code) for name, make in zip(names, makers, strict=True)}


def _run(make: Callable[[Any], Any], code: str) -> Outcome:
    thing = make(DATA)
    before = list(thing)
    names: dict[str, Any] = {"x": thing, "y": make((5,))}
    try:
        try:
            result = repr(eval(compile(code, "<operation>", "eval"), names))
        except SyntaxError:
            exec(compile(code, "<operation>", "exec"), names)
            result = repr(None)
    except Exception as error:
        result, worked = f"{type(error).__name__}: {error}", False
    else:
        worked = True
    rebound = names["x"] is not thing
    short = result if len(result) <= _MOST else result[: _MOST - 1] + "…"
    return Outcome(short, worked, list(thing) != before, rebound)


NEEDS = {
    "append": ("x.append(9)", "items are added at the end"),
    "change": ("x[0] = 9", "items are replaced"),
    "remove": ("del x[0]", "items are taken away"),
    "sort": ("x.sort()", "it is put in order in place"),
    "key": ("hash(x)", "it is a key of a dictionary or an item of a set"),
    "index": ("x[0]", "items are asked for by position"),
    "walk": ("[n for n in x]", "items are walked"),
    "fixed": ("x[0] = 9", "nobody may change it"),
}


@dataclass(frozen=True)
class Recommendation:
    """Which type to take, and why.

    Args:
        type: its name; empty if none of the types does all that is needed.
        reasons: a sentence each, from what was tried and measured.

    """

    type: str
    reasons: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        """Write it as text."""
        return "\n".join([self.type or "neither", *(f"  {reason}" for reason in self.reasons)])


def recommend(*needs: str) -> Recommendation:
    """Choose between list and tuple by trying what is needed on both.

    Args:
        needs: any of append, change, remove, sort, key, index, walk, fixed.

    Raises:
        LensError: a need that is not known.

    Example:
        >>> print(recommend("append", "index"))
        list
          tuple is out: items are added at the end (x.append(9)) raises AttributeError
        >>> recommend("key", "index").type, recommend("append", "key").type
        ('tuple', '')

    """
    unknown = [need for need in needs if need not in NEEDS]
    if unknown:
        raise LensError(f"the need {unknown[0]!r} is not known. There are {', '.join(NEEDS)}.")
    table = operations(list, tuple)
    left = list(table.types)
    reasons: list[str] = []
    for need in needs:
        code, words = NEEDS[need]
        for name, outcome in table.of(code).outcomes.items():
            if outcome.worked == (need == "fixed"):
                error = "works" if outcome.worked else f"raises {outcome.result.partition(':')[0]}"
                reasons.append(f"{name} is out: {words} ({code}) {error}")
                left = [other for other in left if other != name]
    if len(left) == 2:
        sizes = {name: int(table.of("x.__sizeof__()").outcomes[name].result) for name in left}
        left = sorted(left, key=lambda name: sizes[name])[:1]
        said = ", ".join(f"{name} {size}" for name, size in sizes.items())
        reasons.append(f"both do it; of the same six items the bytes are {said}")
    return Recommendation(left[0] if left else "", tuple(dict.fromkeys(reasons)))
