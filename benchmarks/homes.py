"""`python -m benchmarks.homes [vae|text|policy …]`: the three programs of `examples/`, five seeds.

Every seed is kept in benchmarks/results/homes.json when it is done, so a run that was stopped
goes on; benchmarks/results/homes.md is written from what is kept. `--seeds N` takes others.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.contest import RESULTS, write_result
from benchmarks.kept import Kept
from examples import policy, text_generator, vae

Values = Sequence[float] | NDArray[np.float64]

TEXT_STEPS, VAE_STEPS, CHOICE_SEED = 1_500, 2_000, 100
BASE = "straight-through Gumbel-Softmax"
WITHIN = 0.05  # of maximum likelihood
TEMPERATURES = {  # the others have none
    BASE: (0.5, 1.0, 2.0),
    "straight-through": (1.0, 2.0, 3.0),
    "Gumbel-Rao": (0.25, 0.5, 1.0),
    "ReinMax": (1.0, 2.0, 3.0),
}


def settings(name: str) -> list[vae.Setting]:
    """List the settings that are tried for an estimator: six, three without a temperature."""
    if name in TEMPERATURES:
        return [vae.Setting(t, rate) for t in TEMPERATURES[name] for rate in (0.008, 0.016)]
    return [vae.Setting(1.0, rate) for rate in (0.004, 0.008, 0.016)]


def mean_error(values: Values) -> tuple[float, float]:
    """Return the mean and its standard error."""
    return float(np.mean(values)), float(np.std(values, ddof=1) / len(values) ** 0.5)


def _words(values: Values, form: str = ".2f") -> str:
    mean, error = mean_error(values)
    return f"{mean:{form}} ± {error:{form}}"


def _said(passed: bool) -> str:
    return "**passed**" if passed else "**not passed**"


def vae_lines(kept: Kept, seeds: int) -> list[str]:
    """Choose a setting for each estimator on validation rows, then compare on test rows."""
    rows, valid, test = (
        vae.silhouettes(n, seed) for n, seed in ((4_000, 1), (1_000, 3), (1_000, 2))
    )

    def level(name: str, setting: vae.Setting, seed: int, kind: str) -> float:
        judged = valid if kind == "validation" else test
        run = partial(vae.compared, name, setting, rows, judged, seed, VAE_STEPS)
        key = f"vae, {name}, {setting}, {VAE_STEPS} steps, {kind} rows, seed {seed}"
        return float(kept.measured(key, lambda: run().level))

    chosen: dict[str, tuple[float, vae.Setting]] = {}
    for name in vae.ESTIMATORS:
        tried = [(level(name, s, CHOICE_SEED, "validation"), s) for s in settings(name)]
        chosen[name] = max(tried, key=lambda pair: pair[0])
    best = max((n for n in chosen if n != BASE), key=lambda n: chosen[n][0])
    levels = {
        name: [level(name, chosen[name][1], seed, "test") for seed in range(seeds)]
        for name in (BASE, best)
    }
    found = [
        f"Silhouettes of 12 × 12 drawn by `examples/vae.py`, 32 bits, {VAE_STEPS:,} steps of 64 "
        "rows, 2 evaluations of the decoder a step for every estimator. Settings of each were "
        f"tried on 1,000 validation rows with seed {CHOICE_SEED}: three temperatures by two rates "
        f"of AdamW, three rates where there is no temperature. The first and the best other "
        f"went on to the test rows: nats per row, {seeds} seeds; a seed is the same start and the "
        "same mini-batches for both, and the last column is paired by seed.",
        "",
        "| estimator | temperature | rate | validation rows | test rows | ahead of the first |",
        "|---|---|---|---|---|---|",
    ]
    for name, (on_valid, setting) in chosen.items():
        warm = f"{setting.temperature:g}" if name in TEMPERATURES else "–"
        there = levels.get(name)
        ahead = None if there is None or name == BASE else np.subtract(there, levels[BASE])
        cells = ["" if values is None else _words(values) for values in (there, ahead)]
        found.append(
            f"| {name} | {warm} | {setting.rate:g} | {on_valid:.2f} | {' | '.join(cells)} |"
        )
    mean, error = mean_error(np.subtract(levels[best], levels[BASE]))
    verdict = _said(mean > 2 * error)
    asked = f"the best on validation rows, {best}, ahead of {BASE} by two standard errors"
    return [*found, "", f"Asked: {asked}. Found: {mean / error:.1f}. {verdict}"]


def text_lines(kept: Kept, seeds: int) -> list[str]:
    """Both routes beside maximum likelihood, each seed with a source of its own."""

    def judged(way: str, seed: int) -> list[float]:
        def measure() -> list[float]:
            found = text_generator.trained(way, seed, TEXT_STEPS)
            return [found.under_source, found.of_source]

        return list(kept.measured(f"text, {way}, {TEXT_STEPS} steps, seed {seed}", measure))

    # (ways, seeds, under the source or of it)
    levels = np.array([[judged(w, s) for s in range(seeds)] for w in text_generator.WAYS])
    found = [
        f"{TEXT_STEPS:,} steps, {seeds} seeds, exact nats per sequence of {text_generator.LENGTH} "
        "words; ratios to maximum likelihood are paired by seed.",
        "",
        "| way | under the source | ratio | worst | of the source | ratio | worst |",
        "|---|---|---|---|---|---|---|",
    ]
    verdicts: list[str] = []
    for way, level in zip(text_generator.WAYS, levels, strict=True):
        ratio = level / levels[0]
        cells = [
            f"{level[:, k].mean():.3f} | {_words(ratio[:, k], '.4f')} | {ratio[:, k].max():.4f}"
            for k in (0, 1)
        ]
        found.append(f"| {way} | {' | '.join(cells)} |")
        within = bool((ratio.mean(0) < 1 + WITHIN).all())
        verdicts += ["", f"Asked of the {way} route: both means within 5 %. {_said(within)}"]
    return found + verdicts[2:]


def policy_lines(kept: Kept, seeds: int) -> list[str]:
    """Every seed until its environment counts as solved."""
    found = [
        "| seed | updates of 16 episodes | mean reward of 100 fresh episodes | 475 asked |",
        "|---|---|---|---|",
    ]
    rewards: list[float] = []
    for seed in range(seeds):

        def measure(seed: int = seed) -> list[float]:
            result = policy.train(seed)
            return [result.updates, result.reward]

        updates, reward = kept.measured(f"policy, seed {seed}", measure)
        rewards.append(reward)
        said = "solved" if reward >= policy.THRESHOLD else "not solved"
        found.append(f"| {seed} | {updates:g} | {reward:.1f} | {said} |")
    solved = sum(r >= policy.THRESHOLD for r in rewards)
    verdict = _said(solved == seeds)
    return [*found, "", f"Mean {_words(rewards, '.1f')}; {solved} of {seeds} solved. {verdict}"]


PARTS: dict[str, tuple[str, Callable[[Kept, int], list[str]]]] = {
    "vae": ("The autoencoder", vae_lines),
    "text": ("The generator of sequences", text_lines),
    "policy": ("The policy", policy_lines),
}


def main() -> None:
    """Measure the named parts, all if none is named, and write what is known of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], help="all if none is named")
    parser.add_argument("--seeds", type=int, default=5, help="at least 2")
    asked = parser.parse_args()
    if asked.seeds < 2:
        parser.error("error bars take at least 2 seeds")
    lines = ["# The three homes", "", "Written by `python -m benchmarks.homes`."]
    for name, (title, write) in PARTS.items():
        kept = Kept(RESULTS / "homes.json", measuring=not asked.part or name in asked.part)
        try:
            lines += ["", f"## {title}", ""]
            lines += write(kept, asked.seeds)
        except KeyError as missing:
            lines += [f"Not measured yet: {missing}."]
    write_result("homes", lines)


if __name__ == "__main__":
    main()
