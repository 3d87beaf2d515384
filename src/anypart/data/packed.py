"""Codes on disk: one byte a cell where that is enough, memory-mapped, never changed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.codec import Codec
from anypart.data.files.table import Table

FORMAT = "anypart packed codes"
VERSION = 1
CODES, MEASURE, FACE = "codes.bin", "log_measure.bin", "packed.json"


@dataclass(frozen=True)
class PackedCodes:
    """The codes of a table: (rows, cols), row by row, mapped from disk.

    A record costs its bytes and nothing else: no Python object a row, so worker processes
    share the pages and none is copied when they look.

    Args:
        n_cats: number of codes of each column.
        cells: (rows, cols) unsigned; 0 is unseen, k + 1 is code k.
        log_measure: (rows,) nats, as in `Encoded`.

    """

    n_cats: tuple[int, ...]
    cells: NDArray[np.unsignedinteger[Any]]
    log_measure: NDArray[np.float64]

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        return self.cells.shape[0]

    def rows(
        self, index: slice | Sequence[int] | NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """Take rows, by a slice or positions.

        Returns:
            Codes (0 where unseen) and which cells are seen, both (rows, cols).

        """
        raw = self.cells[index]
        seen = raw > 0
        codes = raw.astype(np.int32)
        codes -= seen  # k + 1 → k, and 0 stays where nothing is seen
        return codes, seen

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
            shape = (int(face["n_rows"]), len(face["n_cats"]))
            dtype = np.dtype(face["dtype"])
            cells = _map(folder / CODES, dtype, shape)
            measure = _map(folder / MEASURE, np.dtype("<f8"), shape[:1])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{folder} holds no packed codes, or damaged ones ({error}). Pack the table again."
            ) from None
        return PackedCodes(tuple(int(n) for n in face["n_cats"]), cells, measure)


def pack(table: Table, codec: Codec, folder: str | Path) -> PackedCodes:
    """Encode a table into a folder, batch by batch, in constant memory.

    The description is written last and at once, so that a folder is whole or not there.

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
    dtype = np.dtype("<u1" if max(codec.n_cats) < 256 else "<u2")
    n_rows = 0
    parts = {name: folder / f"{name}.part" for name in (CODES, MEASURE)}
    with parts[CODES].open("wb") as codes, parts[MEASURE].open("wb") as measure:
        for batch in table.batches():
            rows = codec.encode(batch)
            codes.write(np.where(rows.seen, rows.codes + 1, 0).astype(dtype).tobytes())
            measure.write(rows.log_measure.astype("<f8").tobytes())
            n_rows += batch.num_rows
    if not n_rows:
        raise DataError(f"{table.name} has no rows to pack.")
    for name, part in parts.items():
        os.replace(part, folder / name)
    face = {"format": FORMAT, "version": VERSION, "n_rows": n_rows}
    face |= {"n_cats": list(codec.n_cats), "dtype": dtype.str}
    part = folder / f"{FACE}.part"
    part.write_text(json.dumps(face), "utf8")
    os.replace(part, folder / FACE)
    return PackedCodes.open(folder)


def _map(path: Path, dtype: np.dtype, shape: tuple[int, ...]) -> NDArray[Any]:
    expected = int(np.prod(shape)) * dtype.itemsize
    if path.stat().st_size != expected:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, not {expected}")
    return np.memmap(path, dtype, "r", shape=shape)
