"""Few values: NumPy alone, so that nothing is compiled or loaded for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_ROOM = 8  # places a value, up to which values are put down by place and not sorted
_BLOCK = 1 << 13  # values whose differences stay near the processor
Array = NDArray[Any]


def longest_of_few(keys: Array) -> tuple[int, int]:
    """Find the longest run: its first value and its length; of several, the lowest."""
    low, high = int(keys.min()), int(keys.max())
    if high - low < _ROOM * len(keys):
        # Between two empty places lies a run.
        empty = np.flatnonzero(~_places(keys, low, high))
        widths = np.diff(empty, prepend=-1) - 1
        at = int(np.argmax(widths))
        return low + int(empty[at] - widths[at]), int(widths[at])
    ordered = np.sort(keys).view(np.uint64)
    near = _near(ordered)  # in sparse values few are
    if not len(near):
        return low, 1
    # A stretch of near neighbours is a run; those that repeat add nothing to its length.
    begins = np.concatenate([[0], np.flatnonzero(np.diff(near) > 1) + 1])
    ends = np.concatenate([begins[1:], [len(near)]]) - 1
    firsts = ordered[near[begins]]
    further = ordered[near[ends] + 1] - firsts  # unsigned differences cannot overflow
    at = int(np.argmax(further))
    start = int(firsts.view(keys.dtype)[at]) if further[at] else low
    return start, int(further[at]) + 1


def ordered_few(keys: Array) -> Array:
    """Order values, without repeated ones if they are dense."""
    low, high = int(keys.min()), int(keys.max())
    if high - low >= _ROOM * len(keys):
        return np.sort(keys)
    there = np.flatnonzero(_places(keys, low, high))
    return (there.view(np.uint64) + np.uint64(low % 2**64)).view(keys.dtype)


def _near(ordered: NDArray[np.uint64]) -> NDArray[np.int64]:
    """List the positions of values that the next one repeats or follows on.

    A block at a time: fresh memory for all gaps would cost as much as the sort.
    """
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(ordered) - 1, _BLOCK):
        some = ordered[start : start + _BLOCK + 1]
        found.append(start + np.flatnonzero(some[1:] - some[:-1] <= 1))
    return np.concatenate(found)


def _places(keys: Array, low: int, high: int) -> NDArray[np.bool_]:
    """Say of every place from low to high, and of one beyond, whether a value is there."""
    there, base = np.zeros(high - low + 2, np.bool_), np.uint64(low % 2**64)
    for start in range(0, len(keys), _BLOCK):
        there[(keys[start : start + _BLOCK].view(np.uint64) - base).view(np.int64)] = True
    return there
