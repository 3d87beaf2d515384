"""Polynomial programming: minimise E[mean |x - .45|^p] over 128 bits.

The protocol is that of the ReinMax authors' program: two logits for each bit, which start
within ±.01, and Adam at rate .001 for 40 epochs of 200 steps. Every estimator spends at most
256 evaluations of f a step: one that takes two halves the batch.
"""

from __future__ import annotations

from functools import partial

import torch

from anypart.calculus import gradients as g
from benchmarks.contest import RESULTS
from benchmarks.kept import Kept

DIMS, EVALUATIONS, C, STEPS, RATE, SEEDS = 128, 256, 0.45, 8_000, 1e-3, 3
RECORD = {2.0: (0.2031, 0.2038), 1.5: (0.3025, 0.3054), 3.0: (0.0916, 0.0916)}
ESTIMATORS = {
    "leave-one-out over the batch": lambda: g.ScoreFunction("mean"),
    "leave-one-out, 2 draws": lambda: g.ScoreFunction("leave_one_out", draws=2),
    "DisARM": g.DisARM,
    "local expectation": g.LocalExpectation,
    "ReinMax": g.ReinMax,
}


def minimise(name: str, power: float, seed: int, steps: int = STEPS) -> float:
    """Return the exact objective after `steps` of Adam, lower is better."""
    noise = torch.Generator().manual_seed(seed)
    theta = torch.rand(2, DIMS, generator=noise).sub(0.5).mul(0.02).requires_grad_()
    estimator = ESTIMATORS[name]()
    batch = EVALUATIONS // estimator.evaluations(g.Bernoulli(theta[0]))
    optimizer = torch.optim.Adam([theta], lr=RATE)

    def f(x: torch.Tensor) -> torch.Tensor:
        return (x - C).abs().pow(power).mean(-1)

    for _ in range(steps):
        optimizer.zero_grad()
        p = g.Bernoulli((theta[0] - theta[1]).expand(batch, DIMS))
        estimator(f, p, noise).mean().backward()
        optimizer.step()
    chance = (theta[0] - theta[1]).detach().double().sigmoid()
    return float((chance * (1 - C) ** power + (1 - chance) * C**power).mean())


def lines() -> list[str]:
    """Measure what is not kept yet and write the table."""
    kept, powers = Kept(RESULTS / "gradients_polynomial.json"), list(RECORD)
    found = [
        "| estimator | " + " | ".join(f"p = {p:g}" for p in powers) + " |",
        "|---|" + "---|" * len(powers),
    ]
    widest = 0.0
    for name in ESTIMATORS:
        cells: list[str] = []
        for power in powers:
            each = [
                kept.measured(
                    f"{name}, p = {power:g}, {STEPS} steps, seed {seed}",
                    partial(minimise, name, power, seed),
                )
                for seed in range(SEEDS)
            ]
            widest = max(widest, max(each) - min(each))
            cells.append(f"{sum(each) / SEEDS:.5f}")
        found.append(f"| {name} | {' | '.join(cells)} |")
    rows = {
        "record, leave-one-out over the batch: the best": [RECORD[p][0] for p in powers],
        "record, ReinMax": [RECORD[p][1] for p in powers],
        "the minimum": [C**p for p in powers],
    }
    found += [f"| {name} | {' | '.join(f'{v:.4f}' for v in r)} |" for name, r in rows.items()]
    return [*found, "", f"The seeds of a cell differ by at most {widest:.6f}."]
