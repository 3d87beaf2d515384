"""`smallest_range`: the smallest range of values that touches every list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.values import column_of
from anypart.data.windows.stream import minimal_windows


@dataclass(frozen=True)
class Range:
    """The values from low to high, both of them included."""

    low: Any
    high: Any


def smallest_range(lists: Any) -> Range | None:
    """Find the smallest range that holds a value of every list; of several, the lowest.

    The lists are merged into one, in order, and each value says which list it is from: a
    minimal window over these names that covers all of them is a candidate.

    Args:
        lists: of numbers, dates or anything that has an order and differences, in any
            order themselves. None, NaN and NaT are no values.

    Returns:
        None if a list is empty.

    Raises:
        DataError: there are no lists, one is none of numbers or dates, or one's values have
            no differences from another's.

    Cost:
        That of sorting all values; merging, if every list ascends.

    Example:
        >>> smallest_range([[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]])
        Range(low=20, high=24)

    """
    if not isinstance(lists, Iterable):
        raise DataError(f"{lists!r} is no list of lists. Give some.")
    columns = [_column(values) for values in cast("Iterable[Any]", lists)]
    if not columns:
        raise DataError("There are no lists, so there is no range that touches each. Give some.")
    if not all(len(values) for values in columns):
        return None
    if len({c.dtype.kind for c in columns}) > 1:  # int64 and uint64 would become floats
        columns = [np.array(c.tolist(), object) for c in columns]
    values = np.concatenate(columns)
    owners = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    try:
        order = np.argsort(values, kind="stable")  # merges lists that ascend
        values, owners = values[order], owners[order]
        found = minimal_windows(owners.tolist(), range(len(columns)))
        best = min(found, key=lambda w: _value(values[w.stop - 1]) - _value(values[w.start]))
    except TypeError as error:
        raise DataError(
            f"The values of these lists have no differences from each other ({error}). "
            "Give lists of one kind, such as of dates only."
        ) from None
    return Range(_value(values[best.start]), _value(values[best.stop - 1]))


def _value(held: Any) -> Any:
    """Return Python's own value, whose differences cannot overflow; nanoseconds stay NumPy's."""
    value = held.item() if isinstance(held, np.generic) else held
    return held if isinstance(held, np.datetime64) and isinstance(value, int) else value


def _column(values: Any) -> NDArray[Any]:
    """Write a list as an array of what has differences, without what is no value."""
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        array = column_of(values).drop_null().to_numpy(zero_copy_only=False)
    elif hasattr(values, "__array__") or not isinstance(values, Iterable):
        array = np.asarray(values)
    else:
        array = _listed([v for v in cast("Iterable[Any]", values) if v is not None])
    words = array.dtype.kind == "O" and any(isinstance(v, str | bytes) for v in array.flat)
    if array.ndim != 1 or array.dtype.kind in "USTV" or words:
        raise DataError(
            f"{values!r} is no list of numbers or dates, so it has no range. Give lists of them."
        )
    return array[array == array]


def _listed(values: list[Any]) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:  # lists of different lengths: two axes, which are refused
        return np.empty((0, 0))
