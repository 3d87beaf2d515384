"""`smallest_range`: the smallest range of values that touches every list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.windows.stream import minimal_windows


@dataclass(frozen=True)
class Range:
    """The values from low to high, both of them included."""

    low: Any
    high: Any


def smallest_range(lists: Sequence[Any]) -> Range | None:
    """Find the smallest range that holds a value of every list; of several, the lowest.

    The lists are merged into one, in order, and each value says which list it is from: a
    minimal window over these names that covers all of them is a candidate.

    Args:
        lists: of numbers, dates or anything that has an order and differences, in any
            order themselves.

    Returns:
        None if a list is empty.

    Raises:
        DataError: there are no lists, or one is none of numbers or dates.

    Cost:
        That of sorting all values; merging, if every list ascends.

    Example:
        >>> smallest_range([[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]])
        Range(low=20, high=24)

    """
    if not len(lists):
        raise DataError("There are no lists, so there is no range that touches each. Give some.")
    columns = [_column(values) for values in lists]
    if not all(len(values) for values in columns):
        return None
    values = np.concatenate(columns)
    owners = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    order = np.argsort(values, kind="stable")  # merges lists that ascend
    values, owners = values[order], owners[order]
    found = minimal_windows(owners.tolist(), range(len(columns)))
    best = min(found, key=lambda w: values[w.stop - 1] - values[w.start])
    return Range(values[best.start].item(), values[best.stop - 1].item())


def _column(values: Any) -> NDArray[Any]:
    """Write a list as an array of what has differences."""
    known = hasattr(values, "__array__") or hasattr(values, "__arrow_c_array__")
    array = np.asarray(values if known or not isinstance(values, Iterable) else list(values))
    if array.ndim != 1 or array.dtype.kind in "USO":
        raise DataError(
            f"{values!r} is no list of numbers or dates, so it has no range. Give lists of them."
        )
    return array
