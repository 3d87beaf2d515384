"""How trees are boosted: their shape and pace, and of one question which column they are about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class BoostSettings:
    """How trees are boosted.

    Args:
        order: of the columns, see `models.orders.make_order`.
        depth: levels of questions of a tree, 1 to 7.
        rate: share of the best step that a tree takes.
        ridge: λ, added to a leaf's second derivatives.
        least: second derivatives that a leaf must hold.
        share: of the rows that each round's trees are grown on.
        asked: share of the columns that each round's trees may ask about; of few columns
            more, `FEWEST_ASKED` if there are as many, of many at most `MOST_ASKED`.
        linear: whether the trees correct a logistic regression, or begin with the margins.
        about: the one column that trees are grown for, after those that are `given` in the
            order; −1 for all columns.
        given: columns that may be asked about it; None for all others.

    """

    order: str | Sequence[int] = "chow_liu"
    depth: int = 4
    rate: float = 0.05
    ridge: float = 5.0
    least: float = 0.1
    share: float = 1.0
    asked: float = 0.5
    linear: bool = False
    about: int = -1
    given: Sequence[int] | None = None

    def along(self, n_cols: int) -> str | Sequence[int]:
        """Say which order the columns take: of one question, what is given comes first."""
        if self.about < 0:
            return self.order
        others = [c for c in range(n_cols) if c != self.about]
        given = others if self.given is None else list(self.given)
        return [*given, self.about, *(c for c in others if c not in given)]
