"""Where a table has gaps: the patterns of seen cells, and for which rows each occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.data.schema import Column
from anypart.models.contract import Codes, Mask
from anypart.queries.gap_tree import GapTree, grow

MOST_PATTERNS = 4096
SAMPLE = 20_000  # rows that the tree is grown on
BLOCK = 65_536


@dataclass(frozen=True)
class Gaps:
    """A model of missingness: whole patterns, as often as the table has them for such rows.

    Args:
        patterns: (patterns, cols) which cells are seen.
        counts: (nodes, patterns) rows with the pattern at each leaf of the tree.
        tree: which rows have gaps alike, by the values of columns that are nearly always seen.

    """

    patterns: Mask
    counts: NDArray[np.int64]
    tree: GapTree = GapTree()  # noqa: RUF009 (immutable)

    def draw(self, codes: Codes, shown: Iterable[int], rng: np.random.Generator) -> Mask:
        """Draw a pattern for each row, (rows, cols).

        Args:
            codes: (rows, cols) complete rows.
            shown: columns that have to be seen, for a condition names them.
            rng: the generator.

        """
        shown = list(shown)
        if not self.counts.size:
            raise QuestionError(
                "This fit does not know where its table had gaps. Sample without with_missing."
            )
        met = np.asarray(self.patterns[:, shown].all(axis=1))
        out, leaf = np.ones(codes.shape, np.bool_), self.tree.leaf_of(codes)
        for node in np.unique(leaf):
            here = np.flatnonzero(leaf == node)
            weights = self._weights(int(node), met)
            out[here] = self.patterns[rng.choice(len(weights), size=len(here), p=weights)]
        out[:, shown] = True
        return out

    def _weights(self, node: int, met: Mask) -> NDArray[np.float64]:
        """Weigh the patterns at a leaf: those that show what is asked, wherever there are any."""
        at_leaf, of_all = self.counts[node], self.counts.sum(axis=0)
        for weights in (at_leaf * met, of_all * met, of_all):
            if weights.any():
                return weights / weights.sum()
        raise AssertionError("a table with rows has a pattern")

    def to_json(self) -> dict[str, Any]:
        """Write each pattern as the positions of its gaps, and its rows by leaf."""
        gaps = [np.flatnonzero(~p).tolist() for p in self.patterns]
        nodes, patterns = np.nonzero(self.counts)
        cases = np.stack([nodes, patterns, self.counts[nodes, patterns]], axis=1)
        about = {"n_cols": self.patterns.shape[1], "gaps": gaps}
        return about | {"tree": self.tree.to_json(), "cases": cases.tolist()}

    @staticmethod
    def from_json(saved: dict[str, Any]) -> Gaps:
        """Read what `to_json` wrote."""
        patterns = np.ones((len(saved["gaps"]), saved["n_cols"]), np.bool_)
        for row, gaps in zip(patterns, saved["gaps"], strict=True):
            row[gaps] = False
        if "tree" not in saved:  # written before gaps hung on values
            return Gaps(patterns, np.array([saved["counts"]], np.int64))
        tree = GapTree.from_json(saved["tree"])
        counts = np.zeros((len(tree.columns), len(patterns)), np.int64)
        for node, pattern, count in saved["cases"]:
            counts[node, pattern] = count
        return Gaps(patterns, counts, tree)


def count_gaps(
    read: Callable[[Any], tuple[Codes, Mask]], n_rows: int, columns: Sequence[Column]
) -> Gaps:
    """Count the patterns of a table, for rows whose values tell of gaps apart.

    The first 4,096 different patterns are kept; a table with more is drawn from those.

    Args:
        read: rows by position → (codes, seen).
        n_rows: how many there are.
        columns: those that are modelled.

    """
    step = max(-(-n_rows // SAMPLE), 1)
    n_cats, on_a_line = zip(*((c.n_cats, c.kind.numeric) for c in columns), strict=True)
    tree = grow(*read(np.arange(0, n_rows, step)), n_cats, on_a_line)
    places: dict[bytes, int] = {}
    found: Counter[tuple[int, int]] = Counter()
    for start in range(0, n_rows, BLOCK):
        codes, seen = read(np.arange(start, min(start + BLOCK, n_rows)))
        packed = np.column_stack([_as_bytes(tree.leaf_of(codes)), np.packbits(seen, axis=1)])
        cases, counts = np.unique(packed, axis=0, return_counts=True)
        for case, count in zip(cases, counts.tolist(), strict=True):
            key = case[2:].tobytes()
            if key in places or len(places) < MOST_PATTERNS:
                found[int(case[0]) * 256 + int(case[1]), places.setdefault(key, len(places))] += (
                    count
                )
    rows = np.array([np.frombuffer(k, np.uint8) for k in places]).reshape(len(places), -1)
    patterns = np.unpackbits(rows, axis=1, count=len(n_cats)).astype(np.bool_)
    table = np.zeros((len(tree.columns), len(places)), np.int64)
    for case, count in found.items():
        table[case] = count
    return Gaps(patterns, table, tree)


def _as_bytes(leaf: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Split numbers below 65,536 into two bytes, (rows, 2)."""
    return np.stack([leaf >> 8, leaf & 255], axis=1).astype(np.uint8)
