"""Exercises: what a network is shown of each row of a batch, and what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.optim.policies.kinds import KINDS, Policy, spread, told

ROWS_TOGETHER = 4_096


@dataclass(frozen=True)
class Exercise:
    """What is shown of each row, and what is asked.

    Args:
        codes: (rows, cols) the values that are shown; read only where `shown`.
        shown: (rows, cols) cells whose value goes in.
        asked: (rows, cols) cells that are predicted; no cell of a row that has no answer.

    """

    codes: Codes
    shown: Mask
    asked: Mask


def draw(
    policies: Sequence[Policy], codes: Codes, seen: Mask, rng: np.random.Generator
) -> Exercise:
    """Draw a policy for each row by its weight, and from it an exercise.

    The policies have their shares of the rows, as nearly as rows can be divided.

    Args:
        policies: at least one.
        codes: (rows, cols).
        seen: (rows, cols) cells that have a value.
        rng: of everything random.

    """
    ends = np.cumsum([p.weight for p in policies])
    which = np.searchsorted(ends[:-1] / ends[-1], spread(len(seen), rng), side="right")
    shown, asked, replaced = (np.zeros_like(seen) for _ in range(3))
    for number, policy in enumerate(policies):
        rows = np.flatnonzero(which == number)
        question = KINDS[policy.kind](policy, seen[rows], rng)
        if question.replaced is not None:
            shown[rows], asked[rows], replaced[rows] = seen[rows], seen[rows], question.replaced
            continue
        first, asked[rows] = told(question, rng)
        shown[rows] = question.given | first
    return Exercise(corrupt(codes, seen, replaced, rng), shown, asked)


def corrupt(codes: Codes, seen: Mask, replaced: Mask, rng: np.random.Generator) -> Codes:
    """Give cells the value that their column has in another row, drawn uniformly.

    Args:
        codes: (rows, cols).
        seen: (rows, cols) cells that have a value.
        replaced: (rows, cols) the cells that get another one, within `seen`.
        rng: of the rows that the values are from, the row itself among them.

    References:
        Bahri et al. 2022, SCARF: self-supervised contrastive learning using random feature
        corruption, section 3.

    """
    out = codes.copy()
    for col in np.flatnonzero(replaced.any(axis=0)):
        rows = np.flatnonzero(replaced[:, col])
        values = codes[seen[:, col], col]
        out[rows, col] = values[rng.integers(0, len(values), len(rows))]
    return out


def level(model: Model, policies: Sequence[Policy], codes: Codes, seen: Mask, seed: int) -> float:
    """Mean log-likelihood of what a policy asks of rows, as nats of a whole row.

    One question is drawn for each row, the same for every model; cells that corruption
    replaced are not asked, since no model's conditional hears of them.

    Args:
        model: of the columns.
        policies: what is asked.
        codes: (rows, cols).
        seen: (rows, cols).
        seed: of the questions.

    """
    masked = [p for p in policies if p.kind != "corruption"] or [Policy("orders")]
    exercise = draw(masked, codes, seen, generator(seed, "questions"))
    n_asked = exercise.asked.sum(1)
    weight = np.where(exercise.asked, (seen.sum(1) / np.maximum(n_asked, 1))[:, None], 0.0)
    total = 0.0
    starts = np.array([s.start for s in model.layout.slices])
    for first in range(0, len(codes), ROWS_TOGETHER):
        block = slice(first, first + ROWS_TOGETHER)
        logs = model.conditional(Evidence(codes[block], exercise.shown[block]))
        places = starts + np.where(seen[block], codes[block], 0)
        own = np.take_along_axis(logs, places, axis=1)
        total += float((weight[block] * np.where(exercise.asked[block], own, 0.0)).sum())
    return total / len(codes)
