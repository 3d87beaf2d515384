r"""A question as it is stated before a fit, and its exact answer by models along an order.

A model along an order sums nothing out, yet it answers one kind of question exactly: a part
that comes directly after the cells that are given. If the order begins with G and goes on
with A, the chain's first |G| factors are p(x_G) and the next |A| are

.. math:: p(x_A | x_G) = \prod_{c \in A} p(x_c | x_G, \text{those of A before } c)

and whatever comes later sums to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Mask, Model


@dataclass(frozen=True)
class Stated:
    """Asked columns given other columns; what is neither is summed out.

    Args:
        asked: positions of the columns, at least one.
        given: positions of the columns, none of them asked.

    """

    asked: tuple[int, ...]
    given: tuple[int, ...]

    @staticmethod
    def of(settings: Mapping[str, Sequence[int]]) -> Stated:
        """Read what `settings` wrote."""
        return Stated(tuple(settings["asked"]), tuple(settings["given"]))

    def settings(self) -> dict[str, Any]:
        """Return the positions as JSON has them, for the settings of a member."""
        return {"asked": list(self.asked), "given": list(self.given)}

    def ranked(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Move the given columns to the front of an order, the asked ones next, (cols,).

        Example:
            >>> Stated((0,), (3, 1)).ranked(np.arange(5)).tolist()
            [1, 3, 0, 2, 4]

        """
        rank = np.where(np.isin(order, self.given), 0, np.where(np.isin(order, self.asked), 1, 2))
        return order[np.argsort(rank, kind="stable")]

    def cells(self, n_cols: int) -> tuple[Mask, Mask]:
        """Say which columns are asked and which are given, (cols,) each."""
        columns = np.arange(n_cols)
        return np.isin(columns, self.asked), np.isin(columns, self.given)

    def met(self, seen: Mask, most_gaps: int = 0) -> Mask:
        """Say in which rows it is what is asked, (rows,): what is seen is given.

        Args:
            seen: (rows, cols) cells that have a value.
            most_gaps: given cells that may lack one.

        """
        _, given = self.cells(seen.shape[1])
        return self._few_gaps(seen, most_gaps) & ~np.any(seen & ~given, axis=1)

    def answered(self, seen: Mask, most_gaps: int = 0) -> Mask:
        """Say in which rows asked cells have values, and all but so many given ones, (rows,)."""
        return self._few_gaps(seen, most_gaps) & np.all(seen[:, list(self.asked)], axis=1)

    def _few_gaps(self, seen: Mask, most: int) -> Mask:
        few: Mask = (~seen[:, list(self.given)]).sum(axis=1) <= most
        return few


def log_given(model: Model, codes: Codes, seen: Mask, question: Stated) -> NDArray[np.float64]:
    """Log p(asked cells | given cells) of each row, (rows,), nats: a difference of two log_probs.

    Exact for models that sum any part, and for models along orders that begin with the
    given columns and go on with the asked ones, in rows that have all of them. A gap among
    the given cells enters such an order as the mean of its column, as in training.

    Args:
        model: of the columns.
        codes: (rows, cols).
        seen: (rows, cols) cells that have a value; cells of other columns are not looked at.
        question: which part, given which.

    """
    asked, given = question.cells(codes.shape[1])
    below = model.log_prob(Evidence(codes, seen & given))
    above = model.log_prob(Evidence(codes, seen & (asked | given)))
    # What a member excludes before it is asked says nothing for it.
    return np.where(np.isfinite(below), above - np.where(np.isfinite(below), below, 0), -np.inf)
