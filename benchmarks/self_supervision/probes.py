"""Linear probes with few labels: adult without its income, and digits.

``python -m benchmarks.self_supervision probes [adult|digits]``: ten choices of one row in a
hundred as labels; beside them a supervised network and boosting that hear of those rows only.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier

from anypart.base.seeds import generator
from anypart.data.files import read
from anypart.models.contract import Layout
from anypart.optim.views import View
from anypart.scores.label_task import Posed, chosen, pose, raw_vectors
from anypart.scores.rows import ScoredRows
from anypart.scores.self_supervision import compare_rows
from benchmarks.data import data_file

SETS = ("adult", "digits")
SHARE, CHOICES, STEPS = 0.01, 10, 1_500
BINS = 4  # levels of a digit's pixel


def adult() -> tuple[Posed, tuple[View, ...]]:
    """Census rows, their income as the label, cut in two by the benchmark itself."""
    frames = [pd.read_csv(data_file(f"tables/adult_{s}.csv.gz")) for s in ("train", "test")]
    table = read(pa.Table.from_pandas(pd.concat(frames), preserve_index=False))
    return pose(table, "income", 0), ()


def digits() -> tuple[Posed, tuple[View, ...]]:
    """Scikit-learn's 1,797 digits of 8 × 8 pixels, all coded alike so that they can be moved."""
    loaded = load_digits()
    pixels = np.asarray(loaded.data)
    codes = np.minimum(pixels * BINS // 17, BINS - 1).astype(np.int32)
    order = generator(0, "digits").permutation(len(codes))
    parts = [order[len(order) // 4 :], order[: len(order) // 4]]
    rows = [ScoredRows(codes[p], np.ones(codes[p].shape, np.bool_), pixels[p]) for p in parts]
    labels = [np.asarray(loaded.target)[p].astype(np.int64) for p in parts]
    layout = Layout((BINS,) * 64)
    posed = Posed(layout, rows[0], rows[1], labels[0], labels[1], tuple("0123456789"))
    return posed, (View("shift", 0.15, (8, 8)), View("crop", 0.7, (8, 8)))


def measure(name: str) -> dict[str, Any]:
    """Compare all ways, and boosting on the same labelled rows."""
    began = time.process_time()
    posed, views = {"adult": adult, "digits": digits}[name]()
    lines = compare_rows(posed, (SHARE,), CHOICES, steps=STEPS, views=views)
    raw = [raw_vectors(posed.layout, r, posed.train) for r in (posed.train, posed.test)]
    right: list[float] = []
    for choice in range(CHOICES):
        ix = chosen(posed, SHARE, choice, 0)
        model = HistGradientBoostingClassifier(random_state=0).fit(raw[0][ix], posed.labels[ix])
        right.append(float((model.predict(raw[1]) == posed.truth).mean()))
    ways = [(x.way, x.kind, x.reader, x.accuracy, x.error) for x in lines]
    boosted = float(np.mean(right)), float(np.std(right, ddof=1) / CHOICES**0.5)
    ways.append(("boosting, labels only", "supervised", "itself", *boosted))
    n = lines[0].n_labels
    return {"ways": ways, "labels": n, "seconds": time.process_time() - began}


def report(results: dict[str, Any]) -> list[str]:
    """Write the table, the best first."""
    text = [
        "## Few labels",
        "",
        "`python -m benchmarks.self_supervision probes`. Share of test rows labelled right, "
        f"mean of {CHOICES} choices of the labelled rows ± standard error; representations are "
        f"learned once, without labels (networks: width 128, at most {STEPS:,} steps).",
    ]
    for name, one in results.items():
        text += ["", f"### {name}: {one['labels']} labels", ""]
        text += ["| rows as | kind | read by | right |", "|---|---|---|---|"]
        for way, kind, reader, mean, error in sorted(one["ways"], key=lambda w: -w[3]):
            text.append(f"| {way} | {kind} | {reader} | {mean:.1%} ± {error:.1%} |")
    return text
