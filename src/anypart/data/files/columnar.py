"""Parquet, Feather and Arrow files → `Table` of typed columns, streamed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from anypart.base.errors import DataError
from anypart.data.files.table import Table, unique_names


def read_parquet(path: Path) -> Table:
    """Open a Parquet file; row groups are read one after another."""
    with pq.ParquetFile(path) as file:
        schema, n_rows = file.schema_arrow, file.metadata.num_rows
    named, notes = _named(schema, path)

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        # No read-ahead of all columns at once: memory stays at one row group's.
        with pq.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(size, use_threads=False):
                yield _sound(batch).rename_columns(named.names)

    return Table(path.name, named, batches, n_rows, notes)


def read_arrow(path: Path) -> Table:
    """Open an Arrow IPC file (Feather) or stream, memory-mapped."""
    with pa.memory_map(str(path)) as source:
        is_file = source.read(6) == b"ARROW1"
        source.seek(0)
        opened = pa.ipc.open_file(source) if is_file else pa.ipc.open_stream(source)
        named, notes = _named(opened.schema, path)

    def batches(_: int) -> Iterator[pa.RecordBatch]:
        with pa.memory_map(str(path)) as source:
            if not is_file:
                for batch in pa.ipc.open_stream(source):
                    yield _sound(batch).rename_columns(named.names)
                return
            file = pa.ipc.open_file(source)
            for i in range(file.num_record_batches):
                yield _sound(file.get_batch(i)).rename_columns(named.names)

    return Table(path.name, named, batches, None, notes)


def _sound(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Check offsets, lengths and text: what is damaged must not be read past its end."""
    batch.validate(full=True)
    return batch


def _named(schema: pa.Schema, path: Path) -> tuple[pa.Schema, tuple[str, ...]]:
    names, notes = unique_names(schema.names)
    if not names:
        raise DataError(f"{path.name} has no columns, so there is nothing to fit or ask.")
    fields = [f.with_name(name) for f, name in zip(schema, names, strict=True)]
    return pa.schema(fields), notes
