"""`GapTree`: what a row's values tell of where it has gaps, as a small decision tree.

Every node asks one column, and its categories go left or right so that the columns' gaps
become as predictable as possible: the gain is the sum over columns of N times the drop in the
entropy of "is this cell empty". A split has to gain more than it costs to tell (BIC).

References:
    Breiman, Friedman, Olshen & Stone, "Classification and Regression Trees" (1984), section
    9.4 (categories in the order of their shares); Schwarz, "Estimating the dimension of a
    model" (1978).

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Mask

MOST_DEPTH = 8
LEAST_ROWS = 50  # in a leaf
MOST_TARGETS = 16  # columns with gaps that splits are chosen for
MOST_ASKED = 32  # columns that are asked
FULL = 0.99  # share of seen cells from which on a column can be asked

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class GapTree:
    """A node is its column and the codes that go left, or a leaf.

    Args:
        columns: (nodes,) the column that is asked, −1 for a leaf.
        left: per node, the codes that go left; all others go right.
        children: (nodes, 2) the nodes below, left and right.

    """

    columns: tuple[int, ...] = (-1,)
    left: tuple[tuple[int, ...], ...] = ((),)
    children: tuple[tuple[int, int], ...] = ((0, 0),)

    def leaf_of(self, codes: Codes) -> NDArray[np.int64]:
        """Return the node, a leaf, that each row falls to.

        Args:
            codes: (rows, cols).

        """
        at = np.zeros(len(codes), np.int64)
        for node, column in enumerate(self.columns):  # a node's children have higher numbers
            if column >= 0:
                here = np.flatnonzero(at == node)
                goes_left = np.isin(codes[here, column], self.left[node])
                at[here] = np.where(goes_left, *self.children[node])
        return at

    def to_json(self) -> dict[str, Any]:
        """Return lists and numbers."""
        return {"columns": self.columns, "left": self.left, "children": self.children}

    @staticmethod
    def from_json(saved: dict[str, Any]) -> GapTree:
        """Read what `to_json` wrote."""
        children = [(left, right) for left, right in saved["children"]]
        for node, column in enumerate(saved["columns"]):
            if column >= 0 and not node < min(children[node]) <= max(children[node]) < len(
                children
            ):
                raise ValueError(f"node {node} of the tree of gaps has no children")
        return GapTree(tuple(saved["columns"]), tuple(map(tuple, saved["left"])), tuple(children))


def grow(codes: Codes, seen: Mask, n_cats: Sequence[int], ordered: Sequence[bool]) -> GapTree:
    """Learn where gaps are from a sample of rows.

    Only columns that are nearly always seen are asked: where a cell is empty, what it would
    have told is not known.

    Args:
        codes: (rows, cols).
        seen: (rows, cols) cells with a value.
        n_cats: categories of each column.
        ordered: columns whose codes lie on a line, which are cut in two.

    Cost:
        O(rows · columns asked · columns with gaps) at each depth.

    """
    share = seen.mean(axis=0) if len(seen) else np.ones(len(n_cats))
    varied = np.argsort(share * (share - 1), kind="stable")[:MOST_TARGETS]
    empty = ~seen[:, varied[(share * (1 - share))[varied] > 0]]
    asked = [c for c in np.flatnonzero(share >= FULL).tolist() if n_cats[c] > 1]
    placed = np.where(seen, codes, np.array(n_cats))
    growing = _Growing(placed, empty.astype(np.float32), n_cats, ordered)
    if len(asked) > MOST_ASKED:
        everything = np.arange(len(codes))
        gains = {c: growing.best_cut(everything, c)[0] for c in asked}
        asked = sorted(asked, key=lambda c: -gains[c])[:MOST_ASKED]
    if empty.shape[1]:
        growing.split(0, np.arange(len(codes)), asked, MOST_DEPTH)
    return GapTree(tuple(growing.columns), tuple(growing.left), tuple(growing.children))


class _Growing:
    """A tree in the making over a sample of rows."""

    def __init__(
        self, placed: Codes, empty: NDArray[Any], n_cats: Sequence[int], ordered: Sequence[bool]
    ) -> None:
        self._placed, self._empty = placed, empty
        self._n_cats, self._ordered = n_cats, ordered
        self.columns: list[int] = [-1]
        self.left: list[tuple[int, ...]] = [()]
        self.children: list[tuple[int, int]] = [(0, 0)]

    def split(self, node: int, rows: NDArray[Any], asked: Sequence[int], depth: int) -> None:
        """Split a node and those below it while that gains more than it costs."""
        if depth == 0 or len(rows) < 2 * LEAST_ROWS:
            return
        cuts = [(*self.best_cut(rows, column), column) for column in asked]
        gain, left, column = max(cuts, key=lambda cut: cut[0], default=(0.0, (), -1))
        if gain <= 0:
            return
        goes_left = np.isin(self._placed[rows, column], left)
        below = (len(self.columns), len(self.columns) + 1)
        self.columns[node], self.left[node], self.children[node] = column, left, below
        self.columns += [-1, -1]
        self.left += [(), ()]
        self.children += [(0, 0), (0, 0)]
        for child, part in zip(below, (rows[goes_left], rows[~goes_left]), strict=True):
            self.split(child, part, asked, depth - 1)

    def best_cut(self, rows: NDArray[Any], column: int) -> tuple[float, tuple[int, ...]]:
        """Return what the best cut of a column's codes gains beyond its cost, nats; the codes."""
        n_cats = self._n_cats[column]
        empty = self._empty[rows]
        hot = np.zeros((len(rows), n_cats + 1), np.float32)
        hot[np.arange(len(rows)), self._placed[rows, column]] = 1
        met = hot.sum(axis=0, dtype=np.float64)
        gaps = (hot.T @ empty).astype(np.float64)  # (n_cats + 1, columns with gaps)
        here = np.flatnonzero(met)
        varies = (gaps.sum(0) > 0) & (gaps.sum(0) < len(rows))
        if len(here) < 2 or not varies.any():
            return 0.0, ()
        best, chosen = 0.0, ()
        cost = 0.5 * varies.sum() * np.log(len(rows)) + np.log(len(here))
        if self._ordered[column]:
            orders = [here]
        else:
            shares = gaps[here] / met[here, None]
            orders = [here[np.argsort(shares[:, c], kind="stable")] for c in np.flatnonzero(varies)]
            cost += 0.5 * len(here)  # the order is chosen, too
        for order in orders:
            gain, k = _best_place(met[order], gaps[order][:, varies])
            if gain - cost > best:
                best, chosen = gain - cost, tuple(order[:k].tolist())
        return best, chosen


def _best_place(met: Reals, gaps: Reals) -> tuple[float, int]:
    """Return the largest gain of cutting a line of categories in two, nats, and where."""
    left, gaps_left = np.cumsum(met)[:-1], np.cumsum(gaps, axis=0)[:-1]
    n, all_gaps = met.sum(), gaps.sum(axis=0)
    right, gaps_right = n - left, all_gaps - gaps_left
    gain = _surprise(n, all_gaps) - _surprise(left, gaps_left) - _surprise(right, gaps_right)
    gain = np.where((left >= LEAST_ROWS) & (right >= LEAST_ROWS), gain, -np.inf)
    k = int(gain.argmax())
    return float(gain[k]), k + 1


def _surprise(n: Any, gaps: Reals) -> Any:
    """N times the entropies of gaps, summed over columns, nats."""
    n = np.asarray(n, np.float64)[..., None]
    return sum(
        (-np.where(part > 0, part * np.log(np.maximum(part, 1e-300) / n), 0.0)).sum(axis=-1)
        for part in (gaps, np.maximum(n - gaps, 0))
    )
