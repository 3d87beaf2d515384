"""Sparse integers in order, in linear time whatever they are: least digit first."""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.data.kernel import kernel

U = np.uint64
Keys = NDArray[np.uint64]
_DIGIT = 8  # bits; with more, the places written to no longer fit the nearest cache
_MASK = U((1 << _DIGIT) - 1)


@kernel
def radix_sort(keys: Keys, low: U, n_bits: int) -> Keys:
    """Sort keys − low, of at most `n_bits` bits, in a new array.

    A digit that all keys share costs one look at its counts.

    Cost:
        n_bits / 8 passes, and memory for two copies.
    """
    n = len(keys)
    n_digits = (n_bits + _DIGIT - 1) // _DIGIT
    counts = np.zeros((n_digits, 1 << _DIGIT), np.int64)
    for i in range(n):
        key = keys[i] - low
        for digit in range(n_digits):
            counts[digit, (key >> U(_DIGIT * digit)) & _MASK] += 1
    old, new, spare = keys, np.empty(n, np.uint64), np.empty(n, np.uint64)
    base = low  # the first pass subtracts it, the others find it gone
    places = np.empty(1 << _DIGIT, np.int64)
    for digit in range(n_digits):
        if counts[digit].max() == n and base == 0:
            continue
        place = 0
        for value in range(1 << _DIGIT):
            places[value] = place
            place += counts[digit, value]
        shift = U(_DIGIT * digit)
        for i in range(n):
            key = old[i] - base
            value = (key >> shift) & _MASK
            new[places[value]] = key
            places[value] += 1
        old, base = new, U(0)
        new, spare = spare, new
    return old - base


@kernel
def longest_ordered(keys: Keys) -> tuple[int, int]:
    """Find the longest run in ascending keys: the position of its last key, its length.

    A length is chosen, not a branch: where runs end, the processor cannot foresee.
    """
    best, last, length = U(1), 0, U(1)
    for i in range(1, len(keys)):
        gap = keys[i] - keys[i - 1]
        length = length + gap if gap <= 1 else U(1)
        if length > best:
            best, last = length, i
    return last, best


@kernel
def split_ordered(keys: Keys) -> tuple[Keys, Keys]:
    """List all runs in ascending keys: their first and their last keys."""
    n = 1
    for i in range(1, len(keys)):
        n += keys[i] - keys[i - 1] > 1
    firsts, lasts = np.empty(n, np.uint64), np.empty(n, np.uint64)
    firsts[0], at = keys[0], 0
    for i in range(1, len(keys)):
        if keys[i] - keys[i - 1] > 1:
            lasts[at] = keys[i - 1]
            at += 1
            firsts[at] = keys[i]
    lasts[at] = keys[-1]
    return firsts, lasts
