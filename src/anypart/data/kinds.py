"""What one column is, decided from its values, with the reason."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anypart.base.errors import DataError
from anypart.data.cells import distinct, make_cells
from anypart.data.runs import longest_run
from anypart.data.schema import Column, Kind
from anypart.data.values import (
    EXACT,
    beyond_exact,
    flat,
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


_SPANS = ("time32", "time64", "duration")  # numbers only: Arrow cannot read them from text


@dataclass(frozen=True)
class Facts:
    """What is known of one column.

    Args:
        name: of the column.
        values: of the sample, nulls dropped.
        words: the same as text.
        missing: rows of the whole table without a value.

    """

    name: str
    values: pa.Array
    missing: int


def column_of(
    name: str, values: pa.ChunkedArray | pa.Array, wanted: Kind | None, missing: int
) -> Column:
    """Describe one column from a sample of its values.

    Raises:
        DataError: the values do not allow the kind that is wanted.

    """
    array = flat(values)
    if pa.types.is_floating(array.type):
        nan = pc.is_nan(array)
        array = pc.if_else(nan, pa.scalar(None, array.type), array)
        missing += array.null_count - flat(values).null_count
    facts = Facts(name, array.drop_null(), missing)
    kind, arrow_type, reason = _guess(facts)
    if wanted is not None:
        if arrow_type.startswith(_SPANS) and wanted in (Kind.BINARY, Kind.CATEGORICAL):
            raise DataError(
                f"column {name!r} cannot be {wanted}: its type is {arrow_type}. Let it be count or "
                "continuous, or give it as text."
            )
        kind, arrow_type = wanted, _type_for(wanted, arrow_type, facts)
        reason = f"{wanted}, as asked"
    column = Column(name, kind, reason, n_missing=missing, arrow_type=arrow_type)
    if kind.numeric:
        return _numeric(column, facts)
    if kind.modelled:
        return _categorical(column, facts, wanted=wanted is not None)
    return column


def _type_for(kind: Kind, guessed: str, facts: Facts) -> str:
    if kind in (Kind.COUNT, Kind.CONTINUOUS) and _are_names(facts):
        if kind == Kind.CONTINUOUS:
            return "double"
        raise DataError(
            f"column {facts.name!r} cannot be count: its integers reach beyond 2^53, where numbers "
            "are no longer exact. Let it be categorical, text or key, or continuous to round them."
        )
    if kind.numeric and guessed == "string":
        return {Kind.DATE: "date32[day]", Kind.TIME: "timestamp[us]"}.get(kind, "double")
    temporal = guessed.startswith(("date", "timestamp"))
    if kind in (Kind.DATE, Kind.TIME) and not temporal:
        raise DataError(
            f"column {facts.name!r} cannot be {kind}: its values are {guessed}. Dates are read "
            "from text as 2024-12-31, times as 2024-12-31 23:59:59."
        )
    if kind == Kind.DATE:
        return "date32[day]"
    if kind == Kind.TIME and guessed.startswith("date"):
        return "timestamp[s]"
    return guessed


def _guess(facts: Facts) -> tuple[Kind, str, str]:
    """Return the kind, the Arrow type to give back, and why."""
    values = facts.values
    if not len(values):
        return Kind.CONSTANT, "string", "no value in any row"
    arrow_type = _read_as(facts) if is_text(values.type) else _own_type(values.type)
    are_names = _are_names(facts)
    if are_names and arrow_type == "double":
        arrow_type = "string"
    like = type_named(arrow_type)
    spelt = words(values, like)
    n, d = len(values), len(pc.unique(spelt))
    if d == 1:
        return Kind.CONSTANT, arrow_type, f"one value: {spelt[0].as_py()[:40]}"
    if d == 2 and not arrow_type.startswith(_SPANS):
        return Kind.BINARY, arrow_type, "two values"
    if are_names:
        kind, why = _guess_words(spelt, n, d)
        return kind, arrow_type, f"{why}; integers beyond 2^53 are names, not quantities"
    if arrow_type in ("string", "bool"):
        kind, why = _guess_words(spelt, n, d)
        return kind, "string", why
    if arrow_type.startswith("date"):
        return Kind.DATE, arrow_type, f"dates, {d:,} different"
    if arrow_type.startswith("timestamp"):
        return Kind.TIME, arrow_type, f"times, {d:,} different"
    x, known = numbers(values, Kind.CONTINUOUS)
    x = x[known & ~beyond_exact(values)]
    if not len(x):
        return Kind.CONSTANT, arrow_type, "no finite value"
    whole = bool((x == np.rint(x)).all() and np.abs(x).max(initial=0) < EXACT)
    if whole and (why := _key_reason(facts.name, x)):
        return Kind.KEY, arrow_type, why
    left = len(values) - int(known.sum())
    odd = f"; {left:,} infinite or unreadable values are unseen" if left else ""
    if far := int(beyond_exact(values).sum()):
        odd += f"; {far:,} beyond 2^53 are unseen"
    if whole:
        return Kind.COUNT, arrow_type, f"integers, {d:,} different{odd}"
    return Kind.CONTINUOUS, arrow_type, f"numbers, {d:,} different{odd}"


def _are_names(facts: Facts) -> bool:
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
        return "int64" if near == total or not _are_names(facts) else "string"
    if share(_TIME) + share(_DATE) < READABLE:
        return "string"
    readable = np.asarray(pc.is_valid(parsed(word, pa.timestamp("us"))))
    if weight[readable].sum() < READABLE * total:  # such as 2020-13-45
        return "string"
    if share(_DATE) >= READABLE:
        return "date32[day]"
    zoned = share(r"(Z|[+-]\d{2}:?\d{2})$") > 0.5
    return "timestamp[us, tz=UTC]" if zoned else "timestamp[us]"


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


def _numeric(column: Column, facts: Facts) -> Column:
    x, known = numbers(facts.values, column.kind)
    if not known.any():
        example = str(facts.values[0])[:40] if len(facts.values) else "missing"
        raise DataError(
            f"column {column.name!r} cannot be {column.kind}: none of its values can be read as "
            f"such (the first is {example!r})."
        )
    if column.kind == Kind.COUNT:
        x, known = np.rint(x), known & (np.abs(x) < EXACT)
    cells, resolution = make_cells(x[known])
    return replace(column, cells=cells, resolution=resolution)


def _categorical(column: Column, facts: Facts, *, wanted: bool) -> Column:
    spelt = words(facts.values, type_named(column.arrow_type))
    counts = pc.value_counts(spelt)
    weight = np.asarray(counts.field("counts"))
    names = np.asarray(counts.field("values").to_pylist(), object)
    order = np.lexsort((names.astype(str), -weight))
    keep = order[:MAX_CATEGORIES]
    rest = len(order) - len(keep)
    categories = tuple(sorted(names[keep].tolist()))
    reason = column.reason
    if rest:
        reason += f"; {rest:,} rare ones ({int(weight[order[len(keep) :]].sum()):,} rows) are one"
    if column.kind == Kind.BINARY and (len(categories) > 2 or rest):
        raise DataError(
            f"column {column.name!r} cannot be binary: it has {len(order):,} different values."
        )
    return replace(column, categories=categories, has_other=rest > 0, reason=reason)
