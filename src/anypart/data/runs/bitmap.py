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


@kernel
def mark(keys: Bits, low: U, n_words: int) -> tuple[Bits, int]:
    """Set the bit of every value in [low, low + 64 · n_words), and count those outside."""
    bits = np.zeros(n_words, np.uint64)
    most = U(n_words) << _SIX
    n_outside = 0
    for i in range(len(keys)):
        place = keys[i] - low
        if place < most:
            bits[place >> _SIX] |= _ONE << (place & _LOW6)
        else:
            n_outside += 1
    return bits, n_outside


@kernel
def _last_zero(bits: Bits, first: int, last: int) -> int:
    """Return the last place of a zero in first, …, last; −1 if all are ones."""
    word = last >> 6
    zeros = ~bits[word] & (_ALL >> U(63 - (last & 63)))
    while zeros == 0:
        word -= 1
        if word < first >> 6:
            return -1
        zeros = ~bits[word]
    place = (word << 6) + 63 - np.int64(leading_zeros(zeros))
    return place if place >= first else -1


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
def longest_ones(bits: Bits) -> tuple[int, int]:
    """Find the longest stretch of ones: its first place and its length.

    A stretch longer than the best so far that begins at or after `start` covers
    start + best, so it is enough to look from there back for a zero: the longer the best,
    the fewer the looks.
    """
    n_bits = len(bits) << 6
    start, best_start, best = 0, 0, 0
    while start + best < n_bits:
        zero = _last_zero(bits, start, start + best)
        if zero < 0:
            zero = _first_zero(bits, start + best + 1)
            best_start, best = start, zero - start
        start = zero + 1
    return best_start, best


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
