"""The law of large arrays, fed with bugs in the compiled loops."""

import numpy as np
import pytest

from anypart.data import kernel as compiling
from anypart.data.runs import bitmap, blocks, halves, ordered, radix

from ..planted import planted
from .oracle import arrays, brute_force_longest, brute_force_runs


def words_of(values):
    return values.view(np.uint64), np.uint64(int(values.min()) % 2**64)


def agrees(module, makes, n):
    """Whether a module's way finds what walking finds, on arrays of every make."""
    try:
        return all(
            makes[name](module, values)
            for name, values in arrays(n, np.random.default_rng(n))
            if name in makes
        )
    except (IndexError, ValueError):
        return False


def dense_way(module, values):
    keys, low = words_of(values)
    bits, n_outside = module.mark(keys, low, int(np.ptp(values)) // 64 + 1)
    start, length = module.longest_ones(bits.copy())
    first = int(values.min())
    found = [
        (first + int(a), first + int(b) + 1) for a, b in zip(*module.stretches(bits), strict=True)
    ]
    return (
        n_outside == 0
        and (first + start, first + start + length) == brute_force_longest(values.tolist())
        and found == brute_force_runs(values.tolist())
    )


def block_way(module, values):
    start, length = module.longest_sparse(*words_of(values))
    first = int(values.min())
    return (first + start, first + start + length) == brute_force_longest(values.tolist())


def radix_way(module, values):
    ordered = module.radix_sort(*words_of(values), 64)
    last, length = module.longest_ordered(ordered)
    first = int(values.min())
    begin = first + int(ordered[last]) - int(length) + 1
    found = [
        (first + int(a), first + int(b) + 1)
        for a, b in zip(*module.split_ordered(ordered), strict=True)
    ]
    return (
        (np.diff(ordered.astype(object)) >= 0).all()
        and (begin, begin + int(length)) == brute_force_longest(values.tolist())
        and found == brute_force_runs(values.tolist())
    )


def ordered_way(module, values):
    return (module.ordered(values) == np.sort(values)).all()


def halves_way(module, values):
    """Upper halves are looked at also where many have another near; in blocks of every size."""
    kept = module._FEW, module._BLOCK
    try:
        for module._FEW, module._BLOCK in (kept, (len(values), 1)):
            start, length = module.longest_sorted(values)
            if (start, start + length) != brute_force_longest(values.tolist()):
                return False
    finally:
        module._FEW, module._BLOCK = kept
    return True


def far_way(module, values):
    """Bits of a far cache: the same as one by one, whatever the parts."""
    keys, low = words_of(values)
    bits = np.zeros(int(np.ptp(values)) // 64 + 1, np.uint64)
    near, _ = bitmap.mark(keys, low, len(bits))
    # Parts so small that places are set on the way, and most of them several times.
    held = np.empty((len(bits) // 2 + 1, 8 + module._APART), np.uint32)
    n_outside = module._mark_far(keys, low, bits, np.uint64(7), held)
    module._NEAR, kept = 0, module._NEAR
    try:
        far, far_outside = module.mark(keys, low, len(bits))
    finally:
        module._NEAR = kept
    return n_outside == far_outside == 0 and (bits == near).all() and (far == near).all()


FAR = {"dense": far_way}
DENSE = dict.fromkeys(["dense", "one run", "after a gap", "whole words", "one value"], dense_way)
PAIR = ["one pair", "one pair at zero", "one pair in few bits"]
ALL = ["dense", "one run", "sparse", "pairs", "clusters", "long runs", "strides", "ends", *PAIR]
BLOCKS = dict.fromkeys([*ALL, "one value", "two values", "scales"], block_way)
RADIX = dict.fromkeys(BLOCKS, radix_way)
ORDERED = dict.fromkeys(BLOCKS, ordered_way)
HALVES = dict.fromkeys(BLOCKS, halves_way)

BUGS = [
    (bitmap, DENSE, "tail += 64", "tail += 63"),
    (bitmap, DENSE, "through = tail + np", "through = np"),
    (bitmap, DENSE, "tail = np.int64(leading_zeros(~word))", "tail = 0"),
    (bitmap, DENSE, "starts_within(word, best + 1)", "starts_within(word, best + 2)"),
    (bitmap, DENSE, "if tail > best:", "if False:"),
    (bitmap, DENSE, "word >> U(length - got)", "word >> U(length - got + 1)"),
    (bitmap, DENSE, "before = word >> _LOW6", "before = U(0)"),
    (blocks, BLOCKS, "n_kept += _has_company", "n_kept += not _has_company"),
    (blocks, BLOCKS, "            length += 64\n", "            length += 63\n"),
    (blocks, BLOCKS, "min(words[slot], blocks[slot] ^ block):", "False:"),
    (blocks, BLOCKS, "(64 - tail)) - seeds[2]", "(64 - tail))"),
    (blocks, BLOCKS, "start = min(first, start)", "start = first"),
    (
        blocks,
        BLOCKS,
        "best, start, starts = best + 1, _ALL, longer",
        "best, starts = best + 1, longer",
    ),
    (radix, RADIX, "old, base = new, U(0)", "old, base = new, base"),
    (radix, RADIX, "length + gap if", "length + U(1) if"),
    (halves, HALVES, "if H(other - one) <= _ONE", "if other == one"),
    (halves, HALVES, "_mark_pair(uppers[-1], uppers[0], bits)", "pass"),
    (halves, HALVES, "start + _BLOCK + 1", "start + _BLOCK"),
    (halves, HALVES, "for half in (one, other)", "for half in (one,)"),
    (halves, HALVES, "least = min(least, key)", "pass"),
    (halves, HALVES, "min(least for _, least in found)", "found[0][1]"),
    (halves, HALVES, "zip(each, found, strict=True)]", "zip(each[:1], found)]"),
    (halves, HALVES, "return rising, rising[0]", "return rising, keys[0]"),
    (halves, HALVES, "- int(length) + 1, int", "- int(length), int"),
    (blocks, BLOCKS, "np.cumsum(sizes, 0) - sizes", "0 * sizes"),
    (blocks, BLOCKS, "itertools.pairwise(cuts)", "itertools.pairwise(cuts[:-1])"),
    (blocks, BLOCKS, "np.cumsum(sizes.sum(0))", "np.cumsum(sizes[0])"),
    (ordered, ORDERED, "halves[1].start - n_each[0]", "halves[1].start"),
    (ordered, ORDERED, "n += key < pivot", "n += key <= pivot"),
    (ordered, ORDERED, "others += not is_below", "others += 1"),
    (bitmap, FAR, "for part in range(n_parts):", "for part in range(n_parts - 1):"),
    (bitmap, FAR, "held[part, count] = place & within", "held[part, count] = 0"),
    (bitmap, FAR, "_set(bits[U(part) << (log_part - _SIX) :], held[part, :room])", "pass"),
    (bitmap, FAR, "held[part, : counts[part]]", "held[part, 1 : counts[part]]"),
]


@pytest.fixture
def plain(monkeypatch):
    """Leave the loops as Python, where a bug cannot read beyond an array."""
    monkeypatch.setattr(compiling, "kernel", lambda loop: loop)

    def plant(module, old, new):
        copy = planted(module, old, new)
        copy.leading_zeros = lambda word: 64 - int(word).bit_length()
        copy.trailing_zeros = lambda word: (int(word) & -int(word)).bit_length() - 1 if word else 64
        copy.prefetch = lambda keys, at: None
        copy.on_cores = lambda work, each: [work(part) for part in each]
        return copy

    with np.errstate(over="ignore"):
        yield plant


WAYS = [
    (bitmap, DENSE), (bitmap, FAR), (blocks, BLOCKS),
    (radix, RADIX), (ordered, ORDERED), (halves, HALVES),
]  # fmt: skip
pytestmark = pytest.mark.usefixtures("two_cores")


@pytest.mark.parametrize("n", [65, 1000])
def test_every_way_is_right_as_shipped(n):
    for module, makes in WAYS:
        assert agrees(module, makes, n)


@pytest.mark.parametrize(("module", "makes"), WAYS)
def test_every_way_is_right_as_plain_python(plain, module, makes):
    assert agrees(plain(module, "from __future__ import annotations", ""), makes, 65)


@pytest.mark.parametrize(("module", "makes", "old", "new"), BUGS)
def test_the_law_notices_a_bug_in_the_loops(plain, module, makes, old, new):
    assert not agrees(plain(module, old, new), makes, 300)
