r"""Two samples of rows: the unbiased squared MMD, its error and its permutation test.

The kernel is :math:`\exp(-|u - v|^2 / 2 s^2)` on vectors of rows; with places of 0 and 1/√2
for categories it is a product of kernels that each tell all distributions apart, so the
distance is 0 only between equal ones.

References:
    Gretton et al. 2012, A kernel two-sample test, equation 3 (unbiased), section 8 (median).
"""

from __future__ import annotations

import numpy as np

from anypart.base.errors import QuestionError
from anypart.base.threads import single_threaded_products
from anypart.optim.distances.exact import Reals
from anypart.optim.distances.measured import Measured

DEALS = 499


def squared_distances(x: Reals, y: Reals) -> Reals:
    """|x − y|² of all pairs of rows, (rows of x, rows of y)."""
    with single_threaded_products():
        gap = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T
    return np.maximum(gap, 0.0)


def unbiased_squared_mmd(kernel: Reals, n_first: int) -> float:
    """The unbiased squared MMD: no row is compared with itself.

    Args:
        kernel: (rows, rows) of the pooled rows, the first sample's first.
        n_first: rows of the first sample, at least 2, as of the second.
    """
    n, m = n_first, len(kernel) - n_first
    xx, yy, xy = kernel[:n, :n], kernel[n:, n:], kernel[:n, n:]
    own = (xx.sum() - np.trace(xx)) / (n * (n - 1))
    other = (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(own + other - 2 * xy.mean())


def measure_rows(x: Reals, y: Reals, rng: np.random.Generator) -> Measured:
    """Estimate the squared MMD of two sources from vectors of rows.

    Args:
        x: (rows, dims); the bandwidth is the median distance of pooled rows.
        y: (rows, dims).
        rng: deals the rows anew.

    Returns:
        The unbiased square (below 0 at times), its standard error to first order, the
        95 % of pairs from one source and the p-value.

    Raises:
        QuestionError: fewer than two rows on a side.

    Cost:
        O(rows² · (dims + 500)).
    """
    if min(len(x), len(y)) < 2:
        raise QuestionError("MMD compares rows of a sample with each other: give two or more.")
    rows = np.concatenate([x, y])
    gaps = squared_distances(rows, rows)
    apart = gaps[np.triu_indices(len(rows), 1)]
    apart = apart[apart > 1e-12]
    kernel = np.exp(-gaps / (2 * np.median(apart))) if len(apart) else np.ones_like(gaps)
    value, n = unbiased_squared_mmd(kernel, len(x)), len(x)
    same = _dealt(kernel, n, rng)
    return Measured(
        value,
        error=_error(kernel, n),
        noise=float(np.quantile(same, 0.95)),
        p_value=(1 + int((same >= value - 1e-12).sum())) / (1 + DEALS),
    )


def _error(kernel: Reals, n: int) -> float:
    m = len(kernel) - n
    inside = kernel - np.diag(np.diag(kernel))
    first = inside[:n, :n].sum(1) / (n - 1) - kernel[:n, n:].mean(1)
    second = inside[n:, n:].sum(1) / (m - 1) - kernel[n:, :n].mean(1)
    return float(np.sqrt(4 * first.var(ddof=1) / n + 4 * second.var(ddof=1) / m))


def _dealt(kernel: Reals, n: int, rng: np.random.Generator) -> Reals:
    """Return the unbiased square of rows dealt anew, (deals,)."""
    total, m = len(kernel), len(kernel) - n
    chosen = np.zeros((total, DEALS))
    for deal in range(DEALS):
        chosen[rng.permutation(total)[:n], deal] = 1.0
    with single_threaded_products():
        reach = kernel @ chosen
    inside = (reach * chosen).sum(0)
    across = reach.sum(0) - inside
    outside = kernel.sum() - inside - 2 * across
    diagonal = np.diag(kernel)
    own = (inside - diagonal @ chosen) / (n * (n - 1))
    other = (outside - diagonal @ (1 - chosen)) / (m * (m - 1))
    return own + other - 2 * across / (n * m)
