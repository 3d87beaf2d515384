"""The longest run of sparse integers, without an order: 64 neighbours are one block.

1. A seeded hash of a value's block sends it to one of many heaps, each small enough for
   the nearest cache. All values of a block meet in the same heap.
2. In a heap, a table without collisions resolved keeps a word a slot: a bit a value. A
   value whose slot shows no neighbour, and which is not at an edge of its block, is alone.
   On sparse input nearly all are, and here they leave.
3. The others go to an exact table, block → word. The longest stretch of ones in a word is
   the longest run within its block.
4. Words with a one at an edge may go on in the next block. They are few, because the
   place where blocks begin is drawn at random: one value in 32 is at an edge, whatever
   the values are. They are joined as in the textbook: a block with a predecessor that
   reaches its end starts nothing.

Expected linear for every input, over the seeds that each call draws. There are no slow
keys to craft: the hash is not known before it is used.
"""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

import itertools
import secrets

import numpy as np
from numpy.typing import NDArray

from anypart.data.cores import on_cores, parts
from anypart.data.kernel import kernel
from anypart.data.runs.bitmap import starts_within
from anypart.data.runs.instructions import leading_zeros, trailing_zeros

U = np.uint64
Words = NDArray[np.uint64]
Places = NDArray[np.int64]
_ONE, _TWO, _SIX, _LOW6, _ALL = U(1), U(2), U(6), U(63), U(2**64 - 1)
_HEAP = 1024  # values expected in a heap
_MOST_HEAPS = 12  # log2; more would write to more places than the cache has lines


@kernel
def _power_over(least: int) -> int:
    """Return the smallest power of two that is at least 64 and at least `least`."""
    size = 64
    while size < least:
        size *= 2
    return size


@kernel
def _mixed(block: U, seeds: Words) -> U:
    """Hash a block: the high bits choose the heap, the low ones the slot."""
    mixed = (block ^ seeds[0]) * seeds[1]
    return (mixed ^ (mixed >> U(32))) * seeds[1]


@kernel
def _sizes(keys: Words, low: U, log_heaps: int, seeds: Words) -> Places:
    """Count the keys of each heap."""
    shift = U(64 - log_heaps)
    sizes = np.zeros(1 << log_heaps, np.int64)
    for i in range(len(keys)):
        key = keys[i] - low
        block = (key >> _SIX) + (((key & _LOW6) + seeds[2]) >> _SIX)
        sizes[_mixed(block, seeds) >> shift] += 1
    return sizes


@kernel
def _heap(keys: Words, low: U, places: Places, seeds: Words, heaped: Words) -> None:
    """Write keys − low to their heaps, each from the heap's place on; places move on."""
    shift = leading_zeros(U(len(places) - 1))
    for i in range(len(keys)):
        key = keys[i] - low
        block = (key >> _SIX) + (((key & _LOW6) + seeds[2]) >> _SIX)
        heap = _mixed(block, seeds) >> shift
        heaped[places[heap]] = key
        places[heap] += 1


@kernel
def _has_company(word: U) -> bool:
    """Whether a word shows two neighbours, or a value at an edge."""
    return ((word & (word >> _ONE)) | (word >> _LOW6) | (word & _ONE)) != 0


@kernel
def _not_alone(heap: Words, seeds: Words, table: Words, slots: Places, kept: Words) -> int:
    """Keep the values that may have a neighbour, and count them."""
    table[:] = U(0)
    last = U(len(table) - 1)
    for i in range(len(heap)):
        low = (heap[i] & _LOW6) + seeds[2]
        slot = _mixed((heap[i] >> _SIX) + (low >> _SIX), seeds) & last
        table[slot] |= _ONE << (low & _LOW6)
        slots[i] = slot
    n_kept = 0
    for i in range(len(heap)):
        kept[n_kept] = heap[i]
        n_kept += _has_company(table[slots[i]])
    return n_kept


@kernel
def _exact(keys: Words, seeds: Words, blocks: Words, words: Words, hot: Places) -> int:
    """Fill a table block → word, and count and list the slots of words with company."""
    words[:] = U(0)
    last = U(len(words) - 1)
    n_hot = 0
    for key in keys:
        low = (key & _LOW6) + seeds[2]
        block = (key >> _SIX) + (low >> _SIX)
        slot = _mixed(block, seeds) & last
        # Full, and of another block: one branch that is seldom taken. Of two the compiler would
        # make two, and whether a slot is empty the processor cannot foresee.
        while min(words[slot], blocks[slot] ^ block):
            slot = (slot + _ONE) & last
        blocks[slot] = block
        before = words[slot]
        words[slot] = before | (_ONE << (low & _LOW6))
        hot[n_hot] = slot
        n_hot += _has_company(words[slot]) & (not _has_company(before))
    return n_hot


@kernel
def _longest_of(
    hot: Places, blocks: Words, words: Words, seeds: Words, best: int, start: U
) -> tuple[int, U]:
    """Return the longest run within a word, and its start; the best so far if none beats it."""
    for slot in hot:
        # Most words have nothing longer: their stretches are not measured, only tried.
        starts = starts_within(words[slot], min(best, 64)) if best <= 64 else U(0)
        if starts:
            longer = starts & (starts >> _ONE)
            while longer:
                best, start, starts = best + 1, _ALL, longer
                longer &= longer >> _ONE
            first = ((blocks[slot] << _SIX) + trailing_zeros(starts)) - seeds[2]
            start = min(first, start)
    return best, start


@kernel
def _edges(
    hot: Places, blocks: Words, words: Words, edges: tuple[Words, Words], n_edges: int
) -> int:
    """Add the words with a one at an edge to a list that has room, and count it."""
    for slot in hot:
        word = words[slot]
        edges[0][n_edges], edges[1][n_edges] = blocks[slot], word
        n_edges += ((word >> _LOW6) | (word & _ONE)) != 0
    return n_edges


@kernel
def _held_word(block: U, blocks: Words, words: Words, held: Places, seeds: Words) -> U:
    """Look a block up; an empty word if it is not there."""
    last = U(len(held) - 1)
    slot = _mixed(block, seeds) & last
    while held[slot]:
        if blocks[held[slot] - 1] == block:
            return words[held[slot] - 1]
        slot = (slot + _ONE) & last
    return U(0)


@kernel
def _joined(blocks: Words, words: Words, seeds: Words, best: int, start: U) -> tuple[int, U]:
    """Join blocks over their edges, and return the longest run that is found."""
    size = _power_over(2 * len(blocks))
    last = U(size - 1)
    held = np.zeros(size, np.int64)  # 1 + the position of the block
    for i in range(len(blocks)):
        slot = _mixed(blocks[i], seeds) & last
        while held[slot]:
            slot = (slot + _ONE) & last
        held[slot] = i + 1
    for i in range(len(blocks)):
        word = words[i]
        if not word >> _LOW6:
            continue  # nothing goes on from here
        if word == _ALL and _held_word(blocks[i] - _ONE, blocks, words, held, seeds) >> _LOW6:
            continue  # the run begins in an earlier block
        tail = 64 if word == _ALL else np.int64(leading_zeros(~word))
        length = tail
        block = blocks[i]
        while True:
            block += _ONE
            word = _held_word(block, blocks, words, held, seeds)
            if word != _ALL:
                break
            length += 64
        length += np.int64(trailing_zeros(~word))
        first = ((blocks[i] << _SIX) + U(64 - tail)) - seeds[2]
        if length > best or (length == best and first < start):
            best, start = length, first
    return best, start


@kernel
def _search(heaped: Words, bounds: Places, seeds: Words) -> tuple[int, U, Words, Words]:
    """Find the longest run within a block of some heaps, and list the words with edges.

    Heap i lies from bounds[i] to bounds[i + 1].
    """
    n_heaps = len(bounds) - 1
    biggest = np.diff(bounds).max()
    table = np.empty(_power_over(3 * ((bounds[-1] - bounds[0]) // n_heaps)), np.uint64)
    slots, spare = np.empty(biggest, np.int64), np.empty(biggest, np.uint64)
    blocks, words = np.empty(64, np.uint64), np.empty(64, np.uint64)
    edge_blocks, edge_words, n_edges = np.empty(64, np.uint64), np.empty(64, np.uint64), 0
    best, start = 1, U(0)  # the least value alone
    sieving = True
    for i in range(n_heaps):
        kept = heaped[bounds[i] : bounds[i + 1]]
        if sieving or not i & 7:  # where most values have neighbours, looking is in vain
            n_kept = _not_alone(kept, seeds, table, slots, spare)
            sieving = 2 * n_kept < len(kept)
            kept = spare[:n_kept]
        size = _power_over(2 * len(kept))
        if size > len(blocks):
            blocks, words = np.empty(size, np.uint64), np.empty(size, np.uint64)
        n_hot = _exact(kept, seeds, blocks[:size], words[:size], slots)
        hot = slots[:n_hot]
        best, start = _longest_of(hot, blocks, words, seeds, best, start)
        while n_edges + n_hot > len(edge_blocks):
            edge_blocks = np.concatenate((edge_blocks, edge_blocks))
            edge_words = np.concatenate((edge_words, edge_words))
        n_edges = _edges(hot, blocks, words, (edge_blocks, edge_words), n_edges)
    return best, start, edge_blocks[:n_edges], edge_words[:n_edges]


def _heaped(keys: Words, low: U, seeds: Words) -> tuple[Words, Places]:
    """Put keys − low in heaps, and say where each begins and the last one ends."""
    log_heaps = min(max((len(keys) // _HEAP).bit_length(), 1), _MOST_HEAPS)
    each = parts(len(keys))
    sizes = np.array(on_cores(lambda part: _sizes(keys[part], low, log_heaps, seeds), each))
    bounds = np.concatenate([[0], np.cumsum(sizes.sum(0))])
    # In every heap, what one core writes comes after what the cores before it write.
    places = bounds[:-1] + np.cumsum(sizes, 0) - sizes  # (parts, heaps)
    # NumPy's own memory comes in large pages: thousands of heaps are written to at once.
    heaped = np.empty(len(keys), U)
    on_cores(
        lambda at: _heap(keys[at[0]], low, at[1], seeds, heaped), zip(each, places, strict=True)
    )
    return heaped, bounds


def longest_sparse(keys: Words, low: U) -> tuple[int, int]:
    """Find the longest run: its first key beyond `low`, which is the least, and its length.

    Cost:
        About three passes over the keys, and memory for two copies of them at most.
    """
    seeds = np.array([secrets.randbits(64), secrets.randbits(64) | 1, secrets.randbits(6)], U)
    heaped, bounds = _heaped(keys, low, seeds)
    n_heaps = len(bounds) - 1
    cuts = np.linspace(0, n_heaps, len(parts(len(keys), n_heaps)) + 1).astype(int)
    each = [bounds[a : b + 1] for a, b in itertools.pairwise(cuts)]
    found = on_cores(lambda some: _search(heaped, some, seeds), each)
    best, start, _, _ = min(found, key=lambda one: (-one[0], one[1]))
    blocks, words = (np.concatenate([one[i] for one in found]) for i in (2, 3))
    length, start = _joined(blocks, words, seeds, best, U(start))
    return int(start), int(length)
