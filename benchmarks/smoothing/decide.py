"""Decisions on adult's income: `decide` beside a boosted classifier with a tuned threshold.

``python -m benchmarks.smoothing decide``
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

import anypart
from anypart.base.seeds import generator
from anypart.calculus.smoothing.decisions import best_f_beta
from benchmarks.contest import work_folder
from benchmarks.data import data_file
from benchmarks.smoothing.boosted import DEFAULT, GRID, SEARCHED, boosted

POSITIVE, COLUMN = ">50K", "income"
MISS, ALARM = 5.0, 1.0  # of calling a rich one poor, of calling a poor one rich
COSTS = {"<=50K": {"<=50K": 0.0, ">50K": MISS}, ">50K": {"<=50K": ALARM, ">50K": 0.0}}
DRAWS = 2000
MINUTES = 2.0  # the default of a fit, for every purpose


def f1(made: np.ndarray, true: np.ndarray) -> float:
    """F1 of decisions, 0 without hits."""
    return float(2 * (made & true).sum() / max(made.sum() + true.sum(), 1))


def cost(made: np.ndarray, true: np.ndarray) -> float:
    """Mean cost of a row."""
    return float((MISS * (~made & true) + ALARM * (made & ~true)).mean())


def table(name: str) -> tuple[pa.Table, np.ndarray]:
    """Read a table and whether its income is the positive one."""
    rows = anypart.read(data_file(f"tables/adult_{name}.csv.gz")).to_arrow()
    return rows, np.array(rows[COLUMN].to_pylist()) == POSITIVE


FITS = {
    "any": {"purpose": "any"},
    "density": {"purpose": "density"},
    "questions": {"purpose": "questions", "policy": f"{COLUMN} | *"},
}


def own(train: pa.Table, valid: pa.Table, purpose: str) -> anypart.Fitted:
    """Fit, or load what an earlier run fitted."""
    at = work_folder("smoothing") / f"adult_{purpose}.fit"
    if not at.exists():
        at.parent.mkdir(parents=True, exist_ok=True)
        anypart.fit(train, valid=valid, minutes=MINUTES, folder=at, **FITS[purpose])
    return anypart.load(at)


def tuned(p: np.ndarray, y: np.ndarray, measure: Any, *, least: bool) -> float:
    """Best threshold on validation rows, of every one that differs."""
    cuts = np.unique(np.r_[0.0, p])
    found = np.array([measure(p > c, y) for c in cuts])
    return float(cuts[(found.argmin if least else found.argmax)()])


def log_loss(p: np.ndarray, y: np.ndarray) -> float:
    """Nats per row, chances kept from 0 and 1."""
    p = np.clip(p, 1e-9, 1 - 1e-9)
    return float(-np.log(np.where(y, p, 1 - p)).mean())


def run(only: str = "") -> list[str]:
    """Compare on the test rows, with intervals over them; `only` fits, and ends."""
    (rows, y), (test, true) = table("train"), table("test")
    held = generator(0, "benchmarks", "decide").random(len(y)) < 0.2
    train, valid = rows.filter(pa.array(~held)), rows.filter(pa.array(held))
    if only:
        for purpose in FITS:
            own(train, valid, purpose)
        return []
    decided: dict[str, dict[str, np.ndarray]] = {"F1": {}, "cost": {}}
    losses = list[str]()
    for purpose in FITS:
        fitted = own(train, valid, purpose)
        for name, metric in (("F1", "f1"), ("cost", COSTS)):
            found = fitted.decide(test, COLUMN, metric, positive=POSITIVE).value
            made = np.array(found[COLUMN].to_pylist()) == POSITIVE
            decided[name][f"anypart, {purpose}"] = made
            chance = np.where(made, found["probability"], 1 - found["probability"].to_numpy())
        losses.append(f"{purpose} {log_loss(chance, true):.4f}")
        print(losses[-1], flush=True)
    y_valid = y[held]
    for who, grid in ((DEFAULT, [{}]), (SEARCHED, GRID)):
        pv, pt = boosted(train, y[~held], valid, y_valid, (valid, test), grid)
        losses.append(f"{who} {log_loss(pt[:, 1], true):.4f}")
        for name, measure, least in (("F1", f1, False), ("cost", cost, True)):
            cut = tuned(pv[:, 1], y_valid, measure, least=least)
            decided[name][f"{who}, tuned threshold"] = pt[:, 1] > cut
        decided["F1"][f"{who}, our rule"] = best_f_beta(pt[:, 1]).chosen
        decided["cost"][f"{who}, our rule"] = pt[:, 1] * MISS > pt[:, 0] * ALARM
    lines = [
        "# Decisions on adult's income",
        "",
        "`python -m benchmarks.smoothing decide`",
        "",
        f"{len(train):,} training rows, {len(valid):,} validation rows, {len(test):,} test rows, "
        "the same for all. Validation rows end the training of everybody, weigh anypart's "
        "members, and set LightGBM's threshold; `decide` has no threshold to set. Each fit has "
        f"{MINUTES:g} minutes; `questions` was trained for `{COLUMN} | *`. LightGBM has 600 trees "
        "at most and a rate of .05 with its other settings as they come, or the leaves and the "
        f"least rows of a leaf of {len(GRID)} pairs that are best on validation rows. Costs: "
        f"{MISS:g} for calling a rich one poor, {ALARM:g} for the other mistake. Intervals: 95 %, "
        "paired bootstrap over test rows.",
        "",
        f"Log-loss of income on the test rows, nats: {', '.join(losses)}.",
        "",
    ]
    lines += _compare("F1", decided["F1"], true, f1, 1.0)
    lines += _compare("cost", decided["cost"], true, cost, -1.0)
    return lines


def _compare(
    name: str, made: dict[str, np.ndarray], true: np.ndarray, measure: Any, sign: float
) -> list[str]:
    base = f"{DEFAULT}, tuned threshold"
    lines = [
        f"| {name} on the test rows | {name} | better than {base} by | decided |",
        "|---|---|---|---|",
    ]
    rng = generator(0, "benchmarks", "decide", name)
    draws = rng.integers(0, len(true), (DRAWS, len(true)))
    for who, labels in made.items():
        gap = "–"
        if base in made and who != base:
            found = [
                sign * (measure(labels[d], true[d]) - measure(made[base][d], true[d]))
                for d in draws
            ]
            low, high = np.quantile(found, [0.025, 0.975])
            gap = f"{low:+.4f} … {high:+.4f}"
        lines.append(f"| {who} | {measure(labels, true):.4f} | {gap} | {int(labels.sum()):,} |")
    return [*lines, ""]
