"""Labels that maximise an expected metric when every row's label is uncertain by itself.

Needs NumPy only: a saved fit decides without torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError

Reals = NDArray[np.float64]
EXACT_ROWS = 10_000
TAIL = 1e-14  # mass that may be cut off each end of a distribution, once a row


@dataclass(frozen=True)
class Choice:
    """Which rows are decided positive.

    Args:
        chosen: (rows,) whether.
        value: the expected metric.
        exact: whether no other choice has a higher expectation (up to rounding).

    """

    chosen: NDArray[np.bool_]
    value: float
    exact: bool


def best_f_beta(chances: Reals, beta: float = 1.0) -> Choice:
    r"""Choose the rows that maximise the expected F-beta of independent labels.

    .. math:: \max_k E\Big[\frac{(1 + \beta^2) A_k}{k + \beta^2 (A_k + R_k)}\Big]

    The best k rows are the k likeliest (any other set is improved by an exchange), so only
    k is searched; A_k and R_k, the positives among them and among the rest, are
    Poisson-binomial. There is no threshold that is right for every table: at the optimum it
    is about half the F that is reached. F is 0 where nothing is positive and nothing chosen.

    Args:
        chances: (rows,) of being positive, in [0, 1].
        beta: how much more recall counts, above 0.

    Cost:
        Up to 10,000 rows every k is weighed: O(rows · s²), s² the rows' total variance,
        seconds at most. Beyond, the expansion of the expectation to second order is
        maximised, whose error falls with the square of the rows; `exact` says so.

    References:
        Lewis, "Evaluating and optimizing autonomous text classification systems" (1995),
        section 4; Ye, Chai, Lee & Chieu, "Optimizing F-measure" (2012).

    Example:
        >>> best_f_beta(np.array([0.9, 0.45, 0.1])).chosen
        array([ True,  True, False])

    """
    p = np.asarray(chances, np.float64)
    if not 0 < beta < np.inf:
        raise QuestionError(f"F-beta takes a beta above 0, and {beta} is not.")
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise QuestionError("Chances are a list of numbers between 0 and 1.")
    order = np.argsort(-p, kind="stable")
    exact = len(p) <= EXACT_ROWS
    values = (_weigh if exact else _expand)(p[order], beta)
    k = int(values.argmax())
    chosen = np.zeros(len(p), bool)
    chosen[order[:k]] = True
    return Choice(chosen, float(values[k]), exact)


def _weigh(p: Reals, beta: float) -> Reals:
    """Expected F-beta of choosing the first k, for k = 0 … n; p descending."""
    n, b2 = len(p), beta**2
    heads = list(_growing(p))  # (first, distribution) of A_k
    values = np.zeros(n + 1)
    for k, (first, rest) in zip(range(n, 0, -1), _growing(p[::-1]), strict=False):
        start, head = heads[k]
        sizes = np.arange(len(head) + len(rest) - 1) + start + first
        # Σ_b P(b) / (k + β²(a + b)) for every a: a correlation.
        inverse = np.correlate(1 / (k + b2 * sizes), rest, "valid")
        hits = np.arange(len(head)) + start
        values[k] = (1 + b2) * (hits * head) @ inverse
    return values


def _growing(p: Reals) -> Iterator[tuple[int, Reals]]:
    """Distributions of the number of events among the first 0, 1, … n: (lowest, chances)."""
    start, mass = 0, np.ones(1)
    yield start, mass
    for chance in p:
        mass = np.append(mass * (1 - chance), 0.0) + np.append(0.0, mass * chance)
        kept = np.flatnonzero(mass > TAIL)
        start, mass = start + int(kept[0]), mass[kept[0] : kept[-1] + 1]
        yield start, mass


def _expand(p: Reals, beta: float) -> Reals:
    """The same to second order in the spread of A_k and R_k around their means."""
    b2 = beta**2
    k = np.arange(len(p) + 1)
    mean, var = (np.r_[0.0, np.cumsum(v)] for v in (p, p * (1 - p)))
    below = k + b2 * mean[-1]
    below[0] = max(below[0], 1e-300)
    # F(a, r) = c·a/d, d = k + β²(a + r): ∂²a = −2cβ²/d² + 2cβ⁴a/d³, ∂²r = 2cβ⁴a/d³.
    curve_r = 2 * b2**2 * mean / below**3
    curve_a = curve_r - 2 * b2 / below**2
    value = mean / below + (curve_a * var + curve_r * (var[-1] - var)) / 2
    value[0] = 0.0
    return (1 + b2) * value


def least_cost(chances: Reals, costs: Reals) -> tuple[NDArray[np.intp], Reals]:
    """Choose for each row what costs least on average.

    Args:
        chances: (rows, truths), rows sum to 1.
        costs: (decisions, truths), of deciding this when that is true.

    Returns:
        Decisions, (rows,), and their expected costs, (rows,).

    Example:
        >>> chances = np.array([[0.9, 0.1], [0.7, 0.3]])
        >>> least_cost(chances, np.array([[0.0, 5.0], [1.0, 0.0]]))
        (array([0, 1]), array([0.5, 0.7]))

    """
    expected = chances @ costs.T
    best = expected.argmin(axis=1)
    return best, expected[np.arange(len(best)), best]
