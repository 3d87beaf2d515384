"""A task for anypart and its peers: one table cut in two, cells hidden, files to read."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from anypart.base.seeds import generator

Rows = list[list[str]]


@dataclass(frozen=True)
class Task:
    """What is measured on one table.

    Args:
        name: of the table.
        target: the column that is learned from drawn rows.
        numeric, dates: columns that lie on a line; all others are categories.
        fit: settings of `anypart.fit`.
        n_samples: rows to draw.
        slow_rows: test rows that slow peers are asked about.
        rule: two columns of which the first decides the second.

    """

    name: str
    target: str
    numeric: tuple[str, ...]
    dates: tuple[str, ...] = ()
    fit: dict[str, Any] = field(default_factory=dict[str, Any])
    n_samples: int = 20_000
    slow_rows: int = 200
    rule: tuple[str, str] | None = None


@dataclass(frozen=True)
class Hidden:
    """What was hidden of the test rows, and the training spread of every number.

    Args:
        header: names of the columns.
        test: the test rows as text, "" where missing.
        mask: (rows, cols) cells that are asked.
        spread: column → standard deviation in the training rows.

    """

    header: list[str]
    test: Rows
    mask: np.ndarray
    spread: dict[str, float]


def read_rows(path: Path) -> tuple[list[str], Rows]:
    """Read a CSV file as text: header and rows."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    return header, rows


def split_rows(rows: Rows, share: float = 0.2, most_train: int = 20_000) -> tuple[Rows, Rows]:
    """Cut rows in two at random: to learn from, and to test with (5,000 at most)."""
    order = generator(0, "benchmarks", "split").permutation(len(rows)).tolist()
    n_test = min(int(len(rows) * share), 5_000)
    train = sorted(order[n_test:][:most_train])
    return [rows[i] for i in train], [rows[i] for i in sorted(order[:n_test])]


def choose_hidden(test: Rows, share: float = 0.2) -> np.ndarray:
    """Choose a share of the observed cells, (rows, cols)."""
    observed = np.array([[cell != "" for cell in row] for row in test])
    draw = generator(0, "benchmarks", "hidden").random(observed.shape)
    return observed & (draw < share)


def number(cell: str, *, is_date: bool) -> float:
    """Read a number, or a date as days since 1970."""
    if cell == "":
        return np.nan
    if is_date:
        return float(np.datetime64(cell.replace(" ", "T"), "s").astype(np.int64)) / 86400
    return float(cell)


def write_job(folder: Path, task: Task, header: list[str], train: Rows, asked: Hidden) -> None:
    """Write the files that every method reads."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "train.csv", header, train)
    _write(folder / "test.csv", header, asked.test)
    holes = [
        ["" if gone else cell for cell, gone in zip(row, mask, strict=True)]
        for row, mask in zip(asked.test, asked.mask.tolist(), strict=True)
    ]
    _write(folder / "holes.csv", header, holes)
    _write(folder / "hidden.csv", header, asked.mask.astype(int).tolist())
    (folder / "job.json").write_text(json.dumps(task.__dict__))


def hide_cells(task: Task, header: list[str], train: Rows, test: Rows, mask: np.ndarray) -> Hidden:
    """Join test rows, what is hidden of them, and what errors are divided by."""
    spread: dict[str, float] = {}
    for at, name in enumerate(header):
        if name in task.numeric or name in task.dates:
            is_date = name in task.dates
            spread[name] = float(np.nanstd([number(r[at], is_date=is_date) for r in train]))
    return Hidden(header, test, mask, spread)


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        writer.writerows(rows)
