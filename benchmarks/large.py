"""Tables larger than memory should hold: a Parquet file of 5 million rows, a CSV file of 3 GB."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

from anypart.base.seeds import generator
from benchmarks.contest import work_folder
from benchmarks.memory import Run, run
from benchmarks.peers import ONE_THREAD

Line = tuple[str, float, str, float, bool]  # what, found, unit, wanted, lower is better
BIG_ROWS = 5_000_000
PART = 100_000  # rows made at a time
CSV_BYTES = 3 * 10**9
MOST_MB = 1_500
ANYPART = (sys.executable, "-c", "from anypart.terminal.main import main; raise SystemExit(main())")


def memory() -> list[Line]:
    """Peak of all processes while a generated Parquet file of 5 million rows is fitted."""
    folder = work_folder("speed")
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "big.parquet"
    if not table.exists():
        write_parquet(table)
    found = _measured(folder / "big.log", "fit", str(table), "-o", str(folder / "big"))
    return _lines("5 million rows", found)


def csv() -> list[Line]:
    """A generated CSV file of 3 GB: its profile, and a fit of one minute; the file is deleted."""
    folder = work_folder("speed")
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "big.csv"
    try:
        n_rows = write_csv(table)
        profiled = _measured(folder / "csv_profile.log", "profile", str(table))
        words = ["fit", str(table), "-o", str(folder / "big_csv"), "--minutes", "1", "--overwrite"]
        fitted = _measured(folder / "csv_fit.log", *words)
    finally:
        table.unlink(missing_ok=True)
    size = ("rows of the file", n_rows / 1e6, "million", float("nan"), True)
    return [size, *_lines("profile", profiled), *_lines("fit of one minute", fitted)]


def _measured(log: Path, *words: str) -> Run:
    found = run([*ANYPART, *words], log, ONE_THREAD)
    if found.code:
        sys.exit(f"anypart {' '.join(words)} failed; its output is in {log}.")
    return found


def _lines(what: str, found: Run) -> list[Line]:
    nothing = float("nan")
    return [
        (f"{what}: peak of all processes", found.peak_mb, "MB", MOST_MB, True),
        (f"{what}: time", found.seconds / 60, "min", nothing, True),
        (f"{what}: CPU time", found.cpu_seconds / 60, "min", nothing, True),
    ]


def parts() -> Iterator[pa.Table]:
    """Make a table of eleven columns that hang together, part after part without end."""
    rng = generator(0, "benchmarks", "big")
    for start in count(0, PART):
        n = PART
        kind = rng.integers(0, 8, n)
        amount = np.round(rng.gamma(2.0, 10.0 * (kind + 1)), 2)
        columns: dict[str, pa.Array] = {
            "id": pa.array(np.arange(start, start + n)),
            "kind": pa.array([f"kind {k}" for k in range(8)]).take(pa.array(kind)),
            "amount": pa.array(amount, mask=rng.random(n) < 0.05),
            "count": pa.array(rng.poisson(amount / 20)),
            "when": pa.array(1.6e9 + rng.integers(0, 10**8, n))
            .cast(pa.int64())
            .cast(pa.timestamp("s")),
        }
        for at in range(6):
            words = pa.array([f"v{v}" for v in range(4 + 6 * at)])
            code = (kind * (at + 1) + rng.integers(0, 3, n)) % len(words)
            columns[f"word_{at}"] = words.take(pa.array(code))
        yield pa.table(columns)


def write_parquet(path: Path, n_rows: int = BIG_ROWS) -> None:
    """Write the first rows as Parquet."""
    made = parts()
    first = next(made)
    with pyarrow.parquet.ParquetWriter(path, first.schema) as writer:
        writer.write_table(first)
        for _ in range(n_rows // PART - 1):
            writer.write_table(next(made))


def write_csv(path: Path, n_bytes: int = CSV_BYTES) -> int:
    """Write rows as CSV, with a note of free text each, until there are enough bytes."""
    rng = generator(0, "benchmarks", "notes")
    made, n_rows = parts(), 0
    with path.open("wb") as file:
        while file.tell() < n_bytes:
            table = next(made)
            words = pa.array([f"word{w}" for w in range(5_000)])
            some = [words.take(pa.array(rng.integers(0, 5_000, PART))) for _ in range(8)]
            note = pc.binary_join_element_wise(*some, " ")
            options = pyarrow.csv.WriteOptions(include_header=not n_rows)
            pyarrow.csv.write_csv(table.append_column("note", note), file, options)
            n_rows += PART
    return n_rows
