"""The shortest window over integers, compiled."""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false, reportAssignmentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.kernel import kernel

U = np.uint64


@kernel
def shortest(
    symbols: NDArray[Any], low: int, targets: NDArray[np.int32], need: NDArray[np.int64]
) -> tuple[int, int]:
    """Find the first of the shortest windows that cover every target as often as needed.

    Of a target needed m times, a ring keeps the last m places; `oldest` points at the first
    of them. The window begins at the least of all these, `start`, and that changes only
    when the target at `start` comes again: then the next place that is the oldest of its
    target is found by walking on, and no place is walked over twice.

    Args:
        symbols: (n,) integers.
        low: the symbol of `targets[0]`.
        targets: symbol − low → number of the target, −1 for symbols that are not required.
        need: (targets,) how often each is required.

    Returns:
        Start and length; −1 and n + 1 if there is no window.

    Cost:
        Two looks a symbol.
    """
    first = np.zeros(len(need) + 1, np.int64)  # of each target's ring
    first[1:] = np.cumsum(need)
    lacking = first[-1]
    ring = np.full(lacking, -1, np.int64)
    oldest = first[:-1].copy()
    size, base = U(len(targets)), U(low)
    start, best_start, best = -1, -1, len(symbols) + 1
    for here in range(len(symbols)):
        offset = U(symbols[here]) - base
        if offset >= size:
            continue
        target = targets[offset]
        if target < 0:
            continue
        slot = oldest[target]
        gone = ring[slot]
        ring[slot] = here
        slot += 1
        oldest[target] = slot if slot < first[target + 1] else first[target]
        if lacking > 0:
            lacking -= gone < 0
            if lacking > 0:
                continue
            start = here
            for other in range(len(need)):
                start = min(start, ring[oldest[other]])
        elif gone == start:
            while True:
                start += 1
                offset = U(symbols[start]) - base
                if offset < size:
                    target = targets[offset]
                    if target >= 0 and ring[oldest[target]] == start:
                        break
        else:
            continue
        if here - start + 1 < best:
            best_start, best = start, here - start + 1
    return best_start, best
