"""Whether `ask` means what it says: top-label calibration of every categorical column of adult.

``python -m benchmarks.calibration [FIT]``; without a saved fit, the default fit is made.
ANYPART_DATA names the data's folder.
"""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pyarrow as pa

import anypart
from anypart.models.stack import Stack
from anypart.queries.fitted import Fitted
from anypart.scores.calibration import Reliability, reliability
from benchmarks.contest import write_result
from benchmarks.data import data_file

MOST = 0.01  # above a predictor that is right


def measured(fitted: Fitted, rows: pa.Table, name: str) -> Reliability:
    """Ask for a column of every row, given the rest of the row."""
    answer = fitted.ask(name, rows=rows).value
    truth = rows[name].cast("string").to_pylist()
    known = np.array([t is not None for t in truth])
    probs = np.stack([answer[c].to_numpy() for c in answer.column_names], axis=1)[known]
    names = np.array(answer.column_names, object)
    met = names[probs.argmax(axis=1)] == np.array(truth, object)[known]
    return reliability(probs.max(axis=1), met, seed=0)


def above(one: Reliability) -> float:
    """How far the error is above that of a predictor that is right, on average."""
    return one.error - one.perfect


def by_member(fitted: Fitted, rows: pa.Table, name: str) -> list[str]:
    """Write how the members are calibrated by themselves on the column that is worst."""
    model = fitted.model
    assert isinstance(model, Stack)
    text = [
        f"{name} by the members of the fit, each by itself. 'met − stated': share that has the "
        "likeliest category less its stated probability, mean over the bins; below 0 the fit is "
        "too sure.",
        "",
        "| member | above its mean | met − stated |",
        "|---|---|---|",
    ]
    ways = {"all together": model} | dict(
        zip(fitted.metadata["weights"], model.members, strict=True)
    )
    for member, one in ways.items():
        found = measured(dataclasses.replace(fitted, model=one), rows, name)
        off = np.mean([b.met - b.stated for b in found.bins])
        text.append(f"| {member} | {above(found):+.4f} | {off:+.4f} |")
    return text


def main(saved: str | None) -> None:
    fitted = anypart.load(saved) if saved else anypart.fit(data_file("tables/adult_train.csv.gz"))
    rows = anypart.read(data_file("tables/adult_test.csv.gz")).to_arrow()
    members = ", ".join(f"{name} {w:.0%}" for name, w in fitted.metadata["weights"].items())
    lines = [
        "# Calibration of `ask` on adult_test",
        "",
        "`python -m benchmarks.calibration`: p(column | the rest of the row) of every categorical "
        "column; mean distance between the stated probability of the likeliest category and the "
        "share that has it, in ten bins of equal mass, beside the same of a simulated predictor "
        "of these probabilities that is right.",
        "",
        f"The fit of adult_train: {fitted.metadata['minutes']:g} minutes, seed "
        f"{fitted.metadata['seed']}: {members}.",
        "",
        "| column | cells | error | right predictor: mean | 95 % below | above its mean | "
        f"at most {MOST} |",
        "|---|---|---|---|---|---|---|",
    ]
    found = {
        c.name: measured(fitted, rows, c.name) for c in fitted.schema.modelled if not c.kind.numeric
    }
    for name, one in found.items():
        said = f"{one.error:.4f} | {one.perfect:.4f} | {one.perfect_most:.4f} | {above(one):+.4f}"
        verdict = "yes" if above(one) <= MOST else "**no**"
        lines.append(f"| {name} | {one.cells:,} | {said} | {verdict} |")
    worst = max(found, key=lambda name: above(found[name]))
    write_result("calibration", [*lines, "", *by_member(fitted, rows, worst)])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
