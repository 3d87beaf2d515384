"""A stream of rows → a schema: what each column is, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from anypart.base.errors import ColumnError, DataError, suggest
from anypart.base.seeds import generator
from anypart.data.files.table import Table
from anypart.data.kinds import column_of
from anypart.data.schema import Kind, Schema

MAX_ROWS = 200_000
MAX_CELLS = 8_000_000
KINDS = tuple(k.value for k in Kind)


def infer_schema(table: Table, overrides: Mapping[str, str] | None = None, seed: int = 0) -> Schema:
    """Decide what each column of a table is.

    The stream is read once, in constant memory. Everything is decided on a seeded sample
    of at most 200,000 rows (fewer if there are more than 40 columns), which is the whole
    table if it is smaller; missing cells are counted on all rows.

    Args:
        table: the training rows.
        overrides: column → kind, where the guess is not wanted; `text` leaves it out.
        seed: of the sample.

    Raises:
        ColumnError: an override of a column that is not there.
        DataError: an override that the values do not allow; no rows; nothing to model.

    """
    wanted = _checked(overrides or {}, table)
    rows, n_rows, missing = _sample(table, seed)
    if not n_rows:
        raise DataError(
            f"{table.name} has {len(table.arrow)} column names and no rows, so there is "
            "nothing to fit. Give a table with at least a few rows."
        )
    columns = [
        column_of(name, rows.column(i), wanted.get(name), missing[i])
        for i, name in enumerate(table.arrow.names)
    ]
    schema = Schema(tuple(columns), n_rows)
    if not schema.modelled:
        why = "; ".join(f"{c.name}: {c.kind} ({c.reason})" for c in columns[:5])
        raise DataError(f"{table.name} has no column that can be modelled: {why}.")
    return schema


def _checked(overrides: Mapping[str, str], table: Table) -> dict[str, Kind]:
    names = table.arrow.names
    for name, kind in overrides.items():
        if name not in names:
            raise ColumnError(
                f"{table.name} has no column {name!r} to be {kind} ({len(names)} columns)."
                + suggest(name, names)
            )
        if kind not in KINDS:
            raise DataError(
                f"column {name!r} cannot be {kind!r}: kinds are {', '.join(KINDS)}."
                + suggest(str(kind), KINDS)
            )
    return {name: Kind(kind) for name, kind in overrides.items()}


def _sample(table: Table, seed: int) -> tuple[pa.Table, int, list[int]]:
    """Keep the rows with the smallest random keys, in order; count rows and nulls."""
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
    kept, keys = _smallest(kept, keys, limit)
    return pa.Table.from_batches(kept, table.arrow), n_rows, missing.tolist()


def _smallest(kept: list[pa.RecordBatch], keys: np.ndarray, limit: int):
    if len(keys) <= limit:
        return kept, keys
    best = np.sort(np.argpartition(keys, limit - 1)[:limit])
    rows = pa.Table.from_batches(kept).take(pa.array(best)).combine_chunks()
    return rows.to_batches(), keys[best]
