"""Whether `ask` means what it says: top-label calibration of every categorical column of adult.

``python -m benchmarks.calibration [FIT]``; without a saved fit, the default fit is made.
ANYPART_DATA names the data's folder.
"""

from __future__ import annotations

import sys

import numpy as np

import anypart
from anypart.scores.calibration import reliability
from benchmarks.contest import write_result
from benchmarks.data import data_file

MOST = 0.01  # above a predictor that is right


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
    for column in fitted.schema.modelled:
        if column.kind.numeric:
            continue
        answer = fitted.ask(column.name, rows=rows).value
        truth = rows[column.name].cast("string").to_pylist()
        known = np.array([t is not None for t in truth])
        probs = np.stack([answer[c].to_numpy() for c in answer.column_names], axis=1)[known]
        names = np.array(answer.column_names, object)
        met = names[probs.argmax(axis=1)] == np.array(truth, object)[known]
        one = reliability(probs.max(axis=1), met, seed=0)
        above = one.error - one.perfect
        said = f"{one.error:.4f} | {one.perfect:.4f} | {one.perfect_most:.4f} | {above:+.4f}"
        verdict = "yes" if above <= MOST else "**no**"
        lines.append(f"| {column.name} | {one.cells:,} | {said} | {verdict} |")
    write_result("calibration", lines)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
