r"""Boosted trees along an order: every column's logits are sums of small trees of earlier ones.

.. math:: \log p(x_i | x_{<i}) = \mathrm{logsoftmax}\Big(b_i + \sum_{j < i} W_{ji} x_j
    + \sum_t v_{t i \ell_{ti}(x_{<i})}\Big)

The linear terms may be zero, or a logistic regression that the trees correct. All trees have
the same depth d and lie breadth first: of the 2^d − 1 nodes, node k leads to 2k + 1 and
2k + 2. A node asks a yes-or-no question: is an earlier column this category, is its code at
most that one. Trees may be of some columns only, as when one question is what matters; a
saved model holds the trees of the columns from the first that has any to the last.

References:
    Friedman 2001, Greedy function approximation: a gradient boosting machine.
    Uria, Murray and Larochelle 2013 name trees among the conditionals of such models.

"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.one_order import OneOrder
from anypart.models.orders import Order
from anypart.models.places import Array, Places
from anypart.models.tree_kernel import Bits, add_trees


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


class BoostedTrees(OneOrder):
    """Gradient-boosted conditionals.

    Args: see `OneOrder`; the arrays are
        tests: (rounds, cols, nodes) the question of each node, −1 for one that is always no.
        values: (rounds, places, leaves) what a leaf adds to a logit.
        weight: (places, places) what an earlier place (row) adds to a later one's logit.
        bias: (places,).

    """

    family = "boosted_trees"

    def __init__(
        self, layout: Layout, order: Order, means: Array, arrays: Mapping[str, Array]
    ) -> None:
        super().__init__(layout, order, means, arrays)
        if "grown" in arrays:
            self.arrays = self._unfolded(arrays)
        arrays = self.arrays
        self._tests = np.ascontiguousarray(arrays["tests"], np.int32)
        self._values = np.ascontiguousarray(arrays["values"], np.float32)
        self._questions = Questions(self.places)
        self._check()

    def _check(self) -> None:
        """Refuse questions and leaves that are not there: the kernels do not look."""
        n_rounds, _, n_nodes = self._tests.shape
        right = (n_rounds, self.layout.n_cols, n_nodes), (n_rounds, self.places.total, n_nodes + 1)
        if (self._tests.shape, self._values.shape) != right or n_nodes & (n_nodes + 1):
            raise ValueError(f"trees of {self._tests.shape} and {self._values.shape}")
        if not 0 < n_nodes < 256 or not self._tests.min(initial=-1) >= -1:
            raise ValueError("trees have 1 to 8 levels of questions from -1 on")
        if self._tests.max(initial=-1) >= self._questions.total:
            raise ValueError(f"a tree asks more than the {self._questions.total} questions")

    def _unfolded(self, arrays: Mapping[str, Array]) -> dict[str, Array]:
        """Give the columns without trees trees that say nothing; see `state`."""
        first, last = (int(n) for n in arrays["grown"])
        if not 0 <= first < last <= self.layout.n_cols:
            raise ValueError(f"trees of the columns {first} to {last}")
        inside = slice(self.places.starts[first], self.places.slices[last - 1].stop)
        some, few = np.asarray(arrays["tests"]), np.asarray(arrays["values"])
        tests: Any = np.full((len(some), self.layout.n_cols, some.shape[2]), -1, np.int32)
        values: Any = np.zeros((len(few), self.places.total, few.shape[2]), np.float32)
        tests[:, first:last], values[:, inside] = some, few
        rest = {name: array for name, array in arrays.items() if name != "grown"}
        return {**rest, "tests": tests, "values": values}

    @cached_property
    def _grown(self) -> tuple[int, int]:
        """The columns from the first with trees to the last, as positions in the order."""
        asks = np.asarray((self._tests >= 0).any(axis=(0, 2)))
        says = np.asarray((self._values[:, :, 0] != 0).any(axis=0))  # where no node asks
        asks[self.places.column_of[says]] = True
        some = np.flatnonzero(asks)
        return (int(some[0]), int(some[-1]) + 1) if len(some) else (0, min(1, len(asks)))

    @property
    def _grown_places(self) -> slice:
        first, last = self._grown
        return slice(self.places.starts[first], self.places.slices[last - 1].stop)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return settings and arrays, the trees without those that say nothing at the ends."""
        settings, arrays = super().state()
        first, last = self._grown
        if last - first < self.layout.n_cols:
            arrays["tests"] = arrays["tests"][:, first:last]
            arrays["values"] = arrays["values"][:, self._grown_places]
            arrays["grown"] = np.array([first, last])
        return settings, arrays

    def n_parameters(self) -> int:
        """Count the free parameters: a value a leaf and place, a question a node, weights."""
        sizes = [int(self.arrays[name].size) for name in ("tests", "values", "bias")]
        return sum(sizes) + int(np.count_nonzero(self.arrays["weight"]))

    def _floats(self) -> int:
        return 8 * self.places.total

    def _logits(self, x: Array) -> Array:
        bits = self._questions.ask(np.ascontiguousarray(x.T))
        logits = np.ascontiguousarray((x @ self.arrays["weight"] + self.arrays["bias"]).T)
        (first, last), places = self._grown, self._grown_places
        if places.stop > places.start:
            tests = np.ascontiguousarray(self._tests[:, first:last])
            values = np.ascontiguousarray(self._values[:, places])
            add_trees(bits, tests, values, self.places.column_of[places] - first, logits[places])
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
        tests = np.ascontiguousarray(self._model._tests[:, at : at + 1])
        values = np.ascontiguousarray(self._model._values[:, place])
        add_trees(self._bits, tests, values, np.zeros(len(logits), np.int64), logits)
        return self._places.cell_log_softmax(at, logits.T)

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        x = self._places.cell(at, codes, seen, self._model.means).T
        self._told[self._places.slices[at]] = x
        self._questions.ask_one(self._places.slices[at], x, self._bits)
