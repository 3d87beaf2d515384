"""Speed, memory and weight.

``python -m benchmarks.speed [rates] [shell] [memory] [install]``; all of them without names.
The fit of ``benchmarks.adult`` is used if it is there, else adult is fitted first.
"""

from __future__ import annotations

import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet

import anypart
from anypart.base.seeds import generator
from benchmarks.contest import work_folder, write_result
from benchmarks.data import ROOT, data_file
from benchmarks.memory import run
from benchmarks.peers import ONE_THREAD, TORCH

Line = tuple[str, float, str, float, bool]  # what, found, unit, wanted, lower is better
N_SAMPLES = 100_000
BIG_ROWS = 5_000_000
PLAIN_PYTHON = (sys.executable, "-c")


def adult_fit(purpose: str) -> anypart.Fitted:
    """Load the fit of adult, made if need be."""
    made = work_folder("adult") / "anypart" / "fit"
    folder = made if purpose == "any" and made.exists() else work_folder("speed") / purpose
    if not folder.exists():
        anypart.fit(data_file("tables/adult_train.csv.gz"), purpose=purpose).save(folder)
    return anypart.load(folder)


def best_of(action: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Least seconds of a few runs, by the clock and of this process's CPU."""
    wall, cpu = list[float](), list[float]()
    for _ in range(times):
        start, spent = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - spent)
    return min(wall), min(cpu)


def rate(what: str, n_rows: int, action: Callable[[], object], wanted: float) -> list[Line]:
    """Rows a second, by the clock and by CPU: on a loaded machine the second is the truer."""
    action()
    wall, cpu = best_of(action)
    return [
        (what, n_rows / wall, "rows/s", wanted, False),
        (f"{what}, by CPU time", n_rows / cpu, "rows/s", wanted, False),
    ]


def rates() -> list[Line]:
    """Rows a second, and milliseconds of one question, in a warm process."""
    lines: list[Line] = []
    test = anypart.read(data_file("tables/adult_test.csv.gz")).to_arrow()
    many = pa.concat_tables([test] * 10)
    for purpose, sampling, scoring in (("any", 50_000, 50_000), ("fast", 291_000, 200_000)):
        fitted = adult_fit(purpose)
        draw, score = partial(fitted.sample, N_SAMPLES), partial(fitted.log_prob, many)
        lines += rate(f"{purpose}: sampling", N_SAMPLES, draw, sampling)
        lines += rate(f"{purpose}: scoring", len(many), score, scoring)
        lines.append((f"{purpose}: one-row ask, median", _ask(fitted, test), "ms", 10, True))
    return lines


def _ask(fitted: anypart.Fitted, test: pa.Table) -> float:
    """Median milliseconds of a question with random conditions."""
    rng = generator(0, "benchmarks", "ask")
    names = [c.name for c in fitted.schema.modelled]
    found: list[float] = []
    for _ in range(100):
        target, *rest = rng.permutation(names).tolist()
        row = test.slice(int(rng.integers(len(test))), 1).to_pylist()[0]
        given = {n: row[n] for n in rest[: int(rng.integers(1, 8))] if row[n] is not None}
        start = time.perf_counter()
        fitted.ask(target, given=given)
        found.append((time.perf_counter() - start) * 1000)
    return statistics.median(found)


def shell() -> list[Line]:
    """Seconds that a person waits in a shell; the least of five."""
    folder = work_folder("adult") / "anypart" / "fit"
    if not folder.exists():
        adult_fit("any")
        folder = work_folder("speed") / "any"
    start = "from anypart.terminal.main import main; import sys; sys.argv[0] = 'anypart'; main()"
    ask = [start, "ask", str(folder), "income", "--given", "age > 50"]

    def waits(*arguments: str) -> tuple[float, float]:
        found = [run_quietly(*arguments) for _ in range(5)]
        return min(w for w, _ in found), min(c for _, c in found)

    bare, imported = waits("pass"), waits("import anypart")
    helped, asked = waits(start, "--help"), waits(*ask)
    lines: list[Line] = []
    for at, by in enumerate(("", ", by CPU time")):
        alone = (imported[at] - bare[at]) * 1e3
        lines.append((f"import anypart, beyond Python itself{by}", alone, "ms", 150, True))
        lines.append((f"anypart --help{by}", helped[at] * 1e3, "ms", 400, True))
        lines.append((f"anypart ask, cold{by}", asked[at], "s", 2, True))
    return lines


def run_quietly(*arguments: str) -> tuple[float, float]:
    """Seconds of a Python process, by the clock and of its CPU."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*PLAIN_PYTHON, *arguments], check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


FIT_BIG = """
import sys, anypart
if __name__ == "__main__":
    anypart.fit(sys.argv[1]).save(sys.argv[2])
"""


def memory() -> list[Line]:
    """Peak of all processes while a generated Parquet file of 5 million rows is fitted."""
    folder = work_folder("speed")
    folder.mkdir(parents=True, exist_ok=True)
    table, script = folder / "big.parquet", folder / "fit_big.py"
    if not table.exists():
        generate(table)
    script.write_text(FIT_BIG)
    command = [sys.executable, str(script), str(table), str(folder / "big")]
    found = run(command, folder / "big.log", ONE_THREAD)
    if found.code:
        sys.exit(f"The fit of {table} failed; its output is in {folder / 'big.log'}.")
    minutes = found.seconds / 60
    return [
        ("5 million rows: peak of all processes", found.peak_mb, "MB", 1_500, True),
        ("5 million rows: time", minutes, "min", float("nan"), True),
    ]


def generate(path: Path, n_rows: int = BIG_ROWS) -> None:
    """Write a table of ten columns that hang together, a hundred thousand rows at a time."""
    rng = generator(0, "benchmarks", "big")
    writer: pyarrow.parquet.ParquetWriter | None = None
    for start in range(0, n_rows, 100_000):
        n = min(100_000, n_rows - start)
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
        part = pa.table(columns)
        writer = writer or pyarrow.parquet.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer is not None
    writer.close()


def install() -> list[Line]:
    """Megabytes of a plain install in a fresh environment."""
    folder = work_folder("speed") / "plain"
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    for package in (TORCH, str(ROOT)):
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", package], check=True)
    sizes = {
        (s.st_dev, s.st_ino): s.st_blocks * 512 for s in (p.lstat() for p in folder.rglob("*"))
    }
    return [("plain install", sum(sizes.values()) / 2**20, "MB", 1_450, True)]


PARTS = {"rates": rates, "shell": shell, "memory": memory, "install": install}


def main(names: list[str]) -> None:
    for name in names or list(PARTS):
        lines = [
            f"# {PARTS[name].__doc__}",
            "",
            f"`python -m benchmarks.speed {name}`, "
            f"{platform.machine()}, Python {platform.python_version()}",
            "",
            "| what | found | wanted | met |",
            "|---|---|---|---|",
        ]
        for what, found, unit, wanted, lower in PARTS[name]():
            met = "–" if np.isnan(wanted) else (found <= wanted if lower else found >= wanted)
            shown = {True: "yes", False: "**no**"}.get(met, "–")
            asked = "–" if np.isnan(wanted) else f"{wanted:,g} {unit}"
            lines.append(f"| {what} | {found:,.1f} {unit} | {asked} | {shown} |")
        write_result(f"speed_{name}", lines)


if __name__ == "__main__":
    main(sys.argv[1:])
