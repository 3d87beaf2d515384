"""Holds a trace against the interpreter itself, asked by another way than a trace function."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from anypart.lens.python import watch

from .oracle_child import SIMPLE

CHILD = Path(__file__).with_name("oracle_child.py")
CLEAN = {"PYTHONHASHSEED": "0"}


def interpreters():
    """This interpreter, and those of ANYPART_PYTHONS and of the search path."""
    found = [sys.executable]
    named = os.environ.get("ANYPART_PYTHONS", "").split(os.pathsep)
    for one in [*named, *(shutil.which(f"python3.{n}") for n in (11, 12, 13))]:
        if one and _version(one) not in {_version(other) for other in found}:
            found.append(one)
    return {_version(one): one for one in found if _version(one)}


def _version(python):
    asked = "import sys; print('.'.join(map(str, sys.version_info[:2])))"
    told = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=False)
    return told.stdout.strip() if told.returncode == 0 else ""


def ask(source, python):
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [python, "-S", "-X", "utf8", str(CHILD)],
            input=source,
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env=CLEAN,
        )
    return json.loads(told.stdout)


def run_plainly(source, python):
    """Run a snippet without any probe or trace: (output, last line of the traceback)."""
    with tempfile.TemporaryDirectory() as folder:
        told = subprocess.run(
            [python, "-S", "-X", "utf8", "-c", source],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=CLEAN,
        )
    lines = told.stderr.strip().splitlines()
    return told.stdout, lines[-1] if told.returncode else None


def starts(trace, simple):
    """List (line, step before or None) of each simple statement that began, in order."""
    found = []
    goes_on = {}  # frame → line that it stopped inside of: at a call, a yield, an exception
    for step in trace.steps:
        inside = goes_on.pop(step.frame, None) == step.line
        if not inside and step.line in simple and _written(trace, step):
            found.append((step.line, trace.steps[step.number - 1] if step.number else None))
        if step.event in ("call", "resume", "yield", "exception"):
            goes_on[step.frame] = step.line
    return found


def _written(trace, step):
    """Whether the step ran in a frame whose statements are statements of the source."""
    before = trace.steps[step.number - 1].frames if step.number else ()
    name = {f.id: f.name for f in (*before, *step.frames)}[step.frame]
    return name.rpartition(".")[2] not in ("<lambda>", "<genexpr>")


def canon(things, number, above=()):
    """Write plain data of a trace as the oracle writes it."""
    thing = things[number]
    if number in above or thing.n_parts != len(thing.parts):
        return None
    above = (*above, number)
    if thing.kind == "atom":
        return thing.text if thing.type in ATOMS else None
    if thing.type not in ("list", "tuple", "set", "frozenset", "dict"):
        return None
    parts, keyed = [], False
    for label, part in thing.parts:
        if label.startswith("key "):  # the key itself, then its value under the key's words
            parts.append(canon(things, part, above))
            keyed = True
            continue
        if thing.type == "dict" and not keyed:
            parts.append(label)
        keyed = False
        parts.append(canon(things, part, above))
    if None in parts:
        return None
    if "set" in thing.type:
        parts.sort()
    return f"{thing.type}({', '.join(parts)})"


ATOMS = ("int", "float", "complex", "str", "bytes", "bool", "NoneType")


def check(trace, told, simple):
    """Assert that a trace tells what the interpreter told, statement by statement."""
    assert trace.output == told["output"]
    assert (trace.raised is None) == (told["raised"] is None)
    if trace.raised:
        assert [trace.raised.type, trace.raised.message] == told["raised"]
    began = starts(trace, simple)
    assert [line for line, _ in began] == [probe["line"] for probe in told["probes"]]
    raised = [None]  # what is handled now, and was not before
    for (_, step), probe in zip(began, told["probes"], strict=True):
        if probe["handled"] not in raised:
            steps = trace.steps[: step.number + 1]
            types = [s.raised.type.rpartition(".")[2] for s in steps if s.raised]
            assert probe["handled"] in types
            raised.append(probe["handled"])
    numbers, addresses = {}, {}  # each object has one number, and each number is one object
    for (line, step), probe in zip(began, told["probes"], strict=True):
        frames = [(f.name, f.names) for f in step.frames] if step else [("<module>", {})]
        seen = probe["frames"]
        assert [n.rpartition(".")[2] for n, _ in frames] == [name for name, _ in seen], line
        for (_, names), (_, values) in zip(frames, seen, strict=True):
            assert list(names) == list(values) or set(names) == set(values), line
            for name, (address, kind, text) in values.items():
                number = names[name]
                thing = step.things[number]
                assert numbers.setdefault(address, number) == number, (line, name)
                assert addresses.setdefault(number, address) == address, (line, name)
                assert thing.type.rpartition(".")[2] == kind, (line, name)
                if text is not None:
                    assert canon(step.things, number) == text, (line, name)
    check_changes(trace, began, told["probes"])


def check_changes(trace, began, probes):
    """Assert what was bound, rebound, deleted and mutated between neighbouring statements."""
    for at in range(len(began) - 1):
        first, last = began[at][1], began[at + 1][1]
        before, after = probes[at]["frames"], probes[at + 1]["frames"]
        if len(before) != 1 or len(after) != 1:
            continue  # within calls names come and go with their frames
        old, new = before[0][1], after[0][1]
        steps = trace.steps[(first.number + 1 if first else 0) : last.number + 1]
        if any(len(step.frames) > 1 for step in steps):
            continue
        wanted = {("bound", n) for n in new if n not in old}
        wanted |= {("rebound", n) for n in new if n in old and new[n][0] != old[n][0]}
        wanted |= {("deleted", n) for n in old if n not in new}
        found = {(c.what, c.name) for s in steps for c in s.of_kind("bound", "rebound", "deleted")}
        if len(steps) == 1:
            assert found == wanted, probes[at]["line"]
        same = {n for n in new if n in old and new[n][0] == old[n][0]}
        mutated = {n for n in same if new[n][2] != old[n][2]}
        touched = any(s.of_kind("mutated") for s in steps)
        if mutated:
            assert touched, (probes[at]["line"], mutated)
        elif all(new[n][2] is not None for n in new):
            assert not touched, probes[at]["line"]


def hold(source, python=sys.executable):
    """Assert that a snippet's trace is what the interpreter tells."""
    simple = {n.lineno for n in ast.walk(ast.parse(source)) if isinstance(n, SIMPLE)}
    check(watch(source, python=python), ask(source, python), simple)
