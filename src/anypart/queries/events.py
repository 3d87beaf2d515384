r"""Probabilities of events for any model, also one that takes only single values as evidence.

A weighted event is a sum over its values: :math:`p(e) = \sum_x w(x) p(x)`. A model that
cannot sum by itself is asked for each combination of values while there are few; beyond
that, values are drawn column after column from p(column | drawn so far) · weight, whose
normalisers multiply to an unbiased estimate (sequential importance sampling; Doucet, de
Freitas and Gordon 2001, section 1.3). A mixture with members that cannot sum cells out is
estimated with its exact members as the proposal (`estimates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.models.stack import Guess, Stack
from anypart.models.stated import Stated
from anypart.models.stated_questions import StatedQuestions
from anypart.queries import estimates
from anypart.queries.estimates import Estimate, Reals, all_same, proposal_of, says_nothing

MOST_COMBINATIONS = 512
DRAWS = 1024
GAPS_ENTERED = (
    "given cells without a value entered as in training and were not summed out, in some rows"
)


@dataclass(frozen=True)
class _Spread:
    """Each row as several rows of single values, with log-weights that sum to the event."""

    evidence: Evidence
    log_weights: Reals  # (rows, values)
    error: Reals | None


def log_prob(model: Model, evidence: Evidence) -> Estimate:
    """Log-probability of the event of each row, (rows,)."""
    proposal = proposal_of(model, evidence)
    if proposal is not None and not says_nothing(evidence):
        return estimates.log_prob(cast(Stack, model), proposal, evidence)
    if not evidence.weights or model.ability.weighted:
        error = None if model.ability.rows else cast(Guess, model).row_error(evidence)
        return Estimate(model.log_prob(evidence), error)
    spread = _spread(model, evidence)
    return Estimate(np.logaddexp.reduce(spread.log_weights, axis=1), spread.error)


def log_given(model: Model, codes: Codes, seen: Mask, question: Stated) -> Estimate:
    """Log p(asked cells | given cells) of each row, (rows,), nats; cells without a value out.

    A stated question is answered by its own members in rows that have its cells; else it is
    the ratio of two probabilities.
    """
    own = model.of(question) if isinstance(model, StatedQuestions) else None
    able = np.zeros(len(seen), np.bool_)
    value, asked, given = np.empty(len(seen)), *question.cells(seen.shape[1])
    if own is not None:
        able = question.answered(seen, own.most_gaps)
        value[able] = own.log_given(codes[able], seen[able])
    below = log_prob(model, Evidence(codes[~able], seen[~able] & given))
    above = log_prob(model, Evidence(codes[~able], seen[~able] & (asked | given)))
    value[~able] = above.value - below.value
    squares = [e.error**2 for e in (above, below) if e.error is not None and len(e.error)]
    error = np.sqrt(np.sum(squares, axis=0)) if squares else None
    whole, reason = _worth(question, seen[able]) if able.any() else (False, "")
    worth = estimates.together((above, below)).effective
    return Estimate(value, error, worth, whole and bool(able.all()), reason)


def _worth(question: Stated, seen: Mask) -> tuple[bool, str]:
    """Say whether a question's own members answer rows exactly, and why not."""
    whole = bool(seen[:, list(question.given)].all())
    return whole, "" if whole else GAPS_ENTERED


def worth_of_cells(model: Model, evidence: Evidence, col: int) -> tuple[bool, str]:
    """Say whether a column is what a stated question asks and exact, and why not."""
    if not isinstance(model, StatedQuestions) or evidence.weights:
        return False, ""
    for own in model.questions:
        met = own.met(evidence.seen)
        if own.question.asked == (col,) and met.any():
            whole, reason = _worth(own.question, evidence.seen[met])
            return whole and bool(met.all()), reason
    return False, ""


def conditional(model: Model, evidence: Evidence) -> Estimate:
    """Log-probabilities of every cell given the event, one at a time, (rows, flat)."""
    if (proposal := proposal_of(model, evidence)) is not None:
        return estimates.conditional(cast(Stack, model), proposal, evidence)
    if not evidence.weights or model.ability.weighted:
        return Estimate(np.asarray(model.conditional(evidence), np.float64))
    spread = _spread(model, evidence)
    posterior = spread.log_weights - np.logaddexp.reduce(spread.log_weights, axis=1)[:, None]
    rows, values = posterior.shape
    out = np.asarray(model.conditional(spread.evidence), np.float64).reshape(rows, values, -1)
    return Estimate(np.logaddexp.reduce(out + posterior[:, :, None], axis=1), spread.error)


def sample(model: Model, evidence: Evidence, rng: np.random.Generator) -> Codes:
    """Draw the unseen and weighted cells of each row jointly."""
    proposal = proposal_of(model, evidence)
    if proposal is not None and not says_nothing(evidence):
        return estimates.sample(cast(Stack, model), proposal, evidence, rng)
    if not evidence.weights or model.ability.weighted:
        return model.sample(evidence, rng)
    first = all_same(evidence)
    spread = _spread(model, evidence.rows(slice(0, 1)) if first else evidence)
    logits = np.repeat(spread.log_weights, evidence.n_rows, axis=0) if first else spread.log_weights
    # The largest of logits plus Gumbel noise is a draw from their softmax.
    chosen = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
    if not first:
        chosen += np.arange(evidence.n_rows) * logits.shape[1]
    return model.sample(spread.evidence.rows(chosen), rng)


def _spread(model: Model, evidence: Evidence) -> _Spread:
    possible = {c: np.flatnonzero(np.isfinite(w).any(axis=0)) for c, w in evidence.weights.items()}
    n_values = int(np.prod([len(p) for p in possible.values()], dtype=float))
    if n_values <= MOST_COMBINATIONS:
        return _enumerate(model, evidence, possible)
    return _draw(model, evidence)


def _enumerate(model: Model, evidence: Evidence, possible: dict[int, NDArray[np.intp]]) -> _Spread:
    columns = list(possible)
    grid = np.stack([g.ravel() for g in np.meshgrid(*possible.values(), indexing="ij")])
    rows, values = evidence.n_rows, grid.shape[1]
    codes = np.repeat(evidence.codes, values, axis=0)
    seen = np.repeat(evidence.seen, values, axis=0)
    log_weights = np.zeros((rows, values))
    for column, chosen in zip(columns, grid, strict=True):
        codes[:, column] = np.tile(chosen, rows)
        seen[:, column] = True
        log_weights += evidence.weights[column][:, chosen]
    single = Evidence(codes, seen)
    log_weights += model.log_prob(single).reshape(rows, values)
    return _Spread(single, log_weights, None)


def _draw(model: Model, evidence: Evidence) -> _Spread:
    rng = np.random.default_rng(0)  # the same question has the same answer
    rows = evidence.n_rows
    codes = np.repeat(evidence.codes, DRAWS, axis=0)
    seen = np.repeat(evidence.seen, DRAWS, axis=0)
    base = model.log_prob(Evidence(evidence.codes, evidence.seen))
    ratio = np.zeros(rows * DRAWS)
    for column, weight in evidence.weights.items():
        given = model.conditional(Evidence(codes, seen))[:, model.layout.slices[column]]
        logits = given + (weight if len(weight) == 1 else np.repeat(weight, DRAWS, axis=0))
        total = np.logaddexp.reduce(logits.astype(np.float64), axis=1)
        ratio += total
        codes[:, column] = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)
        seen[:, column] = True
    ratio = ratio.reshape(rows, DRAWS)
    scaled = np.exp(ratio - ratio.max(axis=1, keepdims=True))
    error = scaled.std(axis=1) / scaled.mean(axis=1) / np.sqrt(DRAWS)
    log_weights = ratio - np.log(DRAWS) + base[:, None]
    return _Spread(Evidence(codes, seen), log_weights, error)
