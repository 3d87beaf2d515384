"""Write a table to a file by its ending, whole or not at all."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from anypart.base.errors import DataError
from anypart.base.whole import replacing

if TYPE_CHECKING:
    import pyarrow as pa

_TEXT_ENDINGS = {".csv", ".tsv", ".jsonl", ".ndjson"}
_ENDINGS = {*_TEXT_ENDINGS, ".parquet", ".arrow", ".feather"}
# Beside nested types, what Arrow cannot write as a cell.
_NO_CELLS = ("binary", "large_binary", "fixed_size_binary", "string_view", "month", "run_end")
_PACKERS = {".gz": "gzip", ".zst": "zstd"}


def check_output(path: Path | None, *, page: bool = False) -> None:
    """Refuse, before any work, a path that could not be written at the end.

    Args:
        path: of a table, or of a page; nothing is to be written if None.
        page: it is a page, so that a table named by mistake stays what it is.

    Raises:
        DataError: an ending that says nothing, a folder, or a folder that is not there or
            cannot be written to.

    """
    if path is None:
        return
    if path.is_dir():
        raise DataError(f"-o {path} is a folder. Name a file in it.")
    if page and path.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"-o {path}: a page's name ends in .html.")
    if not page:
        _format_of(path)
    folder = path.absolute().parent
    if not folder.is_dir():
        raise DataError(f"-o {path}: there is no folder {path.parent}. Make it first.")
    if not os.access(folder, os.W_OK):
        raise DataError(f"-o {path}: the folder {path.parent} may not be written to. Name another.")


def _format_of(path: Path) -> tuple[str, str | None]:
    """Return (ending, compression): `out.csv.gz` is ('.csv', 'gzip')."""
    packer = _PACKERS.get(path.suffix.lower())
    ending = Path(path.stem if packer else path.name).suffix.lower()
    if ending not in (_TEXT_ENDINGS if packer else _ENDINGS):
        raise DataError(
            f"-o {path}: no table format has this ending. Use .csv, .tsv, .jsonl, .parquet "
            "or .arrow; the first three also with .gz or .zst."
        )
    return ending, packer


@contextmanager
def writing(path: Path) -> Generator[Callable[[pa.Table], None]]:
    """Give a function that writes one table after another, of one schema, to a file.

    Args:
        path: its ending chooses the format, as `check_output` lists them; an old file is
            replaced when the block ends well.

    Cost:
        Memory of one table at a time.

    """
    import pyarrow as pa

    ending, packer = _format_of(path)
    begun: list[tuple[Callable[[pa.Table], None], Callable[[], None]]] = []
    with replacing(path) as part, pa.OSFile(str(part), "wb") as file:
        sink: Any = pa.CompressedOutputStream(file, packer) if packer else file

        def write(table: pa.Table) -> None:
            if not begun:
                begun.append(_writer(ending, sink, table.schema))
            begun[0][0](table)

        yield write
        for _, close in begun:
            close()
        if packer:
            sink.close()


def write_table(tables: Iterable[pa.Table], path: Path) -> int:
    """Write tables of one schema, one after the other, as one file.

    Args:
        tables: at least one, also when it has no rows.
        path: as in `writing`.

    Returns:
        The number of rows written.

    """
    rows = 0
    with writing(path) as write:
        for table in tables:
            write(table)
            rows += table.num_rows
    return rows


def _writer(
    ending: str, sink: Any, schema: pa.Schema
) -> tuple[Callable[[pa.Table], None], Callable[[], None]]:
    """Return (write, close) of a format."""
    if ending in (".csv", ".tsv"):
        from pyarrow import csv

        options = csv.WriteOptions(
            delimiter="," if ending == ".csv" else "\t", quoting_style="needed"
        )
        plain = _as_cells(schema.empty_table()).schema
        writer: Any = csv.CSVWriter(sink, plain, write_options=options)
        return lambda table: writer.write_table(_as_cells(table)), writer.close
    elif ending == ".parquet":
        from pyarrow import parquet

        writer = parquet.ParquetWriter(sink, schema)
    elif ending in (".arrow", ".feather"):
        from pyarrow import ipc

        writer = ipc.new_file(sink, schema)
    else:
        return lambda table: _write_json_lines(table, sink), lambda: None
    return writer.write_table, writer.close


def _as_cells(table: pa.Table) -> pa.Table:
    """Make text of what a cell of a CSV cannot hold: nested values as JSON, bytes as text."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        kind = field.type
        if pa.types.is_nested(kind) or str(kind).startswith(_NO_CELLS):
            words = [None if v is None else _cell(v) for v in table.column(at).to_pylist()]
            table = table.set_column(at, field.name, pa.array(words, pa.string()))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf8", "backslashreplace")
    return value if isinstance(value, str) else to_json(value)


def _write_json_lines(table: pa.Table, sink: Any) -> None:
    for row in table.to_pylist():
        sink.write((to_json(row) + "\n").encode())


def to_json(value: Any) -> str:
    """Write a value as strict JSON; what is no finite number becomes null.

    Example:
        >>> to_json({"p": 0.5, "log_prob": float("-inf")})
        '{"p": 0.5, "log_prob": null}'

    """
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Make a value one that strict JSON has a word for."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and numbers
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def print_json_lines(tables: Iterable[pa.Table], stdout: IO[str]) -> None:
    """Print every row as one JSON object on its own line."""
    for table in tables:
        for row in table.to_pylist():
            stdout.write(to_json(row) + "\n")
