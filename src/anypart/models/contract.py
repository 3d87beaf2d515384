"""The contract of a model: codes → p(row), and what an event says about a row.

A row has `cols` cells; cell c holds a code in [0, n_cats[c]). Arrays over all categories
of all columns are *flat*: their last axis has `sum(n_cats)` places, column c at
`Layout.slices[c]`. Everything here is NumPy, so that a question to a saved circuit needs
no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
Mask = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]
NO_WEIGHTS: Mapping[int, Floats] = MappingProxyType({})


@dataclass(frozen=True)
class Layout:
    """How many categories each column has, and where they lie on a flat axis."""

    n_cats: tuple[int, ...]

    @property
    def n_cols(self) -> int:
        """Count the columns."""
        return len(self.n_cats)

    @property
    def total(self) -> int:
        """Count the categories of all columns together: the length of a flat axis."""
        return sum(self.n_cats)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """The place of each column on a flat axis."""
        ends = np.cumsum(self.n_cats).tolist()
        return tuple(slice(e - n, e) for e, n in zip(ends, self.n_cats, strict=True))


@dataclass(frozen=True)
class Evidence:
    """What a question says about each cell: unseen, one value, or a weight per category.

    Args:
        codes: (rows, cols) category of every cell; read only where `seen`.
        seen: (rows, cols) the cells that are part of the event with one value.
        weights: column → (rows or 1, n_cats[column]) log-weights of its categories, nats
            (0 possible, −inf excluded); such a column has `seen` False everywhere, and
            the event's probability sums its categories by exp(weight).

    """

    codes: Codes
    seen: Mask
    weights: Mapping[int, Floats] = field(default_factory=dict[int, Floats])

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        return self.codes.shape[0]

    def rows(self, index: Any) -> Evidence:
        """Take some rows (a slice or an index array)."""
        weights = {c: w if len(w) == 1 else w[index] for c, w in self.weights.items()}
        return Evidence(self.codes[index], self.seen[index], weights)

    @staticmethod
    def nothing(n_rows: int, n_cols: int) -> Evidence:
        """Say nothing about any cell: probability 1."""
        shape = (n_rows, n_cols)
        return Evidence(np.zeros(shape, np.int32), np.zeros(shape, np.bool_))


@dataclass(frozen=True)
class Ability:
    """What a model answers exactly.

    Args:
        any_part: log_prob and conditional of any seen part, the rest summed out.
        weighted: evidence with log-weights as well.
        rows: log_prob of complete rows; where False even that is an estimate, and the model
            has `row_error(evidence)`, the standard error of each, (rows,), nats.

    """

    any_part: bool
    weighted: bool
    rows: bool = True


class Model(Protocol):
    """p(row), with the verbs that every member of the catalogue has."""

    family: str
    layout: Layout
    ability: Ability

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of the event of each row, (rows,), nats; the rest summed out."""
        ...

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat).

        A seen cell gets 0 at its code and −inf elsewhere; a weighted cell its posterior.
        """
        ...

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat)."""
        ...

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row jointly; seen ones stay."""
        ...

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return a vector per row, (rows, dims)."""
        ...

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays): all that `from_state` needs."""
        ...

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """Build the model that `state` described."""
        ...


@runtime_checkable
class Clamping(Protocol):
    """A model that draws rows that meet any event, cell by cell, with a known density.

    Seen cells are clamped: they stay, and tell only the cells that are drawn after them. A
    column with weights is drawn by p(cell | drawn before) · weight.

    References:
        Fung and Chang 1990, Weighing and integrating evidence for stochastic simulation in
        Bayesian networks (likelihood weighting).

    """

    def draw_clamped(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row, (rows, cols)."""
        ...

    def score_clamped(
        self, codes: Codes, evidence: Evidence
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score complete rows that meet their events.

        Returns:
            Their log-probability, and the log-density with which `draw_clamped` draws them;
            (rows,) each, nats.

        """
        ...
