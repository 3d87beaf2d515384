"""How trees are boosted: their shape and pace, and the question that they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anypart.models.stated import Stated


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
        question: the stated question that the trees are for, as `Stated.settings` has it: its
            given columns come first in the order and its asked ones next, and only those
            have trees; none: all columns do.

    """

    order: str | Sequence[int] = "chow_liu"
    depth: int = 4
    rate: float = 0.05
    ridge: float = 5.0
    least: float = 0.1
    share: float = 1.0
    asked: float = 0.5
    linear: bool = False
    question: Mapping[str, Sequence[int]] | None = None

    @property
    def stated(self) -> Stated | None:
        """The question."""
        return None if self.question is None else Stated.of(self.question)
