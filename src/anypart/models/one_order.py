r"""What all models along one order share: exact rows, exact samples, and what they cannot do.

.. math:: p(x) = \prod_{i=1}^n p(x_{o_i} | x_{o_1}, \dots, x_{o_{i-1}})

What holds: `log_prob` of complete rows, and of rows whose unseen cells are the last ones of
the order; `sample` from nothing or from what comes first; `conditional` and `leave_one_out`
of a cell when all others are seen (the ratio of a row's probability to the sum over the
cell's categories); `draw_clamped` given any event, with a known density. What does not: a
part with a gap before a seen cell has no closed sum. Then `log_prob` is the chain over the
seen cells with each gap entered as the mean of its column, which is normalised over the seen
cells but is not the sum of the complete rows' probabilities, and `conditional` weighs draws
by what they make of the seen cells. Hence `ability.any_part` is False; `queries` estimates
with proposals that know all seen cells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.models.contract import NO_WEIGHTS, Ability, Codes, Evidence, Floats, Layout, Mask
from anypart.models.damage import undamaged
from anypart.models.orders import Order
from anypart.models.places import Array, Places, draw_codes, log_softmax
from anypart.models.single_gaps import fill_single_gaps, leave_each_out

FLOATS_TOGETHER = 400_000  # of one block of rows, so that it stays near the processor
DRAWS = 256  # by which `conditional` weighs what it cannot sum
ONE_ORDER = Ability(any_part=False, weighted=False)


class Walk(Protocol):
    """The state of rows on their way through the order; it keeps what it has computed."""

    def cell(self, at: int) -> Array:
        """Log-probabilities of the column at a position, (rows, cats), given those told."""
        ...

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        """Go past a position; called for 0, 1, 2 … in turn."""
        ...


class OneOrder(ABC):
    """A model along one order. A family computes logits and walks; all else is here.

    A family sees the columns in the order: position 0 is the first column of it.

    Args:
        layout: the columns, as the table has them.
        order: (cols,) which column comes at each position.
        means: (places,) of each position's places, for a cell that is not seen.
        arrays: the family's parameters by name.

    """

    family: str
    ability = ONE_ORDER

    def __init__(
        self, layout: Layout, order: Order, means: Array, arrays: Mapping[str, Array]
    ) -> None:
        self.layout = layout
        self.order = np.asarray(order, np.int64)
        n_cats = tuple(layout.n_cats[c] for c in self.order.tolist())
        self.places = Places(Layout(n_cats))
        self.means = np.asarray(means, np.float32)
        self.arrays: dict[str, Array] = dict(arrays)
        pieces = [np.arange(layout.total)[layout.slices[c]] for c in self.order.tolist()]
        self._flat = np.concatenate([np.empty(0, np.int64), *pieces])  # order's flat → table's

    @abstractmethod
    def _logits(self, x: Array) -> Array:
        """Logits of every place given those of earlier positions, (rows, places)."""

    @abstractmethod
    def _walk(self, n_rows: int) -> Walk:
        """Begin before the first position, with nothing told."""

    @abstractmethod
    def _floats(self) -> int:
        """Count the numbers that one row needs on its way."""

    @abstractmethod
    def n_parameters(self) -> int:
        """Count the free parameters."""

    def _blocks(self, evidence: Evidence) -> Iterator[tuple[slice, Codes, Mask]]:
        """Cut rows into blocks, their columns in the order."""
        if evidence.weights:
            raise QuestionError(
                f"A {self.family} takes one value per seen cell; the question gives ranges or "
                f"sets for {len(evidence.weights)} columns. Ask a fit with purpose='any' or "
                "'fast', whose members sum such sets exactly."
            )
        return self._cut(evidence)

    def _cut(self, evidence: Evidence) -> Iterator[tuple[slice, Codes, Mask]]:
        size = max(FLOATS_TOGETHER // max(self._floats(), 1), 64)
        for start in range(0, evidence.n_rows, size):
            block = slice(start, start + size)
            yield (
                block,
                evidence.codes[block].take(self.order, 1),
                evidence.seen[block].take(self.order, 1),
            )

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of the seen cells along the order, (rows,), nats; all cells at once.

        Cost:
            One pass of the family for all columns.
        """
        found = np.empty(evidence.n_rows)
        for block, codes, seen in self._blocks(evidence):
            logits = self._logits(self.places.encode(codes, seen, self.means))
            found[block] = self.places.log_prob(logits, codes, seen)
        return found

    def column(self, evidence: Evidence, col: int) -> NDArray[np.float64]:
        """Log-probabilities of a column given the seen cells before it, (rows, cats).

        A gap before it enters as the mean of its column, as in training; no gap is summed out.

        Cost:
            One pass of the family for all columns.
        """
        at = int(np.flatnonzero(self.order == col)[0])
        found = np.empty((evidence.n_rows, self.layout.n_cats[col]))
        for block, codes, seen in self._blocks(evidence):
            logits = self._logits(self.places.encode(codes, seen, self.means))
            found[block] = self.places.cell_log_softmax(at, logits[:, self.places.slices[at]])
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen cells along the order; seen ones stay.

        Exact where the seen cells come first in the order. A seen cell that comes later
        is kept, and does not tell the cells before it.

        Cost:
            One walk: what earlier columns add is computed once.
        """
        drawn = np.empty(evidence.codes.shape, np.int32)
        for block, codes, seen in self._blocks(evidence):
            found, _ = self._draw(codes, seen, rng)
            drawn[block, self.order] = found
        return drawn

    def draw_clamped(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw along the order with seen cells clamped, in one walk; see `contract.Clamping`."""
        drawn = np.empty(evidence.codes.shape, np.int32)
        for block, codes, seen in self._cut(evidence):
            weights = evidence.rows(block).weights
            drawn[block, self.order] = self._draw(codes, seen, rng, weights)[0]
        return drawn

    def score_clamped(
        self, codes: Codes, evidence: Evidence
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Score rows and their density, in one pass; see `contract.Clamping`."""
        whole = Evidence(codes, np.ones(codes.shape, np.bool_))
        total, density = np.empty(len(codes)), np.empty(len(codes))
        for block, moved, there in self._blocks(whole):
            logits = self._logits(self.places.encode(moved, there, self.means))
            total[block] = self.places.log_prob(logits, moved, there)
            free = ~evidence.seen[block].take(self.order, 1)
            density[block] = self.places.log_prob(logits, moved, free)
            for col, weight in evidence.rows(block).weights.items():
                at = int(np.flatnonzero(self.order == col)[0])
                density[block] += self.places.log_weighted(logits, at, moved[:, at], weight)
        return total, density

    def _draw(
        self,
        codes: Codes,
        seen: Mask,
        rng: np.random.Generator,
        weights: Mapping[int, Floats] = NO_WEIGHTS,
    ) -> tuple[Codes, NDArray[np.float64]]:
        """Draw the unseen cells, and sum the log-probabilities of the seen ones, (rows,)."""
        walk, all_there = self._walk(len(codes)), np.ones(len(codes), np.bool_)
        found, total = np.array(codes.T, np.int32, order="C"), np.zeros(len(codes))
        anywhere: Mask = np.any(seen, axis=0)
        everywhere: Mask = np.all(seen, axis=0)
        for at, col in enumerate(self.order.tolist()):
            logs, there = walk.cell(at), seen[:, at]
            if col in weights:
                logs = log_softmax(logs + weights[col].astype(np.float32))
            if not anywhere[at]:
                found[at] = draw_codes(logs, rng)
            elif not everywhere[at]:
                found[at] = np.where(there, found[at], draw_codes(logs, rng))
            if anywhere[at]:
                total += np.where(there, logs[np.arange(len(logs)), found[at]], 0.0)
            walk.tell(at, found[at], all_there)
        return found.T, total

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the seen ones, (rows, flat).

        Exact in rows with at most one unseen cell. In others `DRAWS` completions along the
        order are weighed by the probability they give the seen cells: an estimate, the
        same for the same question.

        Cost:
            `DRAWS` samples a row.
        """
        found, many = fill_single_gaps(self, evidence)
        rng = np.random.default_rng(0)
        size = max(FLOATS_TOGETHER // max(self._floats() * DRAWS, 1), 1)
        for start in range(0, len(many), size):
            rows = many[start : start + size]
            for col, logs in self._weighed(evidence.rows(rows), rng):
                free = ~evidence.seen[rows, col]
                found[rows[free], self.layout.slices[col]] = logs[free]
        return found

    def _weighed(
        self, evidence: Evidence, rng: np.random.Generator
    ) -> Iterator[tuple[int, NDArray[np.float64]]]:
        """Estimate each column given what is seen by draws along the order, (rows, cats)."""
        every = evidence.rows(np.repeat(np.arange(evidence.n_rows), DRAWS))
        parts = [self._draw(codes, seen, rng) for _, codes, seen in self._blocks(every)]
        drawn = np.concatenate([p[0] for p in parts])
        log_weights = np.concatenate([p[1] for p in parts]).reshape(-1, DRAWS)
        weights = np.exp(log_weights - log_weights.max(axis=1, keepdims=True)).ravel()
        row = np.repeat(np.arange(evidence.n_rows), DRAWS)
        for at, col in enumerate(self.order.tolist()):
            n_cats = self.layout.n_cats[col]
            size = evidence.n_rows * n_cats
            counts = np.bincount(row * n_cats + drawn[:, at], weights, size).reshape(-1, n_cats)
            share = counts / counts.sum(axis=1, keepdims=True)
            # A hundredth of a draw for every category: not drawn is not impossible.
            share = (share * DRAWS + 0.01 / n_cats) / (DRAWS + 0.01)
            yield col, np.log(share)

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the other seen ones, (rows, flat).

        Every category in turn takes the cell's place: exact if the other cells are seen.

        Cost:
            `flat` evaluations of each row.
        """
        return leave_each_out(self, codes, seen)

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return what each cell's biases would learn from the row, (rows, places).

        The Fisher score of the biases: one-hot cells less their probabilities, 0 for a
        cell that is not seen (Jaakkola and Haussler 1998).
        """
        found = np.empty((evidence.n_rows, self.places.total), np.float32)
        for block, codes, seen in self._blocks(evidence):
            x = self.places.encode(codes, seen, self.means)
            logs = self.places.log_softmax(self._logits(x))
            score = x - np.exp(logs[:, self._chosen_places])
            found[block] = score * seen[:, self.places.column_of]
        return found

    @property
    def _chosen_places(self) -> NDArray[np.int64]:
        """Where each place's category lies on the order's flat axis, (places,)."""
        flats = zip(self.places.layout.slices, self.places.sizes, strict=True)
        parts = [np.arange(flat.stop - size, flat.stop) for flat, size in flats]
        return np.concatenate([np.empty(0, np.int64), *parts])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the parameters, order and means as arrays."""
        settings = {"n_cats": list(self.layout.n_cats)}
        return settings, {**self.arrays, "order": self.order, "means": self.means}

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        with undamaged(cls.family):
            own = {k: v for k, v in arrays.items() if k not in ("order", "means")}
            layout = Layout(tuple(int(n) for n in settings["n_cats"]))
            model = cls(layout, arrays["order"], arrays["means"], own)
            if sorted(model.order.tolist()) != list(range(layout.n_cols)):
                raise ValueError("the order does not name every column once")
            if model.means.shape != (model.places.total,):
                raise ValueError(f"{model.places.total} means expected")
            model._logits(np.zeros((1, model.places.total), np.float32))
        return model
