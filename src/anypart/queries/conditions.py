"""The grammar of conditions: the same strings in the shell and in Python → `Condition`s.

::

    conditions := clause (" and " clause)*          all of them hold together
    clause     := column op value                   op: = == != < <= > >=
                | value op column [op value]        30 <= age < 40
                | column ["not"] "in" "(" value ("," value)* ")"

Values with commas, brackets or operators stand in quotes, as do such column names. Python
also takes a mapping from column to a value, a list or set of values, or a pair (low, high)
of numbers or dates, both ends included, None for no bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from anypart.base.errors import QuestionError

_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_OPERATOR = re.compile(
    rf"(?P<quoted>{_QUOTED})|(?P<set>\s+(?:not\s+)?in\s*(?=\())|(?P<op><=|>=|!=|==|=|<|>)",
    re.IGNORECASE,
)
_AND = re.compile(rf"(?P<quoted>{_QUOTED})|(?P<open>\()|(?P<close>\))|\s+and\s+", re.IGNORECASE)
_ITEM = re.compile(rf"\s*(?P<value>{_QUOTED}|[^,]*?)\s*(?:,|$)")
_MISSING = re.compile(r"\s+is\s+(?:not\s+)?(?:missing|null|none|na|nan)\s*$", re.IGNORECASE)
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SHAPES = "Write it as 'age > 50', '30 <= age < 40', 'sex = Female' or 'country in (Peru, Chile)'."


@dataclass(frozen=True)
class Condition:
    """One thing said about one column.

    Args:
        column: its name.
        op: `=`, `!=`, `<`, `<=`, `>`, `>=`, `in` or `not in`.
        values: one value, or the members of the set.

    """

    column: str
    op: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        """Spell it in the grammar."""
        if self.op in ("in", "not in"):
            return f"{self.column} {self.op} ({', '.join(map(_spell, self.values))})"
        return f"{self.column} {self.op} {_spell(self.values[0])}"


#: What a question accepts as conditions.
Given = str | Iterable[str | Condition] | Mapping[str, Any] | None


def parse_conditions(given: Given, names: Iterable[str]) -> tuple[Condition, ...]:
    """Read conditions in any of their forms.

    Args:
        given: a string, several strings, a mapping, or None.
        names: the columns there are; they tell `50 < age` from `age < 50`.

    Raises:
        QuestionError: a part that is not in the grammar.

    Example:
        >>> [str(c) for c in parse_conditions("30 <= age < 40 and sex=Female", ["age", "sex"])]
        ['age >= 30', 'age < 40', 'sex = Female']
        >>> parse_conditions("age is missing", ["age"])
        Traceback (most recent call last):
        anypart.base.errors.QuestionError: 'age is missing' asks for a gap, and a gap is not ...

    """
    known = list(names)
    if given is None:
        return ()
    if isinstance(given, Mapping):
        return tuple(c for name, value in given.items() for c in _of_value(str(name), value))
    texts = [given] if isinstance(given, str) else list(given)
    found: list[Condition] = []
    for text in texts:
        if isinstance(text, Condition):
            found.append(text)
            continue
        for clause in _clauses(text):
            found.extend(_parse_clause(clause, known))
    return tuple(found)


def _clauses(text: object) -> list[str]:
    """Split at every `and` outside quotes and brackets that a clause follows."""
    if not isinstance(text, str):
        raise QuestionError(f"A condition is a string, not {text!r}. {_SHAPES}")
    cuts: list[tuple[int, int]] = []
    depth = 0
    for match in _AND.finditer(text):
        if match["open"]:
            depth += 1
        elif match["close"]:
            depth = max(depth - 1, 0)
        elif not match["quoted"] and depth == 0:
            cuts.append(match.span())
    parts: list[str] = []
    start = 0
    for begin, end in cuts:
        # 'name = Black and White' is one clause: what follows has no operator.
        following = text[end : next((b for b, _ in cuts if b > begin), len(text))]
        if _operators(following) or _MISSING.search(following):
            parts.append(text[start:begin])
            start = end
    return [*parts, text[start:]]


def _operators(clause: str) -> list[re.Match[str]]:
    return [m for m in _OPERATOR.finditer(clause) if not m["quoted"]]


def _parse_clause(clause: str, names: list[str]) -> list[Condition]:
    if _MISSING.search(clause):
        raise QuestionError(
            f"{clause.strip()!r} asks for a gap, and a gap is not a value that p(row) knows: an "
            "empty cell is an unseen cell. Leave the column out of the conditions, or sample "
            "with_missing to get rows with gaps."
        )
    clause = _known_first(clause, names)
    ops = _operators(clause)
    _require_no_or(clause, ops, names)
    if not ops:
        raise QuestionError(f"{clause.strip()!r} is not a condition. {_SHAPES}")
    first = ops[0]
    left, right = clause[: first.start()], clause[first.end() :]
    if first["set"]:
        op = "not in" if "not" in first["set"].lower() else "in"
        return [Condition(_unquote(left), op, _members(right, clause))]
    if chained := _chain(clause, ops, names):
        return chained
    op = "=" if first["op"] == "==" else first["op"]
    name, value = _unquote(left), _unquote(right)
    if op in _FLIPPED and name not in names and value in names:
        name, value, op = value, name, _FLIPPED[op]
    if not name or not value:
        raise QuestionError(f"{clause.strip()!r} lacks a column or a value. {_SHAPES}")
    return [Condition(name, op, (value,))]


def _known_first(clause: str, names: list[str]) -> str:
    """Put a column's name that holds an operator itself in quotes, where it begins a clause."""
    text = clause.strip()
    for name in sorted(names, key=len, reverse=True):
        after = text[len(name) :]
        if text.startswith(name) and _operators(name) and _OPERATOR.match(after.lstrip()):
            return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' + after
    return clause


def _require_no_or(clause: str, ops: list[re.Match[str]], names: list[str]) -> None:
    """Refuse `sex = Female or sex = Male`: its value would be all that follows the first `=`."""
    for before, op in pairwise(ops):
        left, either, name = clause[before.end() : op.start()].rpartition(" or ")
        if either and _unquote(name) in names:
            raise QuestionError(
                f"{clause.strip()!r} joins conditions by 'or', and only 'and' is known. For "
                f"several values of a column write '{_unquote(name)} in ({left.strip()}, …)', "
                "for a range '30 <= age < 40'."
            )


def _chain(clause: str, ops: list[re.Match[str]], names: list[str]) -> list[Condition]:
    """Read `low <= column < high`; nothing if the clause is not of that shape."""
    if len(ops) < 2 or ops[0]["op"] not in _FLIPPED or ops[1]["op"] not in _FLIPPED:
        return []
    name = _unquote(clause[ops[0].end() : ops[1].start()])
    low, high = _unquote(clause[: ops[0].start()]), _unquote(clause[ops[1].end() :])
    if name not in names and low in names:
        return []
    return [Condition(name, _FLIPPED[ops[0]["op"]], (low,)), Condition(name, ops[1]["op"], (high,))]


def _members(text: str, clause: str) -> tuple[str, ...]:
    body = text.strip()
    if not (body.startswith("(") and body.endswith(")")):
        raise QuestionError(f"The set of {clause.strip()!r} is not closed by a bracket. {_SHAPES}")
    inner = body[1:-1]
    values = [_unquote(m["value"]) for m in _ITEM.finditer(inner) if m["value"]]
    if not values:
        raise QuestionError(f"The set of {clause.strip()!r} is empty, so no row meets it.")
    return tuple(values)


def _unquote(text: str) -> str:
    text = text.strip()
    if re.fullmatch(_QUOTED, text):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _spell(value: Any) -> str:
    text = str(value)
    plain = text == text.strip() and not re.search(r"[,()<>=!\"']|\s+and\s+", text) and text
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _of_value(name: str, value: Any) -> list[Condition]:
    """Read one entry of a mapping."""
    if value is None:
        raise QuestionError(
            f"The condition on {name!r} is None, and a gap is not a value that p(row) knows. "
            "Leave the column out of the conditions."
        )
    if isinstance(value, tuple):
        if len(value) != 2 or value == (None, None):
            raise QuestionError(
                f"The condition on {name!r} is a tuple of {len(value)}; a range is "
                "(low, high), None for no bound. For a set of values give a list."
            )
        bounds = zip((">=", "<="), value, strict=True)
        return [Condition(name, op, (bound,)) for op, bound in bounds if bound is not None]
    if isinstance(value, list | set | frozenset):
        if not value:
            raise QuestionError(f"The set of values of {name!r} is empty, so no row meets it.")
        return [Condition(name, "in", tuple(value))]
    return [Condition(name, "=", (value,))]
