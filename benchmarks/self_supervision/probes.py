"""Linear probes with few labels: adult without its income, and digits.

``python -m benchmarks.self_supervision probes [TABLE …]``: ten choices of one row in a
hundred as labels; beside them a supervised network and boosting that hear of those rows only,
and the recipes of two papers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.ensemble import HistGradientBoostingClassifier

from anypart.base.seeds import generator
from anypart.data.files import read
from anypart.models.contract import Layout
from anypart.optim.probe import Labels, Reals, linear_probe
from anypart.optim.views import View
from anypart.scores.label_task import Posed, chosen, pose, raw_vectors
from anypart.scores.rows import ScoredRows
from anypart.scores.self_supervision import compare_rows
from benchmarks.data import data_file
from benchmarks.self_supervision.published import Scarf, Vime, blocks

Picked = NDArray[np.intp]
Way = tuple[str, str, str, float, float]

SETS = ("adult", "adult papers", "digits", "digits papers")
SHARE, CHOICES, STEPS = 0.01, 10, 600
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
    """Compare all ways on the same labelled rows, or the recipes of two papers."""
    began = time.process_time()
    table, *papers = name.split()
    posed, views = {"adult": adult, "digits": digits}[table]()
    labelled = [chosen(posed, SHARE, choice, 0) for choice in range(CHOICES)]
    rows, asked = (raw_vectors(posed.layout, r, posed.train) for r in (posed.train, posed.test))
    if papers:
        ways = list(_published(posed, labelled, rows, asked))
    else:
        lines = compare_rows(posed, (SHARE,), CHOICES, steps=STEPS, views=views)
        ways = [(x.way, x.kind, x.reader, x.accuracy, x.error) for x in lines]

        def boost(ix: Picked, choice: int) -> Labels:
            fitted = HistGradientBoostingClassifier(random_state=0)
            return fitted.fit(rows[ix], posed.labels[ix]).predict(asked)

        found = _right(posed, labelled, boost)
        ways.append(("boosting, labels only", "supervised", "itself", *found))
    return {"ways": ways, "labels": len(labelled[0]), "seconds": time.process_time() - began}


def _published(posed: Posed, labelled: list[Picked], rows: Reals, asked: Reals) -> Iterator[Way]:
    papers = {
        "VIME": Vime(rows, 0),
        "SCARF": Scarf(rows, blocks(posed.train, posed.layout.n_cats), 0),
    }
    for way, encoder in papers.items():
        train, test = encoder.encode(rows), encoder.encode(asked)

        def probe(ix: Picked, choice: int, train: Reals = train, test: Reals = test) -> Labels:
            labels = posed.labels[ix]
            read = linear_probe(train[ix], labels, posed.n_classes, like=train, seed=choice)
            return read.log_prob(test).argmax(1)

        def itself(ix: Picked, choice: int, encoder: Vime | Scarf = encoder) -> Labels:
            return encoder.predict(rows[ix], posed.labels[ix], posed.n_classes, asked)

        yield way, "self-supervised", "linear", *_right(posed, labelled, probe)
        yield f"{way}, its recipe", "both", "itself", *_right(posed, labelled, itself)


def _right(
    posed: Posed, labelled: list[Picked], predict: Callable[[Picked, int], Labels]
) -> tuple[float, float]:
    """Share of test rows labelled right, mean over the choices, and its standard error."""
    found = [
        float((predict(ix, choice) == posed.truth).mean()) for choice, ix in enumerate(labelled)
    ]
    return float(np.mean(found)), float(np.std(found, ddof=1) / CHOICES**0.5)


def report(results: dict[str, Any]) -> list[str]:
    """Write the table, the best first."""
    text = [
        "## Few labels",
        "",
        "`python -m benchmarks.self_supervision probes`. Share of test rows labelled right, "
        f"mean of {CHOICES} choices of the labelled rows ± standard error; representations are "
        f"learned once, without labels (networks: width 128, at most {STEPS:,} steps). A tree's or "
        "network's own line is what `represent` gives: cells, and what is expected of them. VIME "
        "and SCARF are as their papers have them (benchmarks/self_supervision/published.py), "
        "their recipes trained on the labels too.",
    ]
    for table in dict.fromkeys(name.split()[0] for name in results):
        found = [one for name, one in results.items() if name.split()[0] == table]
        text += ["", f"### {table}: {found[0]['labels']} labels", ""]
        text += ["| rows as | kind | read by | right |", "|---|---|---|---|"]
        ways = [way for one in found for way in one["ways"]]
        for way, kind, reader, mean, error in sorted(ways, key=lambda w: -w[3]):
            text.append(f"| {way} | {kind} | {reader} | {mean:.1%} ± {error:.1%} |")
    return text
