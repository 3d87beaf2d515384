"""Each column by itself: how the table has it, and how the model has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anypart.data.codec import Codec
from anypart.data.files import Table
from anypart.data.schema import Column, Kind, Schema
from anypart.data.shown import show_number
from anypart.data.values import flat, placed
from anypart.models.contract import Evidence, Layout, Model
from anypart.queries import events

Reals = NDArray[np.float64]
BINS = 24
MOST_CATEGORIES = 8
DAYS_WITHOUT_HOURS = 3  # a longer axis of times is labelled with dates
_TAIL = 0.005  # share of rows that a histogram leaves out at either end, so that it shows the rest


class Drawn(Protocol):
    """A fit, as far as it is drawn here."""

    schema: Schema
    codec: Codec
    model: Model


@dataclass(frozen=True)
class Marginal:
    """One column, ready to be drawn.

    Args:
        column: what it is.
        missing: share of the table's rows without a value.
        labels: of the categories, or of ticks spread evenly for numbers.
        data, model: shares of the categories or bins, in [0, 1].

    """

    column: Column
    missing: float
    labels: tuple[str, ...]
    data: Reals
    model: Reals


def marginals(fitted: Drawn, table: Table, most: int) -> Iterator[Marginal]:
    """Compare the columns of a table with what a model says of them, one by one.

    Args:
        fitted: the fit; p(column) is exact if the model is.
        table: read once.
        most: columns to compare, from the first one.

    Cost:
        Two passes over the table in constant memory.

    """
    codec = fitted.codec
    layout = Layout(tuple(codec.n_cats))
    counts, n_rows = _count(codec, table, layout)
    nothing = Evidence.nothing(1, layout.n_cols)
    probs = np.exp(events.conditional(fitted.model, nothing).value[0])
    shares = [counts[place] / max(counts[place].sum(), 1) for place in layout.slices]
    edges = {
        at: _edges(codec, at, (shares[at] + probs[layout.slices[at]]) / 2)
        for at, column in enumerate(codec.columns[:most])
        if column.kind.numeric
    }
    binned = _bin(codec, table, edges)
    for at, column in enumerate(codec.columns[:most]):
        missing = 1 - counts[layout.slices[at]].sum() / max(n_rows, 1)
        model = probs[layout.slices[at]]
        if at in edges:
            yield Marginal(column, missing, *_numbers(codec, at, edges[at], binned[at], model))
        else:
            yield Marginal(column, missing, *_categories(codec.labels(at), shares[at], model))


def _bin(codec: Codec, table: Table, edges: Mapping[int, Reals]) -> dict[int, Reals]:
    """Share of the values of each numeric column in each bin, column position → (bins,)."""
    found = {at: np.zeros(len(bounds) - 1) for at, bounds in edges.items()}
    n_values = dict.fromkeys(edges, 0)
    for batch in table.batches() if edges else ():
        there = set(batch.schema.names)
        for at, bounds in edges.items():
            column = codec.columns[at]
            if column.name in there:
                x, known = placed(flat(batch.column(column.name)), column)
                found[at] += np.histogram(x[known], bounds)[0]
                n_values[at] += int(known.sum())
    return {at: count / max(n_values[at], 1) for at, count in found.items()}


def _count(codec: Codec, table: Table, layout: Layout) -> tuple[Reals, int]:
    """Count the codes of every column, (flat,), and the rows."""
    counts = np.zeros(layout.total)
    n_rows = 0
    for batch in table.batches():
        rows = codec.encode(batch)
        n_rows += batch.num_rows
        for at, place in enumerate(layout.slices):
            codes = rows.codes[rows.seen[:, at], at]
            counts[place] += np.bincount(codes, minlength=layout.n_cats[at])
    return counts, n_rows


def _categories(labels: Sequence[str], data: Reals, model: Reals) -> tuple[Any, ...]:
    order = np.argsort(-np.maximum(data, model), kind="stable")
    kept, rest = order[:MOST_CATEGORIES], order[MOST_CATEGORIES:]
    names = [labels[i] for i in kept]
    data, rest_data = data[kept], data[rest].sum()
    model, rest_model = model[kept], model[rest].sum()
    if len(rest):
        names.append(f"{len(rest)} more")
        data, model = np.append(data, rest_data), np.append(model, rest_model)
    return tuple(names), data, model


def _numbers(codec: Codec, at: int, edges: Reals, data: Reals, model: Reals) -> tuple[Any, ...]:
    column = codec.columns[at]
    said = np.zeros(len(edges) - 1)
    for bin_ix, (low, high) in enumerate(pairwise(edges.tolist())):
        spans = codec.spans(at, low, high, open_high=True)
        said[bin_ix] = model @ (spans[:, 1] - spans[:, 0])
    half = column.resolution / 2  # a bin of a grid begins half a step before its first point
    ends = np.linspace(edges[0] + half, edges[-1] - half, 3)
    ticks = [show_number(_rounded(x, column), column) for x in ends.tolist()]
    if column.kind == Kind.TIME and ends[-1] - ends[0] > DAYS_WITHOUT_HOURS * 86_400:
        ticks = [tick.split(" ")[0] for tick in ticks]
    return tuple(ticks), data, said


def _edges(codec: Codec, at: int, share: Reals) -> Reals:
    """Cut the bulk of a column into bins of equal width, whole steps of its grid."""
    u = (np.arange(16) + 0.5) / 16
    codes = np.repeat(np.arange(len(share)), len(u))
    values = codec.values_at(at, codes, np.tile(u, len(share)))
    mass = np.repeat(share / len(u), len(u))
    order = np.argsort(values, kind="stable")
    below = np.cumsum(mass[order]) / max(mass.sum(), 1e-300)
    last = len(values) - 1
    low = values[order][min(np.searchsorted(below, _TAIL), last)]
    high = values[order][min(np.searchsorted(below, 1 - _TAIL), last)]
    step = codec.columns[at].resolution
    if not step:
        return np.linspace(low, high if high > low else low + 1, BINS + 1)
    width = max(int(np.ceil((high - low + step) / step / BINS)), 1) * step
    n_bins = int(np.ceil((high - low + step) / width - 1e-9))
    return low - step / 2 + width * np.arange(max(n_bins, 1) + 1)


def _rounded(x: float, column: Column) -> float:
    """Round a tick to what people read: the grid, or three digits."""
    if column.resolution:
        digits = max(0, -int(np.floor(np.log10(column.resolution) + 1e-9)))
        return round(float(x), digits)
    return float(x) if column.kind in (Kind.DATE, Kind.TIME) else float(f"{x:.3g}")
