r"""A linear pool: experts about single columns, beside a model that answers everything.

.. math:: p(x_c | x_S) = \Big(1 - \sum_{m \in M_c} w_m\Big) p_0(x_c | x_S)
    + \sum_{m \in M_c} w_m\, p_m(x_c | x_S)

The weights are those of the question, and stay as they are whatever is given: an expert
knows its column given others, and nothing of the others, so no p(given) of its own could
weigh it. That makes the pool likelier for the questions it was weighed by than one joint
distribution is, and is why its answers to different questions need not agree. Everything
else than single columns is the ground's.

References:
    Stone 1961, The opinion pool; Genest and Zidek 1986, Combining probability distributions.

"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import SavedFitError
from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask, Model
from anypart.models.one_order import OneOrder

BY_ITSELF = Ability(any_part=False, weighted=False)


@dataclass(frozen=True)
class Expert:
    """A model along one order that is asked about one column only.

    Args:
        model: what answers, given the columns before that one in its order.
        column: which one.
        weight: in the pool of the column, in [0, 1].
        most_gaps: cells before the column that may be unseen: more than in any row it was
            weighed by is another question, and the ground's.

    """

    model: OneOrder
    column: int
    weight: float
    most_gaps: int

    @property
    def given(self) -> NDArray[np.int64]:
        """The columns that it hears."""
        order = self.model.order
        return order[: int(np.flatnonzero(order == self.column)[0])]

    def able(self, seen: Mask) -> Mask:
        """Say for which rows it is asked, (rows,)."""
        return (~seen[:, self.given]).sum(axis=1) <= self.most_gaps


class Pool:
    """Single columns by experts and a ground, all else by the ground.

    Args:
        ground: answers everything, and has the weight that a column's experts leave.
        experts: any number of them for each column.

    Cost:
        The ground's, and a pass of each expert for its column.

    """

    family = "pool"
    ability = BY_ITSELF

    def __init__(self, ground: Model, experts: Sequence[Expert]) -> None:
        assert all(e.model.layout.n_cats == ground.layout.n_cats for e in experts), "same columns"
        self.layout: Layout = ground.layout
        self.ground, self.experts = ground, tuple(experts)

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event by the ground, (rows,), nats."""
        return self.ground.log_prob(evidence)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat)."""
        found = self.ground.conditional(evidence)
        return self._pooled(found, evidence, ~evidence.seen)

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat)."""
        found = self.ground.leave_one_out(codes, seen)
        return self._pooled(found, Evidence(codes, seen), np.ones_like(seen))

    def _pooled(self, found: NDArray[np.float32], evidence: Evidence, asked: Mask) -> Any:
        """Give the experts their part of the asked cells, in place."""
        for col in sorted({e.column for e in self.experts}):
            place, about = self.layout.slices[col], [e for e in self.experts if e.column == col]
            able = np.stack([e.able(evidence.seen) & asked[:, col] for e in about])
            weights = able * np.array([e.weight for e in about])[:, None]  # (experts, rows)
            with np.errstate(divide="ignore"):
                left = np.log(np.maximum(1.0 - weights.sum(axis=0), 0.0))
                logs = found[:, place] + left[:, None]
                for expert, weight in zip(about, weights, strict=True):
                    rows = np.flatnonzero(weight)
                    said = expert.model.column(evidence.rows(rows), col)
                    logs[rows] = np.logaddexp(logs[rows], said + np.log(weight[rows, None]))
            found[:, place] = logs
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen cells of each row jointly, by the ground; seen ones stay."""
        return self.ground.sample(evidence, rng)

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the ground's vector of each row, (rows, dims)."""
        return self.ground.represent(evidence)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays); the ground is part 0, then the experts."""
        parts = [self.ground, *(e.model for e in self.experts)]
        about, arrays = list[dict[str, Any]](), dict[str, NDArray[Any]]()
        for number, part in enumerate(parts):
            settings, own = part.state()
            about.append({"family": part.family, "settings": settings})
            arrays |= {f"part_{number}.{name}": array for name, array in own.items()}
        experts = [[e.column, e.weight, e.most_gaps] for e in self.experts]
        return {"parts": about, "experts": experts}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the pool that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        # The catalogue names this file too; the import waits until both are there.
        from anypart.models.catalogue import load_numbered

        try:
            ground, *models = load_numbered(settings["parts"], arrays, "part_")
            experts = [
                Expert(model, int(column), float(weight), int(gaps))
                for model, (column, weight, gaps) in zip(models, settings["experts"], strict=True)
                if isinstance(model, OneOrder)
            ]
            if len(experts) < len(models):
                raise ValueError("an expert is no model along one order")
            if not all(
                0 <= e.column < ground.layout.n_cols and 0 <= e.weight <= 1 for e in experts
            ):
                raise ValueError("an expert without a column or a weight")
            return cls(ground, experts)
        except SavedFitError:
            raise
        except (KeyError, ValueError, TypeError, IndexError, AssertionError) as error:
            raise SavedFitError(
                f"A saved pool is damaged: its settings and its arrays do not fit together "
                f"({error}). Take the fit from a backup, or fit again."
            ) from error
