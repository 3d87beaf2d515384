r"""One set of weights read along several orders: an equal mixture of models along one order.

.. math:: p(x) = \frac1K \sum_k \prod_i p(x_{o_{ki}} | x_{o_{k1}}, \dots, x_{o_{k,i-1}})

Everything is answered by the mixture of the orders, with the abilities and limits of a
model along one order (`models.one_order`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout, Mask
from anypart.models.damage import undamaged
from anypart.models.one_order import ONE_ORDER, OneOrder
from anypart.models.places import Array, Places
from anypart.models.single_gaps import fill_single_gaps, leave_each_out
from anypart.models.stack import Stack


class ManyOrders(ABC):
    """Weights and the orders to read them along; a family says how one order reads them.

    Args:
        layout: the columns.
        means: (places,) for a cell that is not seen; here places lie as the table's columns.
        arrays: the family's parameters by name, places as the table's columns.
        orders: (orders, cols).

    """

    family: str
    ability = ONE_ORDER

    def __init__(
        self,
        layout: Layout,
        means: Array,
        arrays: Mapping[str, NDArray[Any]],
        orders: NDArray[np.int64],
    ) -> None:
        self.layout, self.places = layout, Places(layout)
        self.means = np.asarray(means, np.float32)
        self.arrays: dict[str, NDArray[Any]] = dict(arrays)
        self.orders = np.asarray(orders, np.int64)

    @abstractmethod
    def _along(self, number: int, moved: NDArray[np.int64]) -> OneOrder:
        """Read the weights along one order.

        Args:
            number: of the order.
            moved: (places,) the table's place at each place of the order.

        """

    @abstractmethod
    def n_parameters(self) -> int:
        """Count the free parameters."""

    @cached_property
    def mixture(self) -> Stack:
        """The models along each order, equally weighted."""
        return Stack(self._chains, np.zeros(len(self._chains)))

    @cached_property
    def _chains(self) -> list[OneOrder]:
        members: list[OneOrder] = []
        for number, order in enumerate(self.orders.tolist()):
            pieces = [np.arange(self.places.total)[self.places.slices[c]] for c in order]
            members.append(self._along(number, np.concatenate([np.empty(0, np.int64), *pieces])))
        return members

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log of the mean over the orders, (rows,), nats; see `OneOrder.log_prob`."""
        return self.mixture.log_prob(evidence)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the seen ones; see `OneOrder.conditional`."""
        found, many = fill_single_gaps(self, evidence)
        if len(many):
            found[many] = self.mixture.conditional(evidence.rows(many))
        return found

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the others; see `OneOrder.leave_one_out`."""
        return leave_each_out(self, codes, seen)

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw an order for each row, and the unseen cells along it; seen ones stay."""
        return self.mixture.sample(evidence, rng)

    def draw_clamped(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw along an order chosen for each row; see `contract.Clamping`."""
        drawn = np.empty(evidence.codes.shape, np.int32)
        chosen = rng.integers(len(self.orders), size=evidence.n_rows)
        for number, member in enumerate(self._chains):
            rows = np.flatnonzero(chosen == number)
            drawn[rows] = member.draw_clamped(evidence.rows(rows), rng)
        return drawn

    def score_clamped(
        self, codes: Codes, evidence: Evidence
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score rows and their density under `draw_clamped`; see `contract.Clamping`."""
        each = [member.score_clamped(codes, evidence) for member in self._chains]
        total, density = (
            np.logaddexp.reduce(logs, axis=0) - np.log(len(each))
            for logs in zip(*each, strict=True)
        )
        return total, density

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the vector that the first order gives, (rows, dims)."""
        return self.mixture.represent(evidence)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the parameters, orders and means as arrays."""
        arrays = {**self.arrays, "orders": self.orders, "means": self.means}
        settings = {"n_cats": list(self.layout.n_cats), "n_orders": len(self.orders)}
        return settings, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            layout = Layout(tuple(int(n) for n in settings["n_cats"]))
            own = {k: v for k, v in arrays.items() if k not in ("orders", "means")}
            model = cls(layout, arrays["means"], own, arrays["orders"])
            if len(model.orders) != settings["n_orders"]:
                raise ValueError(f"{settings['n_orders']} orders expected")
            if not (np.sort(model.orders, axis=1) == np.arange(layout.n_cols)).all():
                raise ValueError("an order does not name every column once")
            model.log_prob(Evidence.nothing(1, layout.n_cols))
        return model
