"""Codes on disk: as few bits a cell as its column needs, memory-mapped, never changed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.codec import Codec, Encoded
from anypart.data.files.table import Table

FORMAT = "anypart packed codes"
VERSION = 2
CODES, FACE = "codes.bin", "packed.json"
_PAD = 3  # a cell is read as four bytes from the byte in which it begins
Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Layout:
    """Where the cells of a row lie.

    A column of n codes takes the bits that n values need, or n + 1 where some of its cells
    are unseen; a row begins at a byte.

    Args:
        n_cats: number of codes of each column.
        gaps: whether each column has unseen cells.

    Example:
        >>> layout = Layout((2, 250, 3), (False, True, False))
        >>> layout.widths, layout.row_bytes
        ((1, 8, 2), 2)

    """

    n_cats: tuple[int, ...]
    gaps: tuple[bool, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Bits of a cell of each column."""
        pairs = zip(self.n_cats, self.gaps, strict=True)
        return tuple(max((n - 1 + gap).bit_length(), 1) for n, gap in pairs)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return -(-sum(self.widths) // 8)

    def fields(self) -> tuple[tuple[int, int, int, bool], ...]:
        """Return first byte, shift, mask and gaps of each column."""
        return _fields(self)

    def write(self, rows: Encoded) -> Bytes:
        """Pack rows, (rows, row_bytes)."""
        n = len(rows.codes)
        # Rows are kept apart by the pad, or writing one would touch the next.
        packed = np.zeros((n, self.row_bytes + _PAD), np.uint8)
        if not n:
            return packed[:, : self.row_bytes]
        for col, (byte, shift, _, gap) in enumerate(self.fields()):
            cell = rows.codes[:, col].astype(np.uint32)
            if gap:
                cell = np.where(rows.seen[:, col], cell + np.uint32(1), np.uint32(0))
            words = np.ndarray((n,), "<u4", packed, byte, (packed.shape[1],))
            words |= cell << np.uint32(shift)
        return packed[:, : self.row_bytes]

    def read(self, packed: Bytes, n: int) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Unpack n rows from bytes with a pad at their end: codes and seen, (rows, cols)."""
        # Column by column in memory while they are made; a row at a time afterwards.
        codes = np.empty((n, len(self.n_cats)), np.int32, order="F")
        seen = np.ones((n, len(self.n_cats)), np.bool_, order="F")
        size = self.row_bytes
        for col, (byte, shift, mask, gap) in enumerate(self.fields() if n else ()):
            words = np.ndarray((n,), "<u4", packed, byte, (size,))
            cell = (words >> np.uint32(shift)) & np.uint32(mask)
            if gap:
                seen[:, col] = cell > 0
                cell -= seen[:, col]  # k + 1 → k, and 0 stays where nothing is seen
            codes[:, col] = cell
        return np.ascontiguousarray(codes), np.ascontiguousarray(seen)


@lru_cache(maxsize=64)
def _fields(layout: Layout) -> tuple[tuple[int, int, int, bool], ...]:
    found, bit = list[tuple[int, int, int, bool]](), 0
    for width, gap in zip(layout.widths, layout.gaps, strict=True):
        found.append((bit // 8, bit % 8, (1 << width) - 1, gap))
        bit += width
    return tuple(found)


@dataclass(frozen=True)
class PackedCodes:
    """The codes of a table: (rows, cols), row by row, mapped from disk.

    A record costs its bits and nothing else: no Python object a row, so processes share
    the pages and none is copied when they look. Sent to another process, it is opened
    there again.

    Args:
        layout: where the cells lie.
        n_rows: rows.
        cells: all rows and a pad, as bytes; read-only.

    """

    layout: Layout
    n_rows: int
    cells: Bytes

    @property
    def n_cats(self) -> tuple[int, ...]:
        """Number of codes of each column."""
        return self.layout.n_cats

    @property
    def folder(self) -> Path:
        """Return where it lies."""
        return Path(str(getattr(self.cells, "filename", ""))).parent

    def rows(
        self, index: slice | Sequence[int] | NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Take rows, by a slice or positions.

        Returns:
            Codes (0 where unseen) and which cells are seen, both (rows, cols).

        Cost:
            About 4 ns a cell.

        """
        size, cells = self.layout.row_bytes, np.asarray(self.cells)
        if isinstance(index, slice) and index.step in (None, 1):
            start, stop, _ = index.indices(self.n_rows)
            n = max(stop - start, 0)
            return self.layout.read(cells[start * size : (start + n) * size + _PAD], n)
        by_row = cells[: self.n_rows * size].reshape(self.n_rows, size)
        taken = by_row[index]
        padded = np.zeros(taken.size + _PAD, np.uint8)
        padded[: taken.size] = taken.reshape(-1)
        return self.layout.read(padded, len(taken))

    def __reduce__(self) -> Any:
        return PackedCodes.open, (self.folder,)

    @staticmethod
    def open(folder: str | Path) -> PackedCodes:
        """Map the codes that `pack` wrote.

        Raises:
            DataError: there are none, or they are damaged, truncated or of another version.

        """
        folder = Path(folder)
        try:
            face = json.loads((folder / FACE).read_text("utf8"))
            if face["format"] != FORMAT or face["version"] != VERSION:
                raise DataError(
                    f"{folder} holds {face['format']!r} version {face['version']}; this reads "
                    f"{FORMAT!r} version {VERSION}. Pack the table again."
                )
            gaps = tuple(map(bool, face["gaps"]))
            layout = Layout(tuple(int(n) for n in face["n_cats"]), gaps)
            n_rows = int(face["n_rows"])
            size, expected = (folder / CODES).stat().st_size, n_rows * layout.row_bytes + _PAD
            if size != expected:
                raise ValueError(f"{CODES} has {size} bytes, not {expected}")
            cells = np.memmap(folder / CODES, np.uint8, "r")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{folder} holds no packed codes, or damaged ones ({error}). Pack the table again."
            ) from None
        return PackedCodes(layout, n_rows, cells)


def pack(table: Table, codec: Codec, folder: str | Path) -> PackedCodes:
    """Encode a table into a folder, batch by batch, in constant memory.

    Columns without a gap in the schema are packed without room for one; if there is one
    after all, as in a table of other rows, the table is read a second time. The
    description is written last and at once, so that a folder is whole or not there.

    Args:
        table: the rows.
        codec: of its schema.
        folder: made if it is not there; packed codes in it are replaced.

    Raises:
        DataError: the table cannot be read to its end, or has no rows.

    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FACE).unlink(missing_ok=True)
    part = folder / f"{CODES}.part"
    gaps = tuple(column.n_missing > 0 for column in codec.columns)
    n_rows, found = _write(table, codec, Layout(codec.n_cats, gaps), part)
    if not n_rows:
        raise DataError(f"{table.name} has no rows. Give a table with some.")
    if found != gaps:
        gaps = found
        n_rows, _ = _write(table, codec, Layout(codec.n_cats, gaps), part)
    os.replace(part, folder / CODES)
    face = {"format": FORMAT, "version": VERSION, "n_rows": n_rows}
    face |= {"n_cats": list(codec.n_cats), "gaps": list(gaps)}
    part = folder / f"{FACE}.part"
    part.write_text(json.dumps(face), "utf8")
    os.replace(part, folder / FACE)
    return PackedCodes.open(folder)


def _write(table: Table, codec: Codec, layout: Layout, path: Path) -> tuple[int, tuple[bool, ...]]:
    """Write rows until one does not fit; return all rows, and which columns need gaps."""
    n_rows, gaps = 0, np.array(layout.gaps)
    with path.open("wb") as codes:
        for batch in table.batches():
            rows = codec.encode(batch)
            gaps |= ~rows.seen.all(0)
            if tuple(gaps.tolist()) == layout.gaps:  # else only the gaps are still of interest
                codes.write(layout.write(rows).tobytes())
            n_rows += batch.num_rows
        codes.write(bytes(_PAD))
    return n_rows, tuple(gaps.tolist())
