r"""The full table of conditionals: nothing assumed, for few columns only.

.. math:: p(x) = \prod_i t_i[x_1, \dots, x_{i-1}, x_i]

n binary columns need :math:`2^n - 1` numbers. Every state of a row is listed, so any
question is a sum over the list: the oracle that other families are held to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError, QuestionError
from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask
from anypart.models.damage import undamaged

Reals = NDArray[np.float64]

MOST_STATES = 65_536
FLOATS_TOGETHER = 4_000_000


def n_parameters(layout: Layout) -> int:
    """Count the free parameters: one less than the states of a row.

    Example:
        >>> n_parameters(Layout((2,) * 10))
        1023

    """
    total = 1
    for n_cats in layout.n_cats:
        total *= n_cats
    return total - 1


def require_few_states(layout: Layout) -> None:
    """Refuse columns whose table would be too long.

    Raises:
        FitError: more than `MOST_STATES` states.

    """
    n_states = n_parameters(layout) + 1
    if n_states > MOST_STATES:
        raise FitError(
            f"A table of all states of {layout.n_cols} columns has {n_states:,} rows, more than "
            f"{MOST_STATES:,}. Fit another family, or fewer columns."
        )


def conditionals_of(joint: Reals) -> list[Reals]:
    """Split p(x), one axis a column, into p(x_i | x_<i), each with the axes up to i."""
    found: list[Reals] = []
    for col in range(joint.ndim):
        upper = joint.sum(axis=tuple(range(col + 1, joint.ndim)))
        total = upper.sum(axis=-1, keepdims=True)
        even = np.full_like(upper, 1 / upper.shape[-1])
        found.append(np.divide(upper, total, out=even, where=total > 0))
    return found


class ConditionalTable:
    """One table for each column, by all columns before it.

    Args:
        layout: the columns.
        tables: of each column, (n_cats of the columns up to it), last axis sums to 1.

    Cost:
        O(rows · states · cols) a verb.

    References:
        Koller and Friedman 2009, Probabilistic graphical models, section 3.1.

    """

    family = "conditional_table"
    ability = Ability(any_part=True, weighted=True)

    def __init__(self, layout: Layout, tables: list[Reals]) -> None:
        require_few_states(layout)
        self.layout = layout
        self.tables = tables

    def n_parameters(self) -> int:
        """Count the free parameters."""
        return n_parameters(self.layout)

    @cached_property
    def _states(self) -> Codes:
        """Every state of a row, (states, cols)."""
        grid = np.indices(self.layout.n_cats, np.int32)
        return grid.reshape(self.layout.n_cols, -1).T

    @cached_property
    def joint(self) -> Reals:
        """The probability of every state, (states,)."""
        found = np.ones(())
        for table in self.tables:
            found = found[..., None] * table
        return np.asarray(found).ravel()

    def _kept(self, evidence: Evidence) -> Iterator[tuple[slice, Reals]]:
        """Yield the probability of each state and the event together, (rows, states)."""
        size = max(FLOATS_TOGETHER // max(len(self.joint), 1), 1)
        for start in range(0, evidence.n_rows, size):
            block = slice(start, start + size)
            part = evidence.rows(block)
            kept = np.repeat(self.joint[None], part.n_rows, axis=0)
            for col, state in enumerate(self._states.T):
                if col in part.weights:
                    kept *= np.exp(part.weights[col].astype(np.float64))[:, state]
                elif part.seen[:, col].any():
                    kept *= (part.codes[:, col, None] == state) | ~part.seen[:, col, None]
            yield block, kept

    def _posterior(self, evidence: Evidence) -> Iterator[tuple[slice, Reals]]:
        for block, kept in self._kept(evidence):
            total = kept.sum(axis=1, keepdims=True)
            if (total == 0).any():
                row = block.start + int((total[:, 0] == 0).argmax())
                raise QuestionError(
                    f"Row {row} says something that the model gives probability 0, so nothing "
                    "follows from it. Leave a condition out, or widen it."
                )
            yield block, kept / total

    def log_prob(self, evidence: Evidence) -> Reals:
        """Log-probability of the event of each row, (rows,), nats; the rest summed out."""
        found = np.empty(evidence.n_rows)
        for block, kept in self._kept(evidence):
            with np.errstate(divide="ignore"):
                found[block] = np.log(kept.sum(axis=1))
        return found

    @cached_property
    def _hot(self) -> Reals:
        """Which categories each state has, (states, flat)."""
        eyes = [np.eye(n)[s] for n, s in zip(self.layout.n_cats, self._states.T, strict=True)]
        return np.concatenate(eyes, axis=1)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat).

        Raises:
            QuestionError: the event of a row is impossible.

        """
        found = np.empty((evidence.n_rows, self.layout.total), np.float32)
        for block, posterior in self._posterior(evidence):
            with np.errstate(divide="ignore"):
                found[block] = np.log(posterior @ self._hot)
        return found

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat)."""
        found = np.empty((len(codes), self.layout.total), np.float32)
        for col, place in enumerate(self.layout.slices):
            others = seen.copy()
            others[:, col] = False
            found[:, place] = self.conditional(Evidence(codes, others))[:, place]
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row jointly; seen ones stay."""
        drawn = np.empty(evidence.codes.shape, np.int32)
        for block, posterior in self._posterior(evidence):
            levels = np.cumsum(posterior, axis=1)
            mark = rng.random((len(levels), 1)) * levels[:, -1:]
            drawn[block] = self._states[(levels <= mark).sum(axis=1)]
        return drawn

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the probability of every category given the event, (rows, flat)."""
        return np.exp(self.conditional(evidence))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and a flat array for each table."""
        arrays = {str(col): table.ravel() for col, table in enumerate(self.tables)}
        return {"n_cats": list(self.layout.n_cats)}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            n_cats = tuple(int(n) for n in settings["n_cats"])
            shapes = [n_cats[: col + 1] for col in range(len(n_cats))]
            tables = [np.asarray(arrays[str(c)]).reshape(s) for c, s in enumerate(shapes)]
        return cls(Layout(n_cats), tables)
