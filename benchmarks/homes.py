"""`python -m benchmarks.homes [vae|text|policy …]`: the three programs of `examples/`, five seeds.

Writes benchmarks/results/homes.md; a part that is not named keeps its numbers.
"""

from __future__ import annotations

import os
import sys

import numpy as np

from anypart.optim.variational import VAESettings
from benchmarks.data import ROOT
from examples import policy, text_generator, vae

RESULT = ROOT / "benchmarks" / "results" / "homes.md"
SEEDS, TEXT_STEPS, VAE_STEPS = 5, 500, 500


def _mean(values: list[float], form: str = ".2f") -> str:
    error = np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):{form}} ± {error:{form}}"


def policy_lines() -> list[str]:
    """Every seed until its environment counts as solved."""
    found = ["| seed | updates of 16 episodes | mean reward of 100 fresh episodes | 475 asked |"]
    found.append("|---|---|---|---|")
    for seed in range(SEEDS):
        result = policy.train(seed)
        said = "solved" if result.reward >= policy.THRESHOLD else "not solved"
        found.append(f"| {seed} | {result.updates} | {result.reward:.1f} | {said} |")
    return found


def text_lines() -> list[str]:
    """Both routes beside maximum likelihood, each seed with a source of its own."""
    found = [
        f"{TEXT_STEPS} steps; the ratio to maximum likelihood, paired by seed; asked: within 5 %.",
        "",
        "| way | nats under the source | ratio | nats of the source | ratio |",
        "|---|---|---|---|---|",
    ]
    each = text_generator.compare(SEEDS, TEXT_STEPS)
    for name, judged in each.items():
        cells: list[str] = []
        for part in ("under_source", "of_source"):
            base = [getattr(j, part) for j in each["likelihood"]]
            values = [getattr(j, part) for j in judged]
            ratios = [v / b for v, b in zip(values, base, strict=True)]
            cells += [f"{np.mean(values):.3f}", _mean(ratios, ".4f")]
        found.append(f"| {name} | {' | '.join(cells)} |")
    return found


def vae_lines() -> list[str]:
    """Estimators at two evaluations of the decoder a step, by held-out likelihood."""
    rows, test = vae.silhouettes(4_000, 1), vae.silhouettes(300, 2)
    settings = VAESettings("bernoulli", 32, width=64, draws=128)
    found = [
        f"Silhouettes of 12 × 12, 32 bits, {VAE_STEPS} steps of 64 rows; nats per held-out row.",
        "",
        "| estimator, 2 evaluations a step | log-likelihood | ahead of straight-through Gumbel |",
        "|---|---|---|",
    ]
    base: list[float] = []
    for name, make in vae.ESTIMATORS.items():
        levels = [
            vae.judge(vae.train(rows, settings, make(), seed, VAE_STEPS), test).level
            for seed in range(SEEDS)
        ]
        base = base or levels
        ahead = _mean([a - b for a, b in zip(levels, base, strict=True)])
        found.append(f"| {name} | {_mean(levels)} | {ahead} |")
        print(found[-1], flush=True)
    return found


PARTS = {
    "vae": ("The autoencoder", vae_lines),
    "text": ("The generator of sequences", text_lines),
    "policy": ("The policy", policy_lines),
}


def main(names: list[str]) -> None:
    """Measure some parts, all if none is named."""
    text = RESULT.read_text(encoding="utf-8") if RESULT.exists() else ""
    old = {piece.partition("\n")[0]: piece for piece in text.split("\n## ")[1:]}
    pieces = ["# The three homes\n\nWritten by `python -m benchmarks.homes`.\n"]
    for name, (title, measure) in PARTS.items():
        if name in names or not names:
            pieces.append("\n".join([title, "", *measure(), ""]))
        elif title in old:
            pieces.append(old[title])
    RESULT.write_text("\n## ".join(p.rstrip("\n") + "\n" for p in pieces), encoding="utf-8")
    print(f"Wrote {os.path.relpath(RESULT)}.")


if __name__ == "__main__":
    main(sys.argv[1:])
