"""AdamW with a warm-up, a falling step and averaged parameters: what networks train with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

    Parameters = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Pace:
    """How far a step goes.

    Args:
        rate: the largest step of AdamW.
        decay: weight decay of AdamW.
        norm: longer gradients are cut to this length.
        steady: share of the steps after which the rate falls along a cosine.
        warm_up: steps over which the rate rises.
        memory: share of AdamW's mean of squares that stays.
        averaged: share of the averaged parameters that stays, once there are many steps.

    """

    rate: float
    decay: float = 0.01
    norm: float = 1.0
    steady: float = 0.5
    warm_up: int = 200
    memory: float = 0.999
    averaged: float = 0.999

    def at(self, steps: int, progress: float) -> float:
        """Return the rate: warm up, stay, fall."""
        late = max(progress - self.steady, 0.0) / (1 - self.steady)
        fall = 0.5 * (1 + math.cos(math.pi * late)) + 0.01 * (late > 0)
        return self.rate * min(1.0, (steps + 1) / self.warm_up) * fall


class Descent:
    """Named parameters on their way down; its whole state is arrays.

    Args:
        start: the parameters to begin with.
        pace: how far a step goes.

    """

    def __init__(self, start: Mapping[str, NDArray[Any]], pace: Pace) -> None:
        import torch

        self.now = {n: torch.tensor(a, requires_grad=True) for n, a in start.items()}
        self.steps = 0
        self._mean = {n: torch.tensor(a) for n, a in start.items()}
        self._pace = pace
        self._optimizer = torch.optim.AdamW(
            list(self.now.values()),
            lr=pace.rate,
            betas=(0.9, pace.memory),
            weight_decay=pace.decay,
            fused=True,
        )

    def down(self, loss: torch.Tensor, progress: float) -> float:
        """Take one step down a loss of `now`; return the loss before it.

        Args:
            loss: a scalar.
            progress: share of the planned steps already done, in [0, 1).

        """
        self._optimizer.zero_grad()
        loss.backward()
        self._advance(progress)
        return float(loss.detach())

    def along(self, gradient: Parameters, progress: float) -> None:
        """Take one step down a loss whose gradient is known.

        Args:
            gradient: of the loss by each of `now`.
            progress: as in `down`.

        """
        for name, now in self.now.items():
            now.grad = gradient[name]
        self._advance(progress)
        self._optimizer.zero_grad()  # as large as the parameters

    def _advance(self, progress: float) -> None:
        """Move the parameters and their average by the gradients that they hold."""
        import torch

        for group in self._optimizer.param_groups:
            group["lr"] = self._pace.at(self.steps, progress)
        torch.nn.utils.clip_grad_norm_(list(self.now.values()), self._pace.norm)
        self._optimizer.step()
        self.steps += 1
        keep = min(self._pace.averaged, max(0.0, 1 - 3 / (self.steps + 1)))
        with torch.no_grad():
            for name, mean in self._mean.items():
                mean.lerp_(self.now[name], 1 - keep)

    def averaged(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the averaged parameters; later steps leave them alone."""
        return {name: mean.numpy().copy() for name, mean in self._mean.items()}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the parameters, their average and AdamW's moments."""
        arrays: dict[str, NDArray[Any]] = {"steps": np.array(self.steps)}
        for name, now in self.now.items():
            arrays[f"now/{name}"] = now.detach().numpy().copy()
            arrays[f"mean/{name}"] = self._mean[name].numpy().copy()
            for kind, value in self._optimizer.state[now].items():
                arrays[f"{kind}/{name}"] = value.numpy().copy()
        return arrays

    def load_state(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        import torch

        self.steps = int(arrays["steps"])
        kinds = ("step", "exp_avg", "exp_avg_sq")
        with torch.no_grad():
            for name, now in self.now.items():
                now.copy_(torch.tensor(arrays[f"now/{name}"]))
                self._mean[name].copy_(torch.tensor(arrays[f"mean/{name}"]))
                if f"step/{name}" in arrays:  # a parameter without a gradient has no moments
                    self._optimizer.state[now] = {
                        kind: torch.tensor(arrays[f"{kind}/{name}"]) for kind in kinds
                    }


def log_odds(
    codes: NDArray[Any], seen: NDArray[np.bool_], n_cats: tuple[int, ...]
) -> NDArray[np.float64]:
    """Log-probabilities of the categories in some rows, (flat,): where output biases start.

    A model whose other terms are 0 is then the independent model of the rows.

    Args:
        codes: (rows, cols).
        seen: (rows, cols) the cells that count.
        n_cats: categories of each column.

    """
    found: list[NDArray[np.float64]] = []
    for col, n in enumerate(n_cats):
        counts = np.bincount(codes[seen[:, col], col], minlength=n) + 0.5
        found.append(np.log(counts / counts.sum()))
    return np.concatenate(found)
