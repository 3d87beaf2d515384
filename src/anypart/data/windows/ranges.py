"""`smallest_range`: the smallest range of values that touches every list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
        DataError: there are no lists.

    Cost:
        That of sorting all values; merging, if every list ascends.

    Example:
        >>> smallest_range([[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]])
        Range(low=20, high=24)

    """
    if not len(lists):
        raise DataError("There are no lists, so there is no range that touches each. Give some.")
    columns = [np.asarray(values) for values in lists]
    if not all(len(values) for values in columns):
        return None
    values = np.concatenate(columns)
    owners = np.repeat(np.arange(len(columns)), [len(c) for c in columns])
    order = np.argsort(values, kind="stable")  # merges lists that ascend
    values, owners = values[order], owners[order]
    found = minimal_windows(owners.tolist(), range(len(columns)))
    best = min(found, key=lambda w: values[w.stop - 1] - values[w.start])
    return Range(values[best.start].item(), values[best.stop - 1].item())
