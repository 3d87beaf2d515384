r"""RNADE: NADE for real values; each conditional is a mixture of normal densities.

.. math:: p(x_i | x_{<i}) = \sum_m \pi_{im} N(x_i; \mu_{im}, \sigma_{im}), \quad
    h_i = \mathrm{relu}(\rho_i a_i), \quad a_{i+1} = a_i + W_i x_i

with weights, means and log-deviations linear in h_i. `log_density` and `sample_values` are
this formula on real numbers. A code is an interval of its column's line: its probability
is the mass that the mixture has there, and as an input it is a number inside it. So ordered
codes, cut from real columns, are answered under the contract of all models, and neighbours
share what they learn. Codes without an order are taken for ordered: normalised, and poor.

References:
    Uria, Murray and Larochelle 2013, RNADE: the real-valued neural autoregressive
    density-estimator, equations 5 to 10.

"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Mask
from anypart.models.one_order import OneOrder
from anypart.models.places import Array

Reals = NDArray[np.float64]

FLOOR = 1e-7  # mass added to every code: float32 has no smaller differences of masses
SERIES = (  # of the tail's logarithm, the highest power first
    *(0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807),
    *(-0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223),
)
MOST_LOG = 6.0  # of a deviation, either way: no density is a spike


def tail(x: Reals) -> Reals:
    """Probability that a standard normal exceeds x, to a relative 1.2e-7.

    Press et al. 1992, Numerical recipes in C, section 6.2 (erfcc).

    Example:
        >>> tail(np.array([0.0, 1.959964])).round(6).tolist()
        [0.5, 0.025]

    """
    z = np.abs(x) / math.sqrt(2)
    t = 1 / (1 + 0.5 * z)
    total = np.zeros_like(t)
    for number in SERIES:
        total = total * t + number
    upper = 0.5 * t * np.exp(-z * z + total)
    return np.where(x >= 0, upper, 1 - upper)


def masses(edges: Reals, mean: Reals, deviation: Reals) -> Reals:
    """Mass of normals between neighbouring edges, (rows, mixes, codes).

    Args:
        edges: (codes − 1,) inner edges of the intervals, ascending; the line beyond them
            belongs to the first and the last.
        mean: (rows, mixes).
        deviation: (rows, mixes), above 0.

    """
    score = (edges - mean[..., None]) / deviation[..., None]
    ends = np.full((*mean.shape, 1), np.inf)
    score = np.concatenate([-ends, score, ends], axis=-1)
    low, high = score[..., :-1], score[..., 1:]
    flip = low > 0  # on the side of the nearer tail a difference keeps its digits
    return np.where(flip, tail(low) - tail(high), tail(-high) - tail(-low))


class RNADE(OneOrder):
    """Real-valued neural autoregressive density estimation.

    Args: see `OneOrder`; the arrays are, with all columns in the order,
        weight: (cols, width), bias: (width,), scale: (cols,) of the hidden layer.
        out_weight: (3, cols, mixes, width) and out_bias: (3, cols, mixes), of the
            mixtures' logits, means and log-deviations.
        centres: (flat,) the number that each code enters as.
        edges: (flat,) where each code's interval ends; inf for a column's last code.

    """

    family = "rnade"

    def n_parameters(self) -> int:
        """Count the free parameters; centres and edges are given."""
        trained = ("weight", "bias", "scale", "out_weight", "out_bias")
        return sum(self.arrays[name].size for name in trained)

    def _floats(self) -> int:
        n_codes = max(self.places.layout.n_cats, default=1)
        mixes = self.arrays["out_bias"].shape[2]
        return 3 * self.arrays["bias"].size + 3 * self.places.total + 8 * mixes * n_codes

    def _numbers(self, at: int, x: Array) -> Array:
        """The real numbers that encoded cells of a position stand for, (rows,)."""
        centres = self.arrays["centres"][self.places.layout.slices[at]]
        if len(centres) <= 2:
            share = x.sum(axis=1) if len(centres) == 2 else np.zeros(len(x), np.float32)
            return centres[0] + share * (centres[-1] - centres[0])
        return x @ centres

    def _logits(self, x: Array) -> Array:
        found, walk = np.empty_like(x), _Mixtures(self, len(x))
        for at, place in enumerate(self.places.slices):
            found[:, place] = walk.logits(at)
            walk.add(at, self._numbers(at, x[:, place]))
        return found

    def _walk(self, n_rows: int) -> _Mixtures:
        return _Mixtures(self, n_rows)

    def log_density(self, values: NDArray[np.floating]) -> Reals:
        """Log-density of rows of real numbers, (rows,), nats, in the units of the edges.

        Args:
            values: (rows, cols), as the table has the columns.

        """
        walk, total = _Mixtures(self, len(values)), np.zeros(len(values))
        for at, col in enumerate(self.order.tolist()):
            x = values[:, col].astype(np.float64)
            log_weight, mean, deviation = walk.mixture(at)
            score = (x[:, None] - mean) / deviation
            parts = log_weight - 0.5 * score**2 - np.log(deviation) - 0.5 * math.log(2 * math.pi)
            total += np.logaddexp.reduce(parts, axis=1)
            walk.add(at, x.astype(np.float32))
        return total

    def sample_values(self, n_rows: int, rng: np.random.Generator) -> Reals:
        """Draw rows of real numbers, (rows, cols), as the table has the columns."""
        walk, found = _Mixtures(self, n_rows), np.empty((n_rows, self.layout.n_cols))
        for at, col in enumerate(self.order.tolist()):
            log_weight, mean, deviation = walk.mixture(at)
            chosen = (log_weight + rng.gumbel(size=log_weight.shape)).argmax(axis=1)[:, None]
            noise = rng.normal(size=(n_rows, 1))
            take = (np.take_along_axis(a, chosen, axis=1) for a in (mean, deviation))
            centre, spread = take
            found[:, col] = (centre + spread * noise)[:, 0]
            walk.add(at, found[:, col].astype(np.float32))
        return found


class _Mixtures:
    """The hidden layer of rows on their way, and the mixture of the position reached."""

    def __init__(self, model: RNADE, n_rows: int) -> None:
        self._model = model
        self._before = np.repeat(model.arrays["bias"][None], n_rows, axis=0)  # (rows, width)

    def mixture(self, at: int) -> tuple[Reals, Reals, Reals]:
        """Log-weights, means and deviations of a position, (rows, mixes) each."""
        arrays = self._model.arrays
        hidden = np.maximum(arrays["scale"][at] * self._before, 0)
        logits, mean, log_deviation = (
            (hidden @ arrays["out_weight"][kind, at].T + arrays["out_bias"][kind, at]).astype(float)
            for kind in range(3)
        )
        log_weight = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return log_weight, mean, np.exp(np.clip(log_deviation, -MOST_LOG, MOST_LOG))

    def logits(self, at: int) -> Array:
        """Logits of a position's places, (rows, places of it)."""
        places = self._model.places
        if not places.sizes[at]:
            return np.empty((len(self._before), 0), np.float32)
        log_weight, mean, deviation = self.mixture(at)
        edges = self._model.arrays["edges"][places.layout.slices[at]][:-1].astype(np.float64)
        every = masses(edges, mean, deviation)  # (rows, mixes, codes)
        logs = np.log(np.einsum("rm,rmk->rk", np.exp(log_weight), every) + FLOOR)
        if places.sizes[at] == 1:
            logs = logs[:, 1:] - logs[:, :1]
        return logs.astype(np.float32)

    def add(self, at: int, values: Array) -> None:
        """Go past a position whose real numbers are known, (rows,)."""
        self._before += values[:, None] * self._model.arrays["weight"][at]

    def cell(self, at: int) -> Array:
        return self._model.places.cell_log_softmax(at, self.logits(at))

    def tell(self, at: int, codes: NDArray[np.int32], seen: Mask) -> None:
        model = self._model
        x = model.places.cell(at, codes, seen, model.means)
        self.add(at, model._numbers(at, x))
