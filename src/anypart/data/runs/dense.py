"""Dense values: their range guessed, their bits set on every core, the maps joined."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.cores import on_cores, parts

DENSE = 64  # bits a value: the bitmaps are never larger than the values
_SAMPLED = 1 << 10
U = np.uint64
Keys = NDArray[np.uint64]


def marked(keys: NDArray[Any]) -> tuple[Keys, int] | None:
    """Return the bitmap of dense values, and the value of its first bit; None if sparse.

    The range is guessed from a thousandth of the values or so, which saves a pass over
    them; if some lie outside the guess, the true range is taken.
    """
    sample = keys[:: max(len(keys) // _SAMPLED, 1)]
    low, high = int(sample.min()), int(sample.max())
    if high - low >= DENSE * len(keys):
        return None
    slack = (high - low) // 64 + 64
    info = np.iinfo(keys.dtype)
    low, high = max(low - slack, int(info.min)), min(high + slack, int(info.max))
    bits, n_outside = _bitmap(keys, low, high)
    if n_outside:
        low, high = int(keys.min()), int(keys.max())
        if high - low >= DENSE * len(keys):
            return None
        bits, _ = _bitmap(keys, low, high)
    return bits, low


def _bitmap(keys: NDArray[Any], low: int, high: int) -> tuple[Keys, int]:
    """Set a bit for every value in [low, high], and count those outside.

    Every core has a map of its own; all of them together are no larger than the values.
    """
    from anypart.data.runs.bitmap import mark

    words, n_words = keys.view(U), (high - low) // 64 + 1
    each = parts(len(keys), len(keys) // n_words)
    maps = on_cores(lambda part: mark(words[part], U(low % 2**64), n_words), each)
    bits = maps[0][0]
    for other, _ in maps[1:]:
        bits |= other
    return bits, sum(n for _, n in maps)
