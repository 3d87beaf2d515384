"""What a table holds, for people: kinds with reasons, gaps, frequent values, an excerpt."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from anypart.data.codec import Codec
from anypart.data.files.table import Table
from anypart.data.runs.schedule import schedule
from anypart.data.sample import Sample, sample_rows
from anypart.data.schema import Column, Kind, Schema
from anypart.data.shown import show_number
from anypart.data.spelling import GAP_MARKS
from anypart.data.values import flat, placed, type_named, words
from anypart.data.windows import Window, shortest_window

EXCERPT_ROWS = 20_000  # the covering slice is looked for among the first rows
_DAYS = (("day", 1),)
_SECONDS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_NINES = re.compile(r"-?(9{2,}|1e\+\d+|9\.9+e\+\d+)|-1|-88+|-77+")
EXCERPT_SHARE = 0.01  # and has to show every category at least this frequent


@dataclass(frozen=True)
class ColumnProfile:
    """What one column holds.

    Args:
        name, kind, reason, arrow_type: as in the schema.
        n_cats: codes; 0 if it is left out of the model.
        n_distinct: different values in the sample.
        missing_share: rows without a value, in [0, 1].
        top: the most frequent values with their share of the values.
        quantiles: of a numeric column, written out: least, 25 %, median, 75 %, greatest.
        warnings: what may be wrong or worth knowing.

    """

    name: str
    kind: str
    reason: str
    arrow_type: str
    n_cats: int
    n_distinct: int
    missing_share: float
    top: tuple[tuple[str, float], ...]
    quantiles: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """What a table holds.

    Args:
        name: of the table.
        n_rows: rows.
        columns: all columns, the left-out ones too.
        notes: what was changed or guessed in reading.
        excerpt: shortest run of neighbouring rows (positions from 0) that shows every
            category with at least 1 % of the first 20,000 rows; None if no column has any.

    """

    name: str
    n_rows: int
    columns: tuple[ColumnProfile, ...]
    notes: tuple[str, ...]
    excerpt: Window | None

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers."""
        return asdict(self)


def profile(table: Table, schema: Schema, seed: int = 0) -> Profile:
    """Describe a table under its schema, from one pass over it and a sample of its rows."""
    sample = sample_rows(table, seed)
    columns = tuple(_describe(c, sample, i) for i, c in enumerate(schema.columns))
    return Profile(table.name, sample.n_rows, columns, table.notes, _excerpt(table, schema))


def _describe(column: Column, sample: Sample, col_ix: int) -> ColumnProfile:
    values = flat(sample.rows.column(col_ix))
    if pa.types.is_floating(values.type):
        values = values.filter(pc.invert(pc.is_nan(values)))
    values = column.spelling.without_gaps(values).drop_null()
    plain = column.spelling.is_plain
    counts = pc.value_counts(words(values, type_named(column.arrow_type)) if plain else values)
    weight = np.asarray(counts.field("counts"))
    best = np.argsort(-weight, kind="stable")[:5]
    spelt = counts.field("values")
    top = tuple((str(spelt[i.item()])[:60], float(weight[i] / len(values))) for i in best)
    missing = column.n_missing / max(sample.n_rows, 1)
    x = np.zeros(0)
    if column.kind.numeric:
        x, known = placed(values, column)
        x = x[known]
    return ColumnProfile(
        column.name,
        column.kind.value,
        column.reason,
        column.arrow_type,
        column.n_cats,
        len(weight),
        missing,
        top,
        _quantiles(x, column),
        tuple(_warnings(column, x, len(values) - len(x), missing, top)),
    )


def _quantiles(x: NDArray[np.float64], column: Column) -> tuple[str, ...]:
    if not len(x):
        return ()
    points = np.quantile(x, [0, 0.25, 0.5, 0.75, 1], method="lower")
    return tuple(show_number(p, column) for p in points.tolist())


def _warnings(
    column: Column,
    x: NDArray[np.float64],
    unread: int,
    missing: float,
    top: tuple[tuple[str, float], ...],
) -> list[str]:
    out = list[str]()
    if missing > 0.5:
        out.append(f"{100 * missing:.0f} % of the rows have no value")
    if top and 0.99 < top[0][1] < 1:
        out.append(f"{100 * top[0][1]:.1f} % of the values are {top[0][0]}")
    if column.kind.numeric and len(x) and (said := _sentinel(x, column)):
        out.append(said)
    if column.kind in (Kind.BINARY, Kind.CATEGORICAL):
        out += _odd_words(column, top)
    if column.kind.numeric and unread:
        out.append(f"{unread:,} infinite or unreadable values are taken as missing")
    if column.kind in (Kind.DATE, Kind.TIME) and (said := _regularity(x, column)):
        out.append(said)
    return out


def _sentinel(x: NDArray[np.float64], column: Column) -> str:
    """Name a number such as -999 that many rows have and that lies far from all others."""
    low, high = float(x.min()), float(x.max())
    for odd in (low, high):
        share = float((x == odd).mean())
        rest = x[x != odd]
        if 0.005 < share < 0.9 and len(rest) > 10 and _NINES.fullmatch(f"{odd:g}"):
            away = rest.min() - odd if odd == low else odd - rest.max()
            if away > np.ptp(rest):
                shown = show_number(odd, column)
                return (
                    f"{100 * share:.1f} % of the values are {shown}, far from all others: if that "
                    f"means no value, say --missing {shown}"
                )
    return ""


def _odd_words(column: Column, top: tuple[tuple[str, float], ...]) -> list[str]:
    """Name words that may mean no value, and words that differ in capitals only."""
    out = [
        f"{100 * share:.1f} % of the values are {word!r}: if that means no value, say "
        f"--missing '{word}'"
        for word, share in top
        if word.strip() in GAP_MARKS
    ]
    folded = dict[str, str]()
    for word in column.categories:
        other = folded.setdefault(" ".join(word.split()).casefold(), word)
        if other != word:
            out.append(f"{other!r} and {word!r} are taken as different")
            break
    return out


def _regularity(x: NDArray[np.float64], column: Column) -> str:
    """Say whether days or times follow on each other, and where they do not."""
    found = schedule(x)
    if found is None:
        return ""
    units = _DAYS if column.kind == Kind.DATE else _SECONDS
    unit, size = next((u, s) for u, s in units if found.step % s == 0)
    each = found.step // size
    step = f"every {unit}" if each == 1 else f"every {each:,} {unit}s"
    if found.whole:
        return f"{step}, without a gap"
    gaps = found.runs.gaps
    longest, stretch = gaps.longest, found.runs.longest
    many = "1 gap" if len(gaps) == 1 else f"{len(gaps):,} gaps, the longest"
    return (
        f"{step}, with {many} of {longest.length:,} from "
        f"{show_number(found.at(longest.start), column)}; without one for {stretch.length:,} from "
        f"{show_number(found.at(stretch.start), column)}"
    )


def _excerpt(table: Table, schema: Schema) -> Window | None:
    """Find the covering slice: rows as runs of (column, category) items."""
    chosen = [i for i, c in enumerate(schema.modelled) if not c.kind.numeric]
    if not chosen:
        return None
    codec = Codec(schema)
    codes, seen = list[NDArray[np.int32]](), list[NDArray[np.bool_]]()
    n_rows = 0
    for batch in table.batches(EXCERPT_ROWS):
        rows = codec.encode(batch.slice(0, EXCERPT_ROWS - n_rows))
        codes.append(rows.codes[:, chosen])
        seen.append(rows.seen[:, chosen])
        n_rows += len(rows.codes)
        if n_rows >= EXCERPT_ROWS:
            break
    firsts = np.cumsum([0, *(codec.n_cats[i] for i in chosen[:-1])])
    items = np.where(np.concatenate(seen), np.concatenate(codes) + firsts, -1).ravel().tolist()
    frequent = [i for i, n in Counter(items).items() if i >= 0 and n >= EXCERPT_SHARE * n_rows]
    window = shortest_window(items, frequent)
    if window is None:
        return None
    width = len(chosen)
    return Window(window.start // width, -(-window.stop // width))
