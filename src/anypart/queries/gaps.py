"""Where a table has gaps: the patterns of seen cells and how often each occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError

Mask = NDArray[np.bool_]
MOST_PATTERNS = 4096


@dataclass(frozen=True)
class Gaps:
    """A model of missingness: whole patterns, drawn as often as the table had them.

    Args:
        patterns: (patterns, cols) which cells are seen.
        counts: (patterns,) rows with the pattern.

    """

    patterns: Mask
    counts: NDArray[np.int64]

    def draw(self, n: int, shown: Iterable[int], rng: np.random.Generator) -> Mask:
        """Draw a pattern for each of `n` rows, (n, cols).

        Args:
            n: how many.
            shown: columns that have to be seen, for a condition names them.
            rng: the generator.

        """
        shown = list(shown)
        if not len(self.counts):
            raise QuestionError(
                "This fit does not know where its table had gaps. Sample without with_missing."
            )
        weights = np.where(self.patterns[:, shown].all(axis=1), self.counts, 0).astype(float)
        if not weights.any():
            weights = self.counts.astype(float)
        out = self.patterns[rng.choice(len(weights), size=n, p=weights / weights.sum())].copy()
        out[:, shown] = True
        return out

    def to_json(self) -> dict[str, Any]:
        """Write each pattern as the positions of its gaps."""
        gaps = [np.flatnonzero(~p).tolist() for p in self.patterns]
        return {"n_cols": self.patterns.shape[1], "gaps": gaps, "counts": self.counts.tolist()}

    @staticmethod
    def from_json(saved: dict[str, Any]) -> Gaps:
        """Read what `to_json` wrote."""
        patterns = np.ones((len(saved["gaps"]), saved["n_cols"]), np.bool_)
        for row, gaps in zip(patterns, saved["gaps"], strict=True):
            row[gaps] = False
        return Gaps(patterns, np.array(saved["counts"], np.int64))


def no_gaps(n_cols: int) -> Gaps:
    """Know nothing about gaps."""
    return Gaps(np.ones((0, n_cols), np.bool_), np.zeros(0, np.int64))


def count_gaps(batches: Iterable[Mask], n_cols: int) -> Gaps:
    """Count the patterns of a stream of masks.

    The first 4,096 different patterns are kept; a table with more is drawn from those.
    """
    found: Counter[bytes] = Counter()
    for seen in batches:
        patterns, counts = np.unique(np.packbits(seen, axis=1), axis=0, return_counts=True)
        for pattern, count in zip(patterns, counts.tolist(), strict=True):
            key = pattern.tobytes()
            if key in found or len(found) < MOST_PATTERNS:
                found[key] += count
    rows = np.array([np.frombuffer(k, np.uint8) for k in found]).reshape(len(found), -1)
    patterns = np.unpackbits(rows, axis=1, count=n_cols).astype(np.bool_)
    return Gaps(patterns, np.array(list(found.values()), np.int64))
