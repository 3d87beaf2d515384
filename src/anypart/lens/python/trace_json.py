"""A trace as plain data that JSON can hold."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from anypart.lens.python.trace import Step, Thing, Trace


def trace_to_json(trace: Trace) -> dict[str, Any]:
    """Return a trace as plain data.

    A step's `things` are those that are new or differ from the step before, its `alive` the
    numbers of all that names lead to.
    """
    steps: list[dict[str, Any]] = []
    before: dict[int, Thing] = {}
    for step in trace.steps:
        steps.append(_step(step, before))
        before = dict(step.things)
    return {
        "source": trace.source,
        "version": trace.version,
        "ended": trace.ended,
        "raised": asdict(trace.raised) if trace.raised else None,
        "output": trace.output,
        "refused": list(trace.refused),
        "confined": list(trace.confined),
        "steps": steps,
    }


def _step(step: Step, before: dict[int, Thing]) -> dict[str, Any]:
    fresh = [thing for number, thing in step.things.items() if before.get(number) is not thing]
    return {
        "number": step.number,
        "event": step.event,
        "line": step.line,
        "frame": step.frame,
        "frames": [{**asdict(f), "names": dict(f.names)} for f in step.frames],
        "things": [asdict(thing) for thing in fresh],
        "alive": list(step.things),
        "changes": [asdict(change) for change in step.changes],
        "output": step.output,
        "value": step.value,
        "raised": asdict(step.raised) if step.raised else None,
    }
