"""Rows as vectors, so that there is a distance between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anypart.data.schema import Column
from anypart.scores.rows import Reals, ScoredRows


def vectors(columns: tuple[Column, ...], sides: Sequence[ScoredRows]) -> list[Reals]:
    """Lay rows out as vectors: ranks of numbers in [0, 1], categories 1 apart, empty too.

    Args:
        columns: of all sides.
        sides: rows; numbers are ranked among those of all sides together.

    Returns:
        (rows, dims) of each side.
    """
    blocks: list[list[Reals]] = [[] for _ in sides]
    for at, column in enumerate(columns):
        known = np.sort(np.concatenate([s.reals[s.seen[:, at], at] for s in sides]))
        for block, side in zip(blocks, sides, strict=True):
            seen, codes = side.seen[:, at], np.where(side.seen[:, at], side.codes[:, at], -1)
            if not column.kind.numeric:
                hot = codes[:, None] == np.arange(-1, column.n_cats)
                block.append(hot / np.sqrt(2.0))
                continue
            x = np.nan_to_num(side.reals[:, at])
            ranks = np.searchsorted(known, x) + np.searchsorted(known, x, side="right")
            block.append(np.where(seen, ranks / max(2 * len(known), 1), 0.5)[:, None])
            block.append(np.where(seen, 0.0, 1.0)[:, None])
    return [np.concatenate(b, axis=1) for b in blocks]
