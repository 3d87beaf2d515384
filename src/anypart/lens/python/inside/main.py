"""The other process: reads a job, narrows itself, runs the snippet, tells each step.

The job is one JSON object on standard input; each message is one JSON object on a line of
standard output, which the snippet's own output does not reach.
"""

from __future__ import annotations

import atexit
import builtins
import gc
import io
import json
import linecache
import os
import sys
import types
from _sitebuiltins import Quitter, _Helper
from collections.abc import Callable
from typing import Any

from .confine import limit_resources, refuse
from .kernel import restrict
from .stepping import step
from .tracer import NAME, Tracer, code_names, describe

_MOST_OUTPUT = 1 << 16  # characters that a snippet may print
_LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/etc/ld.so.cache"]
_write, _exit = os.write, os._exit  # the snippet may replace them
_FRESH = ("inside", "ctypes", "_ctypes", "json")  # what a snippet finds as if not yet imported
_COUNTERS = {"getrefcount", "get_referrers", "get_objects", "collect", "getweakrefcount"}


class Written(io.TextIOBase):
    """Standard output and standard error of the snippet, kept until they are asked for."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left = _MOST_OUTPUT

    def write(self, text: str, /) -> int:
        """Keep what is printed, up to a limit; what is no UTF-8 is an error, as in a terminal."""
        if type(text) is not str:
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        text.encode()
        if self._left > 0:
            self._parts.append(text[: self._left])
        self._left -= len(text)
        return len(text)

    def writable(self) -> bool:
        """Say yes."""
        return True

    def take(self) -> str:
        """Return what was printed since the last call."""
        text = "".join(self._parts)
        self._parts.clear()
        return text


class Complaints(io.TextIOBase):
    """Standard error of the snippet: what is no UTF-8 is written in escapes."""

    def __init__(self, written: Written) -> None:
        self._written = written

    def write(self, text: str, /) -> int:
        """Keep what is written, among what is printed."""
        return self._written.write(str(text).encode("utf8", "backslashreplace").decode())

    def writable(self) -> bool:
        """Say yes."""
        return True


class Messages:
    """Sends messages to the parent, and ends the process when there were enough steps."""

    def __init__(self, most_steps: int) -> None:
        self._file = os.dup(1)
        self._left = most_steps

    def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        rest = memoryview(json.dumps(message).encode() + b"\n")
        while rest:
            rest = rest[_write(self._file, rest) :]

    def step(self, message: dict[str, Any]) -> None:
        """Send one step; the process ends there if it was the last that is wanted."""
        if self._left <= 0:
            self.end("steps")
        self._left -= 1
        self.send({"step": message})

    def end(self, how: str, **more: Any) -> None:
        """Say how it ended, and end the process without another line of the snippet's."""
        self.send({"end": how, **more})
        _exit(0)


def main() -> None:
    """Run the job that is on standard input."""
    job: dict[str, Any] = json.load(sys.stdin.buffer)
    messages = Messages(job["steps"])
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    try:
        code = compile(job["source"], NAME, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
        return messages.end("syntax", raised=_syntax(error))
    linecache.cache[NAME] = (len(job["source"]), None, job["source"].splitlines(True), NAME)
    done = limit_resources(job["memory_mb"], job["seconds"])
    own = os.path.dirname(os.path.dirname(__file__))
    sys.path = [p for p in sys.path if p and p != own]
    done += restrict([*sys.path, *_LIBRARIES], job["folder"])
    module, written = _prepare(job)
    messages.send({"confined": [*done, "audit hook"], "version": sys.version.split()[0]})
    jobs = {"watch": _watch, "generator": _generator}
    jobs[job["job"]](code, job, messages, module, written)


def _prepare(job: dict[str, Any]) -> tuple[types.ModuleType, Written]:
    """Make the process look to the snippet as if it ran alone."""
    module = types.ModuleType("__main__")
    own = _own_builtins()
    module.__dict__.update(__builtins__=own, __file__=NAME)
    written = Written()
    for name in [n for n in sys.modules if n.partition(".")[0] in _FRESH]:
        del sys.modules[name]
    sys.modules.update(__main__=module, builtins=own)
    sys.argv = [NAME]
    sys.stdout, sys.stderr = written, Complaints(written)
    sys.stdin = io.StringIO(job["stdin"])
    gc.collect()
    return module, written


def _own_builtins() -> types.ModuleType:
    """Copy the built-in names, so that a snippet that replaces some does not blind the lens.

    Those that the interpreter adds for a session or a script are among them.
    """
    own = types.ModuleType("builtins")
    own.__dict__.update(builtins.__dict__)
    own.__dict__.update(exit=Quitter("exit", ""), quit=Quitter("quit", ""), help=_Helper())
    return own


def _watch(
    code: types.CodeType,
    job: dict[str, Any],
    messages: Messages,
    module: types.ModuleType,
    written: Written,
) -> None:
    """Run a snippet and tell every step."""
    hold = not _COUNTERS & set(code_names(code))
    tracer = Tracer(messages.step, frozenset(module.__dict__), hold, written.take)
    ended, raised = "finished", None
    tracer.limit_depth(sys.getrecursionlimit())
    sys.setrecursionlimit = tracer.limit_depth
    sys.getrecursionlimit = lambda: tracer.most_depth
    sys.settrace(tracer.start)
    refuse(job["folder"], lambda what: messages.send({"refused": what}), lambda _: tracer.busy)
    try:
        exec(code, module.__dict__)
    except MemoryError:
        ended = "memory"
    except BaseException as error:
        ended, raised = "exception", _raised(error)
    if tracer.lost():
        ended = "lost"
    tracer.finished = True
    _finish(module)
    messages.end(ended, raised=raised, output=written.take())


def _generator(
    code: types.CodeType,
    job: dict[str, Any],
    messages: Messages,
    module: types.ModuleType,
    written: Written,
) -> None:
    """Run a source, make a generator of an expression, and tell every action taken on it."""
    names = module.__dict__
    refuse(job["folder"], lambda what: messages.send({"refused": what}), lambda event: True)
    try:
        exec(code, names)
        made = eval(job["expression"], names)
        if type(made) is not types.GeneratorType:
            raise TypeError(f"it is a {type(made).__name__}")
        actions = [(name, eval(given, names) if given else None) for name, given in job["actions"]]
    except BaseException as error:
        return messages.end("exception", raised=_raised(error), output=written.take())
    messages.send({"generator": {"name": made.__name__}})
    for record in step(made, actions):
        messages.send({"taken": record})
    messages.end("finished", output=written.take())


def _finish(module: types.ModuleType) -> None:
    """Do what the interpreter does when it ends, so that finalisers have their say."""
    run: Callable[[], None] = atexit._run_exitfuncs
    run()
    module.__dict__.clear()
    gc.collect()


def _syntax(error: Exception) -> dict[str, Any]:
    line, words = getattr(error, "lineno", None), str(error) or "nested too deep to be compiled"
    return {"type": type(error).__name__, "message": words, "line": line, "traceback": []}


def _raised(error: BaseException) -> dict[str, Any]:
    """Describe what ended the snippet, with the snippet's own lines that it went through."""
    lines: list[tuple[int, str]] = []
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == NAME:
            lines.append((at.tb_lineno, at.tb_frame.f_code.co_name))
        at = at.tb_next
    return {**describe(error), "line": lines[-1][0] if lines else None, "traceback": lines}
