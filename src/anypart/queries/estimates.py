r"""Parts under a mixture that cannot sum them: importance sampling from its exact members.

Let :math:`q` be the mixture of the members that answer any part exactly, with weight
:math:`w` in the whole, and :math:`r(x) = \sum_{m \notin q} w_m p_m(x) / q(x)` what the other
members make of a complete row. With rows drawn from q given the event e,

.. math:: p(e) = q(e) \big( w + E_{x \sim q(\cdot | e)}[r(x)] \big), \qquad
    p(x_c = k | e) = \frac{w\, q(x_c = k | e) + E[r(x) 1_{x_c = k}]}{w + E[r(x)]}

Only complete rows are asked of the others, which all families answer exactly; what q knows
is not estimated, and neither is a part that as many complete rows share as would be drawn:
each of them is asked for (`completions`). Every number comes with its standard error and the
effective number of draws, :math:`(\sum T)^2 / \sum T^2` with :math:`T = w + r`: a proposal
that is far from the other members is seen in both.

Draws in which a large r is rare mostly miss it, and are then low and of little spread at
once. To second order the mean of n such draws, over its estimated error, exceeds x as often
as a normal one exceeds :math:`x - \gamma (2 x^2 + 1) / (6 \sqrt n)`, with the skewness
:math:`\gamma`. Errors are wider by so much at x = 1.96, to both sides: the share of answers
within 1.96 of them is 95 % or somewhat more.

References:
    Owen 2013, Monte Carlo theory, methods and examples, chapter 9 (self-normalised
    importance sampling, its variance, effective sample size).
    Hall 1992, The bootstrap and Edgeworth expansion, chapter 2 (the studentised mean).

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Model
from anypart.models.stack import Stack, log_sum
from anypart.queries import completions

Reals = NDArray[np.float64]

MOST_DRAWS = 4_096  # for one row
LEAST_DRAWS = 256  # for each of many rows
ROWS_TOGETHER = 65_536  # drawn rows of a block
CANDIDATES = 32  # for each row of a sample
NORMAL = 1.96  # the normal quantile at which 95 of 100 lie between it and its negative


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
        mean = total.mean(axis=1, keepdims=True)
        second, third = (((total - mean) ** power).mean(axis=1) for power in (2, 3))
        return _error_of_mean(second, third, total.shape[1]) / mean[:, 0]


def _error_of_mean(second: Reals, third: Reals, n: int) -> Reals:
    """Widen the standard error of a mean of n draws for their skewness.

    Args:
        second: their second central moment.
        third: their third.
        n: how many.

    """
    spread = np.sqrt(np.maximum(second, 0.0))
    cube, error = spread**3, spread / np.sqrt(n - 1)
    skewness = np.divide(np.abs(third), cube, out=np.zeros_like(cube), where=cube > 0)
    return error * (1 + skewness * (2 * NORMAL**2 + 1) / (6 * NORMAL * np.sqrt(n)))


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


def _draws_each(n_rows: int) -> int:
    return int(np.clip(ROWS_TOGETHER // max(n_rows, 1), LEAST_DRAWS, MOST_DRAWS))


def _blocks(rows: NDArray[np.intp], lines: Reals | int) -> list[NDArray[np.intp]]:
    """Cut rows into blocks of about `ROWS_TOGETHER` lines, of which each row has its own number."""
    ends = np.cumsum(np.broadcast_to(lines, rows.shape)) // ROWS_TOGETHER
    return np.split(rows, np.flatnonzero(np.diff(ends)) + 1) if len(rows) else []


def log_prob(model: Stack, proposal: Stack, evidence: Evidence) -> Estimate:
    """Estimate the log-probability of each row's event, (rows,).

    Where no more complete rows share it than would be drawn, it is their sum. An event that
    no exact member can explain has no draws, and −inf.
    """
    value = np.full(evidence.n_rows, -np.inf)
    error, effective = np.zeros(evidence.n_rows), np.full(evidence.n_rows, np.inf)
    n = _draws_each(evidence.n_rows)
    ways = completions.count(model.layout, evidence)
    few = ways <= n
    for rows in _blocks(np.flatnonzero(few), ways[few]):
        value[rows] = completions.log_prob(model, evidence.rows(rows))
    possible = ~few & np.isfinite(proposal.log_prob(evidence))
    effective[~few & ~possible] = 0.0
    rng = np.random.default_rng(0)  # the same question has the same answer
    for rows in _blocks(np.flatnonzero(possible), n):
        draws = _draw(model, proposal, evidence.rows(rows), n, rng)
        value[rows] = draws.log_event + np.log(draws.total.mean(axis=1))
        error[rows], effective[rows] = draws.error(), draws.effective()
    return Estimate(value, error, effective)


def conditional(model: Stack, proposal: Stack, evidence: Evidence) -> Estimate:
    """Estimate the log-probabilities of every cell given the event, (rows, flat).

    Where no more complete rows share it than would be drawn, or only one cell is unseen,
    they are sums.

    Raises:
        QuestionError: the event of a row is impossible for every exact member.

    """
    value = np.empty((evidence.n_rows, model.layout.total))
    error, effective = np.zeros_like(value), np.full(evidence.n_rows, np.inf)
    n, ways = _draws_each(evidence.n_rows), completions.count(model.layout, evidence)
    few = (ways <= n) | ((~evidence.seen).sum(axis=1) == 1)
    for rows in _blocks(np.flatnonzero(few), ways[few]):
        value[rows] = completions.conditional(model, evidence.rows(rows))
    few &= ~np.isnan(value).any(axis=1)  # an impossible row; the proposal says so below
    many = np.flatnonzero(~few)
    value[many] = proposal.conditional(evidence.rows(many))
    rng = np.random.default_rng(0)
    for rows in _blocks(many, n):
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

    total = draws.total
    mean, fixed = total.mean(axis=1, keepdims=True), draws.share * known
    found = (fixed + by_code(draws.ratio)) / mean
    # What a draw adds, w·known − found·T, and r more at its own code; its mean is 0.
    at = (np.arange(n_rows)[:, None], codes)
    plain = fixed[at] - found[at] * total

    def moment(power: int) -> Reals:
        others = sum(
            comb(power, j) * fixed ** (power - j) * (-found) ** j * (total**j).mean(1)[:, None]
            for j in range(power + 1)
        )
        return others + by_code((plain + draws.ratio) ** power - plain**power)

    return found, _error_of_mean(moment(2), moment(3), n) / mean


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
