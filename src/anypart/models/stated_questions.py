r"""A mixture of its own for each question that was stated before the fit, one for all others.

.. math:: p_q(x_A | x_G) = \sum_m v_{qm}\, p_m(x_A | x_G)

The members of a question answer it exactly: they sum any part, or their order begins with G
and goes on with A (`models.stated`). Their weights are the question's own, whatever the
members make of G: a model that is good at images is not better at letters for that.

What holds: every stated question is answered by one normalised distribution, without draws;
`log_given`, `conditional`, `leave_one_out` and `sample` use the same. What does not: nothing
ties the questions together. p(A | G) p(G | B), each from its own mixture, need not be the
p(A, G | B) of a third, and `log_prob` is that of the rest. A question is answered by its own
members in rows in which its given cells and no others are seen. If some of those lack a
value (no more than in the rows by which the members were weighed), models along an order
take the gap as they did in training and sum nothing out, and the answer is no longer exact.
All else is answered by the rest.

References:
    Heckerman et al. 2000, Dependency networks for inference, collaborative filtering, and
    data visualization: conditionals that are fitted by themselves, and what that costs.

"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.base.threads import single_threaded_products
from anypart.models.contract import Ability, Codes, Evidence, Layout, Mask, Model
from anypart.models.damage import undamaged
from anypart.models.one_order import OneOrder
from anypart.models.order_agnostic import OrderAgnostic
from anypart.models.single_gaps import by_category
from anypart.models.stack import Stack, log_sum
from anypart.models.stated import Stated, log_given

ORDERS = 2  # of the asked columns, along which an order-agnostic network is read


@dataclass(frozen=True)
class Share:
    """Some members and their weights.

    Args:
        members: their numbers.
        log_weights: (members,), nats; their exponentials sum to 1.
        most_gaps: given cells that may lack a value; more is another question.

    """

    members: tuple[int, ...]
    log_weights: NDArray[np.float64]
    most_gaps: int = 0


def for_question(member: Model, question: Stated) -> Model:
    """Return a member as it answers a question: an order-agnostic network gets its orders."""
    if not isinstance(member, OrderAgnostic):
        return member
    rng, own = generator(0, "asked", *question.asked), np.arange(member.layout.n_cols)
    asked = np.flatnonzero(np.isin(own, question.asked))
    orders: list[NDArray[np.int64]] = []
    for _ in range(ORDERS if len(asked) > 1 else 1):
        # The given columns in one order in all of them, so that p(G) is the same in all.
        order = own.copy()
        order[asked] = rng.permutation(asked)
        orders.append(question.ranked(order))
    return member.along(np.stack(orders))


class QuestionMixture:
    """The answers to one stated question.

    Args:
        question: it.
        members: models that answer it exactly, as `for_question` makes them.
        share: their weights, and the gaps that they may meet.

    """

    def __init__(self, question: Stated, members: Sequence[Model], share: Share) -> None:
        self.question, self.members = question, tuple(members)
        self.log_weights, self.most_gaps = share.log_weights, share.most_gaps

    def met(self, seen: Mask) -> Mask:
        """Say in which rows it is what is asked, (rows,)."""
        return self.question.met(seen, self.most_gaps)

    def log_given(self, codes: Codes, seen: Mask) -> NDArray[np.float64]:
        """Log p(asked | given) of rows that `answered` allows, (rows,), nats."""
        with single_threaded_products():
            logs = [log_given(m, codes, seen, self.question) for m in self.members]
        return log_sum(np.stack(logs) + self.log_weights[:, None], 0)

    def cell(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probabilities of a single asked column, (rows, cats), given the given ones."""
        with single_threaded_products():
            logs = np.stack([self._cell(m, evidence) for m in self.members])
        return log_sum(logs + self.log_weights[:, None, None], 0)

    def _cell(self, member: Model, evidence: Evidence) -> NDArray[np.floating[Any]]:
        (col,) = self.question.asked
        if member.ability.any_part or isinstance(member, OrderAgnostic):
            return member.conditional(evidence)[:, member.layout.slices[col]]
        if isinstance(member, OneOrder):
            return member.column(evidence, col)
        return by_category(member, evidence, col)

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the asked cells jointly given the given ones; those of other columns are not."""
        codes = evidence.codes.copy()
        chosen = rng.choice(len(self.members), evidence.n_rows, p=np.exp(self.log_weights))
        asked = list(self.question.asked)
        for number, member in enumerate(self.members):
            rows = np.flatnonzero(chosen == number)
            if len(rows):
                with single_threaded_products():
                    drawn = member.sample(evidence.rows(rows), rng)
                codes[rows[:, None], asked] = drawn[:, asked]
        return codes


class StatedQuestions:
    """A mixture for each stated question and one for the rest, over the same members.

    Args:
        members: models of the same columns, every one used by a share.
        rest: what answers all other questions.
        questions: each stated question, and its members.

    """

    family: str = "stated_questions"

    def __init__(
        self, members: Sequence[Model], rest: Share, questions: Sequence[tuple[Stated, Share]]
    ) -> None:
        self.members: tuple[Model, ...] = tuple(members)
        self.layout: Layout = members[0].layout
        self._rest, self._shares = rest, tuple(questions)
        self.rest = Stack([self.members[i] for i in rest.members], rest.log_weights)
        self.ability: Ability = self.rest.ability

    @cached_property
    def questions(self) -> tuple[QuestionMixture, ...]:
        """The stated questions."""
        return tuple(
            QuestionMixture(q, [for_question(self.members[i], q) for i in share.members], share)
            for q, share in self._shares
        )

    def of(self, question: Stated) -> QuestionMixture | None:
        """Find what answers a question; None if it was not stated."""
        sets = frozenset(question.asked), frozenset(question.given)
        for own in self.questions:
            if sets == (frozenset(own.question.asked), frozenset(own.question.given)):
                return own
        return None

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Log-probability of each row's event under the rest, (rows,), nats."""
        return self.rest.log_prob(evidence)

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the event, (rows, flat).

        A column that a stated question asks alone is answered by the question's members.
        """
        found = self.rest.conditional(evidence)
        for own, col in self._single():
            rows = np.flatnonzero(own.met(evidence.seen))
            if len(rows) and not evidence.weights:
                found[rows, self.layout.slices[col]] = own.cell(evidence.rows(rows))
        return found

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Log-probabilities of every cell given the other seen cells, (rows, flat)."""
        found = self.rest.leave_one_out(codes, seen)
        for own, col in self._single():
            others = seen.copy()
            others[:, col] = False
            rows = np.flatnonzero(own.met(others))
            if len(rows):
                some = Evidence(codes[rows], others[rows])
                found[rows, self.layout.slices[col]] = own.cell(some)
        return found

    def _single(self) -> list[tuple[QuestionMixture, int]]:
        return [(q, q.question.asked[0]) for q in self.questions if len(q.question.asked) == 1]

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen and weighted cells of each row jointly; seen ones stay.

        A stated question's asked cells come from its own members where no given cell lacks a
        value, cells of columns that it does not name from the rest, given them.
        """
        if evidence.weights:
            return self.rest.sample(evidence, rng)
        codes, seen = evidence.codes.copy(), evidence.seen.copy()
        for own in self.questions:
            rows = np.flatnonzero(own.question.met(seen) & ~seen.all(axis=1))
            if len(rows):
                codes[rows] = own.sample(Evidence(codes[rows], seen[rows]), rng)
                seen[rows[:, None], list(own.question.asked)] = True
        left = np.flatnonzero(~seen.all(axis=1))
        if len(left):
            codes[left] = self.rest.sample(Evidence(codes[left], seen[left]), rng)
        return codes

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the vector of the rest, (rows, dims)."""
        return self.rest.represent(evidence)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return (settings as JSON, arrays); a member's arrays begin with its number."""
        about: list[dict[str, Any]] = []
        arrays: dict[str, NDArray[Any]] = {"rest": self._rest.log_weights}
        for number, member in enumerate(self.members):
            settings, own = member.state()
            about.append({"family": member.family, "settings": settings})
            arrays |= {f"{number}.{name}": array for name, array in own.items()}
        questions: list[dict[str, Any]] = []
        for number, (question, share) in enumerate(self._shares):
            about_it = {"members": list(share.members), "most_gaps": share.most_gaps}
            questions.append(question.settings() | about_it)
            arrays[f"question.{number}"] = share.log_weights
        return {"members": about, "rest": list(self._rest.members), "questions": questions}, arrays

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Build the model that `state` described.

        Raises:
            SavedFitError: settings and arrays do not fit together.

        """
        # The catalogue names this file too; the import waits until both are there.
        from anypart.models.catalogue import load_numbered

        with undamaged("model of stated questions"):
            members = load_numbered(settings["members"], arrays)
            rest = Share(tuple(settings["rest"]), arrays["rest"])
            questions: list[tuple[Stated, Share]] = []
            for number, it in enumerate(settings["questions"]):
                weights, gaps = arrays[f"question.{number}"], int(it["most_gaps"])
                questions.append((Stated.of(it), Share(tuple(it["members"]), weights, gaps)))
            for share in (rest, *(s for _, s in questions)):
                if share.log_weights.shape != (len(share.members),) or not share.members:
                    raise ValueError(f"{len(share.members)} weights expected")
            return cls(members, rest, questions)
