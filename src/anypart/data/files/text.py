"""CSV and TSV → `Table` of string columns, streamed by Arrow's parser."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv

from anypart.base.errors import DataError
from anypart.data.files.dialect import MISSING, Dialect, decode, sniff
from anypart.data.files.table import Table, first_line, unique_names

BEGINNING = 1 << 20  # bytes that the dialect is guessed from
BLOCK = 8 << 20  # bytes parsed at a time: a row must fit
_RAGGED = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+): (.*)", re.DOTALL)
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2"}


def read_text(path: Path) -> Table:
    """Open a text table; its columns are strings, `MISSING` cells are null.

    Cells that are not UTF-8 are read as Latin-1, one by one. Names are stripped, empty
    ones become `column_3`, and a second `a` becomes `a_2`.

    Raises:
        DataError: empty, not text, or (while streaming) a row of another width.

    """
    with open_bytes(path) as stream:
        beginning = stream.read(BEGINNING)
        while len(beginning) < BEGINNING and (more := stream.read(BEGINNING - len(beginning))):
            beginning += more
    dialect = sniff(beginning, path.name, whole=len(beginning) < BEGINNING)
    names, renamed = unique_names(dialect.header or [""] * dialect.width)
    notes = (*dialect.notes, *renamed)
    if dialect.header is None:
        notes = (*notes, "the first row holds numbers only, so the columns have no names")
    schema = pa.schema([(name, pa.string()) for name in names])
    return Table(path.name, schema, lambda _: _stream(path, dialect, names), notes=notes)


def open_bytes(path: Path) -> pa.NativeFile:
    """Open a file for reading, decompressing gzip, zstd and bzip2 by their first bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    packed = next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)
    return pa.input_stream(str(path), compression=packed)


def _stream(path: Path, dialect: Dialect, names: list[str]) -> Iterator[pa.RecordBatch]:
    utf16 = dialect.encoding != "utf8"
    try:
        with open_bytes(path) as stream:
            reader = pv.open_csv(
                stream,
                pv.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK,
                    skip_rows=dialect.skip,
                    column_names=names,
                    encoding=dialect.encoding,
                ),
                pv.ParseOptions(
                    delimiter=dialect.delimiter,
                    quote_char=dialect.quote,
                    newlines_in_values=True,
                    ignore_empty_lines=dialect.width > 1,
                ),
                pv.ConvertOptions(
                    # Bytes, because Arrow refuses a block with one cell that is not UTF-8.
                    column_types=dict.fromkeys(names, pa.string() if utf16 else pa.binary()),
                    null_values=MISSING,
                    strings_can_be_null=True,
                ),
            )
            for batch in reader:
                arrays = [_finish(_as_text(a), dialect) for a in batch.columns]
                yield pa.RecordBatch.from_arrays(arrays, names=names)
    except pa.ArrowInvalid as error:
        if ragged := _RAGGED.search(str(error)):
            raise _other_width(path, ragged, dialect.delimiter) from None
        if "Empty CSV" in str(error) or "Could not skip" in str(error):  # names and no rows
            return
        raise DataError(f"{path.name} cannot be read as a table: {first_line(error)}") from None


def _as_text(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        cells = [None if raw is None else decode(raw) for raw in array.to_pylist()]
        return pa.array(cells, pa.string())


def _finish(array: pa.Array, dialect: Dialect) -> pa.Array:
    if dialect.padded:
        array = pc.utf8_trim_whitespace(array)
        missing = pc.is_in(array, value_set=pa.array(MISSING))
        array = pc.if_else(missing, pa.scalar(None, pa.string()), array)
    if dialect.decimal_comma:
        grouped = pc.match_substring_regex(array, r"^[+-]?\d{1,3}(\.\d{3})+(,\d+)?$")
        array = pc.if_else(grouped, pc.replace_substring(array, ".", ""), array)
        array = pc.replace_substring_regex(array, r"^([+-]?\d*),(\d+)$", r"\1.\2")
    return array


def _other_width(path: Path, found: re.Match[str], delimiter: str) -> DataError:
    where = f" {found[1]}" if found[1] else ""  # Arrow counts the header as row 1
    return DataError(
        f"{path.name}: row{where} has {found[3]} cells and the first row {found[2]} (delimiter "
        f"{delimiter!r}): {found[4][:80]!r}. Quote cells that hold the delimiter, or mend "
        "the row."
    )
