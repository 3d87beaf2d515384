"""What stating the questions is worth: on them, beside a fit of exact members alone.

``python -m benchmarks.self_supervision asked [SET …]``: adult's income given the rest, and
tenths of the columns of binary sets given the rest.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv

from benchmarks.data import data_file
from benchmarks.self_supervision.whole_fit import fit_to_the_end

SETS = ("nltcs", "plants", "adult")
TEST, GROUPS = 3_000, 2  # rows; tenths of the columns, each a question
#: As `ap.fit` would have them but for what takes long.
WITHOUT = ("hidden_tree_2", "order_agnostic")


def _adult(part: str) -> pa.Table:
    return csv.read_csv(data_file(f"tables/adult_{part}.csv.gz"))


def _bits(name: str, part: str) -> pa.Table:
    packed = np.load(data_file(f"density/{name}.npz"))
    rows = np.unpackbits(packed[part], axis=1)[:, : int(packed["cols"])]
    return pa.table({f"x{at:03}": column for at, column in enumerate(rows.T.astype(str))})


def _questions(name: str, names: list[str]) -> list[str]:
    if name == "adult":
        return ["income | *"]
    order = np.random.default_rng(0).permutation(names)
    size = max(round(len(names) / 10), 1)
    return [f"{', '.join(sorted(order[g * size : (g + 1) * size]))} | *" for g in range(GROUPS)]


def measure(name: str) -> dict[str, Any]:
    """Fit with the questions' own members and without, and compare on test rows."""
    began = time.process_time()
    train, test = (
        _adult(part) if name == "adult" else _bits(name, part) for part in ("train", "test")
    )
    test = test.slice(0, TEST)
    questions = _questions(name, train.column_names)
    policy = dict.fromkeys(questions, 1.0)
    fitted, weights = fit_to_the_end(f"asked_{name}", train, policy, WITHOUT)
    rest = dataclasses.replace(fitted, model=fitted.model.rest)
    lines = list[dict[str, Any]]()
    for question in questions:
        logs = [np.asarray(f.log_prob(test, question=question)) for f in (rest, fitted)]
        gain = logs[1] - logs[0]
        asked = question.count(",") + 1
        own_weights = next(w for q, w in weights.items() if _same(q, question))
        lines.append(
            {
                "question": question,
                "asked": asked,
                "without": float(logs[0].mean()),
                "stated": float(logs[1].mean()),
                "gain": [float(gain.mean()), float(gain.std(ddof=1) / len(gain) ** 0.5)],
                "weights": own_weights,
            }
        )
    return {"lines": lines, "seconds": time.process_time() - began}


def _same(one: str, other: str) -> bool:
    return {w.strip() for w in one.split("|")[0].split(",")} == {
        w.strip() for w in other.split("|")[0].split(",")
    }


def report(results: dict[str, Any]) -> list[str]:
    """Write the table."""
    text = [
        "## What stating the questions is worth",
        "",
        f"`python -m benchmarks.self_supervision asked`. Nats of log p(asked | given) per row "
        f"(at most {TEST:,} test rows), asked cells jointly; one fit: its exact members by "
        "their weights for whole rows (hidden tree, continuous mixture, Chow-Liu tree: what "
        "answers all that is not stated), and the question's own members with them, weighed for "
        "it. All trained to their end; the network of the policy is left out.",
        "",
        "| set | asked | not stated | stated | gain | weights |",
        "|" + "---|" * 6,
    ]
    for name, one in results.items():
        for line in one["lines"]:
            asked = f"{line['asked']} columns, given the rest" if line["asked"] > 1 else "income"
            weights = ", ".join(f"{n} {w:.0%}" for n, w in line["weights"].items())
            text.append(
                f"| {name} | {asked} | {line['without']:.4f} | {line['stated']:.4f} | "
                f"{line['gain'][0]:+.4f} ± {line['gain'][1]:.4f} | {weights} |"
            )
    return text
