"""DuckDB and SQLite files → `Table`: a query, or the only table there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from anypart.base.errors import DataError
from anypart.data.files.objects import as_text
from anypart.data.files.table import Table, first_line, unique_names


def read_duckdb(path: Path, query: str | None) -> Table:
    """Open a query to a DuckDB file, read-only; it runs again whenever rows are streamed."""
    # Loaded here only: it takes longer than all the rest of a small question.
    import duckdb

    def stream(sql: str, size: int) -> Generator[Any, None, None]:
        """Yield the schema, then the batches."""
        try:
            with duckdb.connect(str(path), read_only=True) as base:
                base.execute("SET enable_progress_bar = false")  # it would print
                relation: Any = base.sql(sql)
                if relation is None:
                    raise DataError(f"the query {sql[:80]!r} to {path.name} gives no rows.")
                # DuckDB renamed it in 1.4.
                to_reader = (
                    getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
                )
                reader = to_reader(size)
                yield reader.schema
                yield from reader
        except duckdb.Error as error:
            raise _refused(sql, path, error) from None

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        for batch in islice(stream(sql, size), 1, None):
            yield batch.rename_columns(names)

    try:
        with duckdb.connect(str(path), read_only=True) as base:
            found = base.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
    except duckdb.Error as error:
        raise DataError(f"{path.name} cannot be read as a table: {first_line(error)}") from None
    sql = query or _only_table([row[0] for row in found], path)
    with closing(stream(sql, 1)) as start:
        schema = next(start)
    names, notes = unique_names(schema.names)
    schema = pa.schema([f.with_name(n) for f, n in zip(schema, names, strict=True)])
    return Table(path.name, schema, batches, None, notes)


def read_sqlite(path: Path, query: str | None) -> Table:
    """Open a query to a SQLite file, read-only.

    SQLite's columns hold values of any type, so they become text as in a CSV.
    """
    with closing(_sqlite(path)) as base:
        found = base.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        sql = query or _only_table([row[0] for row in found], path)
        try:
            described = base.execute(sql).description
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise _refused(sql, path, error) from None
    if not described:
        raise DataError(f"the query {sql[:80]!r} to {path.name} has no columns; give a SELECT.")
    names, notes = unique_names([d[0] for d in described])
    schema = pa.schema([(name, pa.string()) for name in names])

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        try:
            with closing(_sqlite(path)) as base:
                cursor = base.execute(sql)
                while rows := cursor.fetchmany(size):
                    cells = [[as_text(v) for v in column] for column in zip(*rows, strict=True)]
                    arrays = [pa.array(c, pa.string()) for c in cells]
                    yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        except sqlite3.Error as error:
            raise _refused(sql, path, error) from None

    return Table(path.name, schema, batches, None, notes)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _only_table(tables: list[str], path: Path) -> str:
    if len(tables) != 1:
        some = ", ".join(tables[:10]) or "none"
        raise DataError(
            f"{path.name} has {len(tables)} tables ({some}); say which rows are meant, as in "
            'query="SELECT * FROM …" (in the shell --query "SELECT * FROM …").'
        )
    quoted = tables[0].replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


def _refused(sql: str, path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} refuses the query {sql[:80]!r}: {first_line(error)}")
