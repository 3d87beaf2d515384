"""A seeded sample of a stream's rows, in constant memory, with what is counted on all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.data.files.table import Table

MAX_ROWS = 200_000
MAX_CELLS = 8_000_000


@dataclass(frozen=True)
class Sample:
    """Some rows of a table, in its order.

    Args:
        rows: all rows if there are at most 200,000 (fewer with more than 40 columns).
        n_rows: rows of the table.
        missing: nulls of each column, on all rows.

    """

    rows: pa.Table
    n_rows: int
    missing: tuple[int, ...]


def sample_rows(table: Table, seed: int = 0) -> Sample:
    """Read the stream once and keep the rows with the smallest random keys.

    Every row has the same chance, and which ones are kept depends on the seed only.
    """
    limit = int(np.clip(MAX_CELLS // max(len(table.arrow), 1), 2_000, MAX_ROWS))
    rng = generator(seed, "schema", "sample")
    kept, keys = list[pa.RecordBatch](), np.zeros(0)
    bar, n_rows = 1.0, 0
    missing = np.zeros(len(table.arrow), np.int64)
    for batch in table.batches():
        n_rows += batch.num_rows
        missing += [column.null_count for column in batch.columns]
        draws = rng.random(batch.num_rows)
        if bar < 1.0:
            chosen = np.flatnonzero(draws < bar)
            batch, draws = batch.take(pa.array(chosen)), draws[chosen]
        kept.append(batch)
        keys = np.concatenate([keys, draws])
        if len(keys) > 2 * limit:
            kept, keys = _smallest(kept, keys, limit)
            bar = float(keys.max())
    kept, _ = _smallest(kept, keys, limit)
    return Sample(pa.Table.from_batches(kept, table.arrow), n_rows, tuple(missing.tolist()))


def _smallest(
    kept: list[pa.RecordBatch], keys: NDArray[np.float64], limit: int
) -> tuple[list[pa.RecordBatch], NDArray[np.float64]]:
    if len(keys) <= limit:
        return kept, keys
    best = np.sort(np.argpartition(keys, limit - 1)[:limit])
    rows = pa.Table.from_batches(kept).take(pa.array(best)).combine_chunks()
    return rows.to_batches(), keys[best]
