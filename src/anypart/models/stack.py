"""A convex mixture of models, itself a model: members answer, weighted by p(given)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, Self, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.base.threads import single_threaded_products
from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask, Model

T = TypeVar("T")


def log_sum(logs: NDArray[Any], axis: int) -> NDArray[Any]:
    """Log Σ exp, −inf where every term is −inf."""
    top = logs.max(axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logs - top).sum(axis=axis)) + np.squeeze(top, axis)


def _sums(model: Model) -> bool:
    return model.ability.any_part and model.ability.weighted


class Guess(Protocol):
    """A model of which even complete rows are estimates."""

    def row_error(self, evidence: Evidence) -> NDArray[np.float64]:
        """Standard error of `log_prob`, (rows,), nats."""
        ...


class Stack:
    """p(x) = Σ w_m p_m(x).

    Every answer weighs the members by how well they explain what is given,
    w_m p_m(given) / Σ w p(given), so that a conditional stays the ratio of two log_probs.

    Args:
        members: models of the same columns.
        log_weights: (members,), nats; their exponentials are made to sum to 1.
        spare: a model that answers any part, without weight: to draw proposals from when
            no member with weight can.

    Cost:
        The sum of the members' costs, and one log_prob of each per conditional.

    """

    family: str = "stack"

    def __init__(
        self,
        members: Sequence[Model],
        log_weights: NDArray[np.floating[Any]],
        spare: Model | None = None,
    ) -> None:
        assert len(members) == len(log_weights) > 0, "one weight a member"
        assert len({m.layout.n_cats for m in members}) == 1, "members of the same columns"
        self.members: tuple[Model, ...] = tuple(members)
        logs = np.asarray(log_weights, np.float64)
        # Saved weights sum to 1 already; dividing again would change their last bits.
        excess = float(log_sum(logs, 0))
        self.log_weights: NDArray[np.float64] = logs - excess if abs(excess) > 1e-9 else logs
        self.spare = spare
        self.layout: Layout = members[0].layout
        self.ability = Ability(
            any_part=all(m.ability.any_part for m in members),
            weighted=all(m.ability.weighted for m in members),
            rows=all(m.ability.rows for m in members),
        )

    @cached_property
    def proposal(self) -> Stack | None:
        """The mixture of the members that answer any part, or the spare; None without either."""
        able = [i for i, m in enumerate(self.members) if _sums(m)]
        if able:
            return Stack([self.members[i] for i in able], self.log_weights[able])
        return Stack([self.spare], np.zeros(1)) if self.spare is not None else None

    def not_exact(self) -> tuple[list[Model], NDArray[np.float64], float]:
        """Return the members that do not answer any part, their log-weights, the others' weight."""
        left = [i for i, m in enumerate(self.members) if not _sums(m)]
        logs = self.log_weights[left]
        return [self.members[i] for i in left], logs, max(1.0 - float(np.exp(logs).sum()), 0.0)

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event, (rows,), nats; −inf if it is impossible."""
        return log_sum(self._joint(evidence), 0)

    def row_error(self, evidence: Evidence) -> NDArray[np.float64]:
        """Standard error of each row's log-probability, (rows,), nats; 0 where it is exact."""
        share = np.exp(self._posterior(evidence))
        square = np.zeros(evidence.n_rows)
        for weight, member in zip(share, self.members, strict=True):
            if not member.ability.rows:
                square += (weight * cast(Guess, member).row_error(evidence)) ** 2
        return np.sqrt(square)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, one at a time, (rows, flat).

        Raises:
            QuestionError: the event of a row is impossible for every member.

        """
        if len(self.members) == 1:
            return self._each(lambda i: self.members[i].conditional(evidence))[0]
        share = self._posterior(evidence)
        out = np.full((evidence.n_rows, self.layout.total), -np.inf, np.float32)
        # A member that cannot explain a row has no say in it, and no answer to it.
        able = [np.flatnonzero(weight > -np.inf) for weight in share]

        def answer(i: int) -> NDArray[np.float32]:
            if not len(able[i]):
                return np.empty((0, self.layout.total), np.float32)
            return self.members[i].conditional(evidence.rows(able[i]))

        answers = self._each(answer)
        for rows, cells, weight in zip(able, answers, share, strict=True):
            out[rows] = np.logaddexp(out[rows], cells + weight[rows, None].astype(np.float32))
        return out

    def _each(self, ask: Callable[[int], T]) -> list[T]:
        """Ask every member by its number, one after another.

        Two threads took twice the time: the products are small, and between them the
        threads wait for Python's lock.
        """
        with single_threaded_products():
            return [ask(i) for i in range(len(self.members))]

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the *other* seen cells, (rows, flat).

        A member's weight for a cell is by p(others) = p(all) / p(cell | others).

        Raises:
            QuestionError: the other cells of a row are impossible for every member.

        """
        if len(self.members) == 1:
            return self._each(lambda i: self.members[i].leave_one_out(codes, seen))[0]
        joint = self._joint(Evidence(codes, seen))
        clean = np.isfinite(joint).all(axis=0)
        out = np.empty((len(codes), self.layout.total), np.float32)
        if clean.any():
            out[clean] = self._leave_one_out_clean(codes[clean], seen[clean], joint[:, clean])
        for row in np.flatnonzero(~clean):
            out[row] = self._leave_one_out_slowly(codes[row], seen[row])
        return out

    def _leave_one_out_clean(
        self, codes: Codes, seen: Mask, joint: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """`leave_one_out` of rows that every member can explain."""
        starts = np.array([s.start for s in self.layout.slices])
        n_cats = np.array(self.layout.n_cats)
        place = starts + np.where(seen, codes, 0)  # (rows, cols)
        cells: list[NDArray[np.float32]] = []
        others: list[NDArray[np.float64]] = []
        answers = self._each(lambda i: self.members[i].leave_one_out(codes, seen))
        for logs, log_all in zip(answers, joint, strict=True):
            own = np.take_along_axis(logs, place, axis=1)
            cells.append(logs)
            others.append(log_all[:, None] - np.where(seen, own, 0.0))
        weights = np.stack(others)  # (members, rows, cols)
        weights -= log_sum(weights, 0)
        out = np.full(cells[0].shape, -np.inf, np.float32)
        for logs, weight in zip(cells, weights, strict=True):
            out = np.logaddexp(out, logs + np.repeat(weight, n_cats, axis=1).astype(np.float32))
        return out

    def _leave_one_out_slowly(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """`leave_one_out` of one row by leaving each cell out in turn."""
        n = self.layout.n_cols
        each = np.tile(seen, (n, 1)) & ~np.eye(n, dtype=np.bool_)
        logs = self.conditional(Evidence(np.tile(codes, (n, 1)), each))
        return np.concatenate([logs[c, place] for c, place in enumerate(self.layout.slices)])

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw a member per row by its posterior weight, then the cells from it.

        Raises:
            QuestionError: the event of a row is impossible for every member.

        """
        if len(self.members) == 1:
            with single_threaded_products():
                return self.members[0].sample(evidence, rng)
        cumulative = np.cumsum(np.exp(self._posterior(evidence)), axis=0)
        mark = rng.random(evidence.n_rows) * cumulative[-1]
        chosen = (cumulative <= np.minimum(mark, np.nextafter(cumulative[-1], 0))).sum(axis=0)
        out = np.empty(evidence.codes.shape, np.int32)
        for number, member in enumerate(self.members):
            rows = np.flatnonzero(chosen == number)
            if len(rows):
                with single_threaded_products():
                    out[rows] = member.sample(evidence.rows(rows), rng)
        return out

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """The vector of the member with most weight, (rows, dims)."""
        with single_threaded_products():
            return self.members[int(np.argmax(self.log_weights))].represent(evidence)

    def _joint(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log w_m p_m(event), (members, rows)."""
        logs = self._each(lambda i: self.members[i].log_prob(evidence))
        return self.log_weights[:, None] + np.stack(logs)

    def _posterior(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log posterior weights of the members, (members, rows)."""
        if not evidence.seen.any() and not evidence.weights:
            return np.repeat(self.log_weights[:, None], evidence.n_rows, axis=1)
        joint = self._joint(evidence)
        total = log_sum(joint, 0)
        if np.isneginf(total).any():
            row = int(np.argmax(np.isneginf(total)))
            raise QuestionError(
                f"Row {row} says something that the model gives probability 0, so nothing "
                "follows from it. Leave a condition out, or widen it."
            )
        return joint - total

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays); a member's arrays begin with its number."""
        about: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {"log_weights": self.log_weights}
        for number, member in enumerate(self.members):
            settings, own = member.state()
            about.append({"family": member.family, "settings": settings})
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
        found: dict[str, Any] = {"members": about}
        if self.spare is not None:
            settings, own = self.spare.state()
            found["spare"] = {"family": self.spare.family, "settings": settings}
            arrays |= {f"spare.{name}": array for name, array in own.items()}
        return found, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        # The catalogue names this file too; the import waits until both are there.
        from anypart.models.catalogue import load_stack

        return cls(*load_stack(settings, arrays))
