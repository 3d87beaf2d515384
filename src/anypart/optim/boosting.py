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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.boosted_trees import (
    DEPTH,
    LEAVES,
    NODES,
    Bits,
    BoostedTrees,
    Questions,
    descend,
    leaves,
    look_up,
)
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.orders import Order, make_order
from anypart.models.places import Array, Places
from anypart.optim.logistic_path import PathLearner, PathSettings

COLUMNS_TOGETHER = 48  # columns of a block: later blocks' questions are not asked for it


@dataclass(frozen=True)
class BoostSettings:
    """How trees are boosted.

    Args:
        order: of the columns, see `models.orders.make_order`.
        rate: share of the best step that a tree takes.
        ridge: λ, added to a leaf's second derivatives.
        least: second derivatives that a leaf must hold.
        share: of the rows that each round's trees are grown on.
        asked: share of the earlier places that each round's trees may ask about.
        linear: whether the trees correct a logistic regression, or begin with the margins.

    """

    order: str | Sequence[int] = "chow_liu"
    rate: float = 0.1
    ridge: float = 5.0
    least: float = 5.0
    share: float = 0.6
    asked: float = 0.3
    linear: bool = False


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


def _blocks(places: Places) -> list[_Block]:
    found: list[_Block] = []
    with_logits = np.flatnonzero(places.sizes)
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
        order = make_order(settings.order, layout, codes, seen, seed)
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
        self._target = np.where(seen.T[self._places.column_of], x, np.float32(np.nan))
        self._complete = bool(seen.all())
        self._start = self._begun["weight"].T @ x + self._begun["bias"][:, None]
        self._logits = self._start.copy()
        self._blocks = _blocks(self._places)
        self._tests: list[NDArray[np.int32]] = []
        self._values: list[Array] = []

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Grow one tree for every column; see `Learner.step`."""
        n_rows = self._logits.shape[1]
        taken = max(int(n_rows * self._settings.share), 1)
        first = int(generator(self._seed, "round", len(self._tests)).integers(n_rows - taken + 1))
        tests = np.full((self._layout.n_cols, NODES), -1, np.int32)
        values = np.zeros((self._places.total, LEAVES), np.float32)
        rng = generator(self._seed, "questions", len(self._tests))
        self._open = rng.random(self._places.total) < self._settings.asked
        nats = 0.0
        for block in self._blocks:
            slopes, cost = self._slopes(block)
            nats += cost
            grown = self._grow(block, slopes, slice(first, first + taken))
            tests[block.cols], values[block.places], leaf = grown
            self._logits[block.places] += look_up(values[block.places], leaf[block.column_of])
        self._tests.append(tests)
        self._values.append(values)
        return -nats / n_rows

    def _slopes(self, block: _Block) -> tuple[Array, float]:
        """First and second derivatives of the logits, (2 · places, rows), and the cost, nats."""
        target, logits = self._target[block.places], self._logits[block.places]
        small = np.exp(-np.abs(logits))
        nats = np.maximum(logits, 0) + np.log(1 + small) - target * logits
        p = np.where(logits >= 0, np.float32(1), small) / (1 + small)
        for place in block.larger:
            p[place] = np.exp(logits[place] - logits[place].max(axis=0))
            norm = p[place].sum(axis=0)
            p[place] /= norm
            nats[place] = -target[place] * np.log(np.maximum(p[place], 1e-30))
        slopes: Any = np.concatenate([p - target, p * (1 - p)])
        if not self._complete:
            np.nan_to_num(slopes, copy=False)
            slopes[len(p) :][np.isnan(target)] = 0
        return slopes, float(np.nansum(nats, dtype=np.float64))

    def _grow(
        self, block: _Block, slopes: Array, rows: slice
    ) -> tuple[NDArray[np.int32], Array, Bits]:
        """Grow a tree for each column of a block: tests, values, and the leaf of each row."""
        asked, part = self._asked[: block.asked, rows], slopes[:, rows]
        both = np.concatenate([block.column_of, block.column_of])
        tests = np.full((len(block.cols), NODES), -1, np.int32)
        leaf = np.zeros((len(block.cols), slopes.shape[1]), np.uint8)
        sums = [asked @ part.T]  # of each node: (asked, 2 · places)
        totals = [part.sum(axis=1)]
        for level in range(DEPTH):
            chosen = [self._best(block, *node) for node in zip(sums, totals, strict=True)]
            first = (1 << level) - 1
            here = tests[:, first : first + len(chosen)]
            here[:] = np.stack([test for test, _ in chosen], axis=1)
            leaf = descend(self._bits, here, leaf)
            pairs = [(t - yes, yes) for t, (_, yes) in zip(totals, chosen, strict=True)]
            totals = [total for pair in pairs for total in pair]
            if level < DEPTH - 1:
                below: list[Array] = []
                for node, whole in enumerate(sums):
                    inside = leaf[both, rows] == 2 * node + 1
                    yes = asked @ (part * inside).T
                    below += [whole - yes, yes]
                sums = below
        n = len(block.column_of)
        values = [-t[:n] / (t[n:] + self._settings.ridge) for t in totals]
        scaled = np.stack(values, axis=1) * self._settings.rate
        return tests, scaled.astype(np.float32, copy=False), leaf

    def _best(self, block: _Block, sums: Array, total: Array) -> tuple[NDArray[np.int32], Array]:
        """Choose each column's question at a node: it, −1 for none, and the yes-side's sums."""
        settings, n = self._settings, len(block.column_of)
        earlier = block.earlier & self._open[: block.asked, None]
        if self._questions.total > self._questions.n_places:
            upto = np.zeros_like(sums)
            for place in self._places.slices:
                if place.stop - place.start > 1 and place.stop <= block.asked:
                    upto[place] = Questions.upto(sums[place])
            sums, earlier = np.concatenate([sums, upto]), np.concatenate([earlier, earlier])
        gain: Array = np.zeros((len(sums), n), np.float32)
        enough = np.copy(earlier)
        for side in (sums, total - sums):
            curved = np.maximum(side[:, n:], 0)
            gain += side[:, :n] ** 2 / (curved + settings.ridge)
            enough &= self._by_column(block, curved) >= settings.least
        gain = np.where(enough, self._by_column(block, gain), -np.inf)
        best = gain.argmax(axis=0)
        before: Any = total[:n] ** 2 / (total[n:] + settings.ridge)
        now = self._by_column(block, before[None])[0]
        better = gain[best, np.arange(len(best))] > now * 1.0001
        yes = sums[np.tile(best[block.column_of], 2), np.arange(2 * n)]
        yes = np.where(np.tile(better[block.column_of], 2), yes, np.float32(0))
        question = best + (best >= block.asked) * (self._questions.n_places - block.asked)
        return np.where(better, question, -1).astype(np.int32), yes

    @staticmethod
    def _by_column(block: _Block, per_place: NDArray[Any]) -> NDArray[Any]:
        if len(block.firsts) == per_place.shape[1]:
            return per_place
        return np.add.reduceat(per_place, block.firsts, axis=1)

    def model(self) -> BoostedTrees:
        """Return the trees so far; later rounds leave them alone."""
        n_cols, n_places = self._layout.n_cols, self._places.total
        arrays: dict[str, Any] = {
            "tests": np.array(self._tests, np.int32).reshape(-1, n_cols, NODES),
            "values": np.array(self._values, np.float32).reshape(-1, n_places, LEAVES),
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
        for tests, values in zip(self._tests, self._values, strict=True):
            for block in self._blocks:
                leaf = leaves(self._bits, tests[block.cols])
                self._logits[block.places] += look_up(values[block.places], leaf[block.column_of])
