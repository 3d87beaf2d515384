"""Two models of the same columns: exact where rows can be listed, else by draws of both.

With draws of p and q and all four log-probabilities, every f-divergence is a mean, so it
comes with a standard error. Total variation, Jensen-Shannon and Hellinger average bounded
numbers, so their errors can be trusted however far the models are apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from anypart.base.errors import QuestionError
from anypart.models.contract import Codes, Evidence, Model
from anypart.optim.distances import exact
from anypart.optim.distances.exact import Reals
from anypart.optim.distances.measured import Measured, refused

MOST_STATES = 65_536
BLOCK = 4_096
GROUND = "rows have no distance of their own; ask for columns on a line, or for MMD"


def log10_states(n_cats: Iterable[int]) -> float:
    """Count the rows that there can be, as a power of ten.

    Example:
        >>> import itertools
        >>> int(log10_states(itertools.repeat(256, 700 * 1400 * 3)))  # images, in colour
        7080225
    """
    return math.fsum(math.log10(n) for n in n_cats)


def all_rows(n_cats: tuple[int, ...]) -> Codes:
    """List every row, (states, cols), the last column fastest.

    Raises:
        QuestionError: there are more than 65,536.
    """
    states = log10_states(n_cats)
    if states > math.log10(MOST_STATES) + 1e-9:
        raise QuestionError(
            f"There are about 10^{math.floor(states)} rows, too many to list (at most "
            f"{MOST_STATES:,}). Estimate from draws."
        )
    grid = np.indices(n_cats, np.int32).reshape(len(n_cats), -1)
    return np.ascontiguousarray(grid.T)


def log_probs(model: Model, codes: Codes) -> Reals:
    """Score complete rows block by block, (rows,), nats."""
    seen = np.ones(codes.shape, np.bool_)
    blocks = [slice(start, start + BLOCK) for start in range(0, len(codes), BLOCK)]
    return np.concatenate([model.log_prob(Evidence(codes[b], seen[b])) for b in blocks])


def estimates_itself(model: Any) -> bool:
    """Whether a model's likelihood is itself an estimate, as a variational one's is."""
    return hasattr(model, "interval") or any(map(estimates_itself, getattr(model, "members", ())))


@dataclass(frozen=True)
class Crossed:
    """Log-probabilities, nats, of rows of p and of q under both.

    Args:
        p_of_p, q_of_p: (draws of p,) under p and under q.
        p_of_q, q_of_q: (draws of q,).
    """

    p_of_p: Reals
    q_of_p: Reals
    p_of_q: Reals
    q_of_q: Reals

    def measure(self) -> dict[str, Measured]:
        """Estimate the five divergences of densities, each with its standard error."""
        left, right = self.q_of_p - self.p_of_p, self.p_of_q - self.q_of_q  # ≤ −∞ allowed
        parts = {
            "jensen_shannon": _mean_of_two(_to_middle(left), _to_middle(right)),
            "total_variation": _mean_of_two(_lacking(left), _lacking(right)),
        }
        overlap = _mean_of_two(_affinity(left), _affinity(right))
        assert overlap.value is not None
        assert overlap.error is not None
        distance = math.sqrt(max(1.0 - overlap.value, 0.0))
        # √ has no slope at 0: there the error is that of the square, taken as a distance.
        flat = math.sqrt(overlap.error)
        error = min(overlap.error / (2 * distance), flat) if distance else flat
        return {
            "forward_kl": _mean(-left),
            "reverse_kl": _mean(-right),
            **parts,
            "hellinger": Measured(distance, error),
        }


def _mean(x: Reals) -> Measured:
    """A mean with its error; infinite, and exactly so, if a row is impossible."""
    if np.isposinf(x).any():
        return Measured(math.inf)
    return Measured(float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x))))


def _mean_of_two(x: Reals, y: Reals) -> Measured:
    errors = [v.var(ddof=1) / len(v) for v in (x, y)]
    return Measured(float(x.mean() + y.mean()) / 2, math.sqrt(sum(errors)) / 2)


def _to_middle(ratio: Reals) -> Reals:
    """Logarithm of p/m of rows of p, from log q/p."""
    return math.log(2) - np.logaddexp(0.0, ratio)


def _lacking(ratio: Reals) -> Reals:
    """(1 − q/p)₊ of rows of p."""
    return np.maximum(-np.expm1(np.minimum(ratio, 0.0)), 0.0)


def _affinity(ratio: Reals) -> Reals:
    """√(pq)/m of rows of p, in [0, 1]."""
    half = np.abs(ratio) / 2
    return 2 * np.exp(-half) / (1 + np.exp(-2 * half))


def between_models(
    p: Model, q: Model, rng: np.random.Generator, draws: int = 20_000
) -> dict[str, Measured]:
    """Measure how far two models of the same columns are apart.

    Args:
        p: the first, the data's part in forward KL.
        q: the second.
        rng: draws rows where they are too many to list.
        draws: of each model.

    Raises:
        QuestionError: models of other columns.
    """
    if p.layout.n_cats != q.layout.n_cats:
        raise QuestionError(
            f"The models have columns of {p.layout.n_cats} and {q.layout.n_cats} categories. "
            "Fit both with one schema."
        )
    if estimates_itself(p) or estimates_itself(q):
        reason = "a model's likelihood is itself an estimate, and its errors do not cancel"
        return {name: refused(reason) for name in DENSITIES} | {"wasserstein": refused(GROUND)}
    n_cats = p.layout.n_cats
    if log10_states(n_cats) <= math.log10(MOST_STATES) + 1e-9:
        states = all_rows(n_cats)
        table_p, table_q = (_normal(np.exp(log_probs(m, states))) for m in (p, q))
        found = {name: Measured(float(of(table_p, table_q))) for name, of in DENSITIES.items()}
    else:
        nothing = Evidence.nothing(draws, len(n_cats))
        of_p, of_q = p.sample(nothing, rng), q.sample(nothing, rng)
        found = Crossed(
            *(log_probs(p, of_p), log_probs(q, of_p)), *(log_probs(p, of_q), log_probs(q, of_q))
        ).measure()
    return found | {"wasserstein": refused(GROUND)}


def _normal(table: Reals) -> Reals:
    assert abs(table.sum() - 1) < 1e-3, "a model's rows sum to 1"
    return table / table.sum()


DENSITIES = {
    "forward_kl": exact.forward_kl,
    "reverse_kl": exact.reverse_kl,
    "jensen_shannon": exact.jensen_shannon,
    "total_variation": exact.total_variation,
    "hellinger": exact.hellinger,
}
