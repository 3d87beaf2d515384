"""`drift`: how far two tables, two fits, or a fit and a table are apart.

Column by column and jointly, each figure with its standard error and what pairs from one
source would show; a distance that has no honest estimate is refused with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.errors import DataError
from anypart.base.seeds import generator
from anypart.data.codec import Codec
from anypart.data.files import Table, read
from anypart.data.infer import infer_schema
from anypart.data.schema import Column, Schema
from anypart.optim.distances.counts import Counts, measure_counts, measure_line
from anypart.optim.distances.measured import Measured, refused
from anypart.optim.distances.rows import measure_rows
from anypart.queries.fitted import Fitted
from anypart.scores.densities import densities
from anypart.scores.rows import Reals, ScoredRows, code_rows, some_rows
from anypart.scores.vectors import vectors

MOST_ROWS = 20_000  # of a side, for columns
JOINT_ROWS = 1_000  # of a side, for MMD
PLACES = 400  # of a line; more distinct values are gathered between quantiles
FALSE_SHARE = 0.05  # of the columns that are said to have drifted
NO_LINE = "categories have no distance between them; where all are 1 apart it is total variation"
ROWS_FAR = "its error shrinks with rows^(−1/columns) only; see the columns, or MMD"


@dataclass(frozen=True)
class ColumnDrift:
    """One column on both sides; an empty cell counts as a value of its own.

    Args:
        name: of the column.
        kind: of the column.
        figures: distance → what it is worth; Wasserstein is of the values that are there.
        missing: share of empty cells on the first and the second side.
        p_value: of the column: of its distances that were tested, the least, times their number.
        drifted: whether it is among those named, of which 5 % at most are false on average.
    """

    name: str
    kind: str
    figures: Mapping[str, Measured]
    missing: tuple[float, float]
    p_value: float
    drifted: bool = False


@dataclass(frozen=True)
class Drift:
    """Two sides and how far they are apart.

    Args:
        first: what the first side is, with the rows that were looked at.
        second: the same of the second.
        columns: those that both have, most surely drifted first.
        joint: distance → what it is worth for whole rows; MMD squared.
        notes: what was not compared, for people.
    """

    first: tuple[str, int]
    second: tuple[str, int]
    columns: tuple[ColumnDrift, ...]
    joint: Mapping[str, Measured]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, strings, lists and dicts."""
        return asdict(self)


@dataclass(frozen=True)
class _Coder:
    schema: Schema

    @cached_property
    def codec(self) -> Codec:
        return Codec(self.schema)


def drift(first: Any, second: Any, *, seed: int = 0) -> Drift:
    """Measure how far two sides are apart: has my data drifted?

    Args:
        first: a fit, or anything that `read` takes: the data's part in forward KL.
        second: the same.
        seed: of the rows that are looked at, drawn and dealt.

    Returns:
        The figures. A fit is looked at through rows that it draws; two fits of one schema
        also by their probabilities.

    Raises:
        DataError: a side has no rows, or the sides have no column in common.

    Cost:
        One pass over each table, then seconds.
    """
    schema, notes = _common(first, second)
    coder = _Coder(schema)
    sides = [_side(s, coder, seed, at) for at, s in enumerate((first, second))]
    (one, name_one), (two, name_two) = sides
    made = [_column(coder, at, one, two, seed) for at in range(len(schema.modelled))]
    return Drift(
        (name_one, one.n_rows),
        (name_two, two.n_rows),
        tuple(sorted(_named(made), key=lambda c: (c.p_value, c.name))),
        _joint(first, second, schema, one, two, seed),
        tuple(notes),
    )


def _common(first: Any, second: Any) -> tuple[Schema, list[str]]:
    """Find one schema for both sides, and say what is outside it."""
    fits = [s for s in (first, second) if isinstance(s, Fitted)]
    if fits:
        names = [_names(s) for s in (first, second)]
        schema = fits[0].schema
        kept = [c for c in schema.modelled if all(c.name in n for n in names)]
        found = Schema(tuple(kept), schema.n_rows)
        left = [c for c in schema.columns if not c.kind.modelled]
    else:
        tables = [read(s) for s in (first, second)]
        names = [t.arrow.names for t in tables]
        whole = infer_schema(_pooled(*tables))
        found = Schema(whole.modelled, whole.n_rows)
        left = [c for c in whole.columns if not c.kind.modelled]
    notes = [f"{c.name} is left out: {c.kind} ({c.reason})" for c in left]
    for here, there, side in ((*names, "first"), (*reversed(names), "second")):
        if only := [n for n in here if n not in there]:
            notes.append(f"only the {side} side has {', '.join(only[:8])}")
    if fits:
        notes.append(
            "a fit is learnt from rows itself, so what it has wrong counts as distance here too; "
            "whether data has drifted is seen best between its two tables"
        )
    if not found.columns:
        raise DataError(f"The two sides have no column in common: {names[0]} and {names[1]}.")
    return found, notes


def _names(side: Any) -> Sequence[str]:
    if isinstance(side, Fitted):
        return [c.name for c in side.schema.modelled]
    return read(side).arrow.names


def _pooled(first: Table, second: Table) -> Table:
    """Stream both tables' common columns, one after the other; as text where types differ."""
    names = [n for n in first.arrow.names if n in second.arrow.names]
    if not names:
        raise DataError(
            f"{first.name} and {second.name} have no column in common: {first.arrow.names[:8]} "
            f"and {second.arrow.names[:8]}."
        )
    kinds = [(n, first.arrow.field(n).type, second.arrow.field(n).type) for n in names]
    arrow = pa.schema([(n, a if a == b else pa.string()) for n, a, b in kinds])

    def batches(size: int) -> Iterator[pa.RecordBatch]:
        for table in (first, second):
            for batch in table.batches(size):
                yield batch.select(names).cast(arrow)

    return Table(f"{first.name} and {second.name}", arrow, batches)


def _side(side: Any, coder: _Coder, seed: int, at: int) -> tuple[ScoredRows, str]:
    """Take rows of a side, drawn ones of a fit."""
    if isinstance(side, Fitted):
        gaps = side.gaps is not None
        drawn = side.sample(MOST_ROWS, seed=seed + at, with_missing=gaps).value
        return code_rows(coder, drawn), "a fit, through rows that it draws"
    table = read(side)
    # Another seed for each side, so that the same table twice is not compared row by row.
    return some_rows(coder, table.batches(), MOST_ROWS, seed + at), table.name


def _column(coder: _Coder, at: int, one: ScoredRows, two: ScoredRows, seed: int) -> ColumnDrift:
    column = coder.schema.modelled[at]
    rng = generator(seed, "scores", "drift", column.name)
    labels = (*coder.codec.labels(at), "(empty)")
    codes = [np.where(s.seen[:, at], s.codes[:, at], column.n_cats) for s in (one, two)]
    a, b = (np.bincount(c, minlength=len(labels)).astype(np.int64) for c in codes)
    met = np.flatnonzero(a + b)
    figures = measure_counts(a[met], b[met], rng, tuple(labels[i] for i in met))
    figures["wasserstein"] = _on_line(column, at, one, two, rng)
    tested = [figures[n].p_value for n in ("jensen_shannon", "wasserstein")]
    found = [p for p in tested if p is not None]
    missing = tuple(float(1 - s.seen[:, at].mean()) for s in (one, two))
    p_value = min(1.0, len(found) * min(found))
    return ColumnDrift(column.name, str(column.kind), figures, (missing[0], missing[1]), p_value)


def _on_line(
    column: Column, at: int, one: ScoredRows, two: ScoredRows, rng: np.random.Generator
) -> Measured:
    if not column.kind.numeric:
        return refused(NO_LINE)
    x, y = (s.reals[s.seen[:, at], at] for s in (one, two))
    if not (len(x) and len(y)):
        return refused("one side has no value in this column")
    places, a, b = _gathered(x, y)
    return measure_line(a, b, places, rng)


def _gathered(x: Reals, y: Reals) -> tuple[Reals, Counts, Counts]:
    """Count both sides' values on common places: all distinct ones, or means between quantiles."""
    pooled = np.sort(np.concatenate([x, y]))
    places = pooled[np.concatenate([[True], pooled[1:] != pooled[:-1]])]
    if len(places) > PLACES:
        edges = np.quantile(pooled, np.linspace(0, 1, PLACES + 1)[1:-1])
        edges = edges[np.concatenate([[True], edges[1:] != edges[:-1]])]
        owner = np.searchsorted(edges, pooled, side="right")
        sums, sizes = np.bincount(owner, pooled), np.bincount(owner)
        places = sums[sizes > 0] / sizes[sizes > 0]
        cell = (np.cumsum(sizes > 0) - 1).astype(np.int64)
        at = [cell[np.searchsorted(edges, v, side="right")] for v in (x, y)]
    else:
        at = [np.searchsorted(places, v) for v in (x, y)]
    a, b = (np.bincount(i, minlength=len(places)).astype(np.int64) for i in at)
    return places, a, b


def _named(columns: Sequence[ColumnDrift]) -> list[ColumnDrift]:
    """Name the columns that have drifted (Benjamini & Hochberg 1995)."""
    order = sorted(range(len(columns)), key=lambda i: columns[i].p_value)
    levels = [FALSE_SHARE * (rank + 1) / len(columns) for rank in range(len(columns))]
    met = [r for r, i in enumerate(order) if columns[i].p_value <= levels[r]]
    chosen = set(order[: met[-1] + 1]) if met else set[int]()
    return [
        ColumnDrift(c.name, c.kind, c.figures, c.missing, c.p_value, at in chosen)
        for at, c in enumerate(columns)
    ]


def _joint(
    first: Any, second: Any, schema: Schema, one: ScoredRows, two: ScoredRows, seed: int
) -> dict[str, Measured]:
    rng = generator(seed, "scores", "drift", "joint")
    found = densities(first, second, schema, one, two, rng)
    found["wasserstein"] = refused(ROWS_FAR)
    # At random: the rows are in the table's order, which may be that of time.
    few = [s.take(rng.permutation(s.n_rows)[:JOINT_ROWS]) for s in (one, two)]
    if min(s.n_rows for s in few) > 1:
        x, y = vectors(schema.modelled, few)
        found["mmd"] = measure_rows(x, y, rng)
    else:
        found["mmd"] = refused("a side has one row only")
    return found
