"""What a sample says of a long table, held against every row.

Two verdicts on a sample can be wrong about the table: that all values are different, and
that these are all the values there are. Every row is looked at once more; a column whose
verdict does not hold is decided again on its sample and the counterexamples.
"""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from anypart.data.cells import FEW_COLUMNS
from anypart.data.files.table import Table
from anypart.data.kinds import column_of
from anypart.data.sample import Sample
from anypart.data.schema import Column, Kind
from anypart.data.values import flat, type_named, words

MEMORY = "256MB"  # of DuckDB; beyond, it sorts on disk
LOOKED_AT = 1_000  # values or hashes that are there twice, of a column
ENOUGH = 10_000  # counterexamples of a column: what follows from them is decided by then


def verified(
    table: Table,
    sample: Sample,
    columns: Sequence[Column],
    wanted: Mapping[str, Kind],
    missing: Sequence[str] = (),
) -> list[Column]:
    """Return the columns of a table as all its rows have them.

    Args:
        table: read once more.
        sample: what the columns were decided on.
        columns: all of the table's.
        wanted: kinds that were asked for; such a key is one, whatever its values.
        missing: words that say "no value".

    Raises:
        DataError: a value that an asked kind does not allow.

    Cost:
        One pass in constant memory, and another one if a key is none; 8 bytes for each value
        of a key (16 for integers) are compared on disk.

    """
    keys = [i for i, c in enumerate(columns) if c.kind == Kind.KEY and c.name not in wanted]
    closed = {
        i: _known(c, sample.rows.column(i))
        for i, c in enumerate(columns)
        if c.kind in (Kind.CONSTANT, Kind.BINARY, Kind.CATEGORICAL) and not c.has_other
    }
    if not keys and not closed:
        return list(columns)
    strange: dict[int, list[pa.Array]] = {i: [] for i in closed}
    found = list(columns)
    stream = _watched(table, columns, closed, strange)
    for at, reason, twice in _look_at_keys(stream, table, keys, columns):
        if twice is None:
            found[at] = replace(columns[at], reason=reason)
        else:
            strange[at] = [twice]
    for _ in stream:  # what keys did not need to read
        pass
    for at, parts in strange.items():
        if parts:
            values = pa.chunked_array([*sample.rows.column(at).chunks, *parts])
            asked = wanted.get(columns[at].name)
            few, name = len(columns) <= FEW_COLUMNS, columns[at].name
            column = column_of(name, values, asked, sample.missing[at], missing, finer=few)
            odd = parts[0][0].as_py()
            why = f"{odd!s:.40} is there twice" if at in keys else f"{odd!s:.40} is rare"
            found[at] = replace(column, reason=f"{column.reason}; {why}")
    return found


def _known(column: Column, sampled: pa.ChunkedArray) -> pa.Array:
    if column.kind != Kind.CONSTANT:
        return pa.array(column.categories, pa.string())
    return pc.unique(words(sampled, type_named(column.arrow_type))).drop_null()


def _watched(
    table: Table,
    columns: Sequence[Column],
    closed: Mapping[int, pa.Array],
    strange: Mapping[int, list[pa.Array]],
) -> Iterator[pa.RecordBatch]:
    """Stream a table, and note the values that a column's sample did not have."""
    n_strange = dict.fromkeys(closed, 0)
    for batch in table.batches():
        for at, known in closed.items():
            if n_strange[at] >= ENOUGH:
                continue
            array = columns[at].spelling.without_gaps(flat(batch.column(at)))
            spelt = words(array, type_named(columns[at].arrow_type))
            new = pc.and_(pc.is_valid(spelt), pc.invert(pc.is_in(spelt, value_set=known)))
            if count := pc.sum(new).as_py():
                strange[at].append(batch.column(at).filter(new))
                n_strange[at] += count
        yield batch


def _look_at_keys(
    stream: Iterator[pa.RecordBatch], table: Table, keys: Sequence[int], columns: Sequence[Column]
) -> Iterator[tuple[int, str, pa.Array | None]]:
    """Yield each key's position, why it is one, and a value that it has twice if it has.

    Integers are sorted as they are, other values by 64 bits of a hash: if no two hashes are
    the same no two values are, and if some are, their values are looked at.
    """
    if not keys:
        return
    # Loaded here only: it takes longer than all the rest of a small table.
    import duckdb

    names = {at: f"c{at}" for at in keys}
    kinds = pa.schema([(name, table.arrow.field(at).type) for at, name in names.items()])
    parts = (
        pa.RecordBatch.from_arrays([b.column(at) for at in keys], schema=kinds) for b in stream
    )
    with tempfile.TemporaryDirectory(prefix="anypart-") as folder:
        place = str(Path(folder) / "keys.duckdb")
        settings: Any = {"memory_limit": MEMORY, "threads": "1", "temp_directory": folder}
        with closing(duckdb.connect(place, config=settings)) as base:
            base.execute("SET enable_progress_bar = false")
            base.register("rows", pa.RecordBatchReader.from_batches(kinds, parts))
            marks = ", ".join(f"{_mark(columns[at], name)} AS {name}" for at, name in names.items())
            base.execute(f"CREATE TABLE keys AS SELECT {marks} FROM rows")
            for at, name in names.items():
                sql = f"SELECT {name} FROM keys WHERE {name} IS NOT NULL GROUP BY 1 "
                same = base.execute(f"{sql} HAVING count(*) > 1 LIMIT {LOOKED_AT}").fetchall()
                same = {mark for (mark,) in same}
                twice = _found_twice(base, table, at, columns[at], same) if same else None
                yield at, _reason(base, name, columns[at]), twice


def _mark(column: Column, name: str) -> str:
    """Write what stands for a value when values are compared."""
    whole = f"TRY_CAST({name} AS HUGEINT)"
    return whole if _is_whole(column) else f"CASE WHEN {name} IS NOT NULL THEN hash({name}) END"


def _is_whole(column: Column) -> bool:
    return "int" in column.arrow_type


def _found_twice(
    base: Any, table: Table, at: int, column: Column, marks: Collection[int]
) -> pa.Array | None:
    """Return a value that a column holds twice, as two values; None if only hashes agree."""
    seen = set[Any]()
    for batch in table.batches():
        one = pa.table({"c": batch.column(at)})
        base.register("batch", one)
        for (value,) in base.execute(
            f"SELECT c FROM batch WHERE {_mark(column, 'c')} IN ({', '.join(map(str, marks))})"
        ).fetchall():
            if value in seen:
                return pa.array([value] * 2, table.arrow.field(at).type)
            seen.add(value)
    return None


def _reason(base: Any, name: str, column: Column) -> str:
    """Say what all rows say of a key."""
    ends = f"min({name}), max({name})" if _is_whole(column) else "NULL, NULL"
    ((n, low, high),) = base.execute(f"SELECT count({name}), {ends} FROM keys").fetchall()
    if low is not None and int(high) - int(low) + 1 == n:
        return f"one run of integers, {int(low)} to {int(high)}, each once"
    return f"all {n:,} values different"
