"""Many small models trained side by side: every set and seed is one slice of a batch.

Each slice has its own rows, weights, optimiser state and best step, so the result is that
of training them one by one; only the arithmetic is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from benchmarks.smoothing.keel import Part

HIDDEN = 16
NEVER = -60.0  # the score of a row that pads: never positive


@dataclass(frozen=True)
class Rows:
    """Rows of many parts, padded.

    Args:
        x: (models, rows, features).
        y: (models, rows), 0 where a row pads.
        real: (models, rows) whether a row is one.

    """

    x: Tensor
    y: Tensor
    real: Tensor

    @staticmethod
    def of(parts: Sequence[Part], features: int) -> Rows:
        """Pad parts to one shape."""
        n = max(len(p.y) for p in parts)
        x = torch.zeros(len(parts), n, features)
        y, real = torch.zeros(len(parts), n), torch.zeros(len(parts), n, dtype=torch.bool)
        for i, part in enumerate(parts):
            x[i, : len(part.y), : part.x.shape[1]] = torch.from_numpy(part.x)
            y[i, : len(part.y)] = torch.from_numpy(part.y).float()
            real[i, : len(part.y)] = True
        return Rows(x, y, real)


Weights = list[Tensor]
Loss = Callable[[Tensor, Rows], Tensor]  # scores and rows → (models,)


def start(models: int, features: int, *, hidden: bool, seed: int) -> Weights:
    """Make the weights of linear models, or of models with one hidden layer."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return (torch.rand(*shape, generator=rng) * 2 - 1) / features**0.5

    if not hidden:
        return [torch.zeros(models, features), torch.zeros(models)]
    return [
        draw(models, features, HIDDEN),
        draw(models, HIDDEN),
        draw(models, HIDDEN),
        torch.zeros(models),
    ]


def scores(weights: Weights, rows: Rows) -> Tensor:
    """Log-odds, (models, rows); padding never."""
    if len(weights) == 2:
        z = (rows.x @ weights[0][:, :, None]).squeeze(2) + weights[1][:, None]
    else:
        first, bias, last, shift = weights
        inner = torch.relu(torch.baddbmm(bias[:, None], rows.x, first))
        z = (inner @ last[:, :, None]).squeeze(2) + shift[:, None]
    return torch.where(rows.real, z, NEVER)


def shifted(weights: Weights, cut: Tensor) -> Weights:
    """Move every model's threshold to 0."""
    return [*weights[:-1], weights[-1] - cut]


def train(
    weights: Weights, loss: Loss, rows: Rows, valid: Rows, steps: int, rate: float, every: int = 10
) -> Weights:
    """Descend a loss from given weights; of each model the best step on validation."""
    return descend(weights, loss, rows, [valid], steps, rate, every)[0]


def descend(
    weights: Weights,
    loss: Loss,
    rows: Rows,
    judges: Sequence[Rows],
    steps: int,
    rate: float,
    every: int = 10,
) -> list[Weights]:
    """Descend a loss; for each judge, of each model the step that is best on its rows."""
    moving = [w.clone().requires_grad_() for w in weights]
    optimiser = torch.optim.Adam(moving, lr=rate)
    best = [torch.full((len(weights[-1]),), torch.inf) for _ in judges]
    kept = [[w.clone() for w in weights] for _ in judges]
    for step in range(steps + 1):
        if step % every == 0:
            with torch.no_grad():
                for i, judge in enumerate(judges):
                    found = loss(scores(moving, judge), judge)
                    better = found < best[i]
                    best[i] = torch.where(better, found, best[i])
                    for k, w in zip(kept[i], moving, strict=True):
                        k[better] = w[better]
        optimiser.zero_grad()
        loss(scores(moving, rows), rows).sum().backward()
        optimiser.step()
    return kept


def trail(weights: Weights, loss: Loss, rows: Rows, steps: int, rate: float) -> list[Weights]:
    """Descend a loss; the weights at the start and after every ten steps."""
    moving = [w.clone().requires_grad_() for w in weights]
    optimiser = torch.optim.Adam(moving, lr=rate)
    found = [weights]
    for step in range(1, steps + 1):
        optimiser.zero_grad()
        loss(scores(moving, rows), rows).sum().backward()
        optimiser.step()
        if step % 10 == 0:
            found.append([w.detach().clone() for w in moving])
    return found


def averaged(points: Sequence[Weights]) -> Weights:
    """Mean of weights."""
    return [torch.stack(part).mean(0) for part in zip(*points, strict=True)]


def thresholds(z: Tensor, rows: Rows, measure: str = "f1") -> Tensor:
    """Best cut of each model by hard F1 or accuracy: the middle one of the best, (models,)."""
    cuts = []
    for zi, yi, real in zip(z, rows.y, rows.real, strict=True):
        s, y = zi[real].double().numpy(), yi[real].numpy()
        order = np.argsort(-s, kind="stable")
        s, hits = s[order], np.r_[0.0, np.cumsum(y[order])]
        k = np.arange(len(s) + 1)
        true = hits[-1]
        value = 2 * hits / (k + true) if measure == "f1" else hits - (k - hits)
        middle = np.r_[s[0] + 1, (s[1:] + s[:-1]) / 2, s[-1] - 1]
        apart = np.r_[True, s[1:] < s[:-1], True]  # equal scores are decided together
        at = np.flatnonzero(apart & (value >= value[apart].max() - 1e-12))
        cuts.append(middle[at[len(at) // 2]])
    return torch.tensor(np.array(cuts), dtype=torch.float32)


def joined(a: Rows, b: Rows) -> Rows:
    """Rows of both, of each model."""
    return Rows(*(torch.cat([getattr(a, n), getattr(b, n)], 1) for n in ("x", "y", "real")))


def hard_f1(z: Tensor, rows: Rows) -> Tensor:
    """F1 at a threshold of 0, (models,)."""
    made = ((z > 0) & rows.real).float()
    return 2 * (made * rows.y).sum(1) / (made.sum(1) + rows.y.sum(1)).clamp(min=1)


def hard_accuracy(z: Tensor, rows: Rows) -> Tensor:
    """Share of right decisions at a threshold of 0, (models,)."""
    right = ((z > 0) == (rows.y > 0)) & rows.real
    return right.sum(1) / rows.real.sum(1)
