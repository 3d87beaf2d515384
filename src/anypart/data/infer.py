"""A stream of rows → a schema: what each column is, with the reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from anypart.base.errors import ColumnError, DataError, suggest
from anypart.data.cells import FEW_COLUMNS
from anypart.data.files.table import Table
from anypart.data.kinds import column_of
from anypart.data.sample import Sample, sample_rows
from anypart.data.schema import Column, Kind, Schema
from anypart.data.verify import verified

KINDS = tuple(k.value for k in Kind)


def infer_schema(
    table: Table,
    overrides: Mapping[str, str] | None = None,
    seed: int = 0,
    missing: Iterable[str] = (),
) -> Schema:
    """Decide what each column of a table is.

    The stream is read once, in constant memory. Everything is decided on a seeded sample
    of at most 200,000 rows (fewer if there are more than 40 columns), which is the whole
    table if it is smaller; missing cells are counted on all rows. What a sample cannot know
    (all values different, no further category) is verified on all rows of a longer table.

    Args:
        table: the training rows.
        overrides: column → kind, where the guess is not wanted; `text` leaves it out.
        seed: of the sample.
        missing: words that say "no value" in any column of text, besides those that every
            text table has (`files.dialect.MISSING`) and those that stand among numbers or
            dates (`spelling.GAP_MARKS`).

    Raises:
        ColumnError: an override of a column that is not there.
        DataError: an override that the values do not allow; no rows; nothing to model.

    """
    wanted = _checked(overrides or {}, table)
    sample = sample_rows(table, seed)
    if not sample.n_rows:
        raise DataError(
            f"{table.name} has {len(table.arrow)} column names and no rows, so there is "
            "nothing to fit. Give a table with at least a few rows."
        )
    marks = tuple(missing)
    few, at = len(table.arrow) <= FEW_COLUMNS, sample.rows.column
    columns = [
        column_of(name, at(i), wanted.get(name), sample.missing[i], marks, finer=few)
        for i, name in enumerate(table.arrow.names)
    ]
    if sample.n_rows > sample.rows.num_rows:
        columns = verified(table, sample, columns, wanted, marks)
    schema = Schema(tuple(_with_gaps(sample, columns)), sample.n_rows)
    if not schema.modelled:
        why = "; ".join(f"{c.name}: {c.kind} ({c.reason})" for c in columns[:5])
        told = "".join(f" Note: {note}." for note in table.notes[:2]).replace("?.", "?")
        raise DataError(
            f"{table.name} has no column that can be modelled: {why}.{told} Give more rows, or "
            "say a column's kind, as in --kind year=categorical, kinds={'year': 'categorical'}."
        )
    return schema


def _with_gaps(sample: Sample, columns: list[Column]) -> Iterator[Column]:
    """Count the gaps of all rows: the sample holds NaN and words that say "no value"."""
    each = sample.n_rows / sample.rows.num_rows
    for column, nulls in zip(columns, sample.missing, strict=True):
        found = nulls + round((column.n_missing - nulls) * each)
        yield replace(column, n_missing=min(found, sample.n_rows))


def _checked(overrides: Mapping[str, str], table: Table) -> dict[str, Kind]:
    names = table.arrow.names
    for name, kind in overrides.items():
        if name not in names:
            raise ColumnError(
                f"{table.name} has no column {name!r} to be {kind} ({len(names)} columns)."
                + suggest(name, names)
            )
        if kind not in KINDS:
            raise DataError(
                f"column {name!r} cannot be {kind!r}: kinds are {', '.join(KINDS)}."
                + suggest(str(kind), KINDS)
            )
    return {name: Kind(kind) for name, kind in overrides.items()}
