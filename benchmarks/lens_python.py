"""What it costs to watch a snippet: the start, each step, and other tracers beside it.

``python -m benchmarks.lens_python``: snippets of known numbers of steps, the least wall
time of a few runs, each in a process of its own, the ways in turn. The peers tell less: the
standard library's `trace` tells lines, `snoop` and `hunter` lines and the `repr` of values;
none tells identities, so none can tell mutated from rebound. They are looked for in the
`lens` environment of ANYPART_PEERS.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from anypart.lens.python import Limits, watch
from anypart.studio.python_trace import trace_page
from benchmarks.contest import write_result

LINES = 900
PROGRAMS = {
    "counting": "n = 0\n" + "n += 1\n" * LINES,
    "appending": "a = []\n" + "a.append(1)\n" * LINES,
    "calling": "def f(n):\n    return n\n" + "f(1)\n" * (LINES // 3),
    "among 500 objects": "a = [[n] for n in range(500)]\nb = 0\n" + "b += 1\n" * (LINES // 3),
}
ROUNDS = 5


def plain(file: Path) -> list[str]:
    return [sys.executable, "-S", str(file)]


def stdlib(file: Path) -> list[str]:
    return [sys.executable, "-S", "-m", "trace", "--trace", str(file)]


def peer(name: str) -> str:
    """Return the interpreter of the peers' environment if it has a package."""
    folder = Path(os.environ.get("ANYPART_PEERS", "peers"))
    python = folder / "lens" / "bin" / "python"
    asked = [str(python), "-c", f"import {name}"]
    there = (
        python.exists() and not subprocess.run(asked, check=False, capture_output=True).returncode
    )
    return str(python) if there else ""


def snoop(file: Path) -> list[str]:
    code = (
        "import snoop, sys; snoop.install(out=sys.stdout, columns='')\n"
        "with snoop.snoop():\n" + "\n".join(f"    {line}" for line in file.read_text().splitlines())
    )
    held = file.with_name(f"snoop_{file.name}")
    held.write_text(code)
    return [peer("snoop"), str(held)]


def hunter(file: Path) -> list[str]:
    code = (
        "import hunter, sys, runpy\n"
        f"hunter.trace(hunter.Q(filename={str(file)!r}), action=hunter.VarsSnooper("
        f"stream=sys.stdout))\nrunpy.run_path({str(file)!r})"
    )
    return [peer("hunter"), "-c", code]


def run(command: list[str]) -> Callable[[], object]:
    return lambda: subprocess.run(command, check=False, capture_output=True)


def timed(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return the least wall seconds of each way, run in turn."""
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            best[name] = min(best[name], time.perf_counter() - began)
    return best


def contest(folder: Path) -> tuple[list[str], list[str]]:
    """Return table rows, and the peers that are missing."""
    missing = [name for name in ("snoop", "hunter") if not peer(name)]
    rows: list[str] = []
    for name, source in PROGRAMS.items():
        file = folder / "program.py"
        file.write_text(source)
        limits = Limits(steps=5000, seconds=120)
        ways: dict[str, Callable[[], object]] = {
            "plain": run(plain(file)),
            "watch": lambda source=source, limits=limits: watch(source, limits=limits),
            "trace": run(stdlib(file)),
        }
        for other, command in (("snoop", snoop), ("hunter", hunter)):
            if other not in missing:
                ways[other] = run(command(file))
        found = timed(ways)
        trace = watch(source, limits=limits)
        page = len(trace_page(trace)) / min(len(trace), 600) / 1000
        own = (found["watch"] - found["plain"]) / len(trace) * 1e6
        cells = [f"{found[k] / found['plain']:.1f}" if k in found else "–" for k in NAMES]
        rows.append(f"| {name} | {len(trace):,} | {' | '.join(cells)} | {own:.0f} | {page:.1f} |")
    return rows, missing


NAMES = ("watch", "trace", "snoop", "hunter")


def main() -> None:
    """Measure, and write the result."""
    with tempfile.TemporaryDirectory() as name:
        rows, missing = contest(Path(name))
    lost = f" Missing here: {', '.join(missing)}." if missing else ""
    lines = [
        "# Watching a snippet",
        "",
        "`python -m benchmarks.lens_python`: wall time over that of the plain interpreter, least "
        f"of {ROUNDS}, each way in a process of its own. CPython {platform.python_version()}, "
        f"{platform.machine()}. The peers tell lines and values, not identities. What falls "
        "short: `watch` looks at every object in reach at every step, so it costs more than the "
        f"standard library's `trace` everywhere, and more than snoop among many objects.{lost}",
        "",
        "| program | steps | watch | trace (stdlib) | snoop | hunter | watch, µs a step "
        "| page, kB a step |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
        *rows,
    ]
    write_result("lens_python", lines)


if __name__ == "__main__":
    main()
