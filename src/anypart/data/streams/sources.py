"""Tables as streams: rows as dicts, or batches of packed codes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.files import read
from anypart.data.files.table import Table
from anypart.data.streams.asked import positive, whole
from anypart.data.streams.opening import fewer
from anypart.data.streams.stages import Cut, Map, Windows
from anypart.data.streams.stream import Stream

WINDOW_CELLS = 4_194_304  # cells shuffled together; what an epoch holds in memory
BLOCK = 4_096  # neighbouring rows that are read together


def table_rows(table: Any) -> Stream:
    """Stream over the rows of a table, as dicts, in constant memory.

    Resuming reads the source up to the row again, without making its dicts.

    Args:
        table: whatever `anypart.data.files.read` takes. An Arrow stream, which can be read
            once only, is spilled to a temporary file.

    Example:
        >>> rows = table_rows({"n": [1, 2, 3]})
        >>> list(rows.filter(lambda row: row["n"] != 2).map(lambda row: row["n"]))
        [1, 3]

    """
    return Stream(partial(_rows, read(table)))


def _rows(table: Table, at: int) -> Iterator[dict[str, Any]]:
    left = at
    for batch in table.batches(4096):
        if left < batch.num_rows:
            yield from batch.slice(left).to_pylist()
        left = max(left - batch.num_rows, 0)
    if left:
        raise fewer(at)


class Source(Protocol):
    """Codes of rows, as far as streams and training read them."""

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        ...

    @property
    def n_cats(self) -> tuple[int, ...]:
        """Count the categories of each column."""
        ...

    def rows(self, index: Any) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Read some rows: codes and which of them are seen, (rows, cols)."""
        ...


def code_batches(source: Source, size: int, seed: int) -> Stream:
    """Stream over seeded mini-batches of codes: (codes, seen), (rows, cols) each.

    An epoch reads blocks of neighbouring rows in a seeded order, a window of up to
    `WINDOW_CELLS` cells at a time, and shuffles each window, so a table larger than
    memory is read in long runs. Each epoch starts at another row, so the rows left over
    at its end are others each time. Resuming reads the window in which it stood.

    Args:
        source: the rows.
        size: rows of a batch; fewer only if there are fewer rows.
        seed: of the order.

    Raises:
        DataError: there are no rows; a size or seed is no whole number.

    """
    if not source.n_rows:
        raise DataError("There are no rows to make batches of. Give codes of some.")
    n, size = source.n_rows, min(positive("A batch", size), source.n_rows)
    blocks = min(max(WINDOW_CELLS // (BLOCK * len(source.n_cats)), 1), 16)
    windows = Windows(n, min(n, blocks * BLOCK), BLOCK, whole("seed", seed))
    return Stream(_nothing, (windows, Map(source.rows), Cut(size)))


def _nothing(at: int) -> Iterator[Any]:
    return iter(())
