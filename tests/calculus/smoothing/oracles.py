"""Slow and obvious: enumeration, quadrature, finite differences. Nothing here is the package's."""

from __future__ import annotations

import numpy as np
from scipy import integrate


def differences(f, x, step=1e-6):
    """Jacobian of f at x by central differences, (outputs, inputs)."""
    columns = []
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        columns.append((np.ravel(f(up)) - np.ravel(f(down))) / (2 * step))
    return np.stack(columns, axis=1)


def isotonic_decreasing(y):
    """Least-squares fit among decreasing vectors, by the minimax formula over all intervals."""
    n = len(y)
    return np.array(
        [
            min(max(np.mean(y[a : b + 1]) for b in range(i, n)) for a in range(i + 1))
            for i in range(n)
        ]
    )


def project(z, w):
    """Point of the permutahedron of w nearest to z."""
    down = np.argsort(-z, kind="stable")
    out = np.empty(len(z))
    s, sorted_w = z[down], -np.sort(-w)
    out[down] = s - isotonic_decreasing(s - sorted_w)
    return out


def soft_rank(x, t):
    return project(x / t, np.arange(1.0, len(x) + 1))


def soft_sort(x, t):
    return project(np.arange(1.0, len(x) + 1) / t, x)


def smoothed_by_logistic_noise(f, x, t):
    """Mean of f(x + t·L), L logistic, by quadrature over each piece between integers."""
    lo, hi = int(np.floor(x - 40 * t)), int(np.ceil(x + 40 * t))
    cdf = lambda v: 0.5 * (1 + np.tanh((v - x) / (2 * t)))  # noqa: E731
    return sum(f(k + 0.25) * (cdf(k + 0.5) - cdf(k)) for k in range(lo, hi)) + sum(
        f(k + 0.75) * (cdf(k + 1) - cdf(k + 0.5)) for k in range(lo, hi)
    )


def best_mask(x, t, k):
    """Maximise Σ p x + t·H(p) over masks that sum to k, by bisection on the multiplier."""
    low, high = min(x) - 800 * t, max(x) + 800 * t
    for _ in range(200):
        mid = (low + high) / 2
        with np.errstate(over="ignore"):
            p = 1 / (1 + np.exp(-(x - mid) / t))
        low, high = (mid, high) if p.sum() > k else (low, mid)
    return p


def area(f, a, b):
    return integrate.quad(f, a, b, limit=200)[0]
