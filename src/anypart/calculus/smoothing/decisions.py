"""Labels that maximise an expected metric when every row's label is uncertain by itself.

Needs NumPy only: a saved fit decides without torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError

Reals = NDArray[np.float64]
EXACT_ROWS = 10_000
CHANGES = 1_000  # of one label each, at most
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
    return _second_order(k, mean, var, mean[-1], var[-1], b2)


@dataclass(frozen=True)
class Labels:
    """A label for each row.

    Args:
        labels: (rows,) their numbers.
        values: (labels,) expected F-beta of each label against the rest.
        exact: whether no other labels have a higher mean of them (up to rounding).

    """

    labels: NDArray[np.intp]
    values: Reals
    exact: bool


def best_macro_f(chances: Reals, beta: float = 1.0) -> Labels:
    r"""Choose the labels that maximise the expected macro F-beta: its mean over all labels.

    .. math:: \max_{d} \frac1C \sum_c E\Big[\frac{(1 + \beta^2) A_c}{n_c + \beta^2
        (A_c + R_c)}\Big], \qquad n_c = |\{i : d_i = c\}|

    Of two labels the best n rows for one are its n likeliest, so every n is weighed. Of more,
    labels are climbed from the likeliest ones: each row takes the label of largest slope at
    the present counts, while that is better, then the best single change is made until there
    is none, both on the expansion of the expectation to second order.

    Args:
        chances: (rows, labels), rows sum to 1 or less (what is left is no label).
        beta: how much more recall counts, above 0.

    Cost:
        As `best_f_beta` for two labels; of more, O(rows · labels) a change.

    References:
        Narasimhan, Ramaswamy, Saha & Agarwal, "Consistent multiclass algorithms for complex
        performance measures" (2015), section 4 (the slopes).

    Example:
        >>> best_macro_f(np.array([[0.6, 0.4], [0.7, 0.3], [0.9, 0.1]])).labels
        array([1, 0, 0])

    """
    p = np.asarray(chances, np.float64)
    if not 0 < beta < np.inf:
        raise QuestionError(f"F-beta takes a beta above 0, and {beta} is not.")
    if p.ndim != 2 or not ((p >= 0) & (p.sum(axis=-1, keepdims=True) <= 1 + 1e-6)).all():
        raise QuestionError("Chances are rows of numbers from 0 on that sum to 1 at most.")
    b2 = beta**2
    weighed = _weigh if len(p) <= EXACT_ROWS else _expand
    if p.shape[1] == 2 and np.allclose(p.sum(axis=1), 1):
        ranked = np.argsort(-p[:, 1], kind="stable")
        both = weighed(p[ranked, 1], beta) + weighed(p[ranked[::-1], 0], beta)[::-1]
        labels = np.zeros(len(p), np.intp)
        labels[ranked[: int(both.argmax())]] = 1
        exact = len(p) <= EXACT_ROWS
    else:
        labels = _climbed(p, b2) if p.size else np.zeros(len(p), np.intp)
        exact = not p.size
    values = [_expected_f(p[labels == c, c], p[labels != c, c], b2) for c in range(p.shape[1])]
    return Labels(labels, np.array(values), exact)


def _expected_f(chosen: Reals, rest: Reals, b2: float) -> float:
    """Expected F-beta of a set of rows; beyond `EXACT_ROWS` rows to second order."""
    if len(chosen) + len(rest) > EXACT_ROWS:
        count, mean, var = len(chosen), chosen.sum(), (chosen * (1 - chosen)).sum()
        rest_var = (rest * (1 - rest)).sum()
        return float(_second_order(count, mean, var, mean + rest.sum(), var + rest_var, b2))
    first, hits = list(_growing(chosen))[-1]
    other, misses = list(_growing(rest))[-1]
    a, r = np.arange(len(hits)) + first, np.arange(len(misses)) + other
    below = len(chosen) + b2 * (a[:, None] + r)
    inverse = np.divide(1.0, below, out=np.zeros_like(below), where=below > 0)
    return float((1 + b2) * (a * hits) @ inverse @ misses)


def _second_order(count: Any, mean: Any, var: Any, mean_all: Any, var_all: Any, b2: float) -> Any:
    """Expected F-beta of sets of so many rows, by the moments of their and all positives."""
    # F(a, r) = c·a/d, d = k + β²(a + r): ∂²a = −2cβ²/d² + 2cβ⁴a/d³, ∂²r = 2cβ⁴a/d³.
    below = np.maximum(count + b2 * mean_all, 1e-300)
    curve_r = 2 * b2**2 * mean / below**3
    curve_a = curve_r - 2 * b2 / below**2
    value = mean / below + (curve_a * var + curve_r * (var_all - var)) / 2
    return np.where(np.asarray(count) > 0, (1 + b2) * value, 0.0)


def _climbed(p: Reals, b2: float) -> NDArray[np.intp]:
    """Climb from the likeliest labels, see `best_macro_f`; (rows,)."""
    rows, n_labels, spread = np.arange(len(p)), p.shape[1], p * (1 - p)
    totals = p.sum(axis=0), spread.sum(axis=0)

    def moments(labels: NDArray[np.intp]) -> tuple[Reals, Any, Any]:
        count = np.bincount(labels, minlength=n_labels).astype(np.float64)
        mean, var = (np.bincount(labels, x[rows, labels], n_labels) for x in (p, spread))
        return count, mean, var

    def level(labels: NDArray[np.intp]) -> float:
        return float(_second_order(*moments(labels), *totals, b2).sum())

    best = p.argmax(axis=1)
    while True:
        count, mean, _ = moments(best)
        below = np.maximum(count + b2 * totals[0], 1e-300)
        new = (p / below - (mean / below) / below).argmax(axis=1)
        if not level(new) > level(best) + 1e-12:
            break
        best = new
    for _ in range(CHANGES):
        count, mean, var = moments(best)
        now = _second_order(count, mean, var, *totals, b2)
        left = count[best] - 1, mean[best] - p[rows, best], var[best] - spread[rows, best]
        less = _second_order(*left, totals[0][best], totals[1][best], b2) - now[best]
        more = _second_order(count + 1, mean + p, var + spread, *totals, b2) - now
        gain = more + less[:, None]
        gain[rows, best] = 0.0
        row, label = np.unravel_index(int(gain.argmax()), gain.shape)
        if not gain[row, label] > 1e-12:
            break
        best[row] = label
    return best


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
