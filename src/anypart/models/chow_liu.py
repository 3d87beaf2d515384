"""A Chow-Liu tree: every column depends on one other column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence
from anypart.models.latent_tree import LatentTree
from anypart.models.latent_tree.circuit import Array
from anypart.models.latent_tree.most_likely import most_likely_row


def identity_emissions(n_cats: tuple[int, ...]) -> tuple[Array, ...]:
    """Emissions of nodes whose state is the column's own code."""
    return tuple(np.eye(n, dtype=np.float32) for n in n_cats)


@final
class ChowLiu(LatentTree):
    """A tree whose nodes are the columns themselves: state = code, nothing hidden.

    References:
        Chow & Liu, "Approximating discrete probability distributions with dependence
        trees" (1968).

    """

    family = "chow_liu"

    def most_likely(self, evidence: Evidence) -> Codes:
        """Find the most likely row given each row's event, exactly, (rows, cols).

        Raises:
            QuestionError: the event of a row is impossible.

        """
        return most_likely_row(self.parts.shape, self.parts.transitions, evidence)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays); the emissions are known."""
        settings, arrays = super().state()
        return settings, {"transitions": arrays["transitions"]}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described."""
        own = identity_emissions(tuple(map(int, settings.get("n_cats", ()))))
        flat = np.concatenate([table.ravel() for table in own]) if own else np.zeros(0)
        return super().from_state(settings, {**arrays, "emissions": flat})
