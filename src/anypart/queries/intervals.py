"""Sets of numbers: unions of intervals and points, the meaning of conditions on a line."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.data.schema import Column, Kind
from anypart.data.shown import is_span, show_number
from anypart.data.spelling import Spelling
from anypart.data.values import placed

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """The numbers between two bounds; a point if they are equal."""

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    @property
    def is_point(self) -> bool:
        """Whether it holds one number."""
        return self.low == self.high

    @property
    def is_empty(self) -> bool:
        """Whether it holds none."""
        return self.low > self.high or (self.is_point and (self.open_low or self.open_high))

    def meet(self, other: Interval) -> Interval:
        """Return what lies in both."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Interval(
            low,
            high,
            any(i.open_low for i in (self, other) if i.low == low),
            any(i.open_high for i in (self, other) if i.high == high),
        )

    def holds(self, x: Reals) -> NDArray[np.bool_]:
        """Say which numbers lie inside."""
        above = x > self.low if self.open_low else x >= self.low
        below = x < self.high if self.open_high else x <= self.high
        return above & below


#: Disjoint intervals.
Numbers = tuple[Interval, ...]
EVERYTHING: Numbers = (Interval(),)


def of_condition(op: str, values: tuple[float, ...]) -> Numbers:
    """Return the numbers that a condition allows."""
    match op:
        case "<" | "<=":
            return (Interval(high=values[0], open_high=op == "<"),)
        case ">" | ">=":
            return (Interval(low=values[0], open_low=op == ">"),)
        case "=" | "in":
            return tuple(Interval(x, x) for x in sorted(set(values)))
        case _:
            edges = [-math.inf, *sorted(set(values)), math.inf]
            pairs = pairwise(edges)
            return tuple(Interval(a, b, open_low=True, open_high=True) for a, b in pairs)


def meet(first: Numbers, second: Numbers) -> Numbers:
    """Return what lies in both sets."""
    both = [a.meet(b) for a in first for b in second]
    return tuple(i for i in both if not i.is_empty)


def holds(allowed: Numbers, x: Reals) -> NDArray[np.bool_]:
    """Say which numbers lie in the set."""
    return np.logical_or.reduce([i.holds(x) for i in allowed])


_SHAPES = {Kind.DATE: "a date such as 2024-01-31", Kind.TIME: "a time such as 2024-01-31T12:00"}


def number(value: Any, column: Column) -> float:
    """Place a value from a condition on the line of its column.

    Raises:
        QuestionError: it is no number, date or time.

    """
    x, known = placed(_as_array(value, column), column)
    if not known[0]:
        wanted = _SHAPES.get(column.kind, "a finite number")
        if isinstance(value, str) and re.fullmatch(r"[+-]?\d+,\d+", value.strip()):
            wanted += f" (write {value.strip().replace(',', '.')} with a point)"
        raise QuestionError(
            f"{value!r} is not {wanted}, and {column.name!r} is a {column.kind.value} column "
            f"(from {_bound(column, 0)} to {_bound(column, -1)})."
        )
    return float(x[0])


def _as_array(value: Any, column: Column) -> pa.Array:
    try:
        if isinstance(value, str):
            value = value.strip().replace("_", "")
            if is_span(column):
                return _as_span(value, column)
        elif isinstance(value, np.generic):
            value = value.item()
        elif isinstance(value, dt.datetime) and value.tzinfo:
            value = value.astimezone(dt.UTC).replace(tzinfo=None)
        return pa.array([value])
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise QuestionError(
            f"{value!r} of type {type(value).__name__} cannot be compared with {column.name!r}."
        ) from None


def _as_span(text: str, column: Column) -> pa.Array:
    """Read 12:30 or 12:30:15 as a time of day, or as a length; else leave the text."""
    for pattern in ("%H:%M", "%H:%M:%S"):
        seconds = Spelling(pattern=pattern).read(pa.array([text]))
        if seconds.null_count == 0:
            of = pa.duration("s") if column.arrow_type.startswith("duration") else pa.time32("s")
            return seconds.cast(pa.int32() if of == pa.time32("s") else pa.int64()).cast(of)
    return pa.array([text])


def _bound(column: Column, at: int) -> str:
    cell = column.cells[at]
    return show_number(cell.low if at == 0 else cell.high, column)
