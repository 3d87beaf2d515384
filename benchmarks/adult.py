"""The adult table: hidden cells, samples, likelihood and memory beside the peers.

``python -m benchmarks.adult [PEER …]``; without names, all peers whose environments are
there. ANYPART_DATA names the data's folder, ANYPART_PEERS the peers'.
"""

from __future__ import annotations

import json
import sys

import numpy as np

from benchmarks.contest import OWN, compete, tables, work_folder, write_result
from benchmarks.data import data_file
from benchmarks.job import Task, hide_cells, read_rows, write_job
from benchmarks.peers import METHODS, run_script

TASK = Task(
    name="adult",
    target="income",
    numeric=(
        "age",
        "fnlwgt",
        "education_num",
        "capital_gain",
        "capital_loss",
        "hours_per_week",
    ),
    rule=("education", "education_num"),
)
GOALS = {
    "accuracy": 0.785,
    "rmse": 0.785,
    "mae": 0.435,
    "log_loss": 0.630,
    "quality": 0.970,
    "c2st": 0.58,
    "learned": 0.917,
    "rule": 0.999,
}
LOWER = ("rmse", "mae", "log_loss", "c2st", "peak MB of the fit")


def main(methods: list[str]) -> None:
    header, train = read_rows(data_file("tables/adult_train.csv.gz"))
    _, test = read_rows(data_file("tables/adult_test.csv.gz"))
    mask = np.array(read_rows(data_file("tables/adult_test_mask.csv.gz"))[1], int) > 0
    folder = work_folder(TASK.name)
    asked = hide_cells(TASK, header, train, test, mask)
    write_job(folder, TASK, header, train, asked)
    entries = compete(folder, TASK, asked, methods)
    own = next(e for e in entries if e.name == OWN)
    found = {**own.judged}
    if own.errors:
        found |= {k: v for k in BETTER_THAN if (v := own.errors.figure(k)) is not None}
    lines = ["# adult_train → adult_test", "", "`python -m benchmarks.adult`", ""]
    lines += tables(TASK, asked, entries)
    lines += ["", "| goal | wanted | found | met |", "|---|---|---|---|"]
    if own.cost:
        lines.append(goal_line("peak MB of all processes", 1200, own.cost.peak_mb, lower=True))
    for name, wanted in GOALS.items():
        if name in found:
            lines.append(goal_line(name, wanted, found[name], lower=name in LOWER))
    lines.append(goal_line("log-likelihood of adult_disc, nats", -15.70, disc(), lower=False))
    logs = np.load(folder / OWN / "log_prob.npy")
    error = logs.std(ddof=1) / np.sqrt(len(logs))
    lines += [
        "",
        f"Density of adult_test in the columns' own units: {logs.mean():.3f} ± "
        f"{error:.3f} nats per row (Lace −35.3, arfpy −32.8).",
    ]
    write_result("adult", lines)


BETTER_THAN = ("accuracy", "rmse", "mae", "log_loss")


def goal_line(name: str, wanted: float, found: float, *, lower: bool) -> str:
    met = found <= wanted if lower else found >= wanted
    return f"| {name} | {wanted:g} | {found:.4g} | {'yes' if met else '**no**'} |"


def disc() -> float:
    """Fit the categorical table in its own process; return its test likelihood."""
    folder = work_folder("adult_disc")
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "result.json"
    if not result.exists():
        names = ("train", "test")
        paths = [str(data_file(f"tables/adult_disc_{n}.csv.gz")) for n in names]
        run_script("run_likelihood", None, [*paths, str(result)], folder / "log")
    return float(json.loads(result.read_text())["mean"])


if __name__ == "__main__":
    main(sys.argv[1:] or list(METHODS))
