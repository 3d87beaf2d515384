"""Representations without a model of the row: random features, PCA, k-means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator

Reals = NDArray[np.float64]
#: What turns vectors (rows, dims) into others.
Features = Callable[[Reals], Reals]

MOST_TO_CLUSTER = 5_000  # rows that centres are moved by
ROUNDS = 25


def random_features(vectors: Reals, width: int, seed: int) -> Features:
    """Rectified random combinations: the network of one layer that nobody trained.

    Args:
        vectors: (rows, dims), for their number of dimensions.
        width: features.
        seed: of the weights.

    References:
        Huang, Zhu and Siew 2006, Extreme learning machine: theory and applications.

    """
    rng, dims = generator(seed, "random features"), vectors.shape[1]
    weights, bias = rng.normal(size=(dims, width)) / dims**0.5, rng.normal(size=width)
    return lambda x: np.maximum(x @ weights + bias, 0.0)


def principal_components(vectors: Reals, width: int) -> Features:
    """The directions of most variance, as many as there are up to `width`.

    References:
        Pearson 1901, On lines and planes of closest fit to systems of points in space.

    """
    centre = vectors.mean(0)
    turn = spectrum(vectors - centre)[1][:width].T
    return lambda x: (x - centre) @ turn


def spectrum(centred: Reals) -> tuple[Reals, Reals]:
    """Singular values, the largest first, and their directions in the rows' space, one a row."""
    _, lengths, directions = np.linalg.svd(np.linalg.qr(centred, mode="r"), full_matrices=False)
    return lengths, directions


def k_means(vectors: Reals, width: int, seed: int) -> Features:
    r"""How much nearer than the mean each of the centres is, which are k-means'.

    .. math:: f_k(x) = \max(0, \bar d(x) - d_k(x)), \quad d_k(x) = \lVert x - c_k \rVert

    Args:
        vectors: (rows, dims).
        width: centres, at most one a row.
        seed: of the first centres, by distance (k-means++).

    References:
        Arthur and Vassilvitskii 2007, k-means++. Coates, Ng and Lee 2011, An analysis of
        single-layer networks in unsupervised feature learning, eq. 1.

    """
    rng = generator(seed, "k-means")
    some = vectors[rng.permutation(len(vectors))[:MOST_TO_CLUSTER]]
    centres = some[:1]
    nearest = _squares(some, centres)[:, 0]
    while len(centres) < min(width, len(some)) and nearest.sum() > 0:
        chosen = some[[rng.choice(len(some), p=nearest / nearest.sum())]]
        centres = np.concatenate([centres, chosen])
        nearest = np.minimum(nearest, _squares(some, chosen)[:, 0])
    for _ in range(ROUNDS):
        owner = _squares(some, centres).argmin(1)
        count = np.bincount(owner, minlength=len(centres))
        sums = np.zeros_like(centres)
        np.add.at(sums, owner, some)
        moved = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centres)
        if np.allclose(moved, centres):
            break
        centres = moved

    def near(x: Reals) -> Reals:
        far = np.sqrt(_squares(x, centres))
        return np.maximum(far.mean(1, keepdims=True) - far, 0.0)

    return near


def _squares(x: Reals, centres: Reals) -> Reals:
    """Squared distances, (rows, centres)."""
    far = (x * x).sum(1)[:, None] - 2 * x @ centres.T + (centres * centres).sum(1)
    return np.maximum(far, 0.0)
