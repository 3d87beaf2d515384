"""Traces in words: objects as Python writes them, with their numbers, and what changed."""

from __future__ import annotations

from collections.abc import Mapping

from anypart.lens.python.trace import Change, Step, Thing, Trace

_MOST = 90  # characters of one object
_BRACKETS = {"list": "[]", "tuple": "()", "set": "{}", "frozenset": "{}", "dict": "{}"}
ENDED = {
    "finished": "It ran to its end.",
    "exception": "Nobody caught {raised}.",
    "syntax": "It cannot be compiled: {raised}.",
    "steps": "Stopped at the limit on steps; raise it to see more.",
    "time": "Stopped at the limit on time.",
    "memory": "Stopped at the limit on memory.",
    "lost": "It went where it cannot be followed, such as calls nested too deep or a trace that it "
    "took away; the steps until then are shown.",
    "killed": "Its process ended without a word.",
}


def object_text(things: Mapping[int, Thing], number: int, most: int = _MOST) -> str:
    """Write an object on one line: its contents, and its number if it has an identity to see.

    Args:
        things: of the step.
        number: of the object; 0 for one that is not shown.
        most: characters, about.

    """
    if number not in things:
        return "…"
    thing = things[number]
    if thing.kind == "atom":
        return _cut(thing.text, most)
    inner = _inner(things, thing, (number,), most)
    return _cut(f"{thing.type.rpartition('.')[2]} #{number} {inner}".rstrip(), most)


def _inner(things: Mapping[int, Thing], thing: Thing, above: tuple[int, ...], most: int) -> str:
    """Write what is between the brackets; an object inside itself as its number only."""
    if thing.kind not in ("sequence", "mapping", "set", "instance"):
        return thing.text
    if not thing.parts and thing.text:
        return thing.text
    left, right = _BRACKETS.get(thing.type, "()")
    words: list[str] = []
    room = most
    for label, number in thing.parts:
        if room <= 0 or label.startswith("key "):
            continue
        part = _part(things, number, above, room)
        if thing.kind == "mapping":
            part = f"{label}: {part}"
        elif not (label.isdigit() or label == ""):
            part = f"{label.removeprefix('.')}={part}"
        words.append(part)
        room -= len(part) + 2
    if room <= 0 or thing.n_parts > len(thing.parts):
        words.append("…")
    comma = "," if thing.type == "tuple" and len(words) == 1 else ""
    return f"{left}{', '.join(words)}{comma}{right}"


def _part(things: Mapping[int, Thing], number: int, above: tuple[int, ...], room: int) -> str:
    thing = things.get(number)
    if thing is None:
        return "…"
    if thing.kind == "atom":
        return _cut(thing.text, room + 10)
    if number in above or len(above) > 3:
        return f"{thing.type.rpartition('.')[2]} #{number}"
    inner = _inner(things, thing, (*above, number), room)
    plain = thing.type in _BRACKETS
    return f"{inner} #{number}" if plain else f"{thing.type.rpartition('.')[2]} #{number} {inner}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: max(most - 1, 1)] + "…"


def change_text(step: Step, before: Step | None, change: Change) -> str:
    """Say what one change was, in one line.

    Args:
        step: that it belongs to.
        before: the step before it.
        change: one of the step's.

    """
    old = before.things if before else {}
    if change.what == "deleted":
        return f"deleted {change.name}, which was {object_text(old, change.before or 0)}"
    now = object_text(step.things, change.thing or 0)
    if change.what == "bound":
        return f"bound {change.name} to {now}"
    if change.what == "rebound":
        was = object_text(old, change.before or 0, 40)
        return f"rebound {change.name} to {now}; it was {was}"
    names = ", ".join(step.names_of(change.thing or 0))
    named = f" ({names})" if names else ""
    return f"{change.what} {now}{named}{_parts_text(step, old, change)}"


def _parts_text(step: Step, old: Mapping[int, Thing], change: Change) -> str:
    said: list[str] = []
    for label, before, after in change.parts[:4]:
        where = f"[{label}]" if label.isdigit() else label
        gone = "" if before is None else _part(old, before, (), 20)
        come = "" if after is None else _part(step.things, after, (), 20)
        if before is None:
            said.append(f"+ {where} {come}".replace("  ", " "))
        elif after is None:
            said.append(f"− {where} {gone}".replace("  ", " "))
        else:
            said.append(f"{where} {gone} → {come}")
    more = ", …" if len(change.parts) > 4 else ""
    return f": {', '.join(said)}{more}" if said else ""


def step_title(trace: Trace, step: Step) -> str:
    """Say which line ran, where, and how far."""
    if not step.line:
        return "nothing to run"
    lines = trace.source.splitlines()
    code = lines[step.line - 1].strip() if 0 < step.line <= len(lines) else ""
    return f"line {step.line}: {code}"


def step_end(step: Step) -> str:
    """Say what the step ended with; nothing for the end of a line."""
    inner = step.frames[-1].name
    if step.event in ("return", "yield"):
        return f"{inner} {step.event}s {object_text(step.things, step.value or 0)}"
    words = {"call": f"calls {inner}", "resume": f"resumes {inner}", "exception": f"{step.raised}"}
    return words.get(step.event, "")


def step_text(trace: Trace, step: Step) -> list[str]:
    """Write a step as lines: its title, how it ended, its changes, its output."""
    before = trace.steps[step.number - 1] if step.number else None
    end = step_end(step)
    said = [f"    {end}"] if end else []
    said += [f"    {change_text(step, before, change)}" for change in step.changes]
    said += [f"    prints {line}" for line in step.output.splitlines()]
    where = "" if len(step.frames) == 1 else f"  [{' › '.join(f.name for f in step.frames[1:])}]"
    return [f"{step.number:4} {step_title(trace, step)}{where}", *said]


def ended_text(trace: Trace) -> str:
    """Say how the snippet ended, and what it was not let."""
    said = [ENDED[trace.ended].format(raised=trace.raised)]
    said += [f"Refused: {what}." for what in dict.fromkeys(trace.refused)]
    return " ".join(said)


def trace_text(trace: Trace) -> str:
    """Write a trace as text, a step a paragraph."""
    lines = [line for step in trace.steps for line in step_text(trace, step)]
    return "\n".join([*lines, ended_text(trace)])
