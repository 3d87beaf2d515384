"""DuckDB and SQLite files → `Table`: a query, or the only table there is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import duckdb
import pyarrow as pa

from anypart.base.errors import DataError
from anypart.data.files.objects import as_text
from anypart.data.files.table import Table, first_line, unique_names


def read_duckdb(path: Path, query: str | None) -> Table:
    """Open a query to a DuckDB file, read-only; it runs again whenever rows are streamed."""
    with _duckdb(path) as base:
        found = base.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
        sql = query or _only_table([row[0] for row in found], path)
        try:
            schema = _rows(base, sql, path, 1).schema
        except duckdb.Error as error:
            raise _refused(sql, path, error) from None
    names, notes = unique_names(schema.names)
    schema = pa.schema([f.with_name(n) for f, n in zip(schema, names, strict=True)])

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        with _duckdb(path) as base:
            for batch in _rows(base, sql, path, size):
                yield batch.rename_columns(names)

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


def _duckdb(path: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(path), read_only=True)


def _rows(base: duckdb.DuckDBPyConnection, sql: str, path: Path, size: int) -> pa.RecordBatchReader:
    relation = base.sql(sql)
    if relation is None:
        raise DataError(f"the query {sql[:80]!r} to {path.name} has no rows; give a SELECT.")
    # DuckDB renamed it in 1.4.
    stream = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return stream(size)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)


def _only_table(tables: list[str], path: Path) -> str:
    if len(tables) != 1:
        some = ", ".join(tables[:10]) or "none"
        raise DataError(
            f"{path.name} has {len(tables)} tables ({some}); say which rows are meant, as in "
            'query="SELECT * FROM …".'
        )
    quoted = tables[0].replace('"', '""')
    return f'SELECT * FROM "{quoted}"'


def _refused(sql: str, path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} refuses the query {sql[:80]!r}: {first_line(error)}")
