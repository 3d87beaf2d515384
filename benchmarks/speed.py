"""Speed, memory and weight.

``python -m benchmarks.speed [rates] [shell] [memory] [csv] [install]``; all of them without names.
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

import numpy as np
import pyarrow as pa

import anypart
from anypart.base.seeds import generator
from benchmarks.contest import work_folder, write_result
from benchmarks.data import ROOT, data_file
from benchmarks.large import Line, csv, memory
from benchmarks.peers import TORCH

N_SAMPLES = 100_000
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


PARTS = {"rates": rates, "shell": shell, "memory": memory, "csv": csv, "install": install}


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
