"""Dense integers: one bit a possible value, then the longest stretch of ones.

Linear: one pass over the values, one over the bits, and there are at most 64 bits a value.
"""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from anypart.data.kernel import kernel

U = np.uint64
Bits = NDArray[np.uint64]
Held = NDArray[np.uint32]
_ONE, _SIX, _LOW6, _ALL = U(1), U(6), U(63), U(2**64 - 1)


def _counts_zeros(instruction: str) -> Any:
    """Make the machine's instruction that counts zeros at one end of a word."""

    def zeros(typing_context: Any, word: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, instruction)(arguments[0], ir.Constant(ir.IntType(1), 0))

        return types.uint64(types.uint64), emit

    return intrinsic(zeros)


leading_zeros = _counts_zeros("ctlz")
trailing_zeros = _counts_zeros("cttz")


_NEAR = 25  # log2 of the bits that are set one by one; of more, most lie in a far cache
_PART = 21  # log2 of the bits of a part, or more where there would be more than 64 parts
_LINE = 7  # log2 of the bits of a part that a place held back stands for: four places a line
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
def _thinned(bits: Bits, by: int, begin: int, found: Bits) -> None:
    """Keep the ones with a one `by` places on, of as many words as `found` holds."""
    far, near = U(by & 63), U(64 - (by & 63))
    there = bits[begin + (by >> 6) :]
    here = bits[begin:]
    n = min(len(found), len(here))
    found[:] = U(0)
    both = max(min(n, len(there) - 1), 0)
    after = there[1:]
    if far:
        for i in range(both):
            found[i] = here[i] & ((there[i] >> far) | (after[i] << near))
    else:
        for i in range(both):
            found[i] = here[i] & there[i]
    if both < n and both < len(there):
        found[both] = here[both] & (there[both] >> far)


@kernel
def _first_survivor(bits: Bits, by: int, some: Bits) -> int:
    """Return the place of the first one with a one `by` places on; −1 if there is none."""
    for begin in range(0, len(bits) - (by >> 6), len(some)):
        _thinned(bits, by, begin, some)
        every = U(0)
        for word in some:
            every |= word
        if every:
            for i in range(len(some)):
                if some[i]:
                    return ((begin + i) << 6) + np.int64(trailing_zeros(some[i]))
    return -1


@kernel
def longest_ones(bits: Bits) -> tuple[int, int]:
    """Find the longest stretch of ones, its first place and its length; the bits are used up.

    If a one is kept where a one is k places on, stretches shorter than k go and the others
    lose k places at their ends. So k is doubled while anything is left, and then what
    can still be added is found by halves: log2(length) passes over the words, twice.
    """
    some = np.empty(512, np.uint64)
    if _first_survivor(bits, 0, some) < 0:
        return 0, 0
    length = 1  # the ones that are left begin stretches of at least this
    while _first_survivor(bits, length, some) >= 0:
        for begin in range(0, len(bits), len(some)):
            _thinned(bits, length, begin, some)
            n = min(len(some), len(bits) - begin)
            bits[begin : begin + n] = some[:n]
        length *= 2
    more, part = 0, length // 2
    while part:
        if _first_survivor(bits, more + part, some) >= 0:
            more += part
        part //= 2
    return _first_survivor(bits, more, some), length + more


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
