"""Judges drawn rows: SDMetrics' quality, a classifier two-sample test, training on them."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from door import Job
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_score

warnings.filterwarnings("ignore")
job = Job()
test = job._read("test.csv")


def read_samples(path):
    drawn = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=["", "nan", "None"])
    for column in job.columns:
        if column in job.dates:
            days = pd.to_numeric(drawn[column], errors="coerce")
            if days.isna().all():
                since = pd.to_datetime(drawn[column], format="ISO8601") - pd.Timestamp(0)
                days = since / pd.Timedelta(days=1)
            drawn[column] = days
        elif job.is_number(column):
            drawn[column] = drawn[column].astype(float)
    return drawn[job.columns]


def features(*tables):
    """Code words by their place in all tables together; at most 255 are told apart."""
    out = [t.copy() for t in tables]
    for column in job.columns:
        if not job.is_number(column):
            words = pd.concat([t[column] for t in tables]).value_counts().index[:254]
            for t in out:
                t[column] = pd.Categorical(t[column], categories=words).codes
                t[column] = t[column].astype(float).where(t[column] >= 0)
    return [t.astype(float) for t in out]


def two_sample(real, drawn, seed=0):
    n = min(len(real), len(drawn), 10_000)
    a, b = features(real.sample(n, random_state=seed), drawn.sample(n, random_state=seed))
    x, y = pd.concat([a, b]).to_numpy(), np.repeat([0, 1], n)
    mixed = np.random.default_rng(seed).permutation(2 * n)
    judge = HistGradientBoostingClassifier(random_state=0)
    return float(cross_val_score(judge, x[mixed], y[mixed], cv=5, scoring="roc_auc").mean())


def learn_from(drawn):
    """Predict one column of the test rows from drawn rows: AUC, or R²."""
    target = job.settings["target"]
    known = drawn[drawn[target].notna()]
    real = test[test[target].notna()]
    a, b = features(known.drop(columns=[]), real)
    xa, xb = a.drop(columns=target), b.drop(columns=target)
    if job.is_number(target):
        model = HistGradientBoostingRegressor(random_state=0).fit(xa, a[target])
        return float(r2_score(b[target], model.predict(xb)))
    model = HistGradientBoostingClassifier(random_state=0).fit(xa, known[target])
    probs = model.predict_proba(xb)
    if len(model.classes_) == 2:
        return float(roc_auc_score(real[target] == model.classes_[1], probs[:, 1]))
    return float((model.classes_[probs.argmax(1)] == real[target]).mean())


def quality(drawn):
    from sdmetrics.reports.single_table import QualityReport

    sorts = {c: "numerical" if job.is_number(c) else "categorical" for c in job.columns}
    report = QualityReport()
    metadata = {"columns": {c: {"sdtype": s} for c, s in sorts.items()}}
    report.generate(job.train, drawn, metadata, verbose=False)
    parts = report.get_properties().set_index("Property")["Score"]
    return {
        "quality": float(report.get_score()),
        "shapes": float(parts.iloc[0]),
        "trends": float(parts.iloc[1]),
    }


for name in sys.argv[3:]:
    path = Path(name)
    drawn = job.train if name == "real" else read_samples(path / "samples.csv")
    start = time.perf_counter()
    found = quality(drawn if name != "real" else test)
    found["c2st"] = two_sample(test, drawn)
    found["learned"] = learn_from(drawn)
    if rule := job.settings.get("rule"):
        a, b = rule
        told = job.train.groupby(a)[b].first()
        both = drawn[[a, b]].dropna()
        found["rule"] = float((both[a].map(told) == both[b]).mean())
    found["judged_in"] = time.perf_counter() - start
    (job.out / f"{path.name}.json").write_text(json.dumps(found))
