r"""MADE: a feed-forward network whose masks let each column hear only earlier ones.

.. math:: h^{l} = \mathrm{relu}\big(b^l + h^{l-1} (W^l \odot M^l)\big), \qquad
    \text{logits} = b + h^L (V \odot M^V) + x (D \odot M^D)

Every hidden unit has a degree m: it hears the first m columns of the order, through units of
degree at most m, and is heard by columns after them. The direct connections D alone are a
logistic autoregression. Several orders, each with its own degrees, share the weights.

The units of degree m are final once m columns are known; sampling computes each unit once.

References:
    Germain, Gregor, Murray and Larochelle 2015, MADE: masked autoencoder for distribution
    estimation, equations 8 to 13 and section 4.3 (direct connections, several masks).

"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.many_orders import ManyOrders
from anypart.models.one_order import OneOrder
from anypart.models.orders import Order
from anypart.models.places import Array, Places

Bits = NDArray[np.bool_]


def masks(
    places: Places, order: Order, degrees: Sequence[NDArray[Any]]
) -> tuple[list[Bits], Bits, Bits]:
    """Say which connections an order and its degrees leave.

    Args:
        places: of the columns, as they lie in the weights.
        order: (cols,) which column comes at each position.
        degrees: of each layer's hidden units, from 1 to cols − 1.

    Returns:
        Of each hidden layer, (units before, units); of the output, (units, places); of the
        direct connections, (places, places).

    """
    position = np.argsort(order)[places.column_of]  # (places,)
    before = position + 1  # a place as a unit: it tells of columns up to its own
    hidden: list[Bits] = []
    for degree in degrees:
        hidden.append(before[:, None] <= degree[None, :])
        before = degree
    out = before[:, None] <= position[None, :]
    return hidden, out, position[:, None] < position[None, :]


class MADE(ManyOrders):
    """A masked network along several orders.

    Args: see `ManyOrders`; the arrays are, for hidden layer i,
        i.weight: (units before, units), i.bias: (units,) and i.degrees: (orders, units);
        out_weight: (units, places), out_bias: (places,), direct: (places, places).

    """

    family = "made"

    @property
    def n_layers(self) -> int:
        """Count the hidden layers."""
        return sum(name.endswith(".degrees") for name in self.arrays)

    def _masks(self, number: int) -> tuple[list[Bits], Bits, Bits]:
        degrees = [self.arrays[f"{i}.degrees"][number] for i in range(self.n_layers)]
        return masks(self.places, self.orders[number], degrees)

    def n_parameters(self) -> int:
        """Count the parameters that at least one order's masks leave free."""
        every = [
            (*hidden, out, direct)
            for hidden, out, direct in map(self._masks, range(len(self.orders)))
        ]
        weights = sum(int(np.logical_or.reduce(some).sum()) for some in zip(*every, strict=True))
        biases = sum(len(self.arrays[f"{i}.bias"]) for i in range(self.n_layers))
        return weights + biases + self.places.total

    def _along(self, number: int, moved: NDArray[np.int64]) -> Masked:
        hidden, out, direct = self._masks(number)
        arrays, before = dict[str, Array](), moved
        for i, mask in enumerate(hidden):
            degrees = self.arrays[f"{i}.degrees"][number]
            units = np.argsort(degrees, kind="stable")
            arrays[f"{i}.weight"] = (self.arrays[f"{i}.weight"] * mask)[np.ix_(before, units)]
            arrays[f"{i}.bias"] = self.arrays[f"{i}.bias"][units]
            arrays[f"{i}.degrees"] = degrees[units]
            before = units
        arrays["out_weight"] = (self.arrays["out_weight"] * out)[np.ix_(before, moved)]
        arrays["direct"] = (self.arrays["direct"] * direct)[np.ix_(moved, moved)]
        arrays["out_bias"] = self.arrays["out_bias"][moved]
        return Masked(self.layout, self.orders[number], self.means[moved], arrays)


class Masked(OneOrder):
    """A masked network along one order: weights masked, units sorted by their degrees."""

    family = "made"

    @property
    def n_layers(self) -> int:
        """Count the hidden layers."""
        return sum(name.endswith(".degrees") for name in self.arrays)

    def n_parameters(self) -> int:
        """Count the weights that are not masked, and the biases."""
        degrees = [self.arrays[f"{i}.degrees"] for i in range(self.n_layers)]
        hidden, out, direct = masks(self.places, np.arange(self.layout.n_cols), degrees)
        weights = sum(int(mask.sum()) for mask in (*hidden, out, direct))
        return weights + sum(map(len, degrees)) + self.places.total

    def _floats(self) -> int:
        widest = max((len(self.arrays[f"{i}.bias"]) for i in range(self.n_layers)), default=0)
        return 3 * self.places.total + 2 * widest

    def _logits(self, x: Array) -> Array:
        arrays, hidden = self.arrays, x
        for i in range(self.n_layers):
            fresh = hidden @ arrays[f"{i}.weight"] + arrays[f"{i}.bias"]
            hidden = np.maximum(fresh, 0, dtype=np.float32)
        logits = hidden @ arrays["out_weight"] + arrays["out_bias"]
        return np.add(logits, x @ arrays["direct"], dtype=np.float32)

    def _walk(self, n_rows: int) -> _Units:
        return _Units(self, n_rows)


class _Units:
    """The units of rows on their way: each is computed when all it hears is known."""

    def __init__(self, model: Masked, n_rows: int) -> None:
        self._model, self._arrays = model, model.arrays
        counts = np.arange(len(model.places.sizes) + 2)
        self._x = np.zeros((n_rows, model.places.total), np.float32)
        self._hidden: list[Array] = []
        self._ends: list[list[int]] = []  # of each layer, units of degree below each number
        for i in range(model.n_layers):
            degrees = self._arrays[f"{i}.degrees"]
            self._hidden.append(np.zeros((n_rows, len(degrees)), np.float32))
            self._ends.append(np.searchsorted(degrees, counts).tolist())

    def cell(self, at: int) -> Array:
        arrays, place = self._arrays, self._model.places.slices[at]
        known = self._x[:, : place.start]
        logits = known @ arrays["direct"][: place.start, place] + arrays["out_bias"][place]
        if self._hidden:
            final = self._ends[-1][at + 1]
            logits += self._hidden[-1][:, :final] @ arrays["out_weight"][:final, place]
        return self._model.places.cell_log_softmax(at, logits)

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        place = self._model.places.slices[at]
        self._x[:, place] = self._model.places.cell(at, codes, seen, self._model.means)
        before, n_before = self._x, place.stop
        for i, (hidden, ends) in enumerate(zip(self._hidden, self._ends, strict=True)):
            new = slice(ends[at + 1], ends[at + 2])  # the units of degree at + 1
            weight = self._arrays[f"{i}.weight"][:n_before, new]
            fresh = before[:, :n_before] @ weight + self._arrays[f"{i}.bias"][new]
            hidden[:, new] = np.maximum(fresh, 0)
            before, n_before = hidden, ends[at + 2]


def spread_degrees(
    layout: Layout, widths: tuple[int, ...], n_orders: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Give every order's hidden units degrees, evenly spread, in an order of their own.

    Returns:
        Of each layer, (orders, units) from 1 to cols − 1.

    """
    most = max(layout.n_cols - 1, 1)
    found: list[NDArray[np.int64]] = []
    for width in widths:
        even = 1 + np.arange(width) * most // max(width, 1)
        found.append(np.stack([rng.permutation(even) for _ in range(n_orders)]))
    return found
