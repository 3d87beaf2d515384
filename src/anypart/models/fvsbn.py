r"""A fully visible sigmoid belief network: every column a logistic regression on earlier ones.

.. math:: p(x_i = 1 | x_{<i}) = \sigma\Big(b_i + \sum_{j < i} W_{ji} x_j\Big)

A column of k > 2 categories is a multinomial regression with k logits. All columns of all
rows are one product with a matrix that is triangular in the order, so density costs what
the product costs. It cannot represent the exclusive or of two columns.

References:
    Neal 1992, Connectionist learning of belief networks; Frey 1998, Graphical models for
    machine learning and digital communication (logistic autoregression).

"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout, Mask
from anypart.models.one_order import OneOrder
from anypart.models.places import Array, Places

PANEL = 32  # columns drawn before what they add to later ones is one matrix product


def n_parameters(layout: Layout) -> int:
    """Count the parameters: n(n+1)/2 for n binary columns, in any order of the columns.

    Example:
        >>> n_parameters(Layout((2,) * 784))
        307720

    """
    places = Places(layout)
    return int(places.before.sum()) + places.total


class FVSBN(OneOrder):
    """Logistic autoregression.

    Args: see `OneOrder`; the arrays are
        weight: (places, places) what an earlier place (row) adds to a later one's logit;
            0 where the row's column does not come before.
        bias: (places,).

    """

    family = "fvsbn"

    def n_parameters(self) -> int:
        """Count the free parameters."""
        return n_parameters(self.places.layout)

    def _floats(self) -> int:
        return 3 * self.places.total

    def _logits(self, x: Array) -> Array:
        return x @ self.arrays["weight"] + self.arrays["bias"]

    def _walk(self, n_rows: int) -> _Panels:
        return _Panels(self, n_rows)


class _Panels:
    """Logits that grow as columns are told, by panels, so that most work is matrix products.

    A column adds to the logits of its own panel at once; to those beyond it only with its
    whole panel. Kept as (places, rows), so that a column's logits lie together.
    """

    def __init__(self, model: FVSBN, n_rows: int) -> None:
        self._places, self._means = model.places, model.means
        self._weight = model.arrays["weight"]
        self._logits = np.repeat(model.arrays["bias"][:, None], n_rows, axis=1)
        self._told = np.empty_like(self._logits)
        self._panel = 0  # the first position of the present panel

    def cell(self, at: int) -> Array:
        logits = self._logits[self._places.slices[at]]
        return self._places.cell_log_softmax(at, logits.T)

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        places, here = self._places, self._places.slices[at]
        self._told[here] = places.cell(at, codes, seen, self._means).T
        last = min(self._panel + PANEL, len(places.sizes)) - 1
        end = places.slices[last].stop
        self._logits[here.stop : end] += self._weight[here, here.stop : end].T @ self._told[here]
        if at == last:
            panel = slice(places.starts[self._panel], end)
            self._logits[end:] += self._weight[panel, end:].T @ self._told[panel]
            self._panel = last + 1
