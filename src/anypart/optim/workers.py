"""Single-thread processes that train members, seen from the parent."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anypart.base.errors import FitError
from anypart.data.packed import PackedCodes
from anypart.optim.events import Finished, Measured, Sought, event_from_json

SECONDS_TO_SAVE = 5.0  # what a worker gets to save its state when it is to stop

# Two OpenMP threads on a shared machine were 20 to 70 times slower than one, and sums in
# another order give other bits: one thread, always. Hashes are fixed for the same reason.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
}

Line = tuple["_Worker", str | None]  # None: its output has ended


@dataclass(frozen=True)
class Job:
    """Something for a worker to do.

    Args:
        name: of the member it is about.
        message: what the worker is told, as JSON.

    """

    name: str
    message: Mapping[str, Any]


@dataclass(frozen=True)
class Tables:
    """What the workers read; they open it by its folder on disk.

    Args:
        train: the rows to learn from.
        valid: the rows to validate on, None for a tenth of `train`.
        seed: of that tenth.

    """

    train: PackedCodes
    valid: PackedCodes | None
    seed: int

    def as_json(self) -> dict[str, Any]:
        """Say it to a worker."""
        valid = _folder_of(self.valid) if self.valid else None
        return {"train": _folder_of(self.train), "valid": valid, "seed": self.seed}


def _folder_of(packed: PackedCodes) -> str:
    name = getattr(packed.cells, "filename", None)
    assert name is not None, "packed codes are mapped from a file"
    return str(Path(name).resolve().parent)


class _Worker:
    """One process; `say` gives it a job, its lines arrive in the shared queue."""

    def __init__(self, lines: queue.SimpleQueue[Line]) -> None:
        self.job: str | None = None  # the name of what it is doing
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        root = str(Path(__file__).parents[2])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH")) if p)
        # -P: a json.py in the user's folder must not shadow the real one. The new session
        # keeps Ctrl-C to the parent, which lets its workers save before they leave.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "anypart.optim.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | ENVIRONMENT | {"PYTHONPATH": path},
            start_new_session=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()

    def _read(self, lines: queue.SimpleQueue[Line]) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            lines.put((self, line))
        lines.put((self, None))

    def take(self, waiting: list[Job]) -> None:
        """Start the next job, or none."""
        job = waiting.pop(0) if waiting else None
        self.job = job.name if job else None
        if job:
            self.say(job.message)

    def say(self, message: Mapping[str, Any]) -> None:
        """Send one line; a worker that is gone is noticed by the end of its output."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(dict(message)) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def death(self) -> str:
        """Say why the process ended without a word."""
        code = self._process.wait()
        self._errors.seek(0)
        last = self._errors.read()[-2_000:].strip().splitlines()[-3:]
        hint = " (killed, perhaps because memory ran out)" if code in (-9, 137) else ""
        return f"its process ended with code {code}{hint}. {' | '.join(last)}".strip()

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._process.kill()

    def close(self) -> None:
        """End its input, which stops it."""
        assert self._process.stdin
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            return

    def wait(self) -> None:
        """Wait until it has saved and stopped; end it if it takes too long."""
        try:
            self._process.wait(SECONDS_TO_SAVE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stdout
        self._process.stdout.close()
        self._errors.close()


@contextmanager
def _workers(count: int, lines: queue.SimpleQueue[Line]) -> Generator[list[_Worker]]:
    started: list[_Worker] = []
    try:
        for _ in range(count):
            started.append(_Worker(lines))
        yield started
    finally:
        for worker in started:
            worker.close()
        for worker in started:
            worker.wait()


def run_jobs(
    jobs: list[Job],
    tables: Tables,
    count: int,
    tell: Callable[[Any], object],
    enough: Callable[[], bool] = lambda: False,
    more: Callable[[], list[Job]] | None = None,
) -> None:
    """Do jobs in processes, first come first served.

    Args:
        jobs: the longest first, or the most wanted if there may be enough.
        tables: what the workers read.
        count: how many processes.
        tell: called in this process with every message of theirs.
        enough: asked again and again; True leaves the jobs that wait and those at work,
            whose processes are killed.
        more: asked for further jobs whenever one has ended.

    Raises:
        FitError: a job failed; the others have saved where they are.

    """
    waiting = list(jobs)
    lines: queue.SimpleQueue[Line] = queue.SimpleQueue()
    count = count if waiting and more else min(count, len(waiting))
    with _workers(count, lines) as busy:
        for worker in busy:
            worker.say(tables.as_json())
            worker.take(waiting)
        while any(worker.job for worker in busy):
            found = _next(lines, enough)
            if found is None:
                for worker in busy:
                    worker.kill()
                return
            worker, line = found
            if worker.job is None:
                continue
            if line is None:
                raise FitError(f"Training {worker.job} failed: {worker.death()}")
            if line.startswith('{"failure"'):
                raise FitError(f"Training {worker.job} failed: {json.loads(line)['failure']}")
            message = event_from_json(line)
            tell(message)
            if isinstance(message, Finished | Measured | Sought):
                worker.job = None
                waiting += more() if more else []
                for idle in (w for w in busy if w.job is None):
                    idle.take(waiting)


def _next(lines: queue.SimpleQueue[Line], enough: Callable[[], bool]) -> Line | None:
    while not enough():
        with suppress(queue.Empty):
            return lines.get(timeout=0.2)  # so that Ctrl-C is heard on every system
    return None
