r"""A unit that fires, with a threshold and with a bias.

.. math:: w \cdot x > T \iff w \cdot x + b > 0, \quad b = -T

The threshold is moved to the left, and can then be learned like a weight: it is the weight of
an input that is always 1. Without it the boundary passes through the origin.

References:
    Rosenblatt 1958, The perceptron; Novikoff 1962, On convergence proofs for perceptrons.

"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import LensError

Reals = NDArray[np.float64]
Fires = NDArray[np.bool_]


def fires_above(x: Reals, weights: Reals, threshold: float) -> Fires:
    """Decide by a threshold: (rows, inputs) → (rows,), whether w·x > T.

    Example:
        >>> x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        >>> fires_above(x, np.array([1.0, 1.0]), 1.5).tolist()  # AND
        [False, False, False, True]

    """
    return x @ weights > threshold


@dataclass(frozen=True)
class Perceptron:
    """A unit with a bias.

    Args:
        weights: (inputs,).
        bias: −T; 0 where there is none.
        mistakes: of the last pass over the data; 0 if it is separated.
        passes: over the data until then.

    """

    weights: Reals
    bias: float
    mistakes: int = 0
    passes: int = 0

    @property
    def threshold(self) -> float:
        """The T at which it decides the same."""
        return -self.bias

    def fires(self, x: Reals) -> Fires:
        """Decide: (rows, inputs) → (rows,), whether w·x + b > 0."""
        return x @ self.weights + self.bias > 0


def learn(x: Reals, y: Fires, *, bias: bool = True, passes: int = 1_000) -> Perceptron:
    """Learn by the perceptron's rule: after a mistake, add or take away the input.

    Args:
        x: (rows, inputs).
        y: (rows,) whether the unit shall fire.
        bias: learn one; else the boundary passes through the origin.
        passes: over the data at most.

    Returns:
        The unit; it makes no mistake if the data can be separated and passes suffice (at
        most (R/γ)² mistakes, with the data's radius R and margin γ).

    Raises:
        LensError: shapes that do not fit.

    Cost:
        O(passes · rows · inputs).

    Example:
        >>> x = np.arange(1.0, 7.0)[:, None]  # fires above 3: no line through 0 does
        >>> learn(x, x[:, 0] > 3).mistakes, learn(x, x[:, 0] > 3, bias=False).mistakes > 0
        (0, True)

    """
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise LensError(
            f"x has the shape {x.shape} and y {y.shape}. Give x as (rows, inputs), y as (rows,)."
        )
    ones = np.full((len(x), 1), float(bias))
    inputs = np.concatenate([x, ones], 1)
    wanted = np.where(y, 1.0, -1.0)
    now = np.zeros(inputs.shape[1])
    mistakes, done = len(x), 0
    while mistakes and done < passes:
        mistakes = 0
        for row, sign in zip(inputs, wanted, strict=True):
            if (row @ now > 0) != (sign > 0):
                now += sign * row
                mistakes += 1
        done += 1
    return Perceptron(now[:-1].copy(), float(now[-1]), mistakes, done)


def opposed(x: Reals, y: Fires) -> tuple[int, int] | None:
    """Find two rows that prove that no unit without a bias decides all rows.

    Two inputs on one ray from the origin, x' = c·x with c > 0, lie on the same side of every
    line through it; if only one of them shall fire, no weights do.

    Returns:
        The numbers of the rows, None if no two rows prove it.

    Example:
        >>> x = np.arange(1.0, 7.0)[:, None]
        >>> opposed(x, x[:, 0] > 3)
        (0, 3)

    """
    sizes = np.linalg.norm(x, axis=1)
    for i in np.flatnonzero(~y & (sizes > 0)):
        for j in np.flatnonzero(y & (sizes > 0)):
            if np.allclose(x[i] / sizes[i], x[j] / sizes[j], rtol=0, atol=1e-12):
                return int(i), int(j)
    return None
