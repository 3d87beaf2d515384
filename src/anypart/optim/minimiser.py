"""A mixture of products trained to be near the rows, by whichever distance is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.latent_classes import LatentClasses, classes_shape
from anypart.models.latent_tree import TreeParts
from anypart.optim.descent import Descent, Pace, log_odds
from anypart.optim.distances.minimised import require_minimisable

if TYPE_CHECKING:
    from anypart.optim.distances.objectives import Mixture, Objective

STRAY = 1.0  # standard deviation of the classes' logits about the margins, at the start


@dataclass(frozen=True)
class DistanceSettings:
    """What is minimised, and how.

    Args:
        distance: one of `distances.minimised.MINIMISED`.
        n_states: classes of the mixture.
        rate: largest step of Adam.

    """

    distance: str = "forward_kl"
    n_states: int = 16
    rate: float = 0.05


class DistanceLearner:
    """Adam on a distance from the rows to a mixture of products.

    Args:
        layout: the columns.
        codes, seen: (rows, cols) training rows: all of them where a distance needs all.
        settings: of the distance and the mixture.
        seed: of everything random.

    Raises:
        FitError: the distance cannot be minimised on these rows.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: DistanceSettings, seed: int
    ) -> None:
        require_minimisable(settings.distance, layout.n_cats, gaps=not seen.all())
        self._layout = layout
        rng, classes = generator(seed, "classes"), settings.n_states
        margins = log_odds(codes, seen, layout.n_cats)
        tables = margins + STRAY * rng.normal(size=(classes, layout.total))
        start = {"weights": np.zeros(classes), "tables": tables}
        pace = Pace(settings.rate, decay=0.0)
        self._descent = Descent({n: a.astype(np.float32) for n, a in start.items()}, pace)
        self._objective = self._choose(settings.distance, codes, seed)

    def _choose(self, distance: str, codes: Codes, seed: int) -> Objective:
        from anypart.optim.distances import objectives

        if distance == "mmd":
            return objectives.Kernel(self._layout, codes, generator(seed, "pairs"))
        # The likelihood of a batch sums empty cells out, and needs no list.
        if distance == "forward_kl":
            return objectives.Likelihood()
        return objectives.Listed(distance, self._layout, codes)

    def _mixture(self, parameters: dict[str, Any]) -> Mixture:
        from anypart.optim.distances.objectives import Mixture

        return Mixture(self._layout, parameters["weights"], parameters["tables"])

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Go a step down; see `Learner.step`. Returns minus the objective."""
        loss = self._objective.loss(self._mixture(self._descent.now), self._hot(codes, seen))
        return -self._descent.down(loss, progress)

    def _hot(self, codes: Codes, seen: Mask) -> Any:
        import torch

        from anypart.optim.distances.objectives import one_hot

        return torch.from_numpy(one_hot(self._layout, codes, seen))

    def _averaged(self) -> Mixture:
        import torch

        return self._mixture({n: torch.from_numpy(a) for n, a in self._descent.averaged().items()})

    def judge(self, model: Model, codes: Codes, seen: Mask) -> float:
        """Say how near the averaged mixture is to validation rows; see `Judge`."""
        import torch

        with torch.no_grad():
            return -self._objective.level(self._averaged(), self._hot(codes, seen))

    def model(self) -> LatentClasses:
        """Return the averaged mixture; see `Learner.model`."""
        q = self._averaged()
        shape = classes_shape(self._layout.n_cols, len(q.log_weights))
        weights, tables = q.log_weights.exp().numpy(), q.log_tables.exp().numpy()
        emissions = tuple(np.ascontiguousarray(tables[:, s]) for s in self._layout.slices)
        return LatentClasses(self._layout, TreeParts(shape, (weights[None],), emissions))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return parameters, their average and Adam's moments."""
        return self._descent.state()

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._descent.load_state(arrays)
