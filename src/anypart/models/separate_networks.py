r"""One network per conditional: each column has its own hidden layer on all earlier ones.

.. math:: h_i = \sigma(A_i x_{<i} + c_i), \qquad p(x_i = 1 | x_{<i}) = \sigma(\alpha_i h_i + b_i)

Nothing is shared, so n columns with d hidden units each need O(n²d) parameters and time;
NADE shares one layer and needs O(nd).

References:
    Bengio and Bengio 2000, Modeling high-dimensional discrete data with multi-layer neural
    networks (who share the first layer's inputs); Uria et al. 2016, Neural autoregressive
    distribution estimation, section 2.

"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.nade import sigmoid
from anypart.models.one_order import OneOrder
from anypart.models.places import Array, Places


def n_parameters(layout: Layout, width: int) -> int:
    """Count the parameters: dn(n−1)/2 + 2dn + n for n binary columns in any order.

    Example:
        >>> n_parameters(Layout((2,) * 784), 500)
        154252784

    """
    places = Places(layout)
    heard = sum(start for start, size in zip(places.starts, places.sizes, strict=True) if size)
    n_networks = sum(size > 0 for size in places.sizes)
    return width * (heard + n_networks + places.total) + places.total


class SeparateNetworks(OneOrder):
    """A network with one hidden layer for each column.

    Args: see `OneOrder`; the arrays are
        weight: (cols, places, width) how each column's hidden layer hears each place; 0
            where the place's column does not come before.
        bias: (cols, width) of the hidden layers.
        out_weight: (places, width) how a place's logit hears its column's hidden layer.
        out_bias: (places,).

    """

    family = "separate_networks"

    def n_parameters(self) -> int:
        """Count the free parameters."""
        return n_parameters(self.places.layout, self.arrays["bias"].shape[1])

    def _floats(self) -> int:
        return 3 * self.arrays["bias"].shape[1] + 3 * self.places.total

    def _column(self, at: int, x: Array) -> Array:
        """Logits of a position from encoded rows, (rows, places of it)."""
        place, arrays = self.places.slices[at], self.arrays
        heard = arrays["weight"][at, : place.start]
        hidden = sigmoid(x[:, : place.start] @ heard + arrays["bias"][at])
        return hidden @ arrays["out_weight"][place].T + arrays["out_bias"][place]

    def _logits(self, x: Array) -> Array:
        found = np.empty_like(x)
        for at, place in enumerate(self.places.slices):
            found[:, place] = self._column(at, x)
        return found

    def _walk(self, n_rows: int) -> _Told:
        return _Told(self, n_rows)


class _Told:
    """What has been told; each network is computed once, when its column comes."""

    def __init__(self, model: SeparateNetworks, n_rows: int) -> None:
        self._model = model
        self._x = np.zeros((n_rows, model.places.total), np.float32)

    def cell(self, at: int) -> Array:
        return self._model.places.cell_log_softmax(at, self._model._column(at, self._x))

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        places = self._model.places
        self._x[:, places.slices[at]] = places.cell(at, codes, seen, self._model.means)
