"""Runs a command and watches the memory of all its processes together."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

INTERVAL = 1.0  # seconds between two looks; a look at many processes costs 50 ms


@dataclass(frozen=True)
class Run:
    """What a command cost.

    Args:
        code: its exit code.
        seconds: wall time.
        cpu_seconds: of all its processes that have ended.
        peak_mb: largest sum of their proportional set sizes, MB (of resident sizes where
            the system does not tell).

    """

    code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float


def run(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> Run:
    """Run a command to its end, its output in a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    peak = 0.0
    with log.open("wb") as out:
        child = subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        while child.poll() is None:
            peak = max(peak, sum(map(_megabytes, _family(child.pid))))
            time.sleep(INTERVAL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(child.returncode, time.perf_counter() - start, cpu, peak)


def _family(pid: int) -> list[int]:
    """List a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue  # it ended while it was looked at
        children.setdefault(parent, []).append(int(folder.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def _megabytes(pid: int) -> float:
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            for line in Path(f"/proc/{pid}/{name}").read_text().splitlines():
                if line.startswith(field):
                    return int(line.split()[1]) / 1024
        except OSError:
            continue
    return 0.0
