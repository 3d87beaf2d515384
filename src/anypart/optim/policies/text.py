"""Policies as people write them: `mixed`, `subsets 10%`, `income | *`, with weights."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from anypart.base.errors import ColumnError, FitError, suggest
from anypart.models.stated import Stated
from anypart.optim.policies.kinds import KINDS, Policy, stated

#: A policy, several of equal weight, or weights by policy.
Written = str | Iterable[str] | Mapping[str, float]

#: Questions of every kind. Corruption is none: a network that has met replaced values trusts
#: the cells of a nearly complete row less, and answers worse what few gaps hold.
MIXED = (Policy("orders", 2.0), Policy("subsets", 1.0), Policy("spans", 1.0))
_WITH_SHARE = ("subsets", "spans", "corruption")
_SHARE = re.compile(r"(?P<kind>.*?)\s+(?P<percent>\d+(?:\.\d+)?)\s*%$")
_NAMES = ("mixed", *(k for k in KINDS if k != "columns"))


def read_policy(written: Written, names: Sequence[str]) -> tuple[Policy, ...]:
    """Read a policy.

    Args:
        written: `orders` (random ones), `one order` (the table's), `subsets`, `spans`,
            `corruption`, each of the last three with a share as in `spans 20%`, `mixed`
            (random orders, subsets and spans together), or a question: asked columns, a bar,
            given columns or `*` for all others, as in `income | *`. Several may be listed, or
            weighted by a mapping.
        names: of the columns.

    Raises:
        FitError: it is none of these, or a weight is not above 0.
        ColumnError: a question names a column that is not there.

    Example:
        >>> read_policy("b, c | *", ["a", "b", "c"])
        (Policy(kind='columns', weight=1.0, share=None, columns=(1, 2), given=None),)
        >>> [p.weight for p in read_policy({"orders": 1, "spans 20%": 3}, ["a"])]
        [1.0, 3.0]
        >>> read_policy("span", ["a"])
        Traceback (most recent call last):
        anypart.base.errors.FitError: There is no policy 'span'; there are mixed, orders, ...

    """
    if isinstance(written, str):
        written = [written]
    weights = written if isinstance(written, Mapping) else dict.fromkeys(written, 1.0)
    if not weights:
        raise FitError("A policy needs at least one question. Write 'mixed' for all kinds.")
    found: list[Policy] = []
    for text, weight in weights.items():
        if not 0 < weight < float("inf"):
            raise FitError(f"The weight of {text!r} is {weight}. Give it a number above 0.")
        parts = _question(text, names) if "|" in text else _kinds(text)
        whole = sum(p.weight for p in parts)
        found += [
            Policy(p.kind, p.weight / whole * weight, p.share, p.columns, p.given) for p in parts
        ]
    return tuple(found)


def read_question(written: str, names: Sequence[str]) -> Stated:
    """Read one question, as `income | *` or `a, b | c`.

    Raises:
        FitError: it is none.
        ColumnError: it names a column that is not there.

    Example:
        >>> read_question("* | b", ["a", "b", "c"])
        Stated(asked=(0, 2), given=(1,))

    """
    if "|" not in written:
        raise FitError(
            f"{written!r} is no question. Write the asked columns, a bar and the given ones, "
            "as 'income | *' or '* | income'."
        )
    (found,) = stated(_question(written, names), len(names))
    return found


def write_question(question: Stated, names: Sequence[str]) -> str:
    """Write a question as people do.

    Example:
        >>> write_question(Stated((0,), (1, 2)), ["a", "b", "c"])
        'a | *'

    """
    whole = len(question.asked) + len(question.given) == len(names)
    if whole and len(question.asked) > len(question.given):
        asked, given = "*", question.given
    else:
        asked, given = ", ".join(names[c] for c in question.asked), question.given
    right = ", ".join(names[c] for c in given)
    return f"{asked} | {'*' if whole and asked != '*' and given else right}".rstrip()


def _kinds(text: str) -> tuple[Policy, ...]:
    kind, share = text.strip(), None
    if match := _SHARE.match(kind):
        kind, share = match["kind"], float(match["percent"]) / 100
    if kind not in _NAMES:
        raise FitError(
            f"There is no policy {text!r}; there are {', '.join(_NAMES)}, and questions as "
            f"'income | *'.{suggest(kind, _NAMES)}"
        )
    if share is not None and (kind not in _WITH_SHARE or not 0 < share <= 1):
        raise FitError(
            f"{text!r} has a share that {kind} does not take. A share is above 0 % and at most "
            f"100 %, of {', '.join(_WITH_SHARE)}."
        )
    return MIXED if kind == "mixed" else (Policy(kind, 1.0, share),)


def _question(text: str, names: Sequence[str]) -> tuple[Policy, ...]:
    left, _, right = text.partition("|")
    given = None if right.strip() == "*" else _columns(right, names, text)
    asked = _columns(left, names, text) if left.strip() != "*" else ()
    if left.strip() == "*":
        asked = tuple(i for i in range(len(names)) if i not in (given or ()))
    if not asked:
        raise FitError(f"{text!r} asks for no column. Write it as 'income | *'.")
    if shared := set(asked) & set(given or ()):
        name = names[min(shared)]
        raise FitError(f"{text!r} asks for {name!r} and gives it. Leave it out on one side.")
    return (Policy("columns", 1.0, None, asked, given),)


def _columns(text: str, names: Sequence[str], question: str) -> tuple[int, ...]:
    known = list(names)
    found: list[int] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        if name not in known:
            raise ColumnError(
                f"{question!r} names the column {name!r}, which is not modelled "
                f"({len(known)} columns are).{suggest(name, known)}"
            )
        found.append(known.index(name))
    return tuple(dict.fromkeys(found))
