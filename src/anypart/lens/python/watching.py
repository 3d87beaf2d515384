"""Run a snippet in a process of its own and see every step of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from anypart.base.errors import LensError
from anypart.lens.python.trace import Ended, Reader, Trace

TESTED = ("3.11.7", "3.12.1", "3.13.0")  # the interpreters that the tests were run on
_START = "import sys; sys.path.append(sys.argv[1]); from inside.main import main; main()"
_HERE = Path(__file__).parent
_MOST_TOLD = 1 << 28  # bytes of messages from one snippet
_MOST_SOURCE = 1 << 18  # characters of one snippet


@dataclass(frozen=True)
class Limits:
    """What a snippet may use.

    Args:
        steps: that are recorded; the snippet ends with the last one.
        seconds: on the wall, the interpreter's start included.
        memory_mb: address space of its process, in 2^20 bytes (not on macOS or Windows).

    """

    steps: int = 1000
    seconds: float = 10.0
    memory_mb: int = 512

    def __post_init__(self) -> None:
        if self.steps < 1 or not self.seconds > 0 or self.memory_mb < 64:
            raise LensError(
                f"limits of {self.steps} steps, {self.seconds} seconds and {self.memory_mb} MB "
                "let no snippet run. Give at least 1 step, some time and 64 MB."
            )


def watch(
    snippet: str, *, limits: Limits | None = None, stdin: str = "", python: str | Path = ""
) -> Trace:
    r"""Run a snippet and return every step: its line, names → objects, and what changed.

    A change is told by identity, not by looks: a name that leads to another object was
    rebound; an object that stayed the same one and holds other parts was mutated.

    The process is held by resource limits, by an audit hook that refuses what is not
    computing, and on Linux by Landlock and seccomp: files may be read and written only in a
    temporary folder that is removed afterwards, no process, thread or connection can be
    made. `Trace.confined` says which of these held. It is meant for snippets that one would
    run anyway and for their mistakes; where the kernel's filters are missing it is **not a
    sandbox** for code that means harm, and nowhere does it keep a snippet from telling a
    false trace.

    Args:
        snippet: Python source; it sees the standard library and nothing that was installed.
        limits: on steps, time and memory.
        stdin: what `input()` reads.
        python: the interpreter to run it with, CPython 3.11 or later; this one if empty.

    Returns:
        The trace, whatever became of the snippet: exceptions and limits end it, and the
        steps until then are there.

    Raises:
        LensError: a snippet too long to be one, or an interpreter that does not start.

    Cost:
        Some 0.1 s to start, then some 0.3 ms for each step among few objects, in proportion
        to the objects in reach (`benchmarks/results/lens_python.md`).

    Example:
        >>> trace = watch("a = [1]\nb = a\nb.append(2)\n")
        >>> [change.what for change in trace.steps[2].changes], trace.steps[2].named("a").n_parts
        (['mutated'], 2)

    """
    limits = limits or Limits()
    job = {"job": "watch", "source": snippet, "stdin": stdin}
    reader = Reader(snippet)
    otherwise = run_job(job, limits, python, reader.take)
    return reader.trace(otherwise)


def run_job(job: dict[str, Any], limits: Limits, python: str | Path, take: Any) -> Ended:
    """Run one job in a confined process and hand over each message.

    Args:
        job: what `inside.main` reads, without its limits.
        limits: of the process.
        python: the interpreter.
        take: is called with each message.

    Returns:
        How it ended, for a process that did not tell itself: out of time, or killed.

    """
    if not isinstance(job["source"], str):
        raise LensError(f"a snippet is text, not a {type(job['source']).__name__}.")
    if len(job["source"]) > _MOST_SOURCE:
        raise LensError(
            f"the snippet has {len(job['source']):,} characters; at most {_MOST_SOURCE:,} "
            "are followed. Watch the part that matters."
        )
    with tempfile.TemporaryDirectory(prefix="snippet-") as folder:
        job = {
            **job,
            "steps": limits.steps,
            "seconds": limits.seconds,
            "memory_mb": limits.memory_mb,
            "folder": folder,
        }
        process = _start(str(python or sys.executable), folder)
        assert process.stdout is not None
        late = threading.Event()
        timer = threading.Timer(limits.seconds, lambda: (late.set(), _kill(process)))
        timer.start()
        try:
            _hand_over(process, job)
            for message in _messages(process):
                take(message)
        except (KeyError, TypeError, ValueError, AttributeError):
            pass  # no message of the lens: the snippet wrote into the pipe
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
            process.stdout.close()
    return "time" if late.is_set() else "killed"


def _start(python: str, folder: str) -> subprocess.Popen[bytes]:
    # Nothing of this process's environment: it may hold what a snippet should not read.
    kept = {k: os.environ[k] for k in ("SYSTEMROOT", "LD_LIBRARY_PATH") if k in os.environ}
    try:
        return subprocess.Popen(
            [python, "-s", "-S", "-P", "-B", "-X", "utf8", "-c", _START, str(_HERE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**kept, "PYTHONHASHSEED": "0"},
            start_new_session=True,
        )
    except OSError as error:
        raise LensError(
            f"the interpreter {python} does not start: {error.strerror}. Name one of CPython "
            "3.11 or later."
        ) from None


def _hand_over(process: subprocess.Popen[bytes], job: dict[str, Any]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(job).encode())
        process.stdin.close()
    except BrokenPipeError:
        return  # it died before it read; what it told, if anything, is still read


def _messages(process: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    told: IO[bytes] = process.stdout  # type: ignore[assignment]
    left = _MOST_TOLD
    while left > 0 and (line := told.readline(left)):
        left -= len(line)
        try:
            message = json.loads(line)
        except ValueError:
            return  # cut off by its end, or not from the lens
        if not isinstance(message, dict):
            return
        yield _writable(message) if b"\\ud" in line else message


def _writable(told: Any) -> Any:
    """Write halves of characters, which a snippet's names may have, as escapes."""
    if isinstance(told, str):
        return told.encode("utf8", "backslashreplace").decode()
    if isinstance(told, list):
        return [_writable(one) for one in cast("list[Any]", told)]
    if isinstance(told, dict):
        items = cast("dict[str, Any]", told).items()
        return {_writable(name): _writable(one) for name, one in items}
    return told


def _kill(process: subprocess.Popen[bytes]) -> None:
    try:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    except (ProcessLookupError, PermissionError):
        return  # it is gone already
