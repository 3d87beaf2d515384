"""Four more tables beside mostlyai-engine, and two small ones that must fit without a hint.

``python -m benchmarks.tables [TABLE …]``; all of them without names. Each table is cut in
two at random (a fifth, at most 5,000 rows, to test with), a fifth of the test cells hidden.
"""

from __future__ import annotations

import sys

import numpy as np

import anypart
from anypart.scores import evaluate
from benchmarks.contest import compete, tables, work_folder, write_result
from benchmarks.data import data_file
from benchmarks.job import (
    Rows,
    Task,
    choose_hidden,
    hide_cells,
    number,
    read_rows,
    split_rows,
    write_job,
)

FILES = {
    "diamonds": ("diamonds", "price"),
    "taxis": ("taxis", "payment"),
    "airbnb": ("airbnb", "room_type"),
    "housing": ("housing_at_20k", ""),
}
SMALL = ("penguins", "titanic_mostly")
FEW_VALUES = 3  # columns of so few numbers are categories for every method
PEERS = ["boosting", "mostlyai"]


def kinds_of(header: list[str], rows: Rows) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell which columns are numbers and which are dates, the same for every method."""
    numeric, dates = list[str](), list[str]()
    for at, name in enumerate(header):
        cells = {r[at] for r in rows} - {""}
        if len(cells) <= FEW_VALUES:
            continue
        if _all_read(cells, is_date=False):
            numeric.append(name)
        elif _all_read(cells, is_date=True):
            dates.append(name)
    return tuple(numeric), tuple(dates)


def _all_read(cells: set[str], *, is_date: bool) -> bool:
    try:
        return all(np.isfinite(number(c, is_date=is_date)) for c in cells)
    except ValueError:
        return False


def contest(name: str) -> None:
    """Measure one of the four tables."""
    file, target = FILES[name]
    header, rows = read_rows(data_file(f"tables/{file}.csv.gz"))
    numeric, dates = kinds_of(header, rows)
    train, test = split_rows(rows)
    keys = {h for at, h in enumerate(header) if len({r[at] for r in train}) == len(train)}
    n, slow = len(train), 100  # a cell by cell answer of mostlyai-engine takes seconds a row
    task = Task(name, target or header[-1], numeric, dates, n_samples=n, slow_rows=slow)
    folder = work_folder(name)
    mask = choose_hidden(test)
    mask[:, [at for at, h in enumerate(header) if h in keys]] = False
    asked = hide_cells(task, header, train, test, mask)
    write_job(folder, task, header, train, asked)
    entries = compete(folder, task, asked, PEERS)
    title = f"{len(train):,} rows to learn from, {len(test):,} to test, target {task.target}"
    lines = [f"# {name}", "", f"`python -m benchmarks.tables {name}`: {title}", ""]
    write_result(f"tables_{name}", [*lines, *tables(task, asked, entries)])


def small() -> None:
    """Fit the small tables without a hint; an overfit would lose to the independent columns."""
    lines = [
        "# Small tables, no hint given",
        "",
        "`python -m benchmarks.tables small`",
        "",
        "| table | rows | nats per test row | more than independent | than Chow-Liu |"
        " accuracy | RMSE |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SMALL:
        header, rows = read_rows(data_file(f"tables/{name}.csv.gz"))
        cut = [
            [dict(zip(header, (c or None for c in r), strict=True)) for r in part]
            for part in split_rows(rows)
        ]
        folder = work_folder("small")
        folder.mkdir(parents=True, exist_ok=True)
        train, test = (
            _store(folder / f"{name}_{k}.csv", header, part)
            for k, part in zip(("train", "test"), cut, strict=True)
        )
        found = evaluate(anypart.fit(train, minutes=1.0), test)
        level = found.likelihood.fit
        gains = [
            f"{b.gain:+.3f} ± {b.gain_standard_error:.3f}"
            for b in found.likelihood.baselines.values()
        ]
        cells = [
            f"{x:.3f}" if x is not None else "–"
            for x in (found.imputation.accuracy, found.imputation.rmse)
        ]
        shown = (f"{level.mean:.3f} ± {level.standard_error:.3f}", *gains, *cells)
        lines.append(f"| {name} | {len(rows):,} | {' | '.join(shown)} |")
    write_result("tables_small", lines)


def _store(path, header, part):
    import csv

    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, header)
        writer.writeheader()
        writer.writerows(part)
    return path


def main(names: list[str]) -> None:
    for name in names or [*FILES, "small"]:
        if name == "small":
            small()
        elif name in FILES:
            contest(name)
        else:
            sys.exit(f"No table {name!r}; there are {', '.join(FILES)} and small.")


if __name__ == "__main__":
    main(sys.argv[1:])
