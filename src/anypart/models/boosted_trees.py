r"""Boosted trees along an order: every column's logits are sums of small trees of earlier ones.

.. math:: \log p(x_i | x_{<i}) = \mathrm{logsoftmax}\Big(b_i + \sum_{j < i} W_{ji} x_j
    + \sum_t v_{t i \ell_{ti}(x_{<i})}\Big)

The linear terms may be zero, or a logistic regression that the trees correct. A tree asks
`DEPTH` yes-or-no questions: is an earlier column this category, is its code at most that
one. All columns' trees of one round are looked up together.

References:
    Friedman 2001, Greedy function approximation: a gradient boosting machine.
    Uria, Murray and Larochelle 2013 name trees among the conditionals of such models.

"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.one_order import OneOrder
from anypart.models.orders import Order
from anypart.models.places import Array, Places

DEPTH = 3
NODES = (1 << DEPTH) - 1  # questions of a tree, breadth first: node k leads to 2k+1 and 2k+2
LEAVES = 1 << DEPTH

Bits = NDArray[np.uint8]


class Questions:
    """The yes-or-no questions about cells: each place, and each sum of places up to one.

    Args:
        places: of the columns, in the order.

    """

    def __init__(self, places: Places) -> None:
        self._larger = [places.slices[c] for c in places.larger]
        self.n_places = places.total
        self.total = places.total * (2 if self._larger else 1)

    def ask(self, x: Array) -> Bits:
        """Answer every question for encoded rows, (places, rows) → (questions, rows).

        A cell that is not seen is encoded as its column's means, and answers as most do.
        """
        bits = np.zeros((self.total, x.shape[1]), np.uint8)
        np.greater(x, 0.5, out=bits[: self.n_places], casting="unsafe")
        for place in self._larger:
            bits[self._upto(place)] = self.upto(x[place]) > 0.5
        return bits

    def ask_one(self, place: slice, x: Array, bits: Bits) -> None:
        """Answer the questions about one column in place, from its x, (places, rows)."""
        bits[place] = x > 0.5
        if len(x) > 1:
            bits[self._upto(place)] = self.upto(x) > 0.5

    def _upto(self, place: slice) -> slice:
        return slice(place.start + self.n_places, place.stop + self.n_places)

    @staticmethod
    def upto(x: Array) -> Array:
        """Sum places up to each one along the first axis; the whole sum asks nothing."""
        found = np.cumsum(x, axis=0)
        found[-1] = 0
        return found


def leaves(bits: Bits, tests: NDArray[np.int32]) -> Bits:
    """Find the leaf of each row in trees that stand side by side.

    Args:
        bits: (questions, rows) answers.
        tests: (trees, NODES) the question of each node, −1 for one that is always no.

    Returns:
        (trees, rows), in [0, LEAVES).

    """
    leaf = np.zeros((len(tests), bits.shape[1]), np.uint8)
    for level in range(DEPTH):
        leaf = descend(bits, tests[:, (1 << level) - 1 : (2 << level) - 1], leaf)
    return leaf


def descend(bits: Bits, tests: NDArray[np.int32], node: Bits) -> Bits:
    """Go one level down, to twice the node and one more where its question is answered yes.

    Args:
        bits: (questions, rows).
        tests: (trees, nodes) questions of one level; −1 is always no.
        node: (trees, rows) where each row is, in [0, nodes).

    """
    found = _answers(bits, tests[:, 0])
    for k in range(1, tests.shape[1]):
        np.copyto(found, _answers(bits, tests[:, k]), where=node == k)
    found += node
    found += node
    return found


def _answers(bits: Bits, tests: NDArray[np.int32]) -> Bits:
    found = bits[tests]
    found[tests < 0] = 0
    return found


def look_up(values: Array, leaf: Bits) -> Array:
    """Take each place's value at its leaf, (places, LEAVES) at (places, rows)."""
    return values.ravel().take(leaf + LEAVES * np.arange(len(values))[:, None])


class BoostedTrees(OneOrder):
    """Gradient-boosted conditionals.

    Args: see `OneOrder`; the arrays are
        tests: (rounds, cols, NODES) the question of each node.
        values: (rounds, places, LEAVES) what a leaf adds to a logit.
        weight: (places, places) what an earlier place (row) adds to a later one's logit.
        bias: (places,).

    """

    family = "boosted_trees"

    def __init__(
        self, layout: Layout, order: Order, means: Array, arrays: Mapping[str, Array]
    ) -> None:
        super().__init__(layout, order, means, arrays)
        self._tests = np.asarray(arrays["tests"], np.int32)
        self._questions = Questions(self.places)

    def n_parameters(self) -> int:
        """Count the free parameters: a value a leaf and place, a question a node, weights."""
        sizes = [int(self.arrays[name].size) for name in ("tests", "values", "bias")]
        return sum(sizes) + int(np.count_nonzero(self.arrays["weight"]))

    def _floats(self) -> int:
        return 8 * self.places.total

    def _logits(self, x: Array) -> Array:
        bits = self._questions.ask(np.ascontiguousarray(x.T))
        logits = np.ascontiguousarray((x @ self.arrays["weight"] + self.arrays["bias"]).T)
        for tests, values in zip(self._tests, self.arrays["values"], strict=True):
            logits += look_up(values, leaves(bits, tests)[self.places.column_of])
        return logits.T

    def _walk(self, n_rows: int) -> _Walk:
        return _Walk(self, n_rows)


class _Walk:
    """Answers that are added as columns are told."""

    def __init__(self, model: BoostedTrees, n_rows: int) -> None:
        self._model, self._places = model, model.places
        self._questions = Questions(model.places)
        self._bits = np.zeros((self._questions.total, n_rows), np.uint8)
        self._told = np.zeros((self._places.total, n_rows), np.float32)

    def cell(self, at: int) -> Array:
        place, arrays = self._places.slices[at], self._model.arrays
        before = slice(place.start)
        logits = arrays["weight"][before, place].T @ self._told[before]
        logits += arrays["bias"][place, None]
        found = leaves(self._bits, self._model._tests[:, at])  # (rounds, rows)
        for leaf, values in zip(found, arrays["values"][:, place], strict=True):
            logits += values.take(leaf, axis=1)
        return self._places.cell_log_softmax(at, logits.T)

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        x = self._places.cell(at, codes, seen, self._model.means).T
        self._told[self._places.slices[at]] = x
        self._questions.ask_one(self._places.slices[at], x, self._bits)
