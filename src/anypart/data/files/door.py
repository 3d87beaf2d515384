"""The one door for tables: `read`."""

from __future__ import annotations

import glob
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from anypart.base.errors import AnypartError, DataError, suggest
from anypart.data.files.columnar import read_arrow, read_parquet
from anypart.data.files.databases import read_duckdb, read_sqlite
from anypart.data.files.json_lines import read_json_lines
from anypart.data.files.objects import read_object
from anypart.data.files.table import SOURCE_ERRORS, Table, first_line
from anypart.data.files.text import read_text

_BY_ENDING: dict[str, Callable[[Path], Table]] = {
    ".parquet": read_parquet,
    ".pq": read_parquet,
    ".arrow": read_arrow,
    ".arrows": read_arrow,
    ".feather": read_arrow,
    ".ipc": read_arrow,
    ".json": read_json_lines,
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
}
_DATABASES = {
    ".duckdb": read_duckdb,
    ".ddb": read_duckdb,
    ".sqlite": read_sqlite,
    ".sqlite3": read_sqlite,
    ".db": read_sqlite,
}
_COMPRESSED = (".gz", ".zst", ".bz2")
_FOREIGN = {".xlsx": "Excel", ".xls": "Excel", ".ods": "OpenDocument", ".zip": "zip", ".7z": "7z"}


def read(source: Any, *, query: str | None = None) -> Table:
    """Open a table; only its beginning is read until its batches are asked for.

    Args:
        source: the path of a CSV or TSV (any delimiter of ``, ; tab |``), JSON or JSON lines,
            Parquet, Arrow or Feather file, text ones also as .gz, .zst or .bz2; a pattern
            such as `data/*.csv` for files with the same columns; a DuckDB or SQLite file; or
            a table in memory: pandas, Polars, DuckDB, Arrow or any other object with an
            Arrow stream, a list of dicts, a dict of lists.
        query: SQL for a DuckDB or SQLite file; not needed if it has one table.

    Returns:
        The table. Empty cells and NA, N/A, NaN, NULL, null in text are missing.

    Raises:
        DataError: there is no such file, or it cannot be read as a table.

    Example:
        >>> read({"size": [1, 2], "sort": ["a", None]}).n_rows
        2
        >>> read("no/such.csv")
        Traceback (most recent call last):
        anypart.base.errors.DataError: there is no file 'no/such.csv'.

    """
    if isinstance(source, Table):
        return source
    if not isinstance(source, str | os.PathLike):
        if query:
            raise DataError("query= is for DuckDB and SQLite files; this source is an object.")
        return read_object(source)
    text = os.fspath(source)
    if isinstance(text, bytes) or "\0" in text:
        raise DataError(f"{text!r} is no path of a file.")
    paths = _paths(text)
    tables = [_open(path, query) for path in paths]
    return tables[0] if len(tables) == 1 else _joined(text, tables)


def _paths(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_dir():
        raise DataError(f"{text!r} is a folder; give a file, or a pattern such as '{text}/*.csv'.")
    if path.exists():
        return [path]
    if found := sorted(glob.glob(str(path), recursive=True)):
        return [Path(p) for p in found if Path(p).is_file()] or [path]
    if "://" in text:
        raise DataError(f"{text!r} is an address, and only files are read. Download it first.")
    if glob.has_magic(text):
        raise DataError(f"no file matches {text!r}.")
    near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    raise DataError(f"there is no file {text!r}.{suggest(path.name, near)}")


def _open(path: Path, query: str | None) -> Table:
    endings = [s.lower() for s in path.suffixes]
    ending = next((e for e in reversed(endings) if e not in _COMPRESSED), "")
    if ending in _FOREIGN:
        raise DataError(
            f"{path.name} is {_FOREIGN[ending]}, which is not read here. Save the table as CSV or "
            "Parquet (or read it with pandas or Polars, and give that table)."
        )
    if query and ending not in _DATABASES:
        raise DataError(f"query= is for DuckDB and SQLite files; {path.name} is neither.")
    try:
        if ending in _DATABASES:
            with path.open("rb") as file:
                is_sqlite = file.read(15) == b"SQLite format 3"
            return (read_sqlite if is_sqlite else _DATABASES[ending])(path, query)
        return _BY_ENDING.get(ending, read_text)(path)
    except AnypartError:
        raise
    except (*SOURCE_ERRORS, sqlite3.Error) as error:
        raise DataError(f"{path.name} cannot be read as a table: {first_line(error)}") from None


def _joined(name: str, tables: list[Table]) -> Table:
    """Stream several files with the same columns one after another."""
    first = tables[0]
    for other in tables[1:]:
        if odd := sorted({*other.arrow.names} ^ {*first.arrow.names}):
            raise DataError(
                f"{other.name} and {first.name} differ in their columns: {', '.join(odd[:5])}. "
                "The files of a pattern must have the same columns, in any order."
            )

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        for table in tables:
            for batch in table.batches(size):
                batch = batch.select(first.arrow.names)
                yield batch if batch.schema == first.arrow else batch.cast(first.arrow)

    counts = [t.n_rows for t in tables]
    total = None if None in counts else sum(n for n in counts if n is not None)
    return Table(name, first.arrow, batches, total, tuple(n for t in tables for n in t.notes))
