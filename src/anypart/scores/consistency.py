"""Whether answers agree with each other, whatever the way they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import AnypartError
from anypart.base.seeds import generator
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.queries import events
from anypart.scores.rows import Judged, ScoredRows

QUESTIONS = 200
QUESTIONS_DRAWN = 32  # where answers are estimated, each by draws
TOGETHER = 16  # questions in one call of the model
ASKED = 60  # of them also put to `ask`, to see what it says about itself
MOST_JOINT = 4096  # categories of a joint question
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Consistency:
    """Agreement of answers, as `ask` and `log_prob` give them, to the same random questions.

    Args:
        questions: joint questions that were asked in both orders.
        order_mean, order_p99: total variation between p(a|g) p(b|a,g) and p(b|g) p(a|b,g),
            mean and 99th percentile, in [0, 1].
        ratio_mean, ratio_max: |p(a|g) by conditional − p(a,g) / p(g) by log_prob|.
        exact, estimated, refused: shares of questions to `ask`; None if it was not asked.

    """

    questions: int
    order_mean: float
    order_p99: float
    ratio_mean: float
    ratio_max: float
    exact: float | None
    estimated: float | None
    refused: float | None


@dataclass(frozen=True)
class Question:
    """p(a, b | given cells of a row).

    Args:
        codes: (cols,) the row.
        given: (cols,) its cells that are given.
        a, b: the columns that are asked, not given.

    """

    codes: NDArray[np.int32]
    given: NDArray[np.bool_]
    a: int
    b: int


def random_questions(
    rows: ScoredRows, n_cats: tuple[int, ...], seed: int, n: int = QUESTIONS
) -> Iterator[Question]:
    """Ask about two random columns, given a random number of the other seen cells, n times.

    Pairs with more than 4,096 joint categories are passed over; of tables with a single
    column nothing joint can be asked.
    """
    rng = generator(seed, "scores", "questions")
    n_cols = len(n_cats)
    if n_cols < 2:
        return
    for _ in range(n):
        row = int(rng.integers(rows.n_rows))
        a, b, *rest = rng.permutation(n_cols).tolist()
        n_given = int(rng.integers(len(rest) + 1))
        given = np.zeros(n_cols, np.bool_)
        given[rest[:n_given]] = True
        given &= rows.seen[row]
        if n_cats[a] * n_cats[b] <= MOST_JOINT:
            yield Question(rows.codes[row], given, a, b)


def score_consistency(fitted: Judged, rows: ScoredRows, seed: int) -> Consistency:
    """Ask fixed random questions in several ways.

    Args:
        fitted: the fit; its `ask` is used if it has one.
        rows: where the given values come from.
        seed: of the questions.

    Cost:
        Two conditionals and a marginal for each category of each question.

    """
    model = fitted.model
    orders: list[float] = []
    ratios: list[Reals] = [np.zeros(1)]
    n = QUESTIONS if model.ability.any_part else QUESTIONS_DRAWN
    questions = list(random_questions(rows, model.layout.n_cats, seed, n))
    for start in range(0, len(questions), TOGETHER):
        for found in answer_together(model, questions[start : start + TOGETHER]):
            orders.append(float(np.abs(found.a_first - found.b_first).sum() / 2))
            ratios.append(found.ratio_gap)
    gaps = np.concatenate(ratios)
    shares = _kinds_of_answers(fitted, questions[:ASKED])
    return Consistency(
        questions=len(questions),
        order_mean=float(np.mean(orders)) if orders else 0.0,
        order_p99=float(np.quantile(orders, 0.99)) if orders else 0.0,
        ratio_mean=float(gaps.mean()),
        ratio_max=float(gaps.max()),
        exact=shares.get("exact"),
        estimated=shares.get("estimated"),
        refused=shares.get("refused"),
    )


@dataclass(frozen=True)
class Found:
    """One question answered in three ways.

    Args:
        a_first: p(a | given) p(b | a, given), (n_cats[a], n_cats[b]).
        b_first: p(b | given) p(a | b, given), the same shape.
        ratio_gap: |p(a | given) − p(a, given) / p(given)|, (n_cats[a],).
    """

    a_first: Reals
    b_first: Reals
    ratio_gap: Reals


def answer_together(model: Model, questions: list[Question]) -> list[Found]:
    """Answer some questions with few calls of the model; each way keeps to its own route."""
    layout = model.layout
    given = Evidence(np.stack([q.codes for q in questions]), np.stack([q.given for q in questions]))
    margins = _conditional(model, given)
    extended = [(n, c) for n, q in enumerate(questions) for c in (q.a, q.b)]
    each = [with_each(questions[n], c, layout.n_cats[c]) for n, c in extended]
    evidence = Evidence(
        np.concatenate([codes for codes, _ in each]), np.concatenate([seen for _, seen in each])
    )
    shares = np.concatenate([margins[n, layout.slices[c]] for n, c in extended])
    rest = np.zeros((len(shares), layout.total))
    possible = np.flatnonzero(shares > 0)  # a model refuses to go on from what it excludes
    rest[possible] = _conditional(model, evidence.rows(possible))
    joints = shares[:, None] * rest
    sizes = [sum(layout.n_cats[c] for c in (q.a, q.b)) for q in questions]
    below = np.repeat(events.log_prob(model, given).value, sizes)
    by_log_prob = np.exp(events.log_prob(model, evidence).value - below)
    gaps = np.abs(shares - by_log_prob)
    found: list[Found] = []
    start = 0
    for q in questions:
        middle = start + layout.n_cats[q.a]
        end = middle + layout.n_cats[q.b]
        first = joints[start:middle, layout.slices[q.b]]
        second = joints[middle:end, layout.slices[q.a]].T
        found.append(Found(first, second, gaps[start:middle]))
        start = end
    return found


def with_each(q: Question, column: int, n_cats: int) -> tuple[Codes, Mask]:
    """Repeat the given cells with every category of one more column, (n_cats, cols)."""
    codes = np.repeat(q.codes[None], n_cats, axis=0)
    codes[:, column] = np.arange(n_cats)
    seen = np.repeat(q.given[None], n_cats, axis=0)
    seen[:, column] = True
    return codes, seen


def _conditional(model: Model, evidence: Evidence) -> Reals:
    return np.exp(events.conditional(model, evidence).value)


def _kinds_of_answers(fitted: Judged, questions: list[Question]) -> Mapping[str, float]:
    """Shares of exact, estimated and refused answers of `ask`; nothing if there is none."""
    ask = getattr(fitted, "ask", None)
    if ask is None or not questions:
        return {}
    names = [c.name for c in fitted.schema.modelled]
    counts = {"exact": 0, "estimated": 0, "refused": 0}
    for n, q in enumerate(questions):
        asked = [names[q.a]] if n % 2 else [names[q.a], names[q.b]]
        try:
            answer = ask(*asked, given=spelt(fitted, q))
        except AnypartError:
            counts["refused"] += 1
        else:
            counts["exact" if answer.exact else "estimated"] += 1
    return {kind: n / len(questions) for kind, n in counts.items()}


def spelt(fitted: Judged, q: Question) -> dict[str, Any]:
    """Write what is given as conditions: values, and ranges where a cell is an interval."""
    said: dict[str, Any] = {}
    for at in np.flatnonzero(q.given):
        column = fitted.schema.modelled[at]
        code = int(q.codes[at])
        if column.kind.numeric:
            cell = column.cells[code]
            said[column.name] = cell.low if cell.is_atom else (cell.low, cell.high)
        elif code < len(column.categories):
            said[column.name] = column.categories[code]
    return said
