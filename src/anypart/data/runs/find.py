"""`longest_run` and `runs`: choose the way by how dense the values are."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError, suggest
from anypart.data.runs.dense import marked
from anypart.data.runs.few import longest_of_few, ordered_few
from anypart.data.runs.run import Run, Runs
from anypart.data.runs.values import Places, places_of

METHODS = ("linear", "sort")
SMALL = 1 << 17  # below, NumPy is done before compiled loops are loaded
TINY = 1 << 12  # below, even loaded ones save nothing
U = np.uint64


def longest_run(values: Any, *, step: Any = None, method: str = "linear") -> Run:
    """Find the longest run of consecutive values; of several, the lowest.

    Args:
        values: integers, dates or times in any order, repeated or not: an iterable, a NumPy,
            torch, Arrow, pandas or Polars array. Nulls are no values.
        step: of dates and times, such as `"day"` or `"15 minutes"`; two values are
            consecutive if the steps that they fall in are.
        method: `linear` is linear in the worst case: a bitmap where the values are dense,
            a seeded hash of blocks where they are not. `sort` is NumPy's vectorised sort,
            of sparse values of their upper halves first and of few of them whole.
            Up to 131,072 sparse values, where a logarithm is a constant, both sort.
            Many values are shared out over the cores that the process may use.

    Returns:
        The run; `Run(0, 0)` of length 0 if there are no values.

    Raises:
        DataError: values that are neither integers of 64 bits nor dates or times; times
            without a step.

    Cost:
        Per value, about one memory access (dense) or four (sparse); memory of two copies
        of the values at most. The result does not depend on the number of cores.

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
    _check(method)
    return places.run(*_longest(places.keys, method)) if len(places.keys) else Run(0, 0)


def _longest(keys: NDArray[Any], method: str) -> tuple[int, int]:
    few = len(keys) <= SMALL
    if method == "linear" and not (few and _unready(len(keys))) and (found := marked(keys)):
        from anypart.data.runs.bitmap import longest_ones

        start, length = longest_ones(found[0])
        return found[1] + int(start), int(length)
    if few:
        return longest_of_few(keys)
    if method == "sort":
        from anypart.data.runs.halves import longest_sorted

        return longest_sorted(keys)
    from anypart.data.runs.blocks import longest_sparse

    low = int(keys.min())
    start, length = longest_sparse(keys.view(U), _word(low))
    return low + start, length


def _unready(n: int) -> bool:
    """Whether few values would have to wait for compiled loops to be loaded."""
    return n < TINY or "anypart.data.runs.bitmap" not in sys.modules


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
        rising = _sorted(keys) if method == "sort" else ordered_few(keys)
        # Unsigned differences of a sorted array cannot overflow: 2^63 − 1 − (−2^63) fits.
        breaks = np.flatnonzero(np.diff(rising.view(U)) > 1)
        firsts = rising[np.concatenate([[0], breaks + 1])]
        lasts = rising[np.concatenate([breaks, [len(rising) - 1]])]
        return places.runs(firsts, lasts)
    if (found := marked(keys)) is not None:
        from anypart.data.runs.bitmap import stretches

        bits, low = found
        starts, stops = stretches(bits)
    else:
        from anypart.data.runs.radix import radix_sort, split_ordered

        low = int(keys.min())
        n_bits = (int(keys.max()) - low).bit_length()
        starts, stops = split_ordered(radix_sort(keys.view(U), _word(low), n_bits))
    base = _word(low)
    return places.runs((starts + base).view(keys.dtype), (stops + base).view(keys.dtype))


def _sorted(keys: NDArray[Any]) -> NDArray[Any]:
    if len(keys) <= SMALL:
        return np.sort(keys)
    from anypart.data.runs.ordered import ordered

    return ordered(keys)


def _check(method: str) -> str:
    if method not in METHODS:
        raise DataError(
            f"method={method!r} is unknown; methods are {', '.join(METHODS)}."
            + suggest(str(method), METHODS)
        )
    return method


def _word(value: int) -> np.uint64:
    return U(value % 2**64)
