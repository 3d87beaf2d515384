"""Weights of a convex mixture of fitted models, by EM on validation rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

TOO_SMALL = 0.03  # less cost all its time and gained nothing on unseen rows (adult: 0.0000 nats)
PSEUDO_COUNT = 1.0


def stack_weights(log_probs: Matrix, *, rounds: int = 2_000) -> Matrix:
    r"""Weights w that maximise the validation likelihood of a mixture of fixed models.

    .. math:: \sum_n \log \sum_m w_m p_m(x_n) + \alpha \sum_m \log w_m

    The objective is concave, so EM cannot end in a wrong place. The pseudo-count α keeps
    few validation rows from giving all the weight to one member. Members that end below
    `TOO_SMALL` are dropped and the others fitted again.

    Args:
        log_probs: log-likelihood of each validation row under each member, (rows,
            members), nats; −inf where a member excludes a row.
        rounds: of EM, at most; it ends when the weights stand still.

    Returns:
        (members,), at least 0, sum 1.

    Cost:
        O(rounds · rows · members).

    References:
        Smyth and Wolpert 1999, Linearly combining density estimators via stacking.

    """
    n_members = log_probs.shape[1]
    kept = np.arange(n_members)
    while True:
        found = _em(log_probs[:, kept], rounds)
        weak = found < TOO_SMALL
        if not weak.any() or len(kept) == 1:
            break
        # One at a time: twins share their weight, and the one that stays takes it all.
        kept = np.delete(kept, found.argmin())
    weights = np.zeros(n_members)
    weights[kept] = found
    return weights


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
