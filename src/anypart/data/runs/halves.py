"""Sparse values sorted for their longest run: their upper halves, then the few not alone there.

Half as long, they are sorted twice as fast. Consecutive values have upper halves that are equal
or consecutive, counted around the end of 32 bits; of sparse values hardly any others have. The
values whose upper half is near another are picked out by a hashed map of bits, and sorted whole.
What the map lets through in vain costs time alone.
"""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.cores import on_cores, parts
from anypart.data.kernel import kernel
from anypart.data.runs.instructions import leading_zeros, prefetch
from anypart.data.runs.ordered import ordered
from anypart.data.runs.radix import longest_ordered

U, H = np.uint64, np.uint32
Keys = NDArray[Any]
Halves = NDArray[np.uint32]
_GOLDEN, _ONE, _FIVE, _LOW5 = H(0x9E3779B1), H(1), H(5), H(31)
_AHEAD = 512  # keys that are asked for before they are read
_BLOCK = 32  # halves that are looked at together
_FEW = 4  # halves of the sample that have another near


@kernel
def _upper(keys: NDArray[np.uint64], shift: U, uppers: Halves) -> None:
    """Write the 32 bits above the lowest ones of each key."""
    for i in range(len(keys)):
        uppers[i] = H(keys[i] >> shift)


@kernel
def _n_near(uppers: Halves) -> int:
    """Count the halves that the next one repeats or follows."""
    n = 0
    for i in range(len(uppers) - 1):
        n += H(uppers[i + 1] - uppers[i]) <= _ONE
    return n


@kernel
def _place(upper: H, n_words: int) -> H:
    """Hash a half to a place in a map of a power of two of words, of 2^5 bits each."""
    # In 64 bits the number of words has 27 + 36 − its logarithm zeros in front.
    return H(upper * _GOLDEN) >> H(leading_zeros(U(n_words)) - U(36))


@kernel
def _mark_pair(one: H, other: H, bits: Halves) -> None:
    """Mark two halves if the one is repeated or followed by the other."""
    if H(other - one) <= _ONE:
        for half in (one, other):
            place = _place(half, len(bits))
            bits[place >> _FIVE] |= _ONE << (place & _LOW5)


@kernel
def _mark_near(uppers: Halves, bits: Halves) -> int:
    """Mark the sorted halves that are near another, and count them; the last is next to the first.

    Most blocks have none, and a block is counted in few instructions.
    """
    n = 0
    for start in range(0, len(uppers), _BLOCK):
        some = uppers[start : start + _BLOCK + 1]
        n_near = _n_near(some)
        n += n_near
        if n_near:
            for i in range(len(some) - 1):
                _mark_pair(some[i], some[i + 1], bits)
    _mark_pair(uppers[-1], uppers[0], bits)
    return n


@kernel
def _keep(keys: Keys, shift: U, bits: Halves, kept: Keys) -> tuple[int, Any]:
    """Keep the keys whose upper half is marked, and return their number and the least key."""
    n, least = 0, keys[0]
    for i in range(len(keys)):
        prefetch(keys, i + _AHEAD)
        key = keys[i]
        least = min(least, key)
        place = _place(H(U(key) >> shift), len(bits))
        kept[n] = key
        n += (bits[place >> _FIVE] >> (place & _LOW5)) & _ONE
    return n, least


def _shift(keys: Keys) -> U | None:
    """Return how many bits lie below the upper halves; None if many have another near.

    Of every √n / 8th value, which are 8 √n, some 32 pairs are left if all values come in pairs.
    """
    sample = keys[:: max(isqrt(len(keys)) // 8, 1)]
    shift = U(max((int(sample.max()) - int(sample.min())).bit_length() - 32, 0))
    return shift if _n_near(np.sort((sample.view(U) >> shift).astype(H))) <= _FEW else None


def _not_alone(keys: Keys) -> tuple[Keys, Any]:
    """Return the keys that may have a neighbour, in order, and the least of all keys."""
    if (shift := _shift(keys)) is not None:
        each, words, uppers = parts(len(keys)), keys.view(U), np.empty(len(keys), H)
        on_cores(lambda part: _upper(words[part], shift, uppers[part]), each)
        bits = np.zeros(1 << max(len(keys).bit_length() - 7, 0), H)
        if 8 * _mark_near(ordered(uppers, own=True), bits) < len(keys):
            kept = np.empty_like(keys)
            found = on_cores(lambda part: _keep(keys[part], shift, bits, kept[part]), each)
            some = [kept[part][:n] for part, (n, _) in zip(each, found, strict=True)]
            return np.sort(np.concatenate(some)), min(least for _, least in found)
    rising = ordered(keys)
    return rising, rising[0]


def longest_sorted(keys: Keys) -> tuple[int, int]:
    """Find the longest run: its first value and its length; of several, the lowest.

    Cost:
        That of sorting half of each value, or of sorting the values where most have neighbours,
        at most of both; memory of two copies.
    """
    rising, least = _not_alone(keys)
    last, length = longest_ordered(rising.view(U))
    return (int(rising[last]) - int(length) + 1, int(length)) if length > 1 else (int(least), 1)
