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

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.one_order import OneOrder
from anypart.models.places import Array, Places

ROOM = 2  # numbers held for each hidden unit of a row


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
    """The hidden layer of rows on their way: what was added stays.

    It is held as e^(−a): a column that is told multiplies it by e^(−W), so that the units,
    1 / (1 + e^(−a)), need no exponential of their own. Where the weights are so large that
    a product could leave the floating range, a is held itself.
    """

    def __init__(self, model: NADE, n_rows: int) -> None:
        self._model, arrays = model, model.arrays
        self._weight, self._told = arrays["weight"], arrays.get("told")
        self._kind = _kind(arrays)
        start = arrays["bias"] if self._kind is None else np.exp(-arrays["bias"].astype(self._kind))
        self._held = np.repeat(start[None], n_rows, axis=0)  # e^(−a) or a, (rows, width)
        self._room = np.empty_like(self._held)

    def logits(self, at: int) -> Array:
        """Logits of a position, (rows, places of it)."""
        place, arrays = self._model.places.slices[at], self._model.arrays
        if self._kind is None:
            hidden = sigmoid(self._held)
        else:
            hidden = np.add(self._held, 1, out=self._room)
            hidden = np.divide(1, hidden, out=hidden).astype(np.float32, copy=False)
        return hidden @ arrays["out_weight"][place].T + arrays["out_bias"][place]

    def add(self, at: int, x: Array) -> None:
        """Go past a position whose encoded cells are x, (rows, places of it)."""
        choices = self._weight[self._model.places.slices[at]]
        if len(choices) <= 1:  # code 0 adds nothing
            choices = np.concatenate([np.zeros((1, choices.shape[1]), np.float32), choices])
            x = np.concatenate([1 - x.sum(axis=1, keepdims=True), x], axis=1)[:, : len(choices)]
        if self._told is not None:
            choices = choices + self._told[at]
        if self._kind is None:
            self._held += x @ choices
        elif (x.max(axis=1) == 1).all():  # every cell is known: look its factor up
            factors = np.exp(-choices.astype(self._kind))
            np.take(factors, x.argmax(axis=1), axis=0, out=self._room, mode="clip")
            self._held *= self._room
        else:
            self._held *= np.exp(-(x @ choices).astype(self._kind))

    def cell(self, at: int) -> Array:
        return self._model.places.cell_log_softmax(at, self.logits(at))

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        self.add(at, self._model.places.cell(at, codes, seen, self._model.means))


def _kind(arrays: Mapping[str, Array]) -> type[np.floating[Any]] | None:
    """Choose the floats that hold e^(−a) at any row, None if none do."""
    most = np.abs(arrays["bias"]) + np.abs(arrays["weight"]).sum(axis=0)
    if "told" in arrays:
        most = most + np.abs(arrays["told"]).sum(axis=0)
    largest = float(most.max(initial=0.0))
    return np.float32 if largest < 80 else np.float64 if largest < 700 else None
