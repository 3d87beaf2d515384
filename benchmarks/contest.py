"""anypart beside its peers on one task: run each, judge each, write a table."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cells import FIGURES, Errors, interval, measure
from benchmarks.data import ROOT
from benchmarks.job import Hidden, Task
from benchmarks.memory import Run
from benchmarks.peers import METHODS, python_of, run_script

OWN = "anypart"
SLOW = ("mostlyai", "lace")  # asked about a few rows only
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Entry:
    """One method on one task.

    Args:
        name: of the method.
        cost: of its whole run: fit, samples and cells.
        times: its own clocks, seconds.
        judged: quality, shapes, trends, c2st, learned, rule; empty without samples.
        errors: of the hidden cells; None if it does not fill them.

    """

    name: str
    cost: Run | None
    times: dict[str, float]
    judged: dict[str, float]
    errors: Errors | None


def work_folder(name: str) -> Path:
    """Return the folder of intermediate files: ANYPART_WORK, or a temporary one."""
    base = os.environ.get("ANYPART_WORK", Path(tempfile.gettempdir()) / "anypart-benchmarks")
    return Path(base) / name


def compete(folder: Path, task: Task, asked: Hidden, methods: Sequence[str]) -> list[Entry]:
    """Run every method on a written job, one after another, and judge what it made.

    Methods whose results are in the folder are not run again.
    """
    costs: dict[str, Run | None] = {}
    for name in (OWN, *methods):
        environment = None if name == OWN else METHODS[name]
        if environment and not python_of(environment):
            print(f"{name} is left out: `python -m benchmarks.peers make` makes its environment.")
            continue
        out = folder / name
        if not (out / "cost.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            script = f"run_{name.partition('_')[0]}"
            print(f"{task.name}: {name} …", flush=True)
            cost = run_script(script, environment, [str(folder), str(out)], folder / f"{name}.log")
            if cost.code:
                print(f"{name} failed, its output is in {folder / f'{name}.log'}.", file=sys.stderr)
            out.mkdir(exist_ok=True)
            (out / "cost.json").write_text(json.dumps(cost.__dict__))
        costs[name] = Run(**json.loads((out / "cost.json").read_text()))
    judged = _judge(folder, ["real", *costs])
    entries = [Entry("real rows", None, {}, judged.get("real", {}), None)]
    for name, cost in costs.items():
        errors = measure(task, asked, folder / name / "guesses.npz", _n_rows(name, task, asked))
        times = _json(folder / name / "times.json")
        entries.append(Entry(name, cost, times, judged.get(name, {}), errors))
    return entries


def _n_rows(name: str, task: Task, asked: Hidden) -> int:
    return min(task.slow_rows, len(asked.test)) if name in SLOW else len(asked.test)


def _judge(folder: Path, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Judge samples in the judge's environment; nothing if it has not been made."""
    if not python_of("judge"):
        print("No judge: `python -m benchmarks.peers make` makes its environment.")
        return {}
    out = folder / "judged"
    having = [n for n in names if n == "real" or (folder / n / "samples.csv").exists()]
    waiting = [n if n == "real" else str(folder / n) for n in having if _is_new(folder, out, n)]
    if waiting:
        print(f"judging {', '.join(having)} …", flush=True)
        arguments = [str(folder), str(out), *waiting]
        run_script("run_judge", "judge", arguments, folder / "judge.log")
    return {n: _json(out / f"{n}.json") for n in having}


def _is_new(folder: Path, out: Path, name: str) -> bool:
    """Tell whether samples have been made since they were judged last."""
    judged, made = out / f"{name}.json", folder / name / "samples.csv"
    return not judged.exists() or (made.exists() and made.stat().st_mtime > judged.stat().st_mtime)


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def tables(task: Task, asked: Hidden, entries: Sequence[Entry]) -> list[str]:
    """Write samples and cells as two tables, then the paired intervals."""
    n = task.n_samples
    lines = [
        f"| {task.name} | whole run, CPU s | peak MB | fit s | samples/s | quality | shapes |"
        " trends | C2ST | learned from samples | rule |",
        "|---|" + "---|" * 10,
    ]
    for e in entries:
        cost = (f"{e.cost.cpu_seconds:.0f}", f"{e.cost.peak_mb:,.0f}") if e.cost else ("–", "–")
        rate = f"{n / e.times['sample']:,.0f}" if e.times.get("sample") else "–"
        fit = _show(e.times.get("fit"), 0)
        keys = ("quality", "shapes", "trends", "c2st", "learned", "rule")
        figures = (_show(e.judged.get(k), 4) for k in keys)
        lines.append(f"| {' | '.join((e.name, *cost, fit, rate, *figures))} |")
    lines += [
        "",
        "| hidden cells | rows | accuracy | RMSE | MAE | log-loss |",
        "|---|" + "---|" * 5,
    ]
    own = next(e for e in entries if e.name == OWN)
    for e in entries:
        if e.errors:
            rows = _n_rows(e.name, task, asked)
            figures = (_show(e.errors.figure(k), 4) for k in FIGURES)
            lines.append(f"| {' | '.join((e.name, f'{rows:,}', *figures))} |")
    lines += [
        "",
        "Better than each peer by (95 % paired bootstrap over the same rows; a lower "
        "end above 0 is a win):",
        "",
        "| peer | accuracy | RMSE | MAE | log-loss |",
        "|---|---|---|---|---|",
    ]
    for e in entries:
        if e.errors and e.name != OWN and own.errors:
            n_rows = _n_rows(e.name, task, asked)
            mine = measure(task, asked, work_folder(task.name) / OWN / "guesses.npz", n_rows)
            assert mine is not None
            shown = [_range(interval(mine, e.errors, k, n_rows)) for k in FIGURES]
            lines.append(f"| {e.name} | {' | '.join(shown)} |")
    return lines


def _show(x: float | None, digits: int) -> str:
    return "–" if x is None else f"{x:.{digits}f}"


def _range(found: tuple[float, float] | None) -> str:
    return "–" if found is None else f"{found[0]:+.4f} … {found[1]:+.4f}"


def write_result(name: str, lines: Sequence[str]) -> None:
    """Write a result, with the command that makes it, and show it."""
    RESULTS.mkdir(exist_ok=True)
    text = "\n".join(lines) + "\n"
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
