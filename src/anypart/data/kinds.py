"""What one column is, decided from its values, with the reason."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anypart.base.errors import DataError
from anypart.data.cells import make_cells
from anypart.data.guess import MAX_CATEGORIES, READABLE, SPANS, Facts, are_names, guess
from anypart.data.schema import Column, Kind
from anypart.data.spelling import Spelling, find_spelling
from anypart.data.values import EXACT, flat, is_text, placed, type_named, words


def column_of(
    name: str,
    values: pa.ChunkedArray | pa.Array,
    wanted: Kind | None,
    n_missing: int,
    missing: Sequence[str] = (),
    *,
    finer: bool = False,
) -> Column:
    """Describe one column from a sample of its values.

    Args:
        name: of the column.
        values: of the sample.
        wanted: the kind that is asked for.
        n_missing: nulls in the whole table.
        missing: words that say "no value".
        finer: cut numbers into more cells, as few columns can have.

    Raises:
        DataError: the values do not allow the kind that is wanted.

    """
    array = flat(values)
    if pa.types.is_floating(array.type):
        nan = pc.is_nan(array)
        array = pc.if_else(nan, pa.scalar(None, array.type), array)
        n_missing += array.null_count - flat(values).null_count
    facts = _facts(name, array, n_missing, missing)
    kind, arrow_type, reason = guess(facts)
    if wanted is not None:
        own = arrow_type.startswith(SPANS) and facts.spelling.is_plain
        if own and wanted in (Kind.BINARY, Kind.CATEGORICAL):
            raise DataError(
                f"column {name!r} cannot be {wanted}: its type is {arrow_type}. Let it be count or "
                "continuous, or give it as text."
            )
        kind, arrow_type = wanted, _type_for(wanted, arrow_type, facts)
        reason = f"{wanted}, as asked"
    spelling = facts.spelling
    if not spelling.is_plain and not kind.numeric:  # they stay the words that they are
        spelling, arrow_type = Spelling(gaps=spelling.gaps), "string"
    column = Column(
        name,
        kind,
        reason + _said_of_gaps(spelling),
        n_missing=facts.missing,
        arrow_type=arrow_type,
        spelling=spelling,
    )
    if kind.numeric:
        return _numeric(column, facts, finer=finer)
    if kind.modelled:
        return _categorical(column, facts, wanted=wanted is not None)
    return column


def _facts(name: str, array: pa.Array, n_missing: int, missing: Sequence[str]) -> Facts:
    """Find the spelling of a column, and take its gaps out."""
    if is_text(array.type):
        spelling = find_spelling(array.drop_null(), READABLE, missing)
    else:
        spelling = Spelling(gaps=tuple(missing))
    values = spelling.without_gaps(array)
    if values.null_count == array.null_count:
        spelling = replace(spelling, gaps=())
    n_missing += values.null_count - array.null_count
    return Facts(name, values.drop_null(), n_missing, spelling)


def _said_of_gaps(spelling: Spelling) -> str:
    if not spelling.gaps:
        return ""
    shown = ", ".join(map(repr, spelling.gaps[:3])) + (", …" if len(spelling.gaps) > 3 else "")
    return f"; {shown} taken as no value"


def _type_for(kind: Kind, guessed: str, facts: Facts) -> str:
    if kind in (Kind.COUNT, Kind.CONTINUOUS) and are_names(facts):
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
            "from text as 2024-12-31, 31.12.2024 or 12/31/2024, times as 2024-12-31 23:59:59; all "
            "of a column in one way."
        )
    if kind == Kind.DATE:
        return "date32[day]"
    if kind == Kind.TIME and guessed.startswith("date"):
        return "timestamp[s]"
    return guessed


def _numeric(column: Column, facts: Facts, *, finer: bool) -> Column:
    x, known = placed(facts.values, column)
    if not known.any():
        example = str(facts.values[0])[:40] if len(facts.values) else "missing"
        raise DataError(
            f"column {column.name!r} cannot be {column.kind}: none of its values can be read as "
            f"such (the first is {example!r})."
        )
    if column.kind == Kind.COUNT:
        x, known = np.rint(x), known & (np.abs(x) < EXACT)
    cells, resolution = make_cells(x[known], finer=finer)
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
