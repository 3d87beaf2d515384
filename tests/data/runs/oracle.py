"""The slow and obvious way, and values of every make. Imports nothing of what it judges."""

import itertools

import numpy as np
from hypothesis import strategies as st

SMALL = st.lists(st.integers(-12, 12), max_size=25)
ENDS = st.lists(
    st.sampled_from([-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 2, 2**63 - 1]), max_size=9
)


def brute_force_runs(values):
    """Walk up from every value whose predecessor is not there: [(start, stop), …]."""
    there, found = set(values), []
    for start in sorted(there):
        if start - 1 in there:
            continue
        stop = start
        while stop in there:
            stop += 1
        found.append((start, stop))
    return found


def brute_force_longest(values):
    return max(brute_force_runs(values), key=lambda run: run[1] - run[0], default=(0, 0))


def arrays(n, rng):
    """Arrays of about n int64 in random order: (name, array) of every make that matters."""
    low = np.int64(-(2**63))
    centres = rng.integers(-(2**62), 2**62, max(n // 20, 1))
    pairs = rng.integers(-(2**62), 2**62, max(n // 2, 1))
    sparse, few_bits = rng.integers(low, 2**63 - 1, n), rng.integers(0, 2**31, n)
    made = {
        "dense": rng.integers(-n, n, n),
        "one run": rng.permutation(n),
        "after a gap": np.append(np.arange(n), -100),
        "whole words": rng.permutation(64 * max(n // 64, 1)),
        "sparse": sparse,
        "one pair": np.append(sparse, [2**45 - 1, 2**45]),
        "one pair at zero": np.append(sparse, [-1, 0]),
        "one pair in few bits": np.append(few_bits, [2**28 - 1, 2**28]),
        "pairs": np.concatenate([pairs, pairs + 1]),
        "clusters": (centres[:, None] + rng.integers(0, 300, 20)).ravel(),
        "long runs": (centres[:3, None] + np.arange(n // 2)).ravel(),
        "strides": np.arange(n) * 2**40 + rng.integers(0, 3, n),
        "ends": np.concatenate([low + np.arange(n), np.int64(2**63 - 1) - np.arange(n // 2 + 1)]),
        "one value": np.full(n, 7),
        "two values": np.where(np.arange(n) % 2, low, np.int64(2**63 - 1)),
        "scales": (2.0 ** (rng.random(n) * 62)).astype(np.int64),
    }
    for name, values in made.items():
        yield name, rng.permutation(values)


def partition(found, values):
    """Whether runs hold exactly the values, and never touch."""
    held = sorted(v for r in found for v in range(r.start, r.stop))
    apart = all(a.stop < b.start for a, b in itertools.pairwise(found))
    return apart and held == sorted(set(values))
