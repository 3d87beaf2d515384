"""`longest_run` and `runs`: choose the way by how dense the values are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError, suggest
from anypart.data.runs.run import Run, Runs
from anypart.data.runs.values import Places, places_of

METHODS = ("linear", "sort")
SMALL = 1 << 17  # below, the vectorised sort is done before compiled loops are loaded
DENSE = 64  # bits a value: the bitmap is never larger than the values
_SAMPLED = 1 << 10
U = np.uint64
Keys = NDArray[np.uint64]


def longest_run(values: Any, *, step: Any = None, method: str = "linear") -> Run:
    """Find the longest run of consecutive values; of several, the lowest.

    Args:
        values: integers, dates or times in any order, repeated or not: an iterable, a NumPy,
            torch, Arrow, pandas or Polars array. Nulls are no values.
        step: of dates and times, such as `"day"` or `"15 minutes"`; two values are
            consecutive if the steps that they fall in are.
        method: `linear` is linear in the worst case: a bitmap where the values are dense,
            a seeded hash of blocks where they are not. `sort` is NumPy's vectorised sort.
            Up to 131,072 sparse values, where a logarithm is a constant, both sort.

    Returns:
        The run; `Run(0, 0)` of length 0 if there are no values.

    Raises:
        DataError: values that are neither integers of 64 bits nor dates or times; times
            without a step.

    Cost:
        Per value, about one memory access (dense) or four (sparse); memory of two copies
        of the values at most.

    Example:
        >>> longest_run([100, 4, 200, 1, 3, 2])
        Run(start=1, stop=5)
        >>> longest_run([2**63 - 1, 2**63 - 2]).length
        2
        >>> import datetime as dt
        >>> longest_run([dt.date(2024, 2, 28), dt.date(2024, 3, 1), dt.date(2024, 2, 29)]).length
        3

    """
    places = places_of(values, step)
    keys, n = places.keys, len(places.keys)
    if _check(method) == "sort" and n > SMALL:
        from anypart.data.runs.radix import longest_ordered

        ordered = np.sort(keys)
        at, length = longest_ordered(_view(ordered))
        return places.run(int(ordered[at]), int(length))
    if n <= SMALL:
        return runs_of(places, method).longest
    from anypart.data.runs.bitmap import longest_ones

    words = _view(keys)
    if (found := _marked(keys)) is not None:
        bits, low = found
        start, length = longest_ones(bits)
    else:
        from anypart.data.runs.blocks import longest_sparse

        low = int(keys.min())
        start, length = longest_sparse(words, _word(low))
    return places.run(low + int(start), int(length))


def runs(values: Any, *, step: Any = None, method: str = "linear") -> Runs:
    """Find all maximal runs of consecutive values, ascending, and so the gaps between them.

    Args:
        values: as in `longest_run`.
        step: as in `longest_run`.
        method: as in `longest_run`; `linear` sorts sparse values by their digits.

    Example:
        >>> found = runs([100, 4, 200, 1, 3, 2])
        >>> list(found)
        [Run(start=1, stop=5), Run(start=100, stop=101), Run(start=200, stop=201)]
        >>> found.longest, found.gaps.lengths.tolist()
        (Run(start=1, stop=5), [95, 99])

    """
    return runs_of(places_of(values, step), method)


def runs_of(places: Places, method: str = "linear") -> Runs:
    """Find all runs of values that are places already."""
    keys = places.keys
    if _check(method) == "sort" or len(keys) <= SMALL:
        if not len(keys):
            return places.runs(keys, keys)
        ordered = np.sort(keys) if method == "sort" else _ordered(keys)
        # Unsigned differences of a sorted array cannot overflow: 2^63 − 1 − (−2^63) fits.
        breaks = np.flatnonzero(np.diff(_view(ordered)) > 1)
        firsts = ordered[np.concatenate([[0], breaks + 1])]
        lasts = ordered[np.concatenate([breaks, [len(ordered) - 1]])]
        return places.runs(firsts, lasts)
    if (found := _marked(keys)) is not None:
        from anypart.data.runs.bitmap import stretches

        bits, low = found
        starts, stops = stretches(bits)
    else:
        from anypart.data.runs.radix import radix_sort, split_ordered

        low = int(keys.min())
        n_bits = (int(keys.max()) - low).bit_length()
        starts, stops = split_ordered(radix_sort(_view(keys), _word(low), n_bits))
    base = _word(low)
    return places.runs((starts + base).view(keys.dtype), (stops + base).view(keys.dtype))


def _ordered(keys: NDArray[Any]) -> NDArray[Any]:
    """Order few keys, without repeated ones if they are dense."""
    low, high = int(keys.min()), int(keys.max())
    if high - low >= 8 * len(keys):
        return np.sort(keys)
    there = np.zeros(high - low + 1, np.bool_)
    there[(_view(keys) - _word(low)).view(np.int64)] = True
    return (np.flatnonzero(there).view(np.uint64) + _word(low)).view(keys.dtype)


def _check(method: str) -> str:
    if method not in METHODS:
        raise DataError(
            f"method={method!r} is unknown; methods are {', '.join(METHODS)}."
            + suggest(method, METHODS)
        )
    return method


def _view(keys: NDArray[Any]) -> Keys:
    return np.ascontiguousarray(keys).view(np.uint64)


def _word(value: int) -> np.uint64:
    return U(value % 2**64)


def _marked(keys: NDArray[Any]) -> tuple[Keys, int] | None:
    """Return the bitmap of dense values, and the value of its first bit; None if sparse.

    The range is guessed from a thousandth of the values or so, which saves a pass over
    them; if some lie outside the guess, the true range is taken.
    """
    from anypart.data.runs.bitmap import mark

    words = _view(keys)
    sample = keys[:: max(len(keys) // _SAMPLED, 1)]
    low, high = int(sample.min()), int(sample.max())
    if high - low >= DENSE * len(keys):
        return None
    slack = (high - low) // 64 + 64
    info = np.iinfo(keys.dtype)
    low, high = max(low - slack, int(info.min)), min(high + slack, int(info.max))
    bits, n_outside = mark(words, _word(low), (high - low) // 64 + 1)
    if n_outside:
        low, high = int(keys.min()), int(keys.max())
        if high - low >= DENSE * len(keys):
            return None
        bits, _ = mark(words, _word(low), (high - low) // 64 + 1)
    return bits, low
