"""Training of the continuous mixture by stochastic gradients, in torch.

First the decoder learns at points that are drawn afresh for every batch, so that it means
something everywhere. Then the points stay, and they and their weights are learned with it:
a thousand points that lie where rows are do what eight thousand even ones do, and every
question costs an eighth.

References:
    Correia, Gala, Quaeghebeur, de Campos and Peharz 2023, Continuous mixtures of tractable
    probabilistic models, section 4 (latent optimisation).

"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.continuous_mixture import ContinuousMixture
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.layers import NORM_EPSILON
from anypart.models.settled import Settled, free_columns
from anypart.optim.descent import Descent, Pace, log_odds
from anypart.optim.hats import HattedColumns
from anypart.optim.tree_start import make_sample, settled_tables

if TYPE_CHECKING:
    import torch

    Parameters = dict[str, torch.Tensor]

STEADY = 0.3  # share of the steps after which the rate falls
EDGE = 1e-5  # of the unit cube, where a normal quantile would be infinite


@dataclass(frozen=True)
class DecoderSettings:
    """How the mixture is made and trained.

    Args:
        dims: of the latent vector.
        width: of the decoder's layers.
        layers: of the decoder before its output.
        points: of a training step, and of the finished mixture.
        fresh: share of the steps at fresh points; in the others points and weights are learned.
        rate: largest step of AdamW.
        decay: weight decay of AdamW.
        ordered: the columns whose categories have an order, as those of numbers have: the
            decoder's last layer speaks of them in hats (`optim.hats`).

    """

    dims: int = 16
    width: int = 256
    layers: int = 2
    points: int = 1024
    fresh: float = 0.3
    rate: float = 3e-3
    decay: float = 0.01
    ordered: Sequence[int] = ()


def initial_decoder(
    layout: Layout, codes: Codes, seen: Mask, settings: DecoderSettings, seed: int
) -> dict[str, NDArray[np.float32]]:
    """Make a decoder that starts near the independent model of the rows."""
    rng = generator(seed, "decoder")
    made: dict[str, Any] = {}
    fan_in = settings.dims
    for i in range(settings.layers):
        made[f"{i}.weight"] = rng.normal(size=(fan_in, settings.width)) * fan_in**-0.5
        made[f"{i}.bias"] = rng.normal(size=settings.width) * 0.5
        made[f"{i}.scale"] = np.ones(settings.width)
        made[f"{i}.shift"] = np.zeros(settings.width)
        fan_in = settings.width
    made["out_weight"] = rng.normal(size=(fan_in, layout.total)) * 0.1 * fan_in**-0.5
    made["out_bias"] = log_odds(codes, seen, layout.n_cats)
    return {name: a.astype(np.float32) for name, a in made.items()}


def lattice(n_points: int, dims: int, seed: int) -> NDArray[np.float32]:
    """Scrambled Sobol points in the open unit cube, (points, dims)."""
    import torch

    found = torch.quasirandom.SobolEngine(dims, scramble=True, seed=seed).draw(n_points)
    return found.numpy().astype(np.float32)


def normal_points(cube: NDArray[np.float32]) -> torch.Tensor:
    """Turn points of the unit cube into points of a standard normal, of the same shape."""
    import torch

    return torch.special.ndtri(torch.from_numpy(cube).clamp(EDGE, 1 - EDGE))


def decode(parameters: Parameters, points: torch.Tensor, layout: Layout) -> torch.Tensor:
    """Do in torch what `ContinuousMixture.log_tables` does, (points, flat), nats."""
    import torch
    from torch.nn import functional

    p, hidden = parameters, points
    for i in range(sum(name.endswith(".scale") for name in p)):
        hidden = hidden @ p[f"{i}.weight"] + p[f"{i}.bias"]
        hidden = functional.layer_norm(
            hidden, hidden.shape[1:], p[f"{i}.scale"], p[f"{i}.shift"], NORM_EPSILON
        )
        hidden = functional.gelu(hidden, approximate="tanh")
    logits = hidden @ p["out_weight"] + p["out_bias"]
    if set(layout.n_cats) == {2}:  # one call for all columns
        return torch.log_softmax(logits.view(len(logits), -1, 2), 2).flatten(1)
    parts = logits.split(layout.n_cats, 1)
    return torch.cat([torch.log_softmax(part, 1) for part in parts], 1)


class DecoderLearner:
    """AdamW on the mixture over freshly shifted points, with averaged parameters.

    Columns that another one settles are no business of the decoder: they hang on its code.

    Args:
        layout: the columns.
        codes, seen: (rows, cols) rows that the starting log-odds are counted on.
        settings: of the mixture and its training.
        seed: of everything random.

    """

    def __init__(
        self, layout: Layout, codes: Codes, seen: Mask, settings: DecoderSettings, seed: int
    ) -> None:
        self._whole, self._settings, self._seed = layout, settings, seed
        self._hosts, self._tables = settled_tables(make_sample(layout, codes, seen))
        self._free = free_columns(layout, self._hosts)
        self._layout = Layout(tuple(layout.n_cats[c] for c in self._free))
        codes, seen = codes[:, self._free], seen[:, self._free]
        start = initial_decoder(self._layout, codes, seen, settings, seed)
        start["points"] = normal_points(lattice(settings.points, settings.dims, seed + 1)).numpy()
        start["log_weights"] = np.zeros(settings.points, np.float32)
        ordered = [place for place, c in enumerate(self._free) if c in settings.ordered]
        self._hatted = HattedColumns(self._layout.n_cats, ordered)
        start["out_weight"] = self._hatted.to_hats(start["out_weight"])
        pace = Pace(settings.rate, settings.decay, norm=5.0, steady=STEADY)
        self._descent = Descent(start, pace)
        self._cube = lattice(settings.points, settings.dims, seed)
        self._starts = np.array([s.start for s in self._layout.slices])

    def _fresh(self) -> torch.Tensor:
        """Shift points around the unit cube (Cranley and Patterson 1976)."""
        shift = generator(self._seed, "points", self._descent.steps).random(self._cube.shape[1])
        return normal_points((self._cube + shift.astype(np.float32)) % 1)

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; see `Learner.step`."""
        import torch

        codes = codes[:, self._free]
        hot = np.zeros((len(codes), self._layout.total), np.float32)
        rows, cols = np.nonzero(seen[:, self._free])
        hot[rows, codes[rows, cols] + self._starts[cols]] = 1
        now, fresh = dict(self._descent.now), progress < self._settings.fresh
        now["out_weight"] = self._hatted.to_cells(now["out_weight"])
        tables = decode(now, self._fresh() if fresh else now["points"], self._layout)
        weights = now["log_weights"].detach() if fresh else now["log_weights"]
        joint = torch.from_numpy(hot) @ tables.T  # (rows, points)
        loss = -torch.logsumexp(joint + torch.log_softmax(weights, 0), 1).mean()
        return -self._descent.down(loss, progress)

    def model(self) -> Model:
        """Return the mixture at its own points, all of it averaged over steps."""
        import torch

        arrays = self._descent.averaged()
        in_hats = torch.from_numpy(arrays["out_weight"])
        arrays["out_weight"] = self._hatted.to_cells(in_hats).numpy()
        arrays["log_weights"] -= np.logaddexp.reduce(arrays["log_weights"])
        mixture = ContinuousMixture(self._layout, arrays)
        if not self._hosts:
            return mixture
        return Settled(self._whole, mixture, self._hosts, self._tables)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return parameters, their average and AdamW's moments."""
        return self._descent.state()

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._descent.load_state(arrays)
