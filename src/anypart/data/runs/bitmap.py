"""Dense integers: one bit a possible value, then the longest stretch of ones.

Linear: one pass over the values, one over the words of bits, and there is at most one word a
value.
"""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.data.kernel import kernel
from anypart.data.runs.instructions import leading_zeros, prefetch, trailing_zeros

U = np.uint64
Bits = NDArray[np.uint64]
Held = NDArray[np.uint32]
_ONE, _SIX, _LOW6, _ALL = U(1), U(6), U(63), U(2**64 - 1)


_AHEAD = 256  # keys that are asked for before they are read
_NEAR = 25  # log2 of the bits that are set one by one; of more, most lie in a far cache
_PART = 21  # log2 of the bits of a part, or more where there would be more than 64 parts
_LINE = 5  # log2 of the bits of a part for each place that is held back: 16 places a line
_APART = 48  # places between what is held for two parts, or all would share a few cache lines


@kernel
def _set(bits: Bits, places: Held) -> None:
    """Set the bits at places of one part."""
    for place in places:
        bits[place >> np.uint32(6)] |= _ONE << U(place & np.uint32(63))


@kernel
def _mark_far(keys: Bits, low: U, bits: Bits, log_part: U, held: Held) -> int:
    """Set bits of which most lie in a far cache, and count the values outside.

    Places are held back by the part of the bitmap that they lie in, (parts, room) of them,
    until there are enough for every line of the part to be used several times while it is
    near.
    """
    most, within = U(len(bits)) << _SIX, (_ONE << log_part) - _ONE
    n_parts, room = len(held), held.shape[1] - _APART
    counts = np.zeros(n_parts, np.int64)
    n_outside = 0
    for i in range(len(keys)):
        prefetch(keys, i + _AHEAD)
        place = keys[i] - low
        if place >= most:
            n_outside += 1
            continue
        part = np.int64(place >> log_part)
        count = counts[part]
        held[part, count] = place & within
        count += 1
        if count == room:
            _set(bits[U(part) << (log_part - _SIX) :], held[part, :room])
            count = 0
        counts[part] = count
    for part in range(n_parts):
        _set(bits[U(part) << (log_part - _SIX) :], held[part, : counts[part]])
    return n_outside


@kernel
def _mark_near(keys: Bits, low: U, bits: Bits) -> int:
    """Set bits one by one, and count the values outside."""
    most = U(len(bits)) << _SIX
    n_outside = 0
    for i in range(len(keys)):
        prefetch(keys, i + _AHEAD)
        place = keys[i] - low
        if place < most:
            bits[place >> _SIX] |= _ONE << (place & _LOW6)
        else:
            n_outside += 1
    return n_outside


def mark(keys: Bits, low: U, n_words: int) -> tuple[Bits, int]:
    """Set the bit of every value in [low, low + 64 · n_words), and count those outside."""
    # NumPy's own memory, unlike that of a compiled loop, comes in large pages.
    bits, log_most = np.zeros(n_words, np.uint64), (64 * n_words - 1).bit_length()
    if log_most <= _NEAR:
        return bits, int(_mark_near(keys, low, bits))
    log_part = max(_PART, log_most - 6)
    n_parts = -(-64 * n_words >> log_part)
    held = np.empty((n_parts, (1 << (log_part - _LINE)) + _APART), np.uint32)
    return bits, int(_mark_far(keys, low, bits, U(log_part), held))


@kernel
def _first_zero(bits: Bits, first: int) -> int:
    """Return the first place of a zero at or after `first`, or the number of bits."""
    word = first >> 6
    if word >= len(bits):
        return len(bits) << 6
    zeros = ~bits[word] & (_ALL << U(first & 63))
    while zeros == 0:
        word += 1
        if word == len(bits):
            return len(bits) << 6
        zeros = ~bits[word]
    return (word << 6) + np.int64(trailing_zeros(zeros))


@kernel
def starts_within(word: U, length: int) -> U:
    """Keep the ones of a word that begin a stretch of `length` ones, 1 to 64, inside it."""
    got = 1
    while 2 * got <= length:
        word &= word >> U(got)
        got *= 2
    return word & (word >> U(length - got))


@kernel
def longest_ones(bits: Bits) -> tuple[int, int]:
    """Find the longest stretch of ones, its first place and its length; of several, the first.

    One pass: a stretch goes on from the ones at the end of a word to those at the beginning
    of the next one, and within a word only a longer one than the best so far is looked for.
    """
    best, start, tail = 0, 0, 0  # tail: ones at the end of what has been read
    for i in range(len(bits)):
        word = bits[i]
        if word == _ALL:
            tail += 64
            continue
        through = tail + np.int64(trailing_zeros(~word))
        if through > best:
            best, start = through, (i << 6) - tail
        tail = np.int64(leading_zeros(~word))
        longer = starts_within(word, best + 1) if best < 63 and word else U(0)
        while longer:
            best, start = best + 1, (i << 6) + np.int64(trailing_zeros(longer))
            longer &= longer >> _ONE
    if tail > best:
        best, start = tail, (len(bits) << 6) - tail
    return start, best


@kernel
def stretches(bits: Bits) -> tuple[Bits, Bits]:
    """List all stretches of ones: their first and their last places, ascending."""
    n = 0
    before = U(0)
    for word in bits:  # a stretch begins at a one after a zero
        begins = word & ~((word << _ONE) | before)
        before = word >> _LOW6
        while begins:
            begins &= begins - _ONE
            n += 1
    firsts, lasts = np.empty(n, np.uint64), np.empty(n, np.uint64)
    first, i = 0, 0
    while i < n:
        word = first >> 6
        ones = bits[word] & (_ALL << U(first & 63))
        while ones == 0:
            word += 1
            ones = bits[word]
        first = (word << 6) + np.int64(trailing_zeros(ones))
        firsts[i] = first
        first = _first_zero(bits, first)
        lasts[i] = first - 1
        i += 1
    return firsts, lasts
