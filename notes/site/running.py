"""A note's code: its sections, run once in a process of their own, kept by content."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import io
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SECONDS = 60  # of one processor, for a note and for each process that it starts
CLOCK = 900  # seconds on the wall: a busy machine is no fault of a note
_HEAD = re.compile(r"^# %%(.*)$", re.M)
_CELL = re.compile(r" [a-z][a-z0-9_]*")


class NoteError(Exception):
    """A note that cannot be shown: which one, where in it, and what to do."""


@dataclass(frozen=True)
class Section:
    """A part of a note's code.

    Args:
        name: as prose calls it.
        source: without the line that opens it.
        line: of the file, before the first of the source.

    """

    name: str
    source: str
    line: int


@dataclass(frozen=True)
class Run:
    """What a note's code gave when it ran.

    Args:
        output: section → what it printed.
        told: name → number or word for the prose.
        figures: name → SVG.
        seconds: of a processor that it took, with the processes that it started.

    """

    output: dict[str, str]
    told: dict[str, Any]
    figures: dict[str, str]
    seconds: float


def sections(path: Path) -> dict[str, Section]:
    """Cut a note's code at its `# %% name` lines."""
    text = path.read_text("utf-8")
    heads = list(_HEAD.finditer(text))
    note = path.parent.name
    if not heads:
        raise NoteError(f"{note}: code.py has no section. Open one with a line `# %% name`.")
    before = re.sub(r'^\s*("""[\s\S]*?""")?|#.*', "", text[: heads[0].start()])
    if before.strip():
        raise NoteError(f"{note}: code.py has code before its first `# %% name`. Move it down.")
    found = dict[str, Section]()
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        line = text.count("\n", 0, head.start()) + 1
        name = head[1].strip()
        if not _CELL.fullmatch(head[1]):
            raise NoteError(f"{note}: line {line}: {head[0]!r} is no section; write `# %% a_name`.")
        if name in found:
            raise NoteError(f"{note}: line {line}: there are two sections {name!r}. Rename one.")
        source = text[head.end() : after.start() if after else None]
        found[name] = Section(
            name, source.strip("\n"), line + len(source) - len(source.lstrip("\n")) - 1
        )
    return found


def run(path: Path, kept: Path | None = None, seconds: int = SECONDS, clock: float = CLOCK) -> Run:
    """Run a note's code, or take what it gave when nothing of it has changed.

    Args:
        path: of code.py.
        kept: folder of earlier runs; None runs anew.
        seconds: of a processor that each of its processes may take.
        clock: seconds on the wall after which it is ended.

    Raises:
        NoteError: names the note, the section, the line and the error.

    """
    sections(path)
    place = kept / f"{path.parent.name}-{fingerprint([path])}.json" if kept else None
    if place and place.exists():
        return Run(**json.loads(place.read_text("utf-8")))
    found = _run_apart(path, seconds, clock)
    if place:
        place.parent.mkdir(parents=True, exist_ok=True)
        for older in place.parent.glob(f"{path.parent.name}-*.json"):
            older.unlink()
        place.write_text(json.dumps(found.__dict__), "utf-8")
    return found


def _run_apart(path: Path, seconds: int, clock: float) -> Run:
    threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
    homes = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    settings = {**os.environ, **threads, "PYTHONPATH": homes, "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder, "said.jsonl")
        work = Path(folder, "work")
        work.mkdir()
        main = [sys.executable, "-m", "notes.site.running"]
        words = [*main, str(path.resolve()), str(said), str(seconds)]
        try:
            done = subprocess.run(
                words,
                cwd=work,
                env=settings,
                timeout=clock,
                capture_output=True,
                text=True,
                check=False,
            )
        except subprocess.TimeoutExpired:
            done = None
        lines = said.read_text("utf-8").splitlines() if said.exists() else []
    parts = [json.loads(line) for line in lines]
    last = parts[-1] if parts else {}
    if "told" in last:
        output = {part["section"]: part["output"] for part in parts if "output" in part}
        return Run(output, last["told"], last["figures"], last["seconds"])
    where = f"{path.parent.name}: section {last.get('section', '?')!r}"
    if "error" in last:
        raise NoteError(f"{where}, line {last['line']}: {last['error']}")
    if done is None:
        raise NoteError(
            f"{where}: not done after {clock} s of the clock. Does it wait for something? "
            "If this machine is busy, build again later."
        )
    if done.returncode == -signal.SIGXCPU:
        raise NoteError(f"{where}: more than {seconds} s of a processor. Make the example smaller.")
    raise NoteError(f"{where}: the process ended with {done.returncode}. {done.stderr[-800:]}")


def fingerprint(files: Sequence[Path]) -> str:
    """Name files, the package's source, what runs it, and the versions below."""
    digest = hashlib.sha256()
    package = sorted(p for p in (ROOT / "src").rglob("*") if p.is_file() and _is_source(p))
    for file in (*files, ROOT / "notes" / "press.py", Path(__file__), *package):
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    names = ("numpy", "torch", "numba", "pyarrow", "duckdb", "matplotlib")
    versions = [sys.version, *(importlib.metadata.version(name) for name in names)]
    digest.update("\0".join(versions).encode())
    return digest.hexdigest()[:16]


def _is_source(path: Path) -> bool:
    return "__pycache__" not in path.parts  # there running the notes itself writes


def _main(path: Path, said: Path, seconds: int) -> int:
    """Run the sections in one namespace, and say in JSON lines what each gave."""
    from notes import press

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    module = types.ModuleType("note")
    module.__file__ = str(path)
    sys.modules["note"] = module  # dataclasses and pickles look for their module

    with said.open("w", encoding="utf-8") as out:
        for section in sections(path).values():
            print(json.dumps({"section": section.name}), file=out, flush=True)
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed):
                    source = "\n" * section.line + section.source  # lines as in the file
                    exec(compile(source, str(path), "exec", dont_inherit=True), module.__dict__)
            except BaseException as error:
                part = {"section": section.name, **_told_of(error, path)}
                print(json.dumps(part), file=out, flush=True)
                return 1
            output = {"section": section.name, "output": printed.getvalue()}
            print(json.dumps(output), file=out, flush=True)
        ended = {"told": press.told, "figures": press.figures, "seconds": _spent()}
        print(json.dumps(ended), file=out, flush=True)
    return 0


def _spent() -> float:
    """Count the seconds of a processor, of this process and of those that it started."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)


def _told_of(error: BaseException, path: Path) -> dict[str, Any]:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else 0
    words = str(error) or (frames[-1].line if frames else "")
    return {"line": line, "error": f"{type(error).__name__}: {words}"}


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])))
