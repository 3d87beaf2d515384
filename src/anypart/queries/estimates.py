r"""Parts under a mixture that cannot sum them: importance sampling from its exact members.

Let :math:`q` be the mixture of the members that answer any part exactly, with weight
:math:`w` in the whole, and :math:`r(x) = \sum_{m \notin q} w_m p_m(x) / q(x)` what the other
members make of a complete row. With rows drawn from q given the event e,

.. math:: p(e) = q(e) \big( w + E_{x \sim q(\cdot | e)}[r(x)] \big), \qquad
    p(x_c = k | e) = \frac{w\, q(x_c = k | e) + E[r(x) 1_{x_c = k}]}{w + E[r(x)]}

Only complete rows are asked of the others, which all families answer exactly; what q knows
is not estimated, and neither is a single unseen cell, whose values all members can be asked.
Every number comes with its standard error and the effective number of draws,
:math:`(\sum T)^2 / \sum T^2` with :math:`T = w + r`: a proposal that is far from the other
members is seen in both.

References:
    Owen 2013, Monte Carlo theory, methods and examples, chapter 9 (self-normalised
    importance sampling, its variance, effective sample size).

"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Model
from anypart.models.single_gaps import fill_single_gaps
from anypart.models.stack import Stack, log_sum

Reals = NDArray[np.float64]

MOST_DRAWS = 4_096  # for one row
LEAST_DRAWS = 64  # for each of many rows
ROWS_TOGETHER = 65_536  # drawn rows of a block
CANDIDATES = 32  # for each row of a sample


@dataclass(frozen=True)
class Estimate:
    """Numbers and what they are worth.

    Args:
        value: log-probabilities, nats.
        error: standard errors, None if nothing was drawn: (rows,) of the logarithm of the
            event's probability, or (rows, flat) of each category's probability.
        effective: (rows,) effective number of draws; None if nothing was drawn or it is
            not known.
        whole: whether all members answer this exactly: complete rows, a stated question.
        reason: why the way it was found is not exact, whatever the model.

    """

    value: Reals
    error: Reals | None = None
    effective: Reals | None = None
    whole: bool = False
    reason: str = ""

    def error_at(self, place: slice) -> Reals | None:
        """Return the largest error of the categories of a column, (rows,)."""
        if self.error is None or self.error.ndim == 1:
            return self.error
        return self.error[:, place].max(axis=1)


def together(some: Sequence[Estimate]) -> Estimate:
    """Join what several estimates are worth, blocks of rows one after another."""
    errors = [e.error for e in some if e.error is not None]
    effective = [e.effective for e in some if e.effective is not None]
    return Estimate(
        np.zeros(0),
        np.concatenate(errors) if errors else None,
        np.concatenate(effective) if effective else None,
    )


@dataclass(frozen=True)
class _Draws:
    """Complete rows drawn for some rows of evidence.

    Args:
        codes: (rows · draws, cols).
        log_event: (rows,) log q(e).
        share: w.
        ratio: (rows, draws) r.

    """

    codes: Codes
    log_event: Reals
    share: float
    ratio: Reals

    @property
    def total(self) -> Reals:
        return self.share + self.ratio

    def effective(self) -> Reals:
        total = self.total
        return total.sum(axis=1) ** 2 / np.maximum((total**2).sum(axis=1), 1e-300)

    def error(self) -> Reals:
        """Standard error of the logarithm of p(e), by the delta method."""
        total = self.total
        return total.std(axis=1, ddof=1) / total.mean(axis=1) / np.sqrt(total.shape[1])


def proposal_of(model: Model, evidence: Evidence) -> Stack | None:
    """Return the exact members to draw from, None if the model answers by itself.

    It does if it sums any part, if all rows are complete, or if it has no exact member.
    """
    if model.ability.any_part or not isinstance(model, Stack) or evidence.seen.all():
        return None
    return model.proposal


def says_nothing(evidence: Evidence) -> bool:
    """Whether nothing is known of any row: probability 1, and samples follow the model."""
    return not evidence.seen.any() and not evidence.weights


def _draw(
    model: Stack, proposal: Stack, evidence: Evidence, n: int, rng: np.random.Generator
) -> _Draws:
    whole = np.repeat(np.arange(evidence.n_rows), n)
    codes = proposal.sample(evidence.rows(whole), rng)
    drawn = Evidence(codes, np.ones(codes.shape, np.bool_))
    others, log_weights, share = model.not_exact()
    logs = np.stack([m.log_prob(drawn) for m in others]) + log_weights[:, None]
    ratio = np.exp(log_sum(logs, 0) - proposal.log_prob(drawn)).reshape(-1, n)
    return _Draws(codes, proposal.log_prob(evidence), share, ratio)


def _possible(proposal: Stack, evidence: Evidence) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Cut the rows that the proposal can draw for into blocks; with the draws of each."""
    rows = np.flatnonzero(np.isfinite(proposal.log_prob(evidence)))
    n = int(np.clip(ROWS_TOGETHER // max(len(rows), 1), LEAST_DRAWS, MOST_DRAWS))
    size = max(ROWS_TOGETHER // n, 1)
    for start in range(0, len(rows), size):
        yield rows[start : start + size], n


def log_prob(model: Stack, proposal: Stack, evidence: Evidence) -> Estimate:
    """Estimate the log-probability of each row's event, (rows,).

    An event that no exact member can explain has no draws, and −inf.
    """
    value = np.full(evidence.n_rows, -np.inf)
    error, effective = np.zeros(evidence.n_rows), np.zeros(evidence.n_rows)
    rng = np.random.default_rng(0)  # the same question has the same answer
    for rows, n in _possible(proposal, evidence):
        draws = _draw(model, proposal, evidence.rows(rows), n, rng)
        value[rows] = draws.log_event + np.log(draws.total.mean(axis=1))
        error[rows], effective[rows] = draws.error(), draws.effective()
    whole = np.flatnonzero(evidence.seen.all(axis=1))
    if len(whole):  # these need no draws
        value[whole] = model.log_prob(evidence.rows(whole))
        error[whole], effective[whole] = 0.0, np.inf
    return Estimate(value, error, effective)


def conditional(model: Stack, proposal: Stack, evidence: Evidence) -> Estimate:
    """Estimate the log-probabilities of every cell given the event, (rows, flat).

    A row with one unseen cell needs no draws: each of the cell's values makes it complete.

    Raises:
        QuestionError: the event of a row is impossible for every exact member.

    """
    value = np.empty((evidence.n_rows, model.layout.total))
    error, effective = np.zeros_like(value), np.full(evidence.n_rows, np.inf)
    many = np.arange(evidence.n_rows)
    if not evidence.weights:
        with np.errstate(invalid="ignore"):  # an impossible row; the proposal says so below
            value[:], many = fill_single_gaps(model, evidence)
        many = np.union1d(many, np.flatnonzero(np.isnan(value).any(axis=1)))
    value[many] = proposal.conditional(evidence.rows(many))
    rng = np.random.default_rng(0)
    for some, n in _possible(proposal, evidence.rows(many)):
        rows = many[some]
        draws = _draw(model, proposal, evidence.rows(rows), n, rng)
        effective[rows] = draws.effective()
        for col, place in enumerate(model.layout.slices):
            part, error[rows, place] = _cell(draws, col, np.exp(value[rows, place]))
            with np.errstate(divide="ignore"):
                value[rows, place] = np.log(part)
    return Estimate(value, error, effective)


def _cell(draws: _Draws, col: int, known: Reals) -> tuple[Reals, Reals]:
    """Probabilities of one column and their standard errors, (rows, cats) each."""
    n_rows, n = draws.ratio.shape
    n_cats = known.shape[1]
    codes = draws.codes[:, col].reshape(n_rows, n)
    place = (np.arange(n_rows)[:, None] * n_cats + codes).ravel()

    def by_code(numbers: Reals) -> Reals:
        return np.bincount(place, numbers.ravel(), n_rows * n_cats).reshape(n_rows, n_cats) / n

    total = draws.total.mean(axis=1, keepdims=True)
    found = (draws.share * known + by_code(draws.ratio)) / total
    # The variance of w·known + r·1 − found·T over the draws; r·1 is r at its own code only.
    first, mean_square = by_code(draws.ratio**2), (draws.total**2).mean(axis=1, keepdims=True)
    crossed = by_code(draws.ratio * draws.total)
    fixed = draws.share * known
    square = fixed**2 + first + found**2 * mean_square + 2 * fixed * by_code(draws.ratio)
    square -= 2 * found * (fixed * total + crossed)
    return found, np.sqrt(np.maximum(square, 0) / n) / total


def sample(model: Stack, proposal: Stack, evidence: Evidence, rng: np.random.Generator) -> Codes:
    """Choose each row's draw among candidates of the proposal, by what all members make of them.

    Rows with the same evidence share their candidates, `CANDIDATES` for each row, so that
    the choice hardly differs from a draw of the mixture; a row by itself has as many.

    References:
        Rubin 1988, Using the SIR algorithm to simulate posterior distributions.

    """
    found = np.empty(evidence.codes.shape, np.int32)
    same, size = all_same(evidence), ROWS_TOGETHER // CANDIDATES
    for start in range(0, evidence.n_rows, size):
        rows = slice(start, start + size)
        draws = _draw(model, proposal, evidence.rows(rows), CANDIDATES, rng)
        levels = np.cumsum(draws.total.ravel() if same else draws.total, axis=-1)
        mark = rng.random((len(draws.ratio), 1)) * levels[..., -1:]
        if same:
            chosen = np.searchsorted(levels, mark[:, 0], side="right")
        else:
            chosen = np.minimum((levels <= mark).sum(axis=1), CANDIDATES - 1)
            chosen += np.arange(len(levels)) * CANDIDATES
        found[rows] = draws.codes[np.minimum(chosen, len(draws.codes) - 1)]
    return found


def all_same(evidence: Evidence) -> bool:
    """Whether every row says the same."""
    if any(len(w) > 1 for w in evidence.weights.values()):
        return False
    same_seen = (evidence.seen == evidence.seen[:1]).all()
    return bool(same_seen and (evidence.codes == evidence.codes[:1])[evidence.seen].all())
