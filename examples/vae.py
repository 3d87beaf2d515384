r"""A variational autoencoder on silhouettes: `python -m examples.vae [seeds] [file.npz]`.

The latent vector is Gaussian, bits or choices; what differs in the training is one line, the
estimator. For bits, estimators are compared at equal evaluations of the decoder: each has 2 a
step. Every model is judged by its held-out likelihood, estimated by importance sampling from
the encoder mixed with the prior, with an interval: never by the lower bound that it climbs.

Without a file the silhouettes are drawn by the program: discs, boxes and crosses of 12 × 12.
The file is that of a binary set, `train` and `test` packed by NumPy, and `cols`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anypart.calculus import gradients as g
from anypart.models.contract import Evidence, Layout
from anypart.optim.variational import VAELearner, VAESettings

Bits = NDArray[np.int32]

ESTIMATORS: dict[str, Callable[[float], g.Estimator]] = {  # of a temperature, where it has one
    "straight-through Gumbel-Softmax": lambda t: g.GumbelSoftmax(t, hard=True, draws=2),
    "straight-through": lambda t: g.StraightThrough(t, draws=2),
    "Gumbel-Rao": lambda t: g.GumbelRao(t, draws=2),
    "ReinMax": lambda t: g.ReinMax(t, draws=2),
    "leave-one-out": lambda _: g.ScoreFunction("leave_one_out", draws=2),
    "DisARM": lambda _: g.DisARM(),
}


@dataclass(frozen=True)
class Setting:
    """How an estimator is used.

    Args:
        temperature: of the estimator, where it has one.
        rate: of AdamW.

    """

    temperature: float
    rate: float


CHOSEN = {  # on validation rows, from the settings of benchmarks/homes.py
    "straight-through Gumbel-Softmax": Setting(1.0, 0.008),
    "straight-through": Setting(2.0, 0.016),
    "Gumbel-Rao": Setting(0.5, 0.008),
    "ReinMax": Setting(2.0, 0.016),
    "leave-one-out": Setting(1.0, 0.008),
    "DisARM": Setting(1.0, 0.008),
}


def silhouettes(n_rows: int, seed: int, size: int = 12) -> Bits:
    """Draw discs, boxes and crosses at random places, with one pixel in fifty turned."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    rows = []
    for kind in rng.integers(0, 3, n_rows):
        cy, cx = rng.uniform(3, size - 3, 2)
        r, s = rng.uniform(1.5, 4, 2)
        away_y, away_x = np.abs(y - cy), np.abs(x - cx)
        shapes = (
            away_y**2 + away_x**2 < r * r,
            (away_y < r) & (away_x < s),
            ((away_y < 1) & (away_x < r + 1)) | ((away_x < 1) & (away_y < s + 1)),
        )
        rows.append(shapes[kind] ^ (rng.random((size, size)) < 0.02))
    return np.stack(rows).reshape(n_rows, -1).astype(np.int32)


def read(path: Path) -> tuple[Bits, Bits]:
    """Read the training and the test rows of a binary set."""
    with np.load(path) as file:
        n = int(file["cols"])
        parts = [np.unpackbits(file[k], axis=1)[:, :n].astype(np.int32) for k in ("train", "test")]
    return parts[0], parts[1]


@dataclass(frozen=True)
class Judgement:
    """Held-out likelihood, nats per row.

    Args:
        level: the estimate.
        low, high: means of the rows' 95 % intervals.

    """

    level: float
    low: float
    high: float


def train(
    rows: Bits, settings: VAESettings, estimator: g.Estimator | None, seed: int, steps: int
) -> VAELearner:
    """Train with an estimator of one's choice, the engine's own if None."""
    layout, seen = Layout((2,) * rows.shape[1]), np.ones((64, rows.shape[1]), bool)
    learner = VAELearner(layout, rows, np.ones(rows.shape, bool), settings, seed, estimator)
    rng = np.random.default_rng(seed)
    for step in range(steps):
        learner.step(rows[rng.integers(0, len(rows), 64)], seen, step / steps)
    return learner


def judge(learner: VAELearner, test: Bits) -> Judgement:
    """Estimate the held-out likelihood."""
    found = learner.model().interval(Evidence(test, np.ones(test.shape, bool)))
    return Judgement(*(float(part.mean()) for part in found))


def compared(
    name: str, setting: Setting, rows: Bits, test: Bits, seed: int, steps: int
) -> Judgement:
    """Train 32 bits with a named estimator and judge; the same seed is the same start and rows."""
    settings = VAESettings("bernoulli", 32, width=64, draws=128, rate=setting.rate)
    estimator = ESTIMATORS[name](setting.temperature)
    return judge(train(rows, settings, estimator, seed, steps), test)


def main(seeds: int = 5, path: str = "", steps: int = 800) -> None:
    """Print both tables."""
    rows, test = read(Path(path)) if path else (silhouettes(4_000, 1), silhouettes(300, 2))
    test = test[:300]
    print(f"{rows.shape[1]} pixels, {len(rows):,} rows, {seeds} seeds, {steps:,} steps, nats a row")
    for latent, dims in (("gaussian", 16), ("bernoulli", 32), ("categorical", 12)):
        settings = VAESettings(latent, dims, width=64, draws=128)
        found = judge(train(rows, settings, None, 0, steps), test)
        print(f"{latent:12} {found.level:9.2f}  [{found.low:.2f}, {found.high:.2f}]", flush=True)
    levels: dict[str, list[float]] = {}
    for name, setting in CHOSEN.items():
        levels[name] = [
            compared(name, setting, rows, test, seed, steps).level for seed in range(seeds)
        ]
        gaps = np.subtract(levels[name], levels["straight-through Gumbel-Softmax"])
        error = gaps.std(ddof=1) / seeds**0.5 if seeds > 1 else float("nan")
        print(
            f"{name:32} {np.mean(levels[name]):9.2f}   ahead of straight-through "
            f"Gumbel-Softmax by {gaps.mean():+.2f} ± {error:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    words = dict(enumerate(sys.argv[1:]))
    main(int(words.get(0, 5)), words.get(1, ""), int(words.get(2, 800)))
