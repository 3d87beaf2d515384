"""One column's labels on several tables: a question's own fit, the default fit, LightGBM.

``python -m benchmarks.smoothing labels [--only TABLE]``
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

import anypart
from anypart.base.seeds import generator
from benchmarks.contest import work_folder
from benchmarks.data import data_file
from benchmarks.smoothing.boosted import DEFAULT, GRID, SEARCHED, boosted

MINUTES = 0.3
TABLES = {  # file → asked column
    "titanic_mostly": "survived",
    "taxis": "payment",
    "diamonds": "cut",
    "airbnb": "room_type",
}
MOST_ROWS = 8_000
Scores = dict[str, float]


def scores(p: np.ndarray, made: np.ndarray, true: np.ndarray) -> Scores:
    """Log-loss of chances, accuracy of the likeliest, macro-F1 of decided labels."""
    from sklearn.metrics import f1_score

    own = np.clip(p[np.arange(len(true)), true], 1e-9, 1)
    macro = f1_score(true, made, labels=np.unique(true), average="macro", zero_division=0)
    return {
        "log-loss": float(-np.log(own).mean()),
        "accuracy": float((p.argmax(1) == true).mean()),
        "macro-F1": float(macro),
    }


def compare(name: str, column: str) -> dict[str, Scores]:
    """Fit and judge everybody on one table: 60, 20, 20 % for training, validation, test."""
    table = anypart.read(data_file(f"tables/{name}.csv.gz")).to_arrow()
    table = table.filter(table[column].is_valid())
    table = table.set_column(table.column_names.index(column), column, table[column].cast("string"))
    rng = generator(0, "benchmarks", "labels", name)
    table = table.take(rng.permutation(len(table))[:MOST_ROWS])
    labels, y = np.unique(np.array(table[column].to_pylist()), return_inverse=True)
    kind = np.digitize(np.arange(len(y)) / len(y), [0.6, 0.8])
    train, valid, test = (table.filter(pa.array(kind == k)) for k in range(3))
    true, found = y[kind == 2], dict[str, Scores]()
    for purpose in ("any", "questions"):
        policy = f"{column} | *" if purpose == "questions" else None
        fitted = anypart.fit(
            train, valid=valid, minutes=MINUTES, purpose=purpose, policy=policy,
            kinds={column: "categorical"},
        )  # fmt: skip
        answer = fitted.ask(column, rows=test).value
        zero = np.zeros(len(true))
        known = [answer[n].to_numpy() if n in answer.column_names else zero for n in labels]
        made = fitted.decide(test, column, "macro-f1").value[column].to_pylist()
        found[f"anypart, {purpose}"] = scores(
            np.stack(known, 1), np.searchsorted(labels, made), true
        )
    for who, grid in ((DEFAULT, [{}]), (SEARCHED, GRID)):
        (p,) = boosted(train, y[kind == 0], valid, y[kind == 1], (test,), grid, column)
        whole = np.zeros((len(p), len(labels)))
        whole[:, np.unique(y[kind == 0])] = p
        found[who] = scores(whole, whole.argmax(1), true)
    return found


def run(only: str = "") -> list[str]:
    """Compare on every table; what an earlier call has found is kept."""
    folder = work_folder("smoothing") / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    for name, column in TABLES.items():
        at = folder / f"{name}.json"
        if not at.exists() and only in ("", name):
            at.write_text(json.dumps(compare(name, column)))
            print(name, at.read_text(), flush=True)
    if only:
        return []
    lines = [
        "# Labels of one column: fits for the question",
        "",
        "`python -m benchmarks.smoothing labels`",
        "",
        f"At most {MOST_ROWS:,} rows of each table; 60 / 20 / 20 % for training, validation and "
        f"test; each fit had {MINUTES:g} minutes. `questions` was trained for that column given "
        "all others. Macro-F1: anypart's of `decide`, LightGBM's of its likeliest "
        "labels.",
        "",
    ]
    for name, column in TABLES.items():
        found: dict[str, Scores] = json.loads((folder / f"{name}.json").read_text())
        lines += [f"| {name}, {column} | log-loss | accuracy | macro-F1 |", "|---|---|---|---|"]
        for who, values in found.items():
            lines.append(f"| {who} | {' | '.join(f'{v:.4f}' for v in values.values())} |")
        lines.append("")
    return lines
