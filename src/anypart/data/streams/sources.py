"""Tables as streams: rows as dicts, or batches of packed codes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from anypart.data.files.table import Table
from anypart.data.packed import PackedCodes
from anypart.data.streams.stages import Map, Places, positive
from anypart.data.streams.stream import Stream


def table_rows(table: Table) -> Stream:
    """Stream over the rows of a table, as dicts, in constant memory.

    Resuming reads the source up to the row again, without making its dicts.

    Example:
        >>> from anypart.data.files import read
        >>> rows = table_rows(read({"n": [1, 2, 3]}))
        >>> list(rows.filter(lambda row: row["n"] != 2).map(lambda row: row["n"]))
        [1, 3]

    """
    return Stream(partial(_rows, table))


def _rows(table: Table, at: int) -> Iterator[dict[str, Any]]:
    for batch in table.batches(4096):
        if at < batch.num_rows:
            yield from batch.slice(at).to_pylist()
        at = max(at - batch.num_rows, 0)


def code_batches(packed: PackedCodes, size: int, seed: int, window: int = 65_536) -> Stream:
    """Stream over seeded mini-batches of codes: (codes, seen), (rows, cols) each.

    Only places are shuffled; rows are read from the mapped file when their batch comes, and
    resuming reads nothing that was given.

    Args:
        packed: the rows.
        size: rows of a batch.
        seed: of the order.
        window: rows that are shuffled together; a whole number of batches is taken.

    """
    positive("A batch", size)
    return Stream(_nothing, (Places(packed.n_rows, size, window, seed), Map(packed.rows)))


def _nothing(at: int) -> Iterator[Any]:
    return iter(())
