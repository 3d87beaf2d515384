"""What the same table costs in memory in each of the forms that people keep tables in."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.errors import DataError
from anypart.base.frozen import footprint
from anypart.data.codec import Codec
from anypart.data.files.table import Table
from anypart.data.infer import infer_schema
from anypart.data.packed import pack

MOST_ROWS = 50_000  # more would only take longer: a row costs what it costs


@dataclass(frozen=True)
class Cost:
    """One form of a table.

    Args:
        form: its name.
        row_bytes: bytes a row, everything that it keeps in memory counted once.
        note: what the number is of.

    """

    form: str
    row_bytes: float
    note: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def costs(table: Table) -> tuple[int, list[Cost]]:
    """Measure a table's first rows as Python, NumPy, pandas, Arrow and packed codes.

    Args:
        table: its first 50,000 rows are measured.

    Returns:
        The rows that were measured, and the forms; pandas only where it is installed.

    Raises:
        DataError: there are no rows.

    """
    batches = list(islice(table.batches(MOST_ROWS), 1))
    rows = pa.Table.from_batches(batches, table.arrow)
    n = len(rows)
    if not n:
        raise DataError(f"{table.name} has no rows, so they cost nothing. Give a table with rows.")
    records = rows.to_pylist()
    found = [Cost("list of dicts", footprint(records) / n, "Python objects")]
    tuples = [tuple(record.values()) for record in records]
    found.append(Cost("list of tuples", footprint(tuples) / n, "the same values in tuples"))
    del records
    objects = np.empty((n, rows.num_columns), object)
    objects[:] = tuples
    found.append(Cost("NumPy objects", footprint(objects) / n, "pointers, and the same values"))
    try:
        frame = rows.to_pandas()
        size = int(frame.memory_usage(index=True, deep=True).sum())
        found.append(Cost("pandas", size / n, "as pandas counts it, with its strings"))
    except ImportError:
        pass
    found.append(Cost("Arrow", rows.nbytes / n, "buffers, without their padding"))
    found.append(_packed(rows))
    return n, found


def _packed(rows: pa.Table) -> Cost:
    from anypart.data.files import read

    source = read(rows)
    codec = Codec(infer_schema(source))
    with tempfile.TemporaryDirectory(prefix="anypart-") as folder:
        packed = pack(source, codec, folder)
        n_left = rows.num_columns - len(codec.columns)
        without = f"; {n_left} columns (keys, text) are not modelled" if n_left else ""
        note = f"codes of {len(codec.columns)} columns, {sum(packed.layout.widths)} bits{without}"
        return Cost("packed codes", packed.layout.row_bytes, note)
