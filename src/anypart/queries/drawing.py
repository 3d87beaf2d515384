"""`sample`: rows that meet the conditions, always."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.base.seeds import generator
from anypart.models.contract import Codes, Evidence, Model
from anypart.queries import events
from anypart.queries.asking import require_possible
from anypart.queries.gaps import Gaps
from anypart.queries.intervals import holds
from anypart.queries.meaning import Event, Part, Reader
from anypart.queries.numeric import typed

Reals = NDArray[np.float64]
BLOCK = 16_384


def draw_blocks(
    reader: Reader, model: Model, event: Event, n: int, seed: int, gaps: Gaps | None
) -> Iterator[pa.Table]:
    """Draw rows of the schema's modelled columns, as many as asked, block by block.

    What cannot be drawn is refused at once, before the first block is asked for.

    Args:
        reader: knows the columns.
        model: what draws.
        event: what every row meets.
        n: rows.
        seed: of the draws; the first rows do not depend on `n` beyond blocks of 16,384.
        gaps: where cells are left empty; None for rows without gaps.

    """
    if n < 0:
        raise QuestionError(f"{n} rows cannot be drawn. Ask for 0 or more.")
    require_possible(model, event.onto(Evidence.nothing(1, len(reader.columns)))[0], event)
    return (
        _draw_block(
            reader, model, event, min(BLOCK, n - start), generator(seed, "sample", start), gaps
        )
        for start in range(0, max(n, 1), BLOCK)
    )


def _draw_block(
    reader: Reader,
    model: Model,
    event: Event,
    n: int,
    rng: np.random.Generator,
    gaps: Gaps | None,
) -> pa.Table:
    evidence, _ = event.onto(Evidence.nothing(n, len(reader.columns)))
    codes = events.sample(model, evidence, rng)
    table = reader.codec.decode(codes, None, rng).select([c.name for c in reader.columns])
    for at, part in event.parts.items():
        column = reader.columns[at]
        if column.kind.numeric:
            x = draw_inside(reader, at, part, codes[:, at], rng)
            table = table.set_column(at, column.name, typed(x, column))
    if gaps is None:
        return table
    seen = gaps.draw(codes, event.parts, rng)
    for at, column in enumerate(reader.columns):
        kept = pa.array(seen[:, at])
        masked = pc.call_function(
            "if_else", [kept, table.column(at), pa.scalar(None, table.column(at).type)]
        )
        table = table.set_column(at, column.name, masked)
    return table


def draw_inside(
    reader: Reader, at: int, part: Part, codes: Codes, rng: np.random.Generator
) -> Reals:
    """Draw a value for each code, inside what conditions allow of its cell, (rows,).

    Every value meets the conditions: the part of a cell is known as quantiles, and a value
    that rounding has put outside is drawn again, then replaced by the part's middle.
    """
    if part.is_density:
        return _points_inside(reader, at, part, codes, rng)
    spans = np.stack(reader.spans(at, part.allowed))  # (intervals, n_cats, 2)
    low, width = spans[:, codes, 0], (spans[:, :, 1] - spans[:, :, 0])[:, codes]
    mass = np.cumsum(width, axis=0)
    chosen = (rng.random(len(codes)) * mass[-1] >= mass).sum(axis=0)
    chosen = np.minimum(chosen, len(spans) - 1)
    rows = np.arange(len(codes))
    low, width = low[chosen, rows], width[chosen, rows]
    x = reader.codec.values_at(at, codes, low + width * rng.random(len(codes)))
    for attempt in range(9):
        bad = np.flatnonzero(~holds(part.allowed, x))
        if not len(bad):
            break
        u = rng.random(len(bad)) if attempt < 8 else np.full(len(bad), 0.5)
        x[bad] = reader.codec.values_at(at, codes[bad], low[bad] + width[bad] * u)
    return x


def _points_inside(
    reader: Reader, at: int, part: Part, codes: Codes, rng: np.random.Generator
) -> Reals:
    allowed = np.array([i.low for i in part.allowed])
    home, log_density = reader.line(at).encode(allowed)
    match = home[:, None] == codes[None]  # (points, rows)
    mass = np.cumsum(np.exp(log_density)[:, None] * match, axis=0)
    chosen = (rng.random(len(codes)) * mass[-1] >= mass).sum(axis=0)
    return allowed[np.minimum(chosen, len(allowed) - 1)]
