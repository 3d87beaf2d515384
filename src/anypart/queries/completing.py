"""`complete`: fill the empty cells of rows, and say how probable each filling is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.base.seeds import generator
from anypart.data.files import read
from anypart.data.schema import Column
from anypart.data.values import is_text
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.queries import events
from anypart.queries.meaning import Reader
from anypart.queries.numeric import typed, unspelt

Reals = NDArray[np.float64]
BLOCK = 4096
WAYS = ("draw", "mode", "mean", "median", "likely")


@dataclass(frozen=True)
class Filled:
    """Completed rows.

    Args:
        table: the rows, every modelled column present and no modelled cell empty.
        cells: row, column, value and probability of each filled cell.
        unknown: by column, how many values there were that the fit has no code for.

    """

    table: pa.Table
    cells: pa.Table
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])


def check_way(how: str, draws: int) -> None:
    """Refuse a way of filling that there is not."""
    if how not in WAYS:
        raise QuestionError(f"Cells cannot be filled by {how!r}. The ways are {', '.join(WAYS)}.")
    if draws < 1:
        raise QuestionError(f"{draws} completions were asked. Ask for 1 or more.")
    if draws > 1 and how != "draw":
        raise QuestionError(
            f"{draws} completions by {how!r} were asked. Several differ only with how='draw'."
        )


def fill_rows(
    reader: Reader, model: Model, rows: Any, how: str, draws: int, seed: int
) -> Iterator[Filled]:
    """Fill the empty cells of a table, block by block in constant memory.

    Args:
        reader: knows the columns.
        model: what completes.
        rows: what `read` takes; read once a draw.
        how: as in `fill`.
        draws: the table is given back as often, told apart by a first column `draw`; the
            filled cells are those of the first draw.
        seed: of the draws.

    Returns:
        At least one block, also for a table without rows.

    """
    check_way(how, draws)
    return _fill_blocks(reader, model, rows, how, draws, seed)


def _fill_blocks(
    reader: Reader, model: Model, rows: Any, how: str, draws: int, seed: int
) -> Iterator[Filled]:
    source = read(rows)
    for draw in range(draws):
        start = 0
        batches = source.batches(BLOCK)
        first = next(batches, pa.RecordBatch.from_pylist([], schema=source.arrow))
        for batch in chain([first], batches):
            rng = generator(seed, "complete", draw, start)
            filled = fill(reader, model, batch, how, rng, start)
            start += batch.num_rows
            if draws > 1:
                number = pa.array(np.full(batch.num_rows, draw))
                cells = filled.cells if draw == 0 else _no_cells()
                unknown = filled.unknown if draw == 0 else {}
                filled = Filled(filled.table.add_column(0, "draw", number), cells, unknown)
            yield filled


def fill(
    reader: Reader, model: Model, batch: Any, how: str, rng: np.random.Generator, first_row: int
) -> Filled:
    """Fill the empty cells of one batch; cells with a value stay as they are, bit for bit.

    A value that has no code (an unseen category) counts as unseen for the others, and stays.

    Args:
        reader: knows the columns.
        model: what completes.
        batch: Arrow rows.
        how: draw: all cells of a row jointly; mode, mean, median: each cell for itself, a
            mean or median of categories being their mode; likely: the most likely row.
        rng: of the draws.
        first_row: number of the batch's first row, for `cells`.

    """
    encoded = reader.codec.encode(batch)
    evidence = Evidence(encoded.codes, encoded.seen)
    given = events.conditional(model, evidence).value
    codes, values = _choose(reader, model, evidence, given, how, rng)
    decoded = reader.codec.decode(codes, None, rng)
    table = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
    parts: list[pa.Table] = []
    for at, column in enumerate(reader.columns):
        new = typed(values[at], column) if at in values else decoded.column(column.name)
        new = new.combine_chunks() if isinstance(new, pa.ChunkedArray) else new
        table, hole = _fill_column(table, column, new)
        rows = np.flatnonzero(hole)
        if len(rows):
            chosen = model.layout.slices[at].start + codes[rows, at]
            parts.append(
                pa.table(
                    {
                        "row": rows + first_row,
                        "column": pa.array([column.name] * len(rows)),
                        "value": new.take(pa.array(rows)).cast(pa.string()),
                        "probability": np.exp(given[rows, chosen]),
                    }
                )
            )
    cells = pa.concat_tables(parts) if parts else _no_cells()
    return Filled(table, cells, encoded.unknown)


def _no_cells() -> pa.Table:
    kinds = {"row": pa.int64(), "column": pa.string(), "value": pa.string()}
    return pa.schema({**kinds, "probability": pa.float64()}).empty_table()


def _fill_column(table: pa.Table, column: Column, new: pa.Array) -> tuple[pa.Table, Mask]:
    """Put values where a column is empty, or add the column if it is not there."""
    name = column.name
    if name not in table.column_names:
        return table.append_column(name, new), np.ones(table.num_rows, np.bool_)
    old, at = table.column(name), table.column_names.index(name)
    kind = new.type if pa.types.is_null(old.type) else old.type
    if pa.types.is_dictionary(kind):  # in every block, so that all have one schema
        kind = kind.value_type
        old = old.cast(kind)
        table = table.set_column(at, pa.field(name, kind), old)
    if not is_text(kind):
        new = unspelt(new, column)
    empty = column.spelling.without_gaps(old).is_null(nan_is_null=True)
    hole = np.asarray(empty).astype(np.bool_)
    if not hole.any():
        return table, hole
    filled = pc.call_function("if_else", [empty, new.cast(kind, safe=False), old.cast(kind)])
    return table.set_column(at, pa.field(name, kind), filled), hole


def _choose(
    reader: Reader,
    model: Model,
    evidence: Evidence,
    given: Reals,
    how: str,
    rng: np.random.Generator,
) -> tuple[Codes, dict[int, Reals]]:
    """Choose a code for every cell, and numbers where they are not drawn inside it."""
    if how == "draw":
        return events.sample(model, evidence, rng), {}
    codes = evidence.codes.copy()
    values: dict[int, Reals] = {}
    for at, column in enumerate(reader.columns):
        rows = np.flatnonzero(~evidence.seen[:, at])
        probs = given[rows, model.layout.slices[at]]
        codes[rows, at] = probs.argmax(axis=1) if len(rows) else 0
        if column.kind.numeric and how in ("mean", "median") and len(rows):
            x, code = _centre(reader, at, np.exp(probs), how)
            codes[rows, at] = code
            values[at] = np.zeros(evidence.n_rows)
            values[at][rows] = x
    if how == "likely":
        codes = most_likely(model, evidence, codes)
    if how in ("mode", "likely"):
        for at, column in enumerate(reader.columns):
            if column.kind.numeric:  # the middle of the cell
                middle = np.full(evidence.n_rows, 0.5)
                values[at] = reader.codec.values_at(at, codes[:, at], middle)
    return codes, values


def _centre(reader: Reader, at: int, probs: Reals, how: str) -> tuple[Reals, NDArray[Any]]:
    points = reader.points(at)
    if how == "median":
        return points.quantile(probs, 0.5)
    x = probs @ points.moment(probs.shape[1], 1) / probs.sum(axis=1)
    return x, reader.line(at).encode(x)[0]


def most_likely(model: Model, evidence: Evidence, start: Codes) -> Codes:
    """Find the jointly most likely row: by the model if it can, else by climbing.

    Climbing starts from each cell's mode, and each step changes the one unseen cell of a row
    that gains most given all others, until none gains: no single change improves the row.

    Cost:
        A `leave_one_out` a step, as many as the row with the most changes needs.
    """
    exact = getattr(model, "most_likely", None)
    if exact is not None:
        return exact(evidence)
    codes, layout = start.copy(), model.layout
    everything = np.ones_like(evidence.seen)
    active = np.flatnonzero((~evidence.seen).any(axis=1))
    for _ in range(4 * layout.n_cols):
        if not len(active):
            break
        log_p = model.leave_one_out(codes[active], everything[active])
        gain = np.zeros((len(active), layout.n_cols))
        best = np.zeros((len(active), layout.n_cols), np.int32)
        for at, place in enumerate(layout.slices):
            part = log_p[:, place]
            best[:, at] = part.argmax(axis=1)
            now = np.take_along_axis(part, codes[active, at][:, None], axis=1)[:, 0]
            open_ = ~evidence.seen[active, at]
            gain[open_, at] = (part.max(axis=1) - np.maximum(now, -1e30))[open_]
        column = gain.argmax(axis=1)
        rows = np.flatnonzero(gain[np.arange(len(active)), column] > 1e-5)
        codes[active[rows], column[rows]] = best[rows, column[rows]]
        active = active[rows]
    return codes
