r"""A variational autoencoder: a latent vector per row, cells independent given it.

.. math:: p(x_S) = \int p(z) \prod_{c \in S} p(x_c | z)\, dz
    = E_{z \sim r(z | x_S)}\Big[\frac{p(z) \prod_{c \in S} p(x_c | z)}{r(z | x_S)}\Big]

The latent vector is Gaussian, bits, or choices. The integral has no closed form: every answer
here is an estimate by importance sampling, with draws that are fixed by the model's seed, so
the same question has the same answer. It is never the evidence lower bound, which is what
training climbs. The proposal r is the encoder's q mixed with a share of the prior, so no
weight exceeds p(x | z) divided by that share and the variance is finite whatever the encoder
does. `interval` says how far off a log-probability may be.

References:
    Kingma and Welling 2014, Auto-encoding variational Bayes.
    Rezende, Mohamed and Wierstra 2014, appendix E (importance sampling of the likelihood).
    Hesterberg 1995, Weighted average importance sampling and defensive mixture distributions.

"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.base.seeds import generator
from anypart.models.contract import Ability, Codes, Evidence, Floats, Layout, Mask, Model
from anypart.models.layers import Array, gelu, log_softmax

LATENTS = ("gaussian", "bernoulli", "categorical")
PRIOR_SHARE = 0.1  # of the proposal
CELLS_TOGETHER = 2_000_000  # rows · draws · categories at once
T_VALUE = 3.0  # standard errors: 99.7 % of a normal; uneven weights bring it down to 95 %
LEAST_SHARE = 0.025  # P(mean of weights ≥ p / .025) ≤ .025 whatever their law (Markov)


class VAE:
    """The trained encoder and decoder, in NumPy.

    Args:
        layout: the columns.
        arrays: parameters by name: `embed` (flat + cols, width), `encode_bias` (width,),
            `latent_weight` (width, …), `latent_bias`, `decode_weight` (dims · cats, width),
            `decode_bias`, `out_weight` (width, flat), `out_bias` (flat,).
        latent: one of `LATENTS`.
        cats: categories of each latent choice; 1 for the other kinds.
        draws: importance samples per row.
        seed: of those draws.

    """

    family = "vae"
    ability = Ability(any_part=False, weighted=False, rows=False)

    def __init__(
        self,
        layout: Layout,
        arrays: Mapping[str, Array],
        latent: str = "gaussian",
        cats: int = 1,
        sampling: tuple[int, int] = (256, 0),
    ) -> None:
        self.layout, self._arrays = layout, dict(arrays)
        self.latent, self.cats = latent, cats
        self.draws, self.seed = sampling
        self._starts = np.array([place.start for place in layout.slices])
        self.dims = len(self._arrays["decode_weight"]) // cats

    def _encode(self, codes: Codes, seen: Mask) -> Array:
        """Return the parameters of q, (rows, …)."""
        a = self._arrays
        masks = self.layout.total + np.arange(self.layout.n_cols)
        tokens = np.where(seen, codes + self._starts, masks)
        hidden = np.zeros((len(codes), a["embed"].shape[1]), np.float32)
        for column in tokens.T:
            hidden += a["embed"][column]
        return gelu(hidden + a["encode_bias"]) @ a["latent_weight"] + a["latent_bias"]

    def _propose(self, q: Array, rng: np.random.Generator) -> tuple[Array, Floats]:
        """Draw from the proposal: z (rows, draws, dims · cats), log p(z) − log r(z)."""
        rows, shape = len(q), (self.draws, self.dims)
        drawn = rng.standard_normal(shape) if self.latent == "gaussian" else rng.random(shape)
        noise = drawn.astype(np.float32)
        # The first draws are the prior's share: fixed numbers of each, so a mixture without
        # the noise of its choice (balance heuristic).
        n_prior = max(round(self.draws * PRIOR_SHARE), 1)
        wide = np.broadcast_to(noise, (rows, *noise.shape))
        of_prior, of_q = wide[:, :n_prior], wide[:, n_prior:]
        prior = np.zeros_like(q)
        z = np.concatenate([self._latent(prior, of_prior), self._latent(q, of_q)], 1)
        log_p, log_q = self._log_latent(prior, z), self._log_latent(q, z)
        share = n_prior / self.draws
        return z, log_p - np.logaddexp(math.log(share) + log_p, math.log1p(-share) + log_q)

    def _latent(self, q: Array, noise: Array) -> Array:
        """Turn noise into z; q = 0 is the prior."""
        q = q[:, None]
        if self.latent == "gaussian":
            mean, log_scale = np.split(q, 2, -1)
            return mean + np.exp(log_scale) * noise
        if self.latent == "bernoulli":
            return (noise < 0.5 + 0.5 * np.tanh(0.5 * q)).astype(np.float32)  # no overflow
        logs = log_softmax(q.reshape(*q.shape[:2], self.dims, self.cats))
        levels = np.cumsum(np.exp(logs), -1)
        code = (noise[..., None] * levels[..., -1:] >= levels).sum(-1)
        hot = np.eye(self.cats, dtype=np.float32)[code]
        return hot.reshape(*hot.shape[:2], -1)

    def _log_latent(self, q: Array, z: Array) -> Floats:
        """Log-density or log-probability of z, (rows, draws); q = 0 is the prior."""
        wide = q[:, None].astype(np.float64)
        if self.latent == "gaussian":
            mean, log_scale = np.split(wide, 2, -1)
            away = (z - mean) * np.exp(-log_scale)
            return -(0.5 * away * away + log_scale + 0.5 * math.log(2 * math.pi)).sum(-1)
        if self.latent == "bernoulli":
            return (z * wide - np.logaddexp(0, wide)).sum(-1)
        logs = log_softmax(wide.reshape(*wide.shape[:2], self.dims, self.cats))
        return (logs.reshape(*wide.shape[:2], -1) * z).sum(-1)

    def decode(self, z: Array) -> Array:
        """Return log-probabilities of every category given z, (…, flat)."""
        a = self._arrays
        hidden = gelu(z @ a["decode_weight"] + a["decode_bias"])
        logits = hidden @ a["out_weight"] + a["out_bias"]
        for place in self.layout.slices:
            logits[..., place] = log_softmax(logits[..., place])
        return logits

    def _blocks(
        self, evidence: Evidence
    ) -> Iterator[tuple[slice, Codes, Mask, Array, NDArray[np.float64]]]:
        """Yield rows with their decoded draws (rows, draws, flat) and log-weights (rows, draws)."""
        if evidence.weights:
            raise QuestionError(
                "The variational autoencoder takes a value or nothing for each cell, but a "
                "column has a weight per category. Give one value, or ask another model."
            )
        together = max(CELLS_TOGETHER // (self.draws * self.layout.total), 1)
        for start in range(0, evidence.n_rows, together):
            block = slice(start, start + together)
            codes, seen = evidence.codes[block], evidence.seen[block]
            rng = generator(self.seed, "draws")
            z, log_w = self._propose(self._encode(codes, seen), rng)
            tables = self.decode(z)
            yield block, codes, seen, tables, log_w + self._cells(tables, codes, seen).sum(-1)

    def _cells(self, tables: Array, codes: Codes, seen: Mask) -> NDArray[np.float64]:
        """Return log p(x_c | z) of the seen cells, 0 for the others, (rows, draws, cols)."""
        places = (np.where(seen, codes, 0) + self._starts)[:, None]
        places = np.broadcast_to(places, (*tables.shape[:2], places.shape[-1]))
        found = np.take_along_axis(tables, places, -1).astype(np.float64)
        return found * seen[:, None]

    def log_prob(self, evidence: Evidence) -> NDArray[np.float64]:
        """Estimate the log-probability of the seen cells of each row, (rows,), nats.

        Cost:
            O(rows · draws · width · (dims + flat)).
        """
        return self.interval(evidence)[0]

    def interval(
        self, evidence: Evidence
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Estimate log-probabilities, with the ends of a 95 % interval, three times (rows,), nats.

        The mean of the weights is unbiased for p; its logarithm lies a little low, and the
        interval is made on the weights and not on their logarithms. Where the weights are so
        uneven that their spread cannot be trusted, the lower end falls back on Markov's
        inequality, which holds for any weights.
        """
        estimate, low, high = (np.zeros(evidence.n_rows) for _ in range(3))
        for block, codes, seen, _, log_w in self._blocks(evidence):
            top = log_w.max(1, keepdims=True)
            w = np.exp(log_w - top)
            mean = w.mean(1)
            reach = T_VALUE * w.std(1, ddof=1) / math.sqrt(self.draws)
            nothing = ~seen.any(1)
            level = top[:, 0] + np.log(mean)
            estimate[block] = np.where(nothing, 0.0, level)
            least = np.maximum(mean - reach, LEAST_SHARE * mean)
            low[block] = np.where(nothing, 0.0, top[:, 0] + np.log(least))
            high[block] = np.where(nothing, 0.0, np.minimum(top[:, 0] + np.log(mean + reach), 0.0))
            del codes
        return estimate, np.minimum(low, estimate), np.maximum(high, estimate)

    def row_error(self, evidence: Evidence) -> NDArray[np.float64]:
        """Return the standard error of `log_prob`, by the delta method, (rows,), nats."""
        error = np.zeros(evidence.n_rows)
        for block, _, seen, _, log_w in self._blocks(evidence):
            w = np.exp(log_w - log_w.max(1, keepdims=True))
            spread = w.std(1, ddof=1) / w.mean(1) / math.sqrt(self.draws)
            error[block] = np.where(seen.any(1), spread, 0.0)
        return error

    def conditional(self, evidence: Evidence) -> NDArray[np.float32]:
        """Estimate log-probabilities of every cell given the seen ones, (rows, flat)."""
        found = np.empty((evidence.n_rows, self.layout.total), np.float32)
        for block, codes, seen, tables, log_w in self._blocks(evidence):
            share = np.exp(log_softmax(log_w)).astype(np.float32)
            part = np.log(np.einsum("rk,rkf->rf", share, np.exp(tables)) + 1e-30)
            for col, place in enumerate(self.layout.slices):
                part[:, place] = log_softmax(part[:, place])
                rows = np.flatnonzero(seen[:, col])
                part[rows, place] = -np.inf
                part[rows, codes[rows, col] + place.start] = 0
            found[block] = part
        return found

    def leave_one_out(self, codes: Codes, seen: Mask) -> NDArray[np.float32]:
        """Estimate every cell given the other seen ones, (rows, flat).

        The draws are those given all cells; a cell is taken out of their weights.
        """
        found = np.empty((len(codes), self.layout.total), np.float32)
        for block, some, there, tables, log_w in self._blocks(Evidence(codes, seen)):
            cells = self._cells(tables, some, there)
            for col, place in enumerate(self.layout.slices):
                share = np.exp(log_softmax(log_w - cells[:, :, col]))
                part = np.einsum("rk,rkf->rf", share, np.exp(tables[:, :, place]))
                found[block, place] = log_softmax(np.log(part + 1e-30))
        return found

    def sample(self, evidence: Evidence, rng: np.random.Generator) -> Codes:
        """Draw the unseen cells of each row; from nothing, exactly from the model.

        Given cells, a latent point is drawn among fresh proposals by their weights.
        """
        drawn = np.where(evidence.seen, evidence.codes, 0).astype(np.int32)
        alone = np.flatnonzero(~evidence.seen.any(1))
        for row in range(0, evidence.n_rows, 64):
            block = slice(row, row + 64)
            codes, seen = evidence.codes[block], evidence.seen[block]
            q = self._encode(codes, seen)
            # The prior itself: all weights alike, and fresh for each row.
            q[alone[(alone >= row) & (alone < row + 64)] - row] = 0
            tables = self._fresh(q, codes, seen, rng)
            for col, place in enumerate(self.layout.slices):
                levels = np.cumsum(np.exp(tables[:, place].astype(np.float64)), 1)
                u = rng.random((len(codes), 1)) * levels[:, -1:]
                code = (u >= levels).sum(1)
                drawn[block, col] = np.where(seen[:, col], drawn[block, col], code)
        return drawn

    def _fresh(self, q: Array, codes: Codes, seen: Mask, rng: np.random.Generator) -> Array:
        """Draw one latent point a row by importance resampling; return its tables, (rows, flat)."""
        chosen = np.empty((len(q), self.layout.total), np.float32)
        for row in range(len(q)):  # noise of its own for every row
            one = slice(row, row + 1)
            z, log_w = self._propose(q[one], rng)
            tables = self.decode(z)
            log_w = log_w + self._cells(tables, codes[one], seen[one]).sum(-1)
            levels = np.cumsum(np.exp(log_w[0] - log_w.max()))
            pick = int((rng.random() * levels[-1] >= levels).sum())
            chosen[row] = tables[0, pick]
        return chosen

    def represent(self, evidence: Evidence) -> NDArray[np.float32]:
        """Return the latent parameters of each row, (rows, dims · cats)."""
        q = self._encode(evidence.codes, evidence.seen)
        return q[:, : self.dims * self.cats].astype(np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the settings as JSON, and the parameters."""
        settings = {
            "n_cats": list(self.layout.n_cats),
            "latent": self.latent,
            "cats": self.cats,
            "draws": self.draws,
            "seed": self.seed,
        }
        return settings, dict(self._arrays)

    @classmethod
    def from_state(cls, settings: dict[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Model:
        """Build the model that `state` described."""
        layout = Layout(tuple(settings["n_cats"]))
        sampling = (settings["draws"], settings["seed"])
        return cls(layout, arrays, settings["latent"], settings["cats"], sampling)
