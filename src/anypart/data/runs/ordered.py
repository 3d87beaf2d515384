"""NumPy's vectorised sort on every core: values are parted by pivots, each part sorted alone."""

# Compiled loops are of machine integers, which numba tells apart and a checker does not.
# pyright: reportArgumentType=false, reportReturnType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.cores import on_cores, parts
from anypart.data.kernel import kernel
from anypart.data.runs.instructions import prefetch

Keys = NDArray[Any]
_SAMPLED = 1 << 12
_AHEAD = 512  # keys that are asked for before they are read


@kernel
def _n_below(keys: Keys, pivot: Any) -> int:
    n = 0
    for key in keys:
        n += key < pivot
    return n


@kernel
def _part(keys: Keys, pivot: Any, made: Keys, below: int, others: int) -> None:
    """Write keys below the pivot from one place on, and the others from another."""
    for i in range(len(keys)):
        prefetch(keys, i + _AHEAD)
        key = keys[i]
        is_below = key < pivot
        # A place is chosen, not a branch: which it is, the processor cannot foresee.
        made[below if is_below else others] = key
        below += is_below
        others += not is_below


def ordered(keys: Keys, *, own: bool = False) -> Keys:
    """Sort in two threads if there are two cores and many values.

    What is the caller's own may be sorted in place.
    """
    halves = parts(len(keys), 2)
    if len(halves) == 1:
        made = keys if own else keys.copy()
        made.sort()
        return made
    sample = np.sort(keys[:: max(len(keys) // _SAMPLED, 1)])
    pivot = sample[len(sample) // 2]
    n_each = on_cores(lambda half: int(_n_below(keys[half], pivot)), halves)
    n_below, made = sum(n_each), np.empty_like(keys)
    begins = [(0, n_below), (n_each[0], n_below + halves[1].start - n_each[0])]
    on_cores(lambda at: _part(keys[at[0]], pivot, made, *at[1]), zip(halves, begins, strict=True))
    on_cores(lambda part: part.sort(), [made[:n_below], made[n_below:]])
    return made
