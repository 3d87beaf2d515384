r"""Parts under a mixture that cannot sum them: importance sampling.

Let :math:`q` be the mixture of the members that answer any part exactly, with weight
:math:`w` in the whole, and r(x) what the others make of a complete row that was drawn given
the event e, by q or by themselves (`proposals`):

.. math:: p(e) = q(e) \big( w + E[r(x)] \big), \qquad
    p(x_c = k | e) = \frac{w\, q(x_c = k | e) + E[r(x) 1_{x_c = k}]}{w + E[r(x)]}

Only complete rows are asked of the others, which all families answer exactly; what q knows
is not estimated, and neither is a part that as many complete rows share as would be drawn:
each of them is asked for (`completions`). Every number comes with its standard error, by the
spread of each kind of draws, and the effective number of draws, :math:`(\sum T)^2 / \sum T^2`
with :math:`T = w + r`. Where few count, more are drawn.

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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Model
from anypart.models.stack import Stack
from anypart.queries import completions
from anypart.queries.proposals import Draws, draw

Reals = NDArray[np.float64]
Moments = tuple[Reals, Reals]  # second and third, about the mean

MOST_DRAWS = 4_096  # for one row
LEAST_DRAWS = 256  # for each of many rows
ROWS_TOGETHER = 65_536  # drawn rows of a block
FEW_DRAWS = 30.0  # effective ones; fewer do not tell their own spread
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


def _log_error(draws: Draws) -> Reals:
    """Standard error of the logarithm of p(e), (rows,), by the delta method."""
    total, moments = draws.total, list[Moments]()
    for part in draws.parts:
        away = total[:, part] - total[:, part].mean(axis=1, keepdims=True)
        moments.append(((away**2).mean(axis=1), (away**3).mean(axis=1)))
    return _error_of_mean(moments, draws.parts) / total.mean(axis=1)


def _error_of_mean(moments: Sequence[Moments], parts: Sequence[slice]) -> Reals:
    """Standard error of the mean of draws of several kinds, widened for their skewness.

    Args:
        moments: second and third central moments of each kind.
        parts: its places among the draws, at least two.

    """
    sizes = [part.stop - part.start for part in parts]
    n, pairs = sum(sizes), list(zip(sizes, moments, strict=True))
    second = sum((k / n * k / (k - 1) * of[0] for k, of in pairs), np.zeros(1))
    third = sum((k / n * of[1] for k, of in pairs), np.zeros(1))
    spread = np.sqrt(np.maximum(second, 0.0))
    cube = spread**3
    skewness = np.divide(np.abs(third), cube, out=np.zeros_like(cube), where=cube > 0)
    return spread / np.sqrt(n) * (1 + skewness * (2 * NORMAL**2 + 1) / (6 * NORMAL * np.sqrt(n)))


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


def _draws_each(n_rows: int) -> int:
    return int(np.clip(ROWS_TOGETHER // max(n_rows, 1), LEAST_DRAWS, MOST_DRAWS))


def _blocks(rows: NDArray[np.intp], lines: Reals | int) -> list[NDArray[np.intp]]:
    """Cut rows into blocks of about `ROWS_TOGETHER` lines, of which each row has its own number."""
    ends = np.cumsum(np.broadcast_to(lines, rows.shape)) // ROWS_TOGETHER
    return np.split(rows, np.flatnonzero(np.diff(ends)) + 1) if len(rows) else []


def _rounds(
    rows: NDArray[np.intp], n: int, effective: Reals
) -> Iterator[tuple[NDArray[np.intp], int]]:
    """Yield blocks of rows and the draws for each; where few of them count, once more with more.

    Args:
        rows: that are drawn for.
        n: draws of each.
        effective: (all rows,) filled between by who draws.

    """
    for block in _blocks(rows, n):
        yield block, n
    poor = rows[effective[rows] < FEW_DRAWS]
    more = min(n * len(rows) // max(len(poor), 1), MOST_DRAWS)  # together as many draws again
    if more > n:
        for block in _blocks(poor, more):
            yield block, more


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
    for rows, each in _rounds(np.flatnonzero(possible), n, effective):
        draws = draw(model, proposal, evidence.rows(rows), each, rng)
        value[rows] = draws.log_event + np.log(draws.total.mean(axis=1))
        error[rows], effective[rows] = _log_error(draws), draws.effective()
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
    rng = np.random.default_rng(0)
    for rows, each in _rounds(many, n, effective):
        known = np.exp(proposal.conditional(evidence.rows(rows)).astype(np.float64))
        draws = draw(model, proposal, evidence.rows(rows), each, rng)
        effective[rows] = draws.effective()
        for col, place in enumerate(model.layout.slices):
            part, error[rows, place] = _cell(draws, col, known[:, place])
            with np.errstate(divide="ignore"):
                value[rows, place] = np.log(part)
    return Estimate(value, error, effective)


def _cell(draws: Draws, col: int, known: Reals) -> tuple[Reals, Reals]:
    """Probabilities of one column and their standard errors, (rows, cats) each."""
    codes, n_cats = draws.codes[:, col].reshape(draws.ratio.shape), known.shape[1]
    mean = draws.total.mean(axis=1, keepdims=True)
    found = (draws.share * known + _by_code(draws.ratio, codes, n_cats)) / mean
    moments = [
        _cell_moments(draws.total[:, part], draws.ratio[:, part], codes[:, part], found)
        for part in draws.parts
    ]
    return found, _error_of_mean(moments, draws.parts) / mean


def _by_code(numbers: Reals, codes: Codes, n_cats: int) -> Reals:
    """Mean over the draws of what each adds at its own code, (rows, cats)."""
    n_rows, n = codes.shape
    place = (np.arange(n_rows)[:, None] * n_cats + codes).ravel()
    return np.bincount(place, numbers.ravel(), n_rows * n_cats).reshape(n_rows, n_cats) / n


def _cell_moments(total: Reals, ratio: Reals, codes: Codes, found: Reals) -> Moments:
    """Second and third central moments of what draws of one kind add, (rows, cats) each.

    A draw adds −found·T, and r more at its own code.
    """
    n_cats, means = found.shape[1], [(total**j).mean(axis=1, keepdims=True) for j in range(4)]
    centre = _by_code(ratio, codes, n_cats) - found * means[1]
    at = (np.arange(len(codes))[:, None], codes)
    plain = -centre[at] - found[at] * total

    def moment(power: int) -> Reals:
        others = sum(
            (comb(power, j) * (-centre) ** (power - j) * (-found) ** j * means[j]
             for j in range(power + 1)),
            np.zeros_like(found),
        )  # fmt: skip
        return others + _by_code((plain + ratio) ** power - plain**power, codes, n_cats)

    return moment(2), moment(3)


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
        draws = draw(model, proposal, evidence.rows(rows), CANDIDATES, rng)
        levels = np.cumsum(draws.weight.ravel() if same else draws.weight, axis=-1)
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
