"""Numbers of a column as people read them: dates as dates, times as times."""

from __future__ import annotations

import datetime as dt
import re

from anypart.data.schema import Column, Kind
from anypart.data.values import UNITS

_SPAN = re.compile(r"(time32|time64|duration)\[(s|ms|us|ns)\]")
_DAY = dt.timedelta(days=1)


def is_span(column: Column) -> bool:
    """Whether the values are times of a day, or lengths of time."""
    return _SPAN.fullmatch(column.arrow_type) is not None


def show_number(x: float, column: Column) -> str:
    """Write a number of a column as people do: dates as dates, no digits beyond the grid.

    Args:
        x: in the column's unit (days or seconds since 1970-01-01 for dates and times).
        column: a numeric column.

    """
    epoch = dt.datetime(1970, 1, 1)
    try:
        if column.kind == Kind.DATE:
            return (epoch + dt.timedelta(days=round(x))).date().isoformat()
        if column.kind == Kind.TIME:
            return (epoch + dt.timedelta(seconds=x)).isoformat(sep=" ", timespec="seconds")
        if span := _SPAN.fullmatch(column.arrow_type):
            length = dt.timedelta(seconds=round(x) / UNITS[span[2]])
            is_length = span[1] == "duration" or not dt.timedelta() <= length < _DAY
            return str(length) if is_length else (epoch + length).time().isoformat()
    except OverflowError:
        pass
    if column.resolution >= 1 or (column.resolution and x == round(x)):
        return str(round(x))
    if column.resolution:
        return repr(x)
    return f"{x:.6g}"
