"""Training of the variational autoencoder through `calculus.gradients`, in torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask
from anypart.models.vae import LATENTS, VAE
from anypart.optim.descent import Descent, Pace, log_odds

if TYPE_CHECKING:
    import torch

    from anypart.calculus.gradients import Estimator, Family

    Parameters = dict[str, torch.Tensor]

WARM = 0.15  # share of the steps over which the divergence comes in
SHOWN = 0.5  # share of the rows of which the encoder sees all cells


@dataclass(frozen=True)
class VAESettings:
    """How the autoencoder is made and trained.

    Args:
        latent: gaussian, bernoulli or categorical.
        dims: latent coordinates.
        cats: categories of each, for a categorical latent.
        width: of the hidden layers.
        draws: importance samples per row of the finished model.
        rate: largest step of AdamW.
        decay: weight decay of AdamW.

    """

    latent: str = "gaussian"
    dims: int = 16
    cats: int = 8
    width: int = 256
    draws: int = 256
    rate: float = 2e-3
    decay: float = 0.01

    @property
    def sizes(self) -> tuple[int, int]:
        """How many numbers describe q, and how many are a latent vector."""
        n = self.dims * (self.cats if self.latent == "categorical" else 1)
        return (2 * n if self.latent == "gaussian" else n), n


def initial_autoencoder(
    layout: Layout, codes: Codes, seen: Mask, settings: VAESettings, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Make an autoencoder that starts near the independent model of the rows."""
    rng = generator(seed, "autoencoder")
    described, latent = settings.sizes
    width, total, n_cols = settings.width, layout.total, layout.n_cols
    made: dict[str, Any] = {
        "embed": rng.normal(size=(total + n_cols, width)) * n_cols**-0.5,
        "encode_bias": np.zeros(width),
        "latent_weight": rng.normal(size=(width, described)) * 0.5 * width**-0.5,
        "latent_bias": np.zeros(described),
        "decode_weight": rng.normal(size=(latent, width)) * settings.dims**-0.5,
        "decode_bias": rng.normal(size=width) * 0.1,
        "out_weight": rng.normal(size=(width, total)) * 0.1 * width**-0.5,
        "out_bias": log_odds(codes, seen, layout.n_cats),
    }
    return {name: a.astype(np.float32) for name, a in made.items()}


def estimator_for(latent: str) -> Estimator:
    """Choose the estimator of a latent's gradient.

    Measured on silhouettes with 32 bits at two evaluations of the decoder a step
    (`benchmarks/homes.py`): ReinMax, whose bias is small where the decoder is smooth, ended 1.3
    nats a row ahead of straight-through Gumbel-Softmax, and further ahead of the unbiased
    leave-one-out and DisARM, which are noisier.
    """
    from anypart.calculus import gradients

    assert latent in LATENTS, latent
    return gradients.Pathwise() if latent == "gaussian" else gradients.ReinMax()


def posterior(described: torch.Tensor, settings: VAESettings) -> tuple[Family, torch.Tensor]:
    """Return q(z | x), and its divergence from the prior, (rows,), nats."""
    import torch
    from torch.nn import functional

    from anypart.calculus import gradients

    if settings.latent == "gaussian":
        mean, log_scale = described.chunk(2, 1)
        divergence = 0.5 * (mean.square() + (2 * log_scale).exp() - 1) - log_scale
        return gradients.Normal(mean, log_scale.exp()), divergence.sum(1)
    if settings.latent == "bernoulli":
        p = described.sigmoid()
        entropy = functional.softplus(described) - p * described
        return gradients.Bernoulli(described), (math.log(2) - entropy).sum(1)
    logits = described.view(len(described), settings.dims, settings.cats)
    log_q = torch.log_softmax(logits, 2)
    divergence = (log_q.exp() * log_q).sum((1, 2)) + settings.dims * math.log(settings.cats)
    return gradients.Categorical(logits), divergence


def decode(p: Parameters, z: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Do in torch what `VAE.decode` does, (…, flat), nats."""
    import torch
    from torch.nn import functional

    hidden = functional.gelu(z @ p["decode_weight"] + p["decode_bias"], approximate="tanh")
    logits = hidden @ p["out_weight"] + p["out_bias"]
    if set(layout.n_cats) == {2}:
        pairs = logits.unflatten(-1, (-1, 2)).movedim(-1, 0)  # a last axis of 2 is slow in torch
        return torch.log_softmax(pairs, 0).movedim(0, -1).flatten(-2)
    parts = logits.split(layout.n_cats, -1)
    return torch.cat([torch.log_softmax(part, -1) for part in parts], -1)


def log_cells(p: Parameters, z: torch.Tensor, layout: Layout, hot: torch.Tensor) -> torch.Tensor:
    """Decode, and sum the seen cells: (draws, rows), nats."""
    return (decode(p, z, layout) * hot).sum(-1)


class VAELearner:
    """AdamW on the evidence lower bound, its latent gradient by an estimator of `calculus`.

    In half of the rows the encoder sees only a part of the cells, while all of them are to be
    explained: the bound holds for any q, and q of a part is what questions about parts need.

    Args:
        layout: the columns.
        codes, seen: (rows, cols) rows that the starting log-odds are counted on.
        settings: of the autoencoder and its training.
        seed: of everything random.
        estimator: of the latent vector's gradient; that of `estimator_for` if None.

    """

    def __init__(
        self,
        layout: Layout,
        codes: Codes,
        seen: Mask,
        settings: VAESettings,
        seed: int,
        estimator: Estimator | None = None,
    ) -> None:
        self._layout, self._settings, self._seed = layout, settings, seed
        start = initial_autoencoder(layout, codes, seen, settings, seed)
        self._descent = Descent(start, Pace(settings.rate, settings.decay, norm=5.0, steady=0.4))
        self._estimate = estimator or estimator_for(settings.latent)
        self._starts = np.array([s.start for s in layout.slices])

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; see `Learner.step`."""
        import torch

        steps = self._descent.steps
        shown = partly(seen, generator(self._seed, "shown", steps))
        noise = torch.Generator().manual_seed(
            int(generator(self._seed, "latent", steps).integers(2**62))
        )
        warmth = min(1.0, progress / WARM) if progress < WARM else 1.0
        loss = self.loss(codes, seen, shown, noise, max(warmth, 0.01))
        return -self._descent.down(loss, progress)

    def loss(
        self, codes: Codes, seen: Mask, shown: Mask, noise: torch.Generator, warmth: float
    ) -> torch.Tensor:
        """Estimate −(lower bound) per row, nats, with its gradient."""
        import torch
        from torch.nn import functional

        p, layout = self._descent.now, self._layout
        masks = layout.total + np.arange(layout.n_cols)
        tokens = torch.from_numpy(np.where(shown, codes + self._starts, masks).astype(np.int64))
        hidden = functional.embedding_bag(tokens, p["embed"], mode="sum") + p["encode_bias"]
        hidden = functional.gelu(hidden, approximate="tanh")
        q, divergence = posterior(hidden @ p["latent_weight"] + p["latent_bias"], self._settings)
        hot = np.zeros((len(codes), layout.total), np.float32)
        rows, cols = np.nonzero(seen)
        hot[rows, codes[rows, cols] + self._starts[cols]] = 1
        there = torch.from_numpy(hot)

        def cost(z: torch.Tensor) -> torch.Tensor:
            return -log_cells(p, z.flatten(2), layout, there)

        return (self._estimate(cost, q, noise) + warmth * divergence).mean()

    def model(self) -> VAE:
        """Return the autoencoder with the averaged parameters."""
        s = self._settings
        cats = s.cats if s.latent == "categorical" else 1
        sampling = (s.draws, self._seed)
        return VAE(self._layout, self._descent.averaged(), s.latent, cats, sampling)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return parameters, their average and AdamW's moments."""
        return self._descent.state()

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._descent.load_state(arrays)


def partly(seen: Mask, rng: np.random.Generator) -> Mask:
    """Choose what the encoder sees: half of the rows whole, of the others a random share."""
    share = np.where(rng.random(len(seen)) < SHOWN, 1.0, rng.random(len(seen)))
    return seen & (rng.random(seen.shape) < share[:, None])
