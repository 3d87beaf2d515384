"""Tables in memory → `Table`: anything with an Arrow stream, rows as dicts, columns as lists."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.errors import DataError
from anypart.data.files.table import SOURCE_ERRORS, Table, first_line, unique_names

_INDEX = re.compile(r"__index_level_\d+__")


def read_object(source: Any) -> Table:
    """Open a table that is an object of this process.

    Of tables in memory (Arrow, pandas, Polars) numbers and times are copied, since they may
    lie in an array that its owner changes later; text is not. Any other Arrow stream may be
    readable only once, so it is spilled to a temporary file, which goes away with the `Table`.

    Raises:
        DataError: the object is no table.

    """
    if isinstance(source, Mapping):
        return of_arrow(_from_columns(source), "columns")
    if isinstance(source, Sequence) and not isinstance(source, str | bytes):
        return of_arrow(_from_rows(source), "rows")
    if hasattr(source, "collect") and not hasattr(source, "__arrow_c_stream__"):
        source = source.collect()  # a lazy Polars frame
    if hasattr(source, "to_frame"):
        raise DataError("a single column is no table. Give it as one: column.to_frame().")
    kind = f"{type(source).__module__.partition('.')[0]} {type(source).__name__}"
    try:
        if isinstance(source, pa.RecordBatch):
            return of_arrow(pa.Table.from_batches([source]), kind)
        if isinstance(source, pa.Table):
            return of_arrow(source, kind)
        if kind == "pandas DataFrame":
            return of_arrow(_from_pandas(source), kind)
        if kind == "polars DataFrame":
            return of_arrow(source.to_arrow(), kind)
        if hasattr(source, "__arrow_c_stream__"):
            return _spilled(pa.RecordBatchReader.from_stream(source), kind)
        if hasattr(source, "__dataframe__"):
            return of_arrow(pa.interchange.from_dataframe(source), kind)
    except DataError:
        raise
    except SOURCE_ERRORS as error:
        raise DataError(f"the {kind} cannot be read as a table: {first_line(error)}") from None
    raise DataError(
        f"cannot read a table from a {type(source).__name__}. Give a file's path, a pandas, "
        "Polars, DuckDB or Arrow table, a list of dicts, or a dict of lists."
    )


def of_arrow(table: pa.Table, name: str, notes: tuple[str, ...] = ()) -> Table:
    """Make a `Table` of an Arrow table in memory."""
    keep = [i for i, n in enumerate(table.column_names) if not _INDEX.fullmatch(n)]
    names, renamed = unique_names(table.column_names[i] for i in keep)
    if not names:
        raise DataError(f"the {name} has no columns, so there is nothing to fit or ask.")
    table = pa.Table.from_arrays([_own(table.column(i)) for i in keep], names=names)
    schema = table.schema.remove_metadata()
    return Table(
        name,
        schema,
        lambda size: table.replace_schema_metadata().to_batches(max_chunksize=size),
        table.num_rows,
        (*notes, *renamed),
    )


def _own(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Copy what may lie in the memory of an array: numbers, times, places of categories."""
    return pa.chunked_array([_copied(chunk) for chunk in column.chunks], column.type)


def _copied(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_dictionary(kind):
        indices = _copied(array.indices)
        return pa.DictionaryArray.from_arrays(indices, array.dictionary, ordered=kind.ordered)
    if not pa.types.is_primitive(kind) or kind.bit_width % 8:
        return array
    held, width = array.buffers()[1], kind.bit_width // 8
    values = held.slice(array.offset * width, len(array) * width).to_pybytes() if held else b""
    seen = pa.array(np.asarray(array.is_valid())).buffers()[1] if array.null_count else None
    return pa.Array.from_buffers(kind, len(array), [seen, pa.py_buffer(values)])


def column(values: Any) -> pa.Array:
    """Make an Arrow array of Python values; mixed types become text, as in a CSV."""
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return pa.array([as_text(v) for v in values], pa.string())


def as_text(value: Any) -> str | None:
    """Write one value as a CSV would: numbers shortest, nested ones as JSON, none as None."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode("utf8", errors="backslashreplace")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value).encode("utf8", errors="replace").decode()


def _from_columns(source: Mapping[Any, Any]) -> pa.Table:
    wrong = [
        n for n, v in source.items() if isinstance(v, str | bytes) or not hasattr(v, "__len__")
    ]
    if wrong:
        raise DataError(
            f"column {str(wrong[0])!r} is a {type(source[wrong[0]]).__name__}, not a list; "
            "give a dict of lists, or a list of dicts for rows."
        )
    lengths = {str(n): len(v) for n, v in source.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"the columns have different lengths: {str(lengths)[:200]}.")
    return pa.Table.from_arrays([column(v) for v in source.values()], names=list(lengths))


def _from_rows(source: Sequence[Any]) -> pa.Table:
    wrong = next((i for i, row in enumerate(source) if not isinstance(row, Mapping)), None)
    if wrong is not None:
        raise DataError(
            f"row {wrong} is a {type(source[wrong]).__name__}, not a dict from column to value."
        )
    names = list(dict.fromkeys(name for row in source for name in row))
    arrays = [column([row.get(name) for row in source]) for name in names]
    return pa.Table.from_arrays(arrays, names=[str(n) for n in names])


def _from_pandas(frame: Any) -> pa.Table:
    frame = frame.reset_index() if frame.index.name else frame
    arrays = [column(frame.iloc[:, i]) for i in range(frame.shape[1])]
    flat = [a.combine_chunks() if isinstance(a, pa.ChunkedArray) else a for a in arrays]
    return pa.Table.from_arrays(flat, names=[str(n) for n in frame.columns])


class _Spill:
    """A stream written to a temporary file, so that it can be read again."""

    def __init__(self, reader: pa.RecordBatchReader) -> None:
        folder = tempfile.mkdtemp(prefix="anypart-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        self.path = str(Path(folder) / "spilled.arrow")
        self.n_rows = 0
        with pa.OSFile(self.path, "wb") as sink, pa.ipc.new_file(sink, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
                self.n_rows += batch.num_rows

    def batches(self, names: list[str]):
        """Stream what was spilled under its new names."""
        with pa.memory_map(self.path) as source:
            file = pa.ipc.open_file(source)
            for i in range(file.num_record_batches):
                yield file.get_batch(i).rename_columns(names)


def _spilled(reader: pa.RecordBatchReader, name: str) -> Table:
    names, notes = unique_names(reader.schema.names)
    if not names:
        raise DataError(f"the {name} has no columns, so there is nothing to fit or ask.")
    fields = [f.with_name(n) for f, n in zip(reader.schema, names, strict=True)]
    spill = _Spill(reader)
    return Table(name, pa.schema(fields), lambda _: spill.batches(names), spill.n_rows, notes)
