r"""Boosting of all columns' conditionals at once; the histograms are matrix products.

A question's yes-side sum of gradients, for every question and every column's logits, is one
product of the answers (questions, rows) with the gradients (rows, places). So a level of
the trees of all columns costs a matrix product, and the sums of no-sides are differences.

.. math:: \text{gain} = \frac{G_y^2}{H_y + \lambda} + \frac{G_n^2}{H_n + \lambda},
    \qquad v = -\eta \frac{G}{H + \lambda}

References:
    Chen and Guestrin 2016, XGBoost, eq. 5 to 7; Friedman 2002, Stochastic gradient
    boosting (a part of the rows for each round).

"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.boosted_trees import BoostedTrees, Questions
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.orders import Order, make_order
from anypart.models.places import Array, Places, log_softmax
from anypart.models.tree_kernel import (
    Bits,
    add_trees,
    add_values,
    binary_slopes,
    choose_side,
    descend,
)
from anypart.optim.boost_settings import BoostSettings
from anypart.optim.logistic_path import PathLearner, PathSettings

FEWEST_ASKED, MOST_ASKED = 8, 160  # columns that a round may ask about
# Where a rare value turns out to be certain the curve is flat, and Newton's step far too long.
LONGEST = 4.0  # of a logit, before the rate
MOST_MEASURED = 2_000  # rows whose likelihood a step tells
COLUMNS_TOGETHER = 48  # columns of a block: later blocks' questions are not asked for it


@dataclass(frozen=True)
class _Block:
    """Columns with logits, neighbours in the order, whose trees are grown together.

    Args:
        cols: (cols,) their positions in the order.
        places: where their logits are.
        asked: places that the questions are about: all up to the last column's.
        earlier: (asked, cols) the place is of an earlier column.
        column_of: (places of the block,) the column of each logit, from 0.
        firsts: (cols,) the first logit of each column.
        larger: the logits of each column with several.

    """

    cols: NDArray[np.intp]
    places: slice
    asked: int
    earlier: NDArray[np.bool_]
    column_of: NDArray[np.intp]
    firsts: NDArray[np.intp]
    larger: tuple[slice, ...]


def _blocks(places: Places, with_logits: NDArray[np.intp]) -> list[_Block]:
    found: list[_Block] = []
    for start in range(0, len(with_logits), COLUMNS_TOGETHER):
        cols = with_logits[start : start + COLUMNS_TOGETHER]
        inside = slice(places.starts[cols[0]], places.slices[cols[-1]].stop)
        column_of = np.searchsorted(cols, places.column_of[inside])
        earlier = places.column_of[: inside.stop, None] < cols
        firsts = np.flatnonzero(np.diff(column_of, prepend=-1))
        ends = [*firsts[1:].tolist(), len(column_of)]
        larger = [slice(a, b) for a, b in zip(firsts.tolist(), ends, strict=True) if b - a > 1]
        found.append(_Block(cols, inside, inside.stop, earlier, column_of, firsts, tuple(larger)))
    return found


def begin(
    layout: Layout, codes: Codes, seen: Mask, order: Order, *, linear: bool
) -> dict[str, Array]:
    """Make the weights and biases that the trees of an order correct."""
    if linear:
        path = PathLearner(layout, codes, seen, PathSettings(order=order.tolist()), seed=0)
        path.to_best()
        return path.model().arrays
    inner = Places(Layout(tuple(layout.n_cats[c] for c in order.tolist())))
    means = inner.margins(codes[:, order], seen[:, order])
    weight = np.zeros((inner.total, inner.total), np.float32)
    return {"weight": weight, "bias": inner.log_odds(means)}


class BoostLearner:
    """One round of trees a step, on rows that it was given at the start.

    Args:
        layout: the columns.
        codes, seen: (rows, cols) the rows to learn from.
        settings: of the trees and the order.
        seed: of a random order and of the rows of each round.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: BoostSettings, seed: int
    ) -> None:
        self._layout, self._settings, self._seed = layout, settings, seed
        order = make_order(settings.order, layout, codes, seen, seed, settings.stated)
        self._begun = begin(layout, codes, seen, order, linear=settings.linear)
        self._order = order
        # Shuffled once, so that a run of neighbours is a random part of the rows.
        shuffled = generator(seed, "boosted rows").permutation(len(codes))[:, None]
        codes, seen = codes[shuffled, self._order], seen[shuffled, self._order]
        self._places = Places(Layout(tuple(layout.n_cats[c] for c in self._order.tolist())))
        self._means = self._places.margins(codes, seen)
        x = np.ascontiguousarray(self._places.encode(codes, seen, self._means).T)
        self._questions = Questions(self._places)
        self._bits = self._questions.ask(x)  # (questions, rows)
        self._asked = self._bits[: self._places.total].astype(np.float32)
        self._measured = codes[:MOST_MEASURED], seen[:MOST_MEASURED]
        self._target = np.where(seen.T[self._places.column_of], x, np.float32(np.nan))
        self._start = self._begun["weight"].T @ x + self._begun["bias"][:, None]
        self._logits = self._start.copy()
        grown = np.flatnonzero(self._places.sizes)
        if (question := settings.stated) is not None:
            grown = grown[np.isin(self._order[grown], question.asked)]
        self._blocks = _blocks(self._places, grown)
        self._tests: list[NDArray[np.int32]] = []
        self._values: list[Array] = []

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Grow one tree for every column; see `Learner.step`."""
        n_rows, n_leaves = self._logits.shape[1], 1 << self._settings.depth
        taken = max(int(n_rows * self._settings.share), 1)
        # Rows are shuffled: neighbours are a random part, if the last row's is the first.
        first = int(generator(self._seed, "round", len(self._tests)).integers(n_rows))
        rows = _Window(first, taken, n_rows)
        tests = np.full((self._layout.n_cols, n_leaves - 1), -1, np.int32)
        values = np.zeros((self._places.total, n_leaves), np.float32)
        open_to_all = self._open()
        before = self._places.log_prob(self._logits[:, :MOST_MEASURED].T, *self._measured)
        for block in self._blocks:
            grown = self._grow(block, self._slopes(block), rows, open_to_all)
            tests[block.cols], values[block.places], leaf = grown
            add_values(values[block.places], leaf, block.column_of, self._logits[block.places])
        self._tests.append(tests)
        self._values.append(values)
        return float(before.mean())

    def _open(self) -> NDArray[np.bool_]:
        """Draw the columns that this round may ask about, (cols,)."""
        n_cols = self._layout.n_cols
        share = round(n_cols * self._settings.asked)
        wanted = min(max(share, FEWEST_ASKED), MOST_ASKED)
        rank = generator(self._seed, "questions", len(self._tests)).permutation(n_cols)
        return rank < wanted

    def _slopes(self, block: _Block) -> Array:
        """First and second derivatives of the nats by the logits, (2 · places, rows)."""
        target, logits = self._target[block.places], self._logits[block.places]
        found = np.empty((2 * len(target), target.shape[1]), np.float32)
        slopes, curves = found[: len(target)], found[len(target) :]
        small = np.abs(logits)
        np.exp(np.negative(small, out=small), out=small)
        binary_slopes(target, logits, small, slopes, curves)
        for place in block.larger:
            there = ~np.isnan(target[place])
            p = np.exp(log_softmax(logits[place].T)).T
            slopes[place] = np.where(there, p - target[place], 0)
            curves[place] = np.where(there, p * (1 - p), 0)
        return found

    def _grow(
        self, block: _Block, slopes: Array, rows: _Window, open_to_all: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int32], Array, Bits]:
        """Grow a tree for each column of a block: tests, values, and the leaf of each row."""
        depth, n = self._settings.depth, len(block.column_of)
        asked = np.flatnonzero(open_to_all[self._places.column_of[: block.asked]])
        answers, part = rows.cut(self._asked, asked), rows.cut(slopes)
        both = np.concatenate([block.column_of, block.column_of])
        tests = np.full((len(block.cols), (1 << depth) - 1), -1, np.int32)
        leaf = np.zeros((len(block.cols), slopes.shape[1]), np.uint8)
        sums = (answers @ part.T)[None]  # (nodes, asked, 2 · places)
        totals = part.sum(axis=1)[None]  # (nodes, 2 · places)
        side = np.empty_like(part)
        for level in range(depth):
            here, yes_totals = self._best(block, asked, sums, totals)
            tests[:, (1 << level) - 1 : (2 << level) - 1] = here
            descend(self._bits, here, leaf)
            totals = _interleaved(totals - yes_totals, yes_totals)
            if level < depth - 1:
                yes = np.empty_like(sums)
                inside = rows.cut(leaf)
                for node in range(len(sums)):
                    choose_side(part, inside, both, 2 * node + 1, side)
                    yes[node] = answers @ side.T
                sums = _interleaved(sums - yes, yes)
        steps = -totals[:, :n] / (totals[:, n:] + self._settings.ridge)
        values = np.clip(steps, -LONGEST, LONGEST) * self._settings.rate
        return tests, np.ascontiguousarray(values.T, np.float32), leaf

    def _best(
        self, block: _Block, asked: NDArray[np.intp], sums: Array, totals: Array
    ) -> tuple[NDArray[np.int32], Array]:
        """Choose each column's question at every node of a level.

        Args:
            block: of the columns.
            asked: (asked,) the places that may be asked about.
            sums: (nodes, asked, 2 · places) of the slopes of the rows that say yes.
            totals: (nodes, 2 · places) of all rows.

        Returns:
            The questions, (cols, nodes), −1 for none, and the sums of the yes-sides,
            (nodes, 2 · places), 0 where there is no question.

        """
        settings, n = self._settings, len(block.column_of)
        question, earlier = asked, block.earlier[asked]
        if self._questions.total > self._questions.n_places:
            upto = np.zeros_like(sums)
            owner = self._places.column_of[asked]
            for col in np.unique(owner):
                if self._places.sizes[col] > 1:
                    some = owner == col
                    upto[:, some] = np.moveaxis(
                        Questions.upto(np.moveaxis(sums[:, some], 1, 0)), 0, 1
                    )
            sums = np.concatenate([sums, upto], axis=1)
            earlier = np.concatenate([earlier, earlier])
            question = np.concatenate([asked, asked + self._questions.n_places])
        if not len(question):
            return np.full((len(block.cols), len(sums)), -1, np.int32), np.zeros_like(totals)
        gain: Array = np.zeros((*sums.shape[:2], n), np.float32)
        enough = np.repeat(earlier[None], len(sums), axis=0)
        for side in (sums, totals[:, None] - sums):
            curved = np.maximum(side[..., n:], 0)
            gain += side[..., :n] ** 2 / (curved + settings.ridge)
            enough &= self._by_column(block, curved) >= settings.least
        gain = np.where(enough, self._by_column(block, gain), -np.inf)
        best = gain.argmax(axis=1)  # (nodes, cols)
        before: Any = totals[:, :n] ** 2 / (totals[:, n:] + settings.ridge)
        now = self._by_column(block, before)
        better = np.take_along_axis(gain, best[:, None], 1)[:, 0] > now * 1.0001
        at = np.tile(best[:, block.column_of], 2)[:, None]
        yes = np.take_along_axis(sums, at, 1)[:, 0]
        yes = np.where(np.tile(better[:, block.column_of], 2), yes, np.float32(0))
        return np.where(better, question[best], -1).T.astype(np.int32), yes

    @staticmethod
    def _by_column(block: _Block, per_place: NDArray[Any]) -> NDArray[Any]:
        if len(block.firsts) == per_place.shape[-1]:
            return per_place
        return np.add.reduceat(per_place, block.firsts, axis=-1)

    def model(self) -> BoostedTrees:
        """Return the trees so far; later rounds leave them alone."""
        n_cols, n_places = self._layout.n_cols, self._places.total
        n_leaves = 1 << self._settings.depth
        arrays: dict[str, Any] = {
            "tests": np.array(self._tests, np.int32).reshape(-1, n_cols, n_leaves - 1),
            "values": np.array(self._values, np.float32).reshape(-1, n_places, n_leaves),
            **self._begun,
        }
        return BoostedTrees(self._layout, self._order, self._means, arrays)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the trees so far; what they make of the rows is computed again."""
        return {name: self.model().arrays[name] for name in ("tests", "values")}

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._tests, self._values = list(arrays["tests"]), list(arrays["values"])
        self._logits = self._start.copy()
        add_trees(
            self._bits, arrays["tests"], arrays["values"], self._places.column_of, self._logits
        )


@dataclass(frozen=True)
class _Window:
    """Neighbouring rows of a circle of them: `size` from the one at `first` on."""

    first: int
    size: int
    n_rows: int

    def cut(self, array: NDArray[Any], which: Any = slice(None)) -> NDArray[Any]:
        """Copy the rows' part of some lines of an array, (lines, rows) → (lines, size)."""
        beyond = max(self.first + self.size - self.n_rows, 0)
        parts = array[which, self.first : self.first + self.size], array[which, :beyond]
        return np.concatenate(parts, axis=1)


def _interleaved(no: Array, yes: Array) -> Array:
    """Put the two children of each node after one another, (nodes, …) → (2 · nodes, …)."""
    return np.stack([no, yes], axis=1).reshape(2 * len(no), *no.shape[1:])
