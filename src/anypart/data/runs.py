"""Runs of consecutive integers in unordered values: dense keys, days without a gap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """The integers start, start + 1, …, stop − 1.

    `stop` is a Python integer and may be 2^63, one past the last int64.
    """

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Count the integers of the run."""
        return self.stop - self.start


def runs(values: Iterable[int] | NDArray[np.integer[Any]] | Any) -> list[Run]:
    """Find the maximal runs of consecutive integers among the values, ascending.

    Repeated values count once.

    Args:
        values: integers in any order: an iterable, a NumPy or an Arrow array.

    Raises:
        TypeError: values that are no integers.

    Cost:
        O(n log n) by a vectorised sort, which beats a hash set from a million values on
        and has no slow inputs.

    Example:
        >>> runs([100, 4, 200, 1, 3, 2])
        [Run(start=1, stop=5), Run(start=100, stop=101), Run(start=200, stop=201)]

    """
    ordered = np.sort(_integers(values))
    if not len(ordered):
        return []
    # Unsigned differences of a sorted array cannot overflow: 2^63 − 1 − (−2^63) fits.
    gaps = np.diff(ordered.view(np.uint64) if ordered.dtype == np.int64 else ordered)
    breaks = np.flatnonzero(gaps > 1)
    firsts = ordered[np.concatenate([[0], breaks + 1])]
    lasts = ordered[np.concatenate([breaks, [len(ordered) - 1]])]
    return [Run(a, b + 1) for a, b in zip(firsts.tolist(), lasts.tolist(), strict=True)]


def longest_run(values: Iterable[int] | NDArray[np.integer[Any]] | Any) -> Run:
    """Find the longest run of consecutive integers; of several, the lowest.

    Args:
        values: as in `runs`.

    Returns:
        The run; `Run(0, 0)` of length 0 if there are no values.

    Example:
        >>> longest_run([100, 4, 200, 1, 3, 2]).length
        4

    """
    return max(runs(values), key=lambda run: run.length, default=Run(0, 0))


def _integers(values: Any) -> NDArray[Any]:
    if hasattr(values, "to_numpy"):
        values = values.to_numpy(zero_copy_only=False)
    array = values if isinstance(values, np.ndarray) else np.array(list(values))
    if not array.size:
        return np.zeros(0, np.int64)
    if array.dtype == np.uint64:
        return array
    if array.dtype.kind not in "iub":
        raise TypeError(f"runs are of integers; these values are {array.dtype}")
    return array.astype(np.int64)
