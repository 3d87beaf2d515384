"""Two columns of counts over the same cells: distances with their error and their noise.

The distance between two samples is positive even when both come from one source. So each is
shown beside what pairs from one source have: the pooled rows dealt again into two samples
of the same sizes (exact permutations, drawn as multivariate hypergeometric counts).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from anypart.optim.distances.exact import (
    Reals,
    forward_kl,
    hellinger,
    jensen_shannon,
    total_variation,
)
from anypart.optim.distances.measured import Measured, refused
from anypart.optim.distances.transport import line_wasserstein

Counts = NDArray[np.int64]
Of = Callable[[Reals, Reals], Reals]

DEALS = 1_999  # permutations: the least p-value is 1/2000
RESAMPLES = 200  # of the bootstrap
BOUNDED: dict[str, Of] = {
    "jensen_shannon": jensen_shannon,
    "total_variation": total_variation,
    "hellinger": hellinger,
}


def measure_counts(
    a: Counts, b: Counts, rng: np.random.Generator, labels: tuple[str, ...] = ()
) -> dict[str, Measured]:
    """Estimate the distances of two sources from the counts of a sample of each.

    Args:
        a: (cells,) counts of the first sample (the data, p).
        b: (cells,) of the second (q).
        rng: deals and resamples.
        labels: of the cells, for reasons.

    Returns:
        By name. A KL is refused where the second sample lacks what the first has: it
        would be infinite, and a rare cell cannot be told from an impossible one.

    Cost:
        O(cells · 2,000).
    """
    deals, again = _deals(a, b, rng), _resamples(a, b, rng)
    out = {name: _one(of, a, b, deals, again) for name, of in BOUNDED.items()}
    for name, p, q, order in (("forward_kl", a, b, 1), ("reverse_kl", b, a, -1)):
        lacking = np.flatnonzero((p > 0) & (q == 0))
        if len(lacking):
            cell = repr(labels[lacking[0]]) if labels else f"cell {lacking[0]}"
            more = f" and {len(lacking) - 1:,} more are" if len(lacking) > 1 else " is"
            out[name] = refused(
                f"{cell}{more} in one sample only: infinite, or only rare in the other"
            )
            continue
        spread = _finite(forward_kl(*again[::order]))
        error = float(spread.std(ddof=1)) if len(spread) > RESAMPLES // 2 else float("inf")
        out[name] = Measured(float(forward_kl(p / p.sum(), q / q.sum())), error)
    return out


def measure_line(a: Counts, b: Counts, places: Reals, rng: np.random.Generator) -> Measured:
    """Estimate the Wasserstein distance of two sources on a line, in the places' unit."""

    def of(p: Reals, q: Reals) -> Reals:
        return line_wasserstein(p, q, places)

    return _one(of, a, b, _deals(a, b, rng), _resamples(a, b, rng))


def _one(
    of: Of, a: Counts, b: Counts, deals: tuple[Reals, Reals], again: tuple[Reals, Reals]
) -> Measured:
    value = float(of(a / a.sum(), b / b.sum()))
    same = of(*deals)
    # Rounding must not make an equal deal look nearer than the data.
    beyond = int((same >= value - 1e-12).sum())
    return Measured(
        value,
        error=float(of(*again).std(ddof=1)),
        noise=float(np.quantile(same, 0.95)),
        p_value=(1 + beyond) / (1 + len(same)),
    )


def _deals(a: Counts, b: Counts, rng: np.random.Generator) -> tuple[Reals, Reals]:
    left = rng.multivariate_hypergeometric(a + b, int(a.sum()), DEALS, method="marginals")
    return left / a.sum(), (a + b - left) / b.sum()


def _resamples(a: Counts, b: Counts, rng: np.random.Generator) -> tuple[Reals, Reals]:
    def draw(x: Counts) -> Reals:
        return rng.multinomial(int(x.sum()), x / x.sum(), RESAMPLES) / x.sum()

    return draw(a), draw(b)


def _finite(x: Reals) -> Reals:
    return x[np.isfinite(x)]
