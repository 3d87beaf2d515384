r"""EoNADE: one NADE trained on all orders, answering as an equal mixture along some.

The hidden layer hears which columns are known beside their values, so that 0 and not yet
known are told apart. More orders give a better density, at their cost.

References:
    Uria, Murray and Larochelle 2014, A deep and tractable density estimator, section 4.

"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models import nade
from anypart.models.contract import Layout
from anypart.models.many_orders import ManyOrders
from anypart.models.nade import NADE


def n_parameters(layout: Layout, width: int) -> int:
    """Count the parameters: NADE's, and nd for what is known.

    Example:
        >>> n_parameters(Layout((2,) * 784), 500)
        1177284

    """
    return nade.n_parameters(layout, width) + layout.n_cols * width


class EoNADE(ManyOrders):
    """An ensemble of NADEs that share all parameters; `arrays` are those of `NADE`."""

    family = "eonade"

    def n_parameters(self) -> int:
        """Count the free parameters, which all orders share."""
        return n_parameters(self.layout, len(self.arrays["bias"]))

    def _along(self, number: int, moved: NDArray[np.int64]) -> NADE:
        arrays, order = dict(self.arrays), self.orders[number]
        for name in ("weight", "out_weight", "out_bias"):
            arrays[name] = arrays[name][moved]
        arrays["told"] = arrays["told"][order]
        return NADE(self.layout, order, self.means[moved], arrays)
