"""JSON → `Table` of string columns: one object a line, or one array of objects."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from anypart.base.errors import DataError
from anypart.data.files.dialect import decode
from anypart.data.files.objects import as_text
from anypart.data.files.table import Table, unique_names
from anypart.data.files.text import open_bytes

BEGINNING = 10_000  # rows that the columns are taken from
CHUNK = 1 << 20  # bytes of an array read at a time


def read_json_lines(path: Path) -> Table:
    """Open a file of JSON objects; values become text as in a CSV, null is null.

    The objects stand one a line, or in one array, which is streamed too. The columns are the
    keys of the first 10,000, in order of appearance; a key that a row lacks is a missing
    cell. Nested values are kept as JSON text.

    Raises:
        DataError: a line is not an object, or (while streaming) has a key that none of the
            first 10,000 has.

    """
    keys = dict[str, None]()
    for _, row in islice(_rows(path), BEGINNING):
        keys.update(dict.fromkeys(row))
    if not keys:
        raise DataError(f"{path.name} is empty: a table needs at least one JSON object a line.")
    names, notes = unique_names(keys)
    schema = pa.schema([(name, pa.string()) for name in names])
    return Table(
        path.name, schema, lambda size: _batches(path, list(keys), schema, size), None, notes
    )


def _batches(path: Path, keys: list[str], schema: pa.Schema, size: int) -> Iterator[pa.RecordBatch]:
    rows, known = _rows(path), set(keys)
    while chunk := list(islice(rows, size)):
        for number, row in chunk:
            if not known.issuperset(row):
                new = next(key for key in row if key not in known)
                raise DataError(
                    f"{path.name}: line {number} has the key {new!r}, which none of the first "
                    f"{BEGINNING:,} lines has. Give it in the first line, null if need be."
                )
        cells = [[as_text(row.get(key)) for _, row in chunk] for key in keys]
        yield pa.RecordBatch.from_arrays([pa.array(c, pa.string()) for c in cells], schema=schema)


def _rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with open_bytes(path) as stream:
        lines = io.BufferedReader(stream, 1 << 20)
        if lines.peek(64)[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
            yield from _items(path, lines)
            return
        for number, line in enumerate(lines, 1):
            text = decode(line).strip()
            if not text:
                continue
            try:
                row = json.loads(text)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                raise _no_object(path, f"line {number}", text)
            yield number, row


def _items(path: Path, file: io.BufferedReader) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of an array, numbered from 1, without holding the array."""
    decoder, text = json.JSONDecoder(), codecs.getincrementaldecoder("utf-8-sig")("replace")
    rest, number, ended = "", 0, False
    while not ended:
        raw = file.read(CHUNK)
        ended = len(raw) < CHUNK
        rest = (rest + text.decode(raw, ended)).lstrip(" \t\r\n," if number else " \t\r\n[")
        while rest and not rest.startswith("]"):
            try:
                row, end = decoder.raw_decode(rest)
            except (ValueError, RecursionError):
                break
            number += 1
            if not isinstance(row, dict):
                raise _no_object(path, f"item {number}", rest)
            yield number, row
            rest = rest[end:].lstrip(" \t\r\n,")
    if not rest.startswith("]"):
        raise _no_object(path, f"item {number + 1}", rest)


def _no_object(path: Path, where: str, text: str) -> DataError:
    return DataError(
        f"{path.name}: {where} is not a JSON object: {text[:60]!r}. JSON lines look like "
        '{"age": 39, "sex": "Male"}, one row a line; a file may also be one array of such rows.'
    )
