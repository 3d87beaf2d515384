"""What a column of a sample of values most likely is, with the reason."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anypart.data.cells import distinct
from anypart.data.runs import longest_run
from anypart.data.schema import Kind
from anypart.data.spelling import PLAIN, Spelling
from anypart.data.values import (
    EXACT,
    beyond_exact,
    is_text,
    numbers,
    parsed,
    type_named,
    words,
)

MAX_CATEGORIES = 250  # with the bin of rare ones and the mark of unseen cells: one byte
READABLE = 0.99  # share of a text column's values that must be numbers for it to be numeric
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?([iI]nf(inity)?|INF)$"
_LEADING_ZERO = r"^[+-]?0\d"
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_TIME = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?$"
_KEY_NAME = re.compile(r"(^|_|\b)(id|key|uuid|guid|index|rowid|row_id)$", re.IGNORECASE)
SPANS = ("time32", "time64", "duration")  # numbers only: Arrow cannot read them from text


@dataclass(frozen=True)
class Facts:
    """What is known of one column.

    Args:
        name: of the column.
        values: of the sample, nulls dropped.
        missing: rows of the whole table without a value.
        spelling: how text stands for the values.

    """

    name: str
    values: pa.Array
    missing: int
    spelling: Spelling = PLAIN


def guess(facts: Facts) -> tuple[Kind, str, str]:
    """Return the kind, the Arrow type to give back, and why."""
    values = facts.values
    if not len(values):
        return Kind.CONSTANT, "string", "no value in any row"
    arrow_type = _read_as(facts) if is_text(values.type) else _own_type(values.type)
    names = are_names(facts)
    if names and arrow_type == "double":
        arrow_type = "string"
    plain = facts.spelling.is_plain
    spelt = words(values, type_named(arrow_type)) if plain else values
    n, d = len(values), len(pc.unique(spelt))
    if d == 1:
        return Kind.CONSTANT, arrow_type, f"one value: {' '.join(spelt[0].as_py().split())[:40]}"
    if d == 2 and not arrow_type.startswith(SPANS):
        return Kind.BINARY, arrow_type, "two values"
    if names:
        kind, why = _guess_words(spelt, n, d)
        return kind, arrow_type, f"{why}; integers beyond 2^53 are names, not quantities"
    if arrow_type in ("string", "bool"):
        kind, why = _guess_words(spelt, n, d)
        return kind, "string", why
    if arrow_type.startswith("date"):
        return Kind.DATE, arrow_type, f"dates, {d:,} different{_said_of_form(facts)}"
    if arrow_type.startswith("timestamp"):
        return Kind.TIME, arrow_type, f"times, {d:,} different{_said_of_form(facts)}"
    x, known = numbers(values, Kind.CONTINUOUS, facts.spelling)
    x = x[known & ~beyond_exact(values)]
    if not len(x):
        return Kind.CONSTANT, arrow_type, "no finite value"
    whole = bool((x == np.rint(x)).all() and np.abs(x).max(initial=0) < EXACT)
    if whole and (why := _key_reason(facts.name, x)):
        return Kind.KEY, arrow_type, why
    left = len(values) - int(known.sum())
    odd = _said_of_form(facts)
    odd += f"; {left:,} infinite or unreadable values are unseen" if left else ""
    if far := int(beyond_exact(values).sum()):
        odd += f"; {far:,} beyond 2^53 are unseen"
    if whole:
        return Kind.COUNT, arrow_type, f"integers, {d:,} different{odd}"
    return Kind.CONTINUOUS, arrow_type, f"numbers, {d:,} different{odd}"


def _said_of_form(facts: Facts) -> str:
    spelling = facts.spelling
    if spelling.is_plain:
        return ""
    swapped = re.sub("%[dm]", lambda m: "%m" if m[0] == "%d" else "%d", spelling.pattern)
    other = replace(spelling, pattern=swapped)
    said = f", written as {spelling}"
    if "%m" not in swapped or swapped in (spelling.pattern, "%Y%d%m"):
        return said
    both = pc.all(pc.is_valid(other.read(pc.unique(facts.values)))).as_py()
    return f"{said} (no day is beyond 12, so it could be {other})" if both else said


def are_names(facts: Facts) -> bool:
    """Whether more than stray values are integers that no double tells from their neighbours."""
    far = beyond_exact(facts.values)
    return bool(len(far)) and float(far.mean()) > 1 - READABLE


def _own_type(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "double"
    if pa.types.is_date(kind):
        return "date32[day]"
    if pa.types.is_null(kind):
        return "string"
    return str(kind)


def _read_as(facts: Facts) -> str:
    """Find what a column of text holds: the type that nearly all its values can be read as."""
    if not facts.spelling.is_plain:
        return _type_of_spelling(facts.spelling)
    counts = pc.value_counts(facts.values)
    word, weight = counts.field("values"), np.asarray(counts.field("counts"))
    total = weight.sum()

    def share(pattern: str) -> float:
        return float(weight[np.asarray(pc.match_substring_regex(word, pattern))].sum() / total)

    if share(_NUMBER) >= READABLE:
        if share(_LEADING_ZERO) > 0:  # codes such as 02139 are names, not numbers
            return "string"
        if not pc.all(pc.match_substring_regex(word, r"^[+-]?\d+$")).as_py():
            return "double"
        near = weight[np.asarray(pc.is_valid(parsed(word, pa.int64())))].sum()
        return "int64" if near == total or not are_names(facts) else "string"
    if share(_TIME) + share(_DATE) < READABLE:
        return "string"
    readable = np.asarray(pc.is_valid(parsed(word, pa.timestamp("us"))))
    if weight[readable].sum() < READABLE * total:  # such as 2020-13-45
        return "string"
    if share(_DATE) >= READABLE:
        return "date32[day]"
    zoned = share(r"(Z|[+-]\d{2}:?\d{2})$") > 0.5
    return "timestamp[us, tz=UTC]" if zoned else "timestamp[us]"


def _type_of_spelling(spelling: Spelling) -> str:
    """Say what a spelling that is not plain is read as."""
    if spelling.is_clock:
        return "time32[s]"
    if "%H" in spelling.pattern or "%I" in spelling.pattern:
        return "timestamp[s]"
    return "date32[day]" if spelling.pattern else "int64" if spelling.places == 0 else "double"


def _guess_words(spelt: pa.Array, n: int, d: int) -> tuple[Kind, str]:
    if d == n and n >= 20:
        return Kind.KEY, f"all {n:,} values different"
    counts = np.sort(np.asarray(pc.value_counts(spelt).field("counts")))[::-1]
    if d > MAX_CATEGORIES and counts[:MAX_CATEGORIES].sum() < n / 2:
        return Kind.TEXT, f"{d:,} different values in {n:,} rows, few of them often"
    if n >= 20 and counts[counts > 1].sum() < n / 2:
        return Kind.TEXT, f"{d:,} different values in {n:,} rows, most of them once"
    return Kind.CATEGORICAL, f"{d:,} different values"


def _key_reason(name: str, x: np.ndarray) -> str:
    """Say why integers are ids rather than quantities, or nothing.

    All different is not enough: a wide quantity in few rows is. Beyond that it takes one
    dense run, ascending order, a name, or a range so narrow for so many rows that chance
    would have repeated some (the birthday bound n² / 2·range).
    """
    n = len(x)
    if n < 20 or np.abs(x).max() >= EXACT:
        return ""
    if len(distinct(x)[0]) < n:
        return ""
    if longest_run(x.astype(np.int64)).length == n:
        return f"one run of integers, {int(x.min())} to {int(x.max())}, each once"
    if _KEY_NAME.search(name):
        return "all values different, and named like a key"
    if n >= 100 and (np.diff(x) > 0).all():
        return "integers that ascend from row to row"
    if n * n / (2 * (np.ptp(x) + 1)) > 20:
        return "integers that are all different, as chance would not leave them"
    return ""
