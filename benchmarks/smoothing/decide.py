"""Decisions on adult's income: `decide` beside a boosted classifier with a tuned threshold.

``python -m benchmarks.smoothing decide``
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pyarrow as pa

import anypart
from anypart.base.seeds import generator
from anypart.calculus.smoothing.decisions import best_f_beta
from benchmarks.contest import work_folder
from benchmarks.data import data_file

POSITIVE, COLUMN = ">50K", "income"
MISS, ALARM = 5.0, 1.0  # of calling a rich one poor, of calling a poor one rich
COSTS = {"<=50K": {"<=50K": 0.0, ">50K": MISS}, ">50K": {"<=50K": ALARM, ">50K": 0.0}}
DRAWS = 2000


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


def own(train: pa.Table, folder: str) -> anypart.Fitted:
    """Fit, or load what an earlier run fitted."""
    at = work_folder("smoothing") / folder
    if not at.exists():
        at.parent.mkdir(parents=True, exist_ok=True)
        anypart.fit(train, minutes=1.0).save(at)
    return anypart.load(at)


def boosted(train: pa.Table, y: np.ndarray, valid: np.ndarray) -> Any:
    """Train LightGBM, stopped early on the validation rows; return rows → chances."""
    import lightgbm
    import pandas as pd

    frame = train.drop_columns([COLUMN]).to_pandas()
    words = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    kinds = {c: pd.CategoricalDtype(sorted(frame[c].dropna().unique())) for c in words}
    frame = frame.astype(kinds)
    model = lightgbm.LGBMClassifier(
        n_estimators=600, learning_rate=0.05, num_leaves=31, verbose=-1, n_jobs=1, random_state=0
    )
    model.fit(
        frame[~valid],
        y[~valid],
        eval_set=[(frame[valid], y[valid])],
        callbacks=[lightgbm.early_stopping(50, verbose=False)],
    )
    return lambda rows: model.predict_proba(rows.drop_columns([COLUMN]).to_pandas().astype(kinds))[
        :, 1
    ]


def tuned(p: np.ndarray, y: np.ndarray, measure: Any, *, least: bool) -> float:
    """Best threshold on validation rows, of every one that differs."""
    cuts = np.unique(np.r_[0.0, p])
    found = np.array([measure(p > c, y) for c in cuts])
    return float(cuts[(found.argmin if least else found.argmax)()])


def run() -> list[str]:
    """Compare on the test rows, with intervals over them."""
    (train, y), (test, true) = table("train"), table("test")
    valid = generator(0, "benchmarks", "decide").random(len(y)) < 0.2
    fitted = own(train, "adult.fit")
    decided: dict[str, dict[str, np.ndarray]] = {"F1": {}, "cost": {}}

    def label(metric: Any) -> np.ndarray:
        answer = fitted.decide(test, COLUMN, metric, positive=POSITIVE)
        return np.array(answer.value[COLUMN].to_pylist()) == POSITIVE

    decided["F1"]["anypart, decide for F1"] = label("f1")
    decided["F1"]["anypart, decide for accuracy"] = label("accuracy")
    decided["cost"]["anypart, decide by costs"] = label(COSTS)
    decided["cost"]["anypart, decide for accuracy"] = label("accuracy")
    lines = [
        "# Decisions on adult's income",
        "",
        "`python -m benchmarks.smoothing decide`",
        "",
        f"{len(train):,} training rows, {len(test):,} test rows; {int(valid.sum()):,} of the "
        "training rows are the boosted classifier's validation rows, for early stopping and the "
        "threshold. Intervals: 95 %, paired bootstrap over test rows.",
        "",
    ]
    if find_spec("lightgbm"):
        chances = boosted(train, y, valid)
        pv, pt = chances(train.filter(pa.array(valid))), chances(test)
        for name, measure, least in (("F1", f1, False), ("cost", cost, True)):
            cut = tuned(pv, y[valid], measure, least=least)
            decided[name]["LightGBM, tuned threshold"] = pt > cut
            decided[name]["LightGBM at .5"] = pt > 0.5
        decided["F1"]["LightGBM, our rule on its chances"] = best_f_beta(pt).chosen
        decided["cost"]["LightGBM, our rule on its chances"] = pt * MISS > (1 - pt) * ALARM
    else:
        lines += ["LightGBM is not installed here.", ""]
    lines += _compare("F1", decided["F1"], true, f1, 1.0)
    lines += _compare("cost", decided["cost"], true, cost, -1.0)
    return lines


def _compare(
    name: str, made: dict[str, np.ndarray], true: np.ndarray, measure: Any, sign: float
) -> list[str]:
    base = "LightGBM, tuned threshold"
    lines = [
        f"| {name} on the test rows | {name} | better than LightGBM, tuned by | decided |",
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
