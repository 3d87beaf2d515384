"""Every estimator against the exact gradient: no bias at 10^6 draws, error, variance on the toy."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch

from anypart.calculus import gradients as g
from benchmarks.contest import RESULTS
from benchmarks.kept import Kept

LISTING = "without-replacement"  # lists every state for each estimate
SAMPLES = 1_000_000  # estimates of which the mean must be the gradient
FEWER = 50_000  # estimates for an error or a variance
RECORD = {  # relative bias and error, evaluations of f: 10 bits, then 5 choices of 4
    "leave-one-out": ((0, 2.10, 4), (0, 2.04, 4)),
    "disarm": ((0, 3.44, 2), None),
    "local-expectation": ((0, 1.17, 20), (0, 0.71, 20)),
    "straight-through": ((0.118, 1.66, 1), (0.225, 1.05, 1)),
    "reinmax": ((0.114, 1.73, 1), (0.122, 1.40, 1)),
    "straight-through-gumbel": ((0.194, 2.11, 1), (0.216, 1.73, 1)),
    "gumbel-rao": ((0.194, 1.57, 1), (0.212, 1.18, 1)),
}
TOY = {"score": -4.16, "relax": -13.5, "leave-one-out-2": -15.2, "disarm": -math.inf}


def measured(name: str, problem: str, samples: int) -> g.Measurement | None:
    """Measure, or return what is kept; None where the estimator cannot be used."""

    def measure() -> dict[str, float] | None:
        torch.manual_seed(0)
        posed = g.find_problem(problem)
        try:
            found = g.measure(name, g.find_estimator(name, posed.p), posed, samples)
        except g.GradientError:
            return None
        return dataclasses.asdict(found)

    kept = Kept(RESULTS / "gradients_truth.json")
    found = kept.measured(f"{name} on {problem}, {samples} estimates", measure)
    return g.Measurement(**found) if found else None


def bias_lines(names: Sequence[str]) -> list[str]:
    """Those that claim no bias, on three problems: largest |bias| in standard errors."""
    found = [
        "| estimator | toy | pairs | table | the relative bias is below, at 95 % |",
        "|---|---|---|---|---|",
    ]
    n_biased = 0
    for name in names:
        each = [measured(name, problem, SAMPLES) for problem in ("toy", "pairs", "table")]
        kept = [m for m in each if m is not None]
        if not kept or not kept[0].unbiased:
            continue
        n_biased += sum(m.biased for m in kept)
        words = [f"{m.strays:.2f}{' *' if m.biased else ''}" if m else "–" for m in each]
        bounds = "/".join(f"{m.bias_high:.3f}" if m else "–" for m in each[1:])
        found.append(f"| {name} | {' | '.join(words)} | {bounds} |")
    return [*found, "", f"Asked: none significant. Found: {n_biased}."]


def _both(bias: float, error: float) -> str:
    return f"{bias:.3f} / {error:.2f}" if bias else f"0 / {error:.2f}"


def table_lines() -> list[str]:
    """Bias and error of one estimate beside the record, and at equal evaluations of f."""
    found = [
        "| estimator | evaluations of f | 10 bits | record | error · √evaluations | record "
        "| 5 choices of 4 | record | error · √evaluations | record |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name in g.CATALOGUE:
        each = [measured(name, problem, FEWER) for problem in ("bits", "choices")]
        kept = [m for m in each if m is not None]
        if not kept or name == "vimco":
            continue
        counts = "/".join(dict.fromkeys(f"{m.evaluations:g}" for m in kept))
        cells = [name, counts]
        for m, record in zip(each, RECORD.get(name, (None, None)), strict=True):
            cells.append(_both(m.bias if m.biased else 0.0, m.error) if m else "–")
            cells.append(_both(*record[:2]) if record else "")
            cells.append(f"{m.error * m.evaluations**0.5:.2f}" if m else "–")
            cells.append(f"{record[1] * record[2] ** 0.5:.2f}" if record else "")
        found.append(f"| {' | '.join(cells)} |")
    return found


def toy_lines() -> list[str]:
    """Ln variance of every estimator on E[(b - .499)²] at θ = ½."""
    found = ["| estimator | evaluations of f | ln variance | record |", "|---|---|---|---|"]
    for name in g.CATALOGUE:
        m = measured(name, "toy", FEWER)
        if m is None:
            continue
        level = "exactly 0" if m.variance < 1e-30 else f"{math.log(m.variance):.2f}"
        record = TOY.get(name)
        said = "" if record is None else "exactly 0" if record == -math.inf else f"{record:.2f}"
        found.append(f"| {name} | {m.evaluations:g} | {level} | {said} |")
    return found
