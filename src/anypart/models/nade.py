r"""NADE: hidden units that hear one column more at each step, shared by all conditionals.

.. math:: a_1 = c, \quad h_i = \sigma(a_i), \quad
    p(x_i = 1 | x_{<i}) = \sigma(b_i + V_i h_i), \quad a_{i+1} = a_i + W_i x_i

The recursion gives all n hidden layers in O(nd), where n networks would take O(n²d). With
d ≥ 2 it represents the exclusive or, which logistic autoregression cannot.

References:
    Larochelle and Murray 2011, The neural autoregressive distribution estimator,
    equations 5 to 8.

"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.one_order import OneOrder
from anypart.models.places import Array, Places

ROOM = 6  # numbers held for each hidden unit of a row


def n_parameters(layout: Layout, width: int) -> int:
    """Count the parameters: 2nd + d + n for n binary columns and d hidden units.

    Example:
        >>> n_parameters(Layout((2,) * 784), 500)
        785284

    """
    total = Places(layout).total
    return 2 * total * width + width + total


def sigmoid(x: Array) -> Array:
    """Logistic function; float32 cannot overflow to anything but the right limit."""
    with np.errstate(over="ignore"):
        return np.reciprocal(1 + np.exp(-x), dtype=np.float32)


class NADE(OneOrder):
    """Neural autoregressive distribution estimation.

    Args: see `OneOrder`; the arrays are
        weight: (places, width) what a place adds to the hidden layer.
        bias: (width,) of the hidden layer.
        out_weight: (places, width) how a place's logit hears the hidden layer.
        out_bias: (places,).
        told: (cols, width), if given, what a column adds whatever its value: what an
            ensemble of orders needs to tell 0 from not yet known.

    """

    family = "nade"

    @property
    def width(self) -> int:
        """Count the hidden units."""
        return len(self.arrays["bias"])

    def n_parameters(self) -> int:
        """Count the free parameters."""
        told = self.arrays.get("told")
        return n_parameters(self.places.layout, self.width) + (0 if told is None else told.size)

    def _floats(self) -> int:
        return ROOM * self.width + 3 * self.places.total

    def _logits(self, x: Array) -> Array:
        found = np.empty_like(x)
        walk = _Recursion(self, len(x))
        for at, place in enumerate(self.places.slices):
            found[:, place] = walk.logits(at)
            walk.add(at, x[:, place])
        return found

    def _walk(self, n_rows: int) -> _Recursion:
        return _Recursion(self, n_rows)


class _Recursion:
    """The hidden layer of rows on their way: what was added stays."""

    def __init__(self, model: NADE, n_rows: int) -> None:
        self._model, arrays = model, model.arrays
        self._told = arrays.get("told")
        self._before = np.repeat(arrays["bias"][None], n_rows, axis=0)  # a, (rows, width)
        self._room = np.empty_like(self._before)

    def logits(self, at: int) -> Array:
        """Logits of a position, (rows, places of it)."""
        arrays, place = self._model.arrays, self._model.places.slices[at]
        hidden = np.negative(self._before, out=self._room)
        with np.errstate(over="ignore"):
            np.exp(hidden, out=hidden)
        hidden += 1
        np.reciprocal(hidden, out=hidden)
        return hidden @ arrays["out_weight"][place].T + arrays["out_bias"][place]

    def add(self, at: int, x: Array) -> None:
        """Go past a position whose encoded cells are x, (rows, places of it)."""
        for number, weight in zip(
            x.T, self._model.arrays["weight"][self._model.places.slices[at]], strict=True
        ):
            np.multiply(number[:, None], weight, out=self._room)
            self._before += self._room
        if self._told is not None:
            self._before += self._told[at]

    def cell(self, at: int) -> Array:
        return self._model.places.cell_log_softmax(at, self.logits(at))

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        self.add(at, self._model.places.cell(at, codes, seen, self._model.means))
