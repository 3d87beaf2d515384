"""Weights of a convex mixture of fitted models, by EM on validation rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

LEAST_GAIN = 0.02  # nats per row that a member must add: every question pays for its time
LEAST_SHARE = 0.001  # or this share of a row's nats, if that is less
LEAST_GAIN_DENSITY = 0.001  # where likelihood is all, or that of one question
SURE = 2.0  # standard errors: few rows do not prove that a member adds nothing
PSEUDO_COUNT = 1.0
FEW_ROUNDS = 20  # of EM, to see who is missed


def stack_weights(
    log_probs: Matrix,
    *,
    least_gain: float = LEAST_GAIN,
    costs: Sequence[float] = (),
    rounds: int = 2_000,
) -> Matrix:
    r"""Weights w that maximise the validation likelihood of a mixture of fixed models.

    .. math:: \sum_n \log \sum_m w_m p_m(x_n) + \alpha \sum_m \log w_m

    The objective is concave, so EM cannot end in a wrong place. The pseudo-count α keeps
    few validation rows from giving all the weight to one member. While the others surely lose
    less than its price without a member, one such is dropped: the costliest, and of equal
    ones the least missed. A member of mean cost or more has the price `least_gain`, one that
    costs half the mean has half of it.

    Args:
        log_probs: log-likelihood of each validation row under each member, (rows,
            members), nats; −inf where a member excludes a row.
        least_gain: nats per row, at least 0.
        costs: of asking each member, in any unit; equal if not given.
        rounds: of EM, at most; it ends when the weights stand still.

    Returns:
        (members,), at least 0, sum 1.

    Cost:
        O(rounds · rows · members²).

    References:
        Smyth and Wolpert 1999, Linearly combining density estimators via stacking.

    """
    weights = np.zeros(log_probs.shape[1])
    # Rows that no member can explain do not say which to keep.
    log_probs = log_probs[np.isfinite(log_probs).any(axis=1)]
    kept = np.arange(len(weights))
    paid = np.asarray(costs if len(costs) else np.ones(len(weights)), np.float64)
    prices = least_gain * np.minimum(paid / max(float(paid.mean()), 1e-300), 1)
    found = _em(log_probs, rounds)
    while len(kept) > 1:
        going = _first_to_go(log_probs[:, kept], found, prices[kept], paid[kept])
        fewer = np.delete(kept, going)
        again = _em(log_probs[:, fewer], rounds)
        before = mixture_log_prob(log_probs[:, kept], found)
        lost = before - mixture_log_prob(log_probs[:, fewer], again)
        if not _surely(lost) <= prices[kept[going]]:
            break
        kept, found = fewer, again
    weights[kept] = found
    return weights


def least_gain_of(log_probs: Matrix) -> float:
    """Choose what a member of any-part answers must add, for rows of so many nats.

    Args:
        log_probs: as in `stack_weights`.

    Example:
        >>> [least_gain_of(np.full((9, 2), nats)) for nats in (-6.0, -240.0)]
        [0.006, 0.02]

    """
    best = log_probs.max(axis=1)
    known = best[np.isfinite(best)]
    return min(LEAST_GAIN, LEAST_SHARE * abs(float(known.mean()))) if len(known) else LEAST_GAIN


def _surely(lost: Matrix) -> float:
    """What is lost per row at most, but for chance."""
    with np.errstate(invalid="ignore"):  # what excludes a row is infinitely missed
        return float(lost.mean() + SURE * lost.std() / len(lost) ** 0.5)


def _first_to_go(log_probs: Matrix, weights: Matrix, prices: Matrix, paid: Matrix) -> int:
    """Find the costliest member that is not missed, or the one that is missed least.

    The others' weights make a few steps only: more could only make the loss smaller.
    """
    everyone = mixture_log_prob(log_probs, weights)
    losses: list[Matrix] = []
    for i in range(len(weights)):
        others = np.delete(log_probs, i, axis=1)
        losses.append(everyone - mixture_log_prob(others, _em(others, FEW_ROUNDS)))
    needless = [i for i, lost in enumerate(losses) if _surely(lost) <= prices[i]]
    return min(
        needless or range(len(losses)),
        key=lambda i: (-paid[i] if needless else 0.0, losses[i].sum()),
    )


def _em(log_probs: Matrix, rounds: int) -> Matrix:
    n_rows, n_members = log_probs.shape
    top = log_probs.max(1, keepdims=True, initial=-np.inf)
    likely = np.exp(log_probs - np.where(np.isfinite(top), top, 0))  # (rows, members)
    weights = np.full(n_members, 1 / n_members)
    for _ in range(rounds):
        joint = likely * weights
        total = joint.sum(1, keepdims=True)
        share = np.divide(joint, total, out=np.full_like(joint, 1 / n_members), where=total > 0)
        new = (share.sum(0) + PSEUDO_COUNT) / (n_rows + PSEUDO_COUNT * n_members)
        moved = float(np.abs(new - weights).max())
        weights = new
        if moved < 1e-7:
            break
    return weights / weights.sum()


def mixture_log_prob(log_probs: Matrix, weights: Matrix) -> Matrix:
    """Log-likelihood of each row under the mixture, (rows,), nats."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp.reduce(log_probs + np.log(weights), axis=1))
