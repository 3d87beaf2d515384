"""Data loading: what four workers cost in memory, and how many rows a second come out.

``python -m benchmarks.loading``. Memory is the growth of the sum of the proportional set sizes
of four forked workers and their parent while the workers read all 500,000 records, over the size
before they began, the median of seven runs. Workers that read nothing grow too: what stands
beside is what reading adds to that. Rates are rows a second of CPU time.
"""

from __future__ import annotations

import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from anypart.base.seeds import generator
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import PackedCodes, pack
from anypart.data.streams import Stream, code_batches
from benchmarks.contest import write_result
from benchmarks.runs import seconds

N = 500_000
WORKERS = 4
BATCH = 256
FORMS = ("list of dicts", "list of tuples", "NumPy objects", "NumPy integers", "packed codes")


def records() -> pa.Table:
    """Half a million rows of three columns."""
    rng = generator(0, "loading")
    words = pa.array([f"word {k}" for k in range(40)])
    return pa.table(
        {
            "word": words.take(pa.array(rng.integers(0, 40, N))),
            "count": pa.array(rng.integers(0, 200, N)),
            "flag": pa.array(rng.integers(0, 2, N)),
        }
    )


def packed_records(folder: Path) -> PackedCodes:
    """Pack them."""
    table = records()
    codec = Codec(infer_schema(read(table), {"count": "count"}))
    return pack(read(table), codec, folder)


def held(form: str, folder: Path) -> Any:
    """Hold the records in one form: something to take a record from by its place."""
    if form == "packed codes":
        return PackedCodes.open(folder)
    table = records()
    if form == "NumPy integers":
        codes = np.empty((N, 3), np.int64)
        codes[:, 0] = table["word"].combine_chunks().dictionary_encode().indices
        codes[:, 1], codes[:, 2] = table["count"], table["flag"]
        return codes
    rows = table.to_pylist()
    if form == "list of dicts":
        return rows
    tuples = [tuple(row.values()) for row in rows]
    if form == "list of tuples":
        return tuples
    objects = np.empty((N, 3), object)
    objects[:] = tuples
    return objects


def megabytes(pid: int) -> float:
    """Proportional set size of a process."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0


def grow(form: str, folder: Path, how: str) -> dict[str, float]:
    """Fork workers that read every record, and measure what they add, MB by kind of memory.

    Args:
        form: of the records.
        folder: of the packed codes.
        how: `idle` workers read nothing; before `warm` ones the parent has read all.

    """
    data = held(form, folder)
    if how == "warm":
        touch(data)
    before = megabytes(os.getpid())
    pids = list[int]()
    for _ in range(WORKERS):
        ready, done = os.pipe()
        pid = os.fork()
        if not pid:
            if how != "idle":
                touch(data)
            os.write(done, b"x")
            time.sleep(60)
            os._exit(0)
        pids.append(pid)
        os.read(ready, 1)
    after = megabytes(os.getpid()) + sum(map(megabytes, pids))
    of_file = [mapped(pid, "codes.bin") for pid in pids]
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    file, written = (sum(one[kind] for one in of_file) for kind in ("Pss", "Private_Dirty"))
    return {"grown": after - before, "file": file, "written": written}


def mapped(pid: int, name: str) -> dict[str, float]:
    """Tell what a process holds of the pages of one file, MB."""
    found, here = {"Pss": 0.0, "Private_Dirty": 0.0}, False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        kind, _, rest = line.partition(":")
        if "-" in line.split()[0]:
            here = line.endswith(name)
        elif here and kind in found:
            found[kind] += int(rest.split()[0]) / 1024
    return found


def touch(data: Any) -> None:
    """Read all records, a batch at a time."""
    for start in range(0, N, BATCH):
        if isinstance(data, PackedCodes):
            data.rows(slice(start, start + BATCH))
        else:
            for record in data[start : start + BATCH]:
                list(record.values() if isinstance(record, dict) else record)


RUNS = 7


def memory() -> list[str]:
    """Grow every form in processes of its own."""
    lines = [
        "| form | workers that read nothing, MB | that read all, MB | what reading adds | if the "
        "parent has read all before, MB |",
        "|---" * 5 + "|",
    ]
    of_file, written = 0.0, 0.0
    with tempfile.TemporaryDirectory() as name:
        packed = packed_records(Path(name))
        for form in FORMS:
            command = [sys.executable, "-m", "benchmarks.loading", "grow", form, name]
            found = dict[str, float]()
            for how in ("idle", "read", "warm"):
                runs = [
                    json.loads(
                        subprocess.run(
                            [*command, how], capture_output=True, text=True, check=True
                        ).stdout
                    )
                    for _ in range(RUNS)
                ]
                found[how] = statistics.median(one["grown"] for one in runs)
                if form == "packed codes" and how == "read":
                    of_file = statistics.median(one["file"] for one in runs)
                    written = max(one["written"] for one in runs)
            cells = [found["idle"], found["read"], found["read"] - found["idle"], found["warm"]]
            lines.append(f"| {form} | {' | '.join(f'{x:,.1f}' for x in cells)} |")
            print(lines[-1], flush=True)
        size = packed.cells.nbytes / 2**20
    note = (
        f"Packed codes: {size:.1f} MB on disk, {packed.layout.row_bytes} bytes a row, mapped when "
        f"they are read. The four workers hold {of_file:.1f} MB of that file between them, each "
        f"page once, and have written to {written:.1f} MB of it (`/proc/PID/smaps`); the "
        f"{N * 24 / 2**20:.0f} MB of NumPy integers were there before. The rest of what reading "
        "adds is pages of code and of the interpreter's own memory that a process touches when a "
        "function first runs in it, which the parent has done for its children in the last column."
    )
    return [*lines, "", note]


def spend(batches: Callable[[], Any]) -> float:
    """Rows a second of one pass."""
    return N / seconds(lambda: sum(1 for _ in batches()), 3, 6)


def rate() -> list[str]:
    """Seeded, shuffled batches of 256 rows, out of one process."""
    from torch.utils.data import DataLoader

    table = records()
    rows = table.to_pylist()
    lines = ["| batches of 256 shuffled rows | rows a second | relative |", "|---|---|---|"]
    places = range(N)
    ways: dict[str, Callable[[], Any]] = {
        "torch DataLoader over a list": lambda: DataLoader(
            rows,
            BATCH,
            shuffle=True,
            collate_fn=list,  # type: ignore[arg-type]
        ),
        "torch DataLoader over a list, batches of tensors": lambda: DataLoader(
            [(r["count"], r["flag"]) for r in rows],
            BATCH,
            shuffle=True,  # type: ignore[arg-type]
        ),
        "torch DataLoader over Arrow, a row at a time": lambda: itertools.islice(
            DataLoader(Arrow(table), BATCH, shuffle=True, collate_fn=list),
            100,  # type: ignore[arg-type]
        ),
        "anypart stream over a list": lambda: Stream.of(rows).shuffle(65_536, 0).batch(BATCH),
        "anypart stream over Arrow, a batch at a time": lambda: (
            Stream.of(places).shuffle(65_536, 0).batch(BATCH).map(table.take)
        ),
    }
    with tempfile.TemporaryDirectory() as name:
        packed = packed_records(Path(name))
        ways["anypart stream of packed codes, as arrays"] = lambda: code_batches(packed, BATCH, 0)
        found = dict[str, float]()
        for what, make in ways.items():
            share = 100 * BATCH / N if "a row at a time" in what else 1.0
            found[what] = spend(make) * share
            base = found["torch DataLoader over a list"]
            lines.append(f"| {what} | {found[what]:,.0f} | {found[what] / base:.2f} |")
            print(lines[-1], flush=True)
    return lines


class Arrow:
    """An Arrow table as torch wants it: a row by its place."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return self.table.slice(place, 1).to_pylist()[0]


def main(words: list[str]) -> None:
    if words[:1] == ["grow"]:
        print(json.dumps(grow(words[1], Path(words[2]), words[3])))
        return
    write_result(
        "loading",
        [
            "# Data loading",
            "",
            f"`python -m benchmarks.loading`, {platform.machine()}, Python "
            f"{platform.python_version()}, torch {version('torch')}, pyarrow {pa.__version__}.",
            "",
            "## Memory of four workers over 500,000 records of three columns",
            "",
            *memory(),
            "",
            "## Rows a second",
            "",
            *rate(),
        ],
    )


if __name__ == "__main__":
    main(sys.argv[1:])
