"""Probes: what is read off a representation by a linear model, or by its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.layers import log_softmax
from anypart.optim.features import Reals, spectrum

Labels = NDArray[np.int64]

PENALTIES = (1e4, 1e3, 1e2, 1e1, 1.0)  # the strongest first
FOLDS = 5
MANY = 4_000  # labels; one held-out fifth of so many decides the penalty
ROUNDS = 500  # of descent, at most
CLOSE = 1e-5  # change of a logit, root mean square, that ends it
ROWS_TOGETHER = 512  # asked rows whose distances are held at once


@dataclass(frozen=True)
class Probe:
    """Multinomial logistic regression of labels on vectors.

    Args:
        centre: (dims,) taken off.
        scale: what is divided by.
        weights: (1 + dims, classes), the biases first.

    """

    centre: Reals
    scale: float
    weights: Reals

    def log_prob(self, vectors: NDArray[np.floating]) -> Reals:
        """Log-probabilities of the classes, (rows, classes), nats."""
        x = np.asarray((vectors - self.centre) / self.scale, np.float64)
        return np.asarray(log_softmax(x @ self.weights[1:] + self.weights[0]), np.float64)


def linear_probe(
    vectors: NDArray[np.floating],
    labels: Labels,
    n_classes: int,
    *,
    like: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> Probe:
    r"""Fit a linear probe, its L2 penalty chosen within the labelled rows.

    .. math:: \min_W \sum_n -\log p_W(y_n | z_n) + \frac{\lambda}{2} \lVert W \rVert^2

    Vectors are centred and divided by one number, so that their directions keep their
    lengths: a representation says by them what matters. λ is the one whose held-out
    likelihood in `FOLDS` parts of the labelled rows is best.

    Args:
        vectors: (rows, dims) of the labelled rows.
        labels: (rows,) in [0, n_classes).
        n_classes: classes, also those without a label here.
        like: (others, dims) rows that centre and scale are taken from, with or without
            labels; None takes the labelled ones.
        seed: of the parts.

    Cost:
        About thirty small regressions; seven above `MANY` labels.

    References:
        Alain and Bengio 2016, Understanding intermediate layers using linear classifier probes.

    """
    some = vectors if like is None else like
    centre = some.mean(0, dtype=np.float64)
    scale = float(np.sqrt(some.var(0, dtype=np.float64).mean())) or 1.0
    x = (vectors - centre) / scale
    n = len(x)
    part = generator(seed, "probe").permutation(n) % min(FOLDS, n)
    held = range(1 if n > MANY else min(FOLDS, n))
    lost = np.zeros(len(PENALTIES))
    for fold in held if n > 1 else ():
        kept, out = part != fold, np.flatnonzero(part == fold)
        share = kept.mean()
        path = _path(x[kept], labels[kept], n_classes, [p * share for p in PENALTIES])
        for i, weights in enumerate(path):
            logs = log_softmax(x[out] @ weights[1:] + weights[0])
            lost[i] -= logs[np.arange(len(out)), labels[out]].sum()
    best = int(np.argmin(lost))
    return Probe(centre, scale, _path(x, labels, n_classes, PENALTIES[: best + 1])[-1])


def _path(x: Reals, labels: Labels, n_classes: int, penalties: Sequence[float]) -> list[Reals]:
    """Optimal weights under each penalty, each search starting at the one before.

    Along the rows' principal directions the Hessian is at most half their squared lengths,
    and the penalty (Böhning 1992, Multinomial logistic regression algorithm, theorem 1), so a
    step by that diagonal always descends; momentum with restarts (O'Donoghue and Candès
    2015) makes it fast. Nothing outside those directions can help.
    """
    mean = x.mean(0)
    lengths, directions = spectrum(x - mean)
    inputs = np.concatenate([np.ones((len(x), 1)), (x - mean) @ directions.T], 1)
    truth = np.eye(n_classes)[labels]
    curved = np.concatenate([[len(x)], lengths**2])[:, None] / 2
    weights = np.zeros((inputs.shape[1], n_classes))
    found: list[Reals] = []
    for penalty in penalties:
        ridge = np.full((len(weights), 1), penalty)
        ridge[0] = 0.0
        weights = _descend(inputs, truth, weights, ridge, curved + ridge)
        turned = directions.T @ weights[1:]
        found.append(np.concatenate([weights[:1] - mean @ turned, turned]))
    return found


def _descend(inputs: Reals, truth: Reals, weights: Reals, ridge: Reals, bound: Reals) -> Reals:
    """Minimise −log p(truth) + ½ ridge · weights², by steps of the gradient over its bound."""
    ahead, pace = weights, 1.0
    for _ in range(ROUNDS):
        p = np.exp(np.asarray(log_softmax(inputs @ ahead), np.float64))
        new = ahead - (inputs.T @ (p - truth) + ridge * ahead) / bound
        moved = new - weights
        if (bound * (ahead - new) * moved).sum() > 0:
            pace = 1.0
        faster = (1 + (1 + 4 * pace * pace) ** 0.5) / 2
        ahead, weights, pace = new + (pace - 1) / faster * moved, new, faster
        if (np.abs(moved) * np.sqrt(bound)).max() < CLOSE * len(inputs) ** 0.5:
            break
    return weights


def by_neighbours(
    vectors: NDArray[np.floating],
    labels: Labels,
    n_classes: int,
    asked: NDArray[np.floating],
    k: int = 10,
) -> Reals:
    """Probabilities of the classes from the k nearest labelled rows by cosine, (asked, classes).

    Each neighbour has one vote, and each class a k-th of one, so that none is impossible.

    Args:
        vectors: (rows, dims) of the labelled rows.
        labels: (rows,).
        n_classes: classes.
        asked: (asked, dims).
        k: neighbours, at most all labelled rows.

    Cost:
        A product of every asked vector with every labelled one.

    """
    centre = vectors.mean(0)
    units = [v - centre for v in (vectors, asked)]
    units = [u / np.maximum(np.linalg.norm(u, axis=1, keepdims=True), 1e-12) for u in units]
    k = min(k, len(vectors))
    found = np.empty((len(asked), n_classes))
    for start in range(0, len(asked), ROWS_TOGETHER):
        block = slice(start, start + ROWS_TOGETHER)
        near = np.argpartition(-units[1][block] @ units[0].T, k - 1, axis=1)[:, :k]
        votes = np.zeros((len(near), n_classes))
        np.add.at(votes, (np.arange(len(near))[:, None], labels[near]), 1.0)
        found[block] = (votes + 1 / k) / (k + n_classes / k)
    return found
