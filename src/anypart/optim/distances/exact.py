r"""Distances d(p, q) between probabilities of the same cells, exactly; the direction in the name.

p is the data (or what is true), q the model. All functions work along the last axis, so
many pairs are measured at once, in nats where there is a logarithm.

References:
    Ermon & Grover, CS236 "Introduction" (d is a choice, and need not be a metric).
    Lin 1991 (Jensen-Shannon). Gretton et al. 2012 (MMD).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError

Reals = NDArray[np.float64]
NEAR = 0.5  # of q/p to 1: within it a difference of logarithms would lose digits


def probabilities(p: Any, name: str = "p") -> Reals:
    """Take numbers as probabilities along the last axis.

    Raises:
        QuestionError: a number is negative or not finite, or they do not sum to 1.

    Example:
        >>> probabilities([0.5, 0.6])
        Traceback (most recent call last):
        anypart.base.errors.QuestionError: p sums to 1.1, not to 1. Divide it by its sum.
    """
    out = np.asarray(p, np.float64)
    if not out.shape or not out.shape[-1]:
        raise QuestionError(f"{name} has no cells. Give the probability of at least one.")
    if not np.isfinite(out).all() or (out < 0).any():
        raise QuestionError(f"{name} holds a number that is no probability. Give finite ones ≥ 0.")
    total = out.sum(axis=-1)
    if (worst := total.flat[np.abs(total - 1).argmax()]) and abs(worst - 1) > 1e-8:
        raise QuestionError(f"{name} sums to {worst:.6g}, not to 1. Divide it by its sum.")
    return out / total[..., None]


def _pair(p: Any, q: Any) -> tuple[Reals, Reals]:
    left, right = probabilities(p, "p"), probabilities(q, "q")
    if left.shape[-1] != right.shape[-1]:
        raise QuestionError(
            f"p has {left.shape[-1]} cells and q {right.shape[-1]}. Give both over the same cells."
        )
    return left, right


def _kl(p: Reals, q: Reals) -> Reals:
    # Σ p (t − log(1 + t)) with t = q/p − 1: no term is negative, so nothing cancels, and
    # equal distributions are at exactly 0. Far from 1 the ratio is a difference of logarithms:
    # t would round to −1 where q is small, and a large distance would become infinite.
    # Where p has nothing, Σ (q − p) has q.
    p, q = np.broadcast_arrays(p, q)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = (q - p) / p
        near = p * (t - np.log1p(t))
        far = p * (np.log(p) - np.log(q)) + (q - p)
    terms = np.where(np.abs(t) < NEAR, near, far)
    return np.where(p > 0, terms, q).sum(axis=-1)


def entropy(p: Any) -> Reals:
    """Σ −p log p, nats; 0 for a certain cell."""
    p = probabilities(p)
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum(axis=-1)


def cross_entropy(p: Any, q: Any) -> Reals:
    """Σ −p log q, nats: what a model q costs on rows of p; infinite where q excludes a row."""
    p, q = _pair(p, q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(p > 0, -p * np.log(q), 0.0).sum(axis=-1)


def forward_kl(p: Any, q: Any) -> Reals:
    r"""KL(p‖q) = Σ p log(p/q), nats: what maximum likelihood minimises; mode-covering.

    Infinite if q excludes what p has.

    Example:
        >>> p, q = [0.5, 0.5, 0.0], [0.4, 0.4, 0.2]
        >>> float(forward_kl(p, q).round(4)), float(forward_kl(q, p))
        (0.2231, inf)
    """
    return _kl(*_pair(p, q))


def reverse_kl(p: Any, q: Any) -> Reals:
    """KL(q‖p), nats: mode-seeking; infinite if q has what p excludes."""
    p, q = _pair(p, q)
    return _kl(q, p)


def jensen_shannon(p: Any, q: Any) -> Reals:
    """½ KL(p‖m) + ½ KL(q‖m) with m = (p + q)/2, nats, at most ln 2; what a judge can tell."""
    p, q = _pair(p, q)
    middle = (p + q) / 2
    return (_kl(p, middle) + _kl(q, middle)) / 2


def total_variation(p: Any, q: Any) -> Reals:
    """½ Σ |p − q|, in [0, 1]: the largest difference in the probability of any event."""
    p, q = _pair(p, q)
    return np.abs(p - q).sum(axis=-1) / 2


def hellinger(p: Any, q: Any) -> Reals:
    """√(½ Σ (√p − √q)²), in [0, 1]."""
    p, q = _pair(p, q)
    return np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2)


def squared_mmd(p: Any, q: Any, kernel: Any) -> Reals:
    """(p − q)ᵀ K (p − q): the squared distance of the means in the kernel's space.

    Args:
        p: (…, cells).
        q: (…, cells).
        kernel: (cells, cells), positive semi-definite.

    Raises:
        QuestionError: the kernel is not symmetric, or of other cells.

    Cost:
        O(cells²) each.
    """
    p, q = _pair(p, q)
    k = np.asarray(kernel, np.float64)
    if k.shape != (p.shape[-1],) * 2 or not np.allclose(k, k.T):
        raise QuestionError(
            f"The kernel has shape {k.shape}; give a symmetric one of {(p.shape[-1],) * 2}."
        )
    gap = p - q
    return np.maximum(((gap @ k) * gap).sum(axis=-1), 0.0)


def mmd(p: Any, q: Any, kernel: Any) -> Reals:
    """Maximum mean discrepancy: the root of `squared_mmd`."""
    return np.sqrt(squared_mmd(p, q, kernel))
