"""Data loading: what four workers cost in memory, and how many rows a second come out.

``python -m benchmarks.loading``. Memory is the growth of the sum of the proportional set sizes
of four forked workers and their parent while the workers read all 500,000 records, over the size
before they began, the median of five runs. Workers that read nothing grow too: what stands
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


def records(n: int = N) -> pa.Table:
    """Make rows of three columns."""
    rng = generator(0, "loading")
    words = pa.array([f"word {k}" for k in range(40)])
    return pa.table(
        {
            "word": words.take(pa.array(rng.integers(0, 40, n))),
            "count": pa.array(rng.integers(0, 200, n)),
            "flag": pa.array(rng.integers(0, 2, n)),
        }
    )


def packed_records(folder: Path, n: int = N) -> PackedCodes:
    """Pack them."""
    table = records(n)
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


def megabytes(pid: int) -> dict[str, float]:
    """Proportional set size of a process by what its pages are of, and what it wrote to codes."""
    found = {"codes": 0.0, "programs": 0.0, "own": 0.0, "written": 0.0}
    of = "own"
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        kind, _, rest = line.partition(":")
        if "-" in line.split()[0]:
            name = line.split(maxsplit=5)[5:]
            of = "own" if not name or name[0][0] == "[" else "programs"
            of = "codes" if line.endswith("codes.bin") else of
        elif kind == "Pss":
            found[of] += int(rest.split()[0]) / 1024
        elif kind == "Private_Dirty" and of == "codes":
            found["written"] += int(rest.split()[0]) / 1024
    return found


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
    after = [megabytes(pid) for pid in (os.getpid(), *pids)]
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return {kind: sum(one[kind] for one in after) - start for kind, start in before.items()}


def touch(data: Any) -> None:
    """Read all records, a batch at a time."""
    n = data.n_rows if isinstance(data, PackedCodes) else len(data)
    for start in range(0, n, BATCH):
        if isinstance(data, PackedCodes):
            data.rows(slice(start, start + BATCH))
        else:
            for record in data[start : start + BATCH]:
                list(record.values() if isinstance(record, dict) else record)


RUNS = 5
KINDS = ("codes", "programs", "own")


def memory() -> list[str]:
    """Grow every form in processes of its own."""
    lines = [
        "| form | workers that read nothing, MB | that read all, MB | what reading adds | of it "
        "the packed file | code of programs | own pages | if the parent has read all before, MB |",
        "|---" * 8 + "|",
    ]
    written = 0.0
    with tempfile.TemporaryDirectory() as name:
        packed = packed_records(Path(name))
        for form in FORMS:
            found = {how: grown(form, name, how) for how in ("idle", "read", "warm")}
            idle, read, warm = (sum(one[kind] for kind in KINDS) for one in found.values())
            added = [found["read"][kind] - found["idle"][kind] for kind in KINDS]
            cells = [idle, read, read - idle, *added, warm]
            written = found["read"]["written"]
            lines.append(f"| {form} | {' | '.join(f'{x:,.1f}' for x in cells)} |")
            print(lines[-1], flush=True)
        size = packed.cells.nbytes / 2**20
    note = (
        f"Packed codes: {size:.1f} MB on disk, {packed.layout.row_bytes} bytes a row, mapped when "
        "they are read. The four workers hold that file once between them, and have written to "
        f"{written:.1f} MB of it (`/proc/PID/smaps`); the {N * 24 / 2**20:.0f} MB of NumPy "
        "integers were there before the workers were. The rest of what reading adds is code of "
        "NumPy and of the interpreter that is first used, and pages of a process's own that it "
        "writes when a function first runs in it, as the interpreter counts references and keeps "
        "what it has specialised. The parent has done that for its children in the last column."
    )
    return [*lines, "", note, "", *by_number()]


def by_number() -> list[str]:
    """What reading packed codes adds, by how many there are."""
    lines = [
        "| packed records | of the packed file, MB | code of programs | own pages |",
        "|---" * 4 + "|",
    ]
    for n in (20_000, N, 4_000_000):
        with tempfile.TemporaryDirectory() as name:
            packed_records(Path(name), n)
            idle, read = (grown("packed codes", name, how) for how in ("idle", "read"))
        cells = " | ".join(f"{read[kind] - idle[kind]:.1f}" for kind in KINDS)
        lines.append(f"| {n:,} | {cells} |")
        print(lines[-1], flush=True)
    return ["What reading adds, by the number of records: only the file grows.", "", *lines]


def grown(form: str, folder: str, how: str) -> dict[str, float]:
    """Grow one form in fresh processes; the medians."""
    command = [sys.executable, "-m", "benchmarks.loading", "grow", form, folder, how]
    runs = [
        json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        for _ in range(RUNS)
    ]
    return {kind: statistics.median(run[kind] for run in runs) for kind in runs[0]}


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
