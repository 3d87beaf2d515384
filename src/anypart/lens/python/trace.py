"""What a watched snippet did: steps, the names and objects at each, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Event = Literal["line", "call", "resume", "yield", "return", "exception", "end"]
What = Literal["bound", "rebound", "deleted", "mutated", "advanced"]
Ended = Literal["finished", "exception", "syntax", "steps", "time", "memory", "lost", "killed"]


@dataclass(frozen=True)
class Thing:
    """An object as it was at one moment.

    Args:
        id: its number in this trace; two names with the same number are one object.
        type: its type's name.
        address: what `id()` gives; a dead object's address may be given to another.
        kind: atom, sequence, mapping, set, instance, function, class, iterator or opaque.
        text: the value of an atom; what is said of the rest in a few words.
        parts: (label, number) pairs; number 0 is an object that is not shown.
        n_parts: how many there are, also those that are not shown.

    """

    id: int
    type: str
    address: int
    kind: str
    text: str
    parts: tuple[tuple[str, int], ...]
    n_parts: int


@dataclass(frozen=True)
class Frame:
    """A call that has not returned: the function's name, its line, name → object's number."""

    id: int
    name: str
    line: int
    names: Mapping[str, int]


@dataclass(frozen=True)
class Change:
    """One thing that a step did.

    Args:
        what: a name was bound, rebound (to another object) or deleted; or an object was
            mutated (the same object with other contents), or an iterator advanced.
        thing: the object that is named now, or that was mutated; None after `deleted`.
        before: the object that was named before.
        name: the name; empty where an object changed.
        frame: the frame of the name; 0 where an object changed.
        parts: for a mutated object (label, number before, number after); None is no part.

    """

    what: What
    thing: int | None
    before: int | None = None
    name: str = ""
    frame: int = 0
    parts: tuple[tuple[str, int | None, int | None], ...] = ()


@dataclass(frozen=True)
class Raised:
    """An exception: its type, its message and, if it ended the snippet, the way it went.

    Args:
        type: the type's name.
        message: as the built-in types write it; a snippet's own `__str__` is not run.
        line: where it was raised.
        traceback: (line, function) pairs, the outermost first.

    """

    type: str
    message: str
    line: int | None = None
    traceback: tuple[tuple[int, str], ...] = ()

    def __str__(self) -> str:
        """Write it as the interpreter does."""
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class Step:
    """What ran between two moments, and how things stood after it.

    Args:
        number: from 0.
        event: what the step ended with: the line's end, a call, a generator's resumption,
            a yield, a return, an exception, or the end of the snippet.
        line: the line that ran, from 1.
        frame: the frame that it ran in.
        frames: the calls that had not returned, the module first.
        things: number → object, all that the names lead to.
        changes: what the step did.
        output: what it printed.
        value: the number of the object that was returned or yielded.
        raised: the exception, where the event is one.

    """

    number: int
    event: Event
    line: int
    frame: int
    frames: tuple[Frame, ...]
    things: Mapping[int, Thing]
    changes: tuple[Change, ...]
    output: str = ""
    value: int | None = None
    raised: Raised | None = None

    def named(self, name: str) -> Thing:
        """Return the object that a name leads to, looked up from the innermost frame out.

        Raises:
            KeyError: a name that leads to nothing at this step.

        """
        for frame in (*self.frames[:0:-1], self.frames[0]):
            if name in frame.names:
                return self.things[frame.names[name]]
        raise KeyError(name)

    def names_of(self, thing: int) -> list[str]:
        """List what leads to an object: names (`a`, `f: x`), else places in one (`t[0]`)."""
        found = list(self._names(thing))
        if found:
            return found
        for other in self.things.values():
            for label, number in other.parts:
                if number == thing and not label.startswith("key "):
                    place = label if label.startswith(".") else f"[{label}]"
                    found += [f"{name}{place}" for name in self._names(other.id)]
        return list(dict.fromkeys(found))

    def _names(self, thing: int) -> Iterator[str]:
        for at, frame in enumerate(self.frames):
            where = f"{frame.name}: " if at else ""
            for name, number in frame.names.items():
                if number == thing:
                    yield where + name

    def of_kind(self, *what: What) -> list[Change]:
        """List the changes of some kinds."""
        return [change for change in self.changes if change.what in what]


@dataclass(frozen=True)
class Trace:
    """A watched snippet, step by step.

    Args:
        source: the snippet.
        steps: in the order in which they ran.
        ended: `finished`, `exception` (nobody caught it), `syntax` (it is not compiled),
            `steps`, `time` or `memory` (a limit), `lost` (calls nested too deep to follow, or
            a trace that the snippet took away),
            or `killed` (the process died).
        raised: the exception that ended it.
        output: all that it printed, also after the last step.
        refused: what it tried and was not let.
        confined: what held its process, in words; see `watch`.
        version: of the interpreter that ran it.

    """

    source: str
    steps: tuple[Step, ...]
    ended: Ended
    raised: Raised | None = None
    output: str = ""
    refused: tuple[str, ...] = ()
    confined: tuple[str, ...] = ()
    version: str = ""

    def __iter__(self) -> Iterator[Step]:
        """Go through the steps."""
        return iter(self.steps)

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.steps)

    def __str__(self) -> str:
        """Write it as text, a step a paragraph."""
        from anypart.lens.python.text import trace_text

        return trace_text(self)

    def at_line(self, line: int) -> list[Step]:
        """List the steps in which a line ran."""
        return [step for step in self.steps if step.line == line]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data; the things of a step are those that differ from before."""
        from anypart.lens.python.trace_json import trace_to_json

        return trace_to_json(self)


@dataclass
class Reader:
    """Puts the messages of the other process together again.

    A message that makes no sense ends the reading: the snippet may have written it.
    """

    source: str
    steps: list[Step] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    about: dict[str, Any] = field(default_factory=dict)
    end: dict[str, Any] | None = None

    def take(self, message: dict[str, Any]) -> None:
        """Take one message."""
        if "step" in message:
            self.steps.append(self._step(message["step"]))
        elif "refused" in message:
            self.refused.append(str(message["refused"]))
        elif "end" in message:
            self.end = message
        else:
            self.about |= message

    def _step(self, told: dict[str, Any]) -> Step:
        before = self.steps[-1].things if self.steps else {}
        fresh = {record["id"]: _thing(record) for record in told["fresh"]}
        things = {n: fresh[n] if n in fresh else before[n] for n in told["alive"]}
        return Step(
            number=len(self.steps),
            event=told["event"],
            line=told["line"],
            frame=told["frame"],
            frames=tuple(Frame(**frame) for frame in told["frames"]),
            things=things,
            changes=tuple(_change(change) for change in told["changes"]),
            output=told["output"],
            value=told.get("value"),
            raised=Raised(**told["raised"]) if "raised" in told else None,
        )

    def trace(self, otherwise: Ended) -> Trace:
        """Return the trace; `otherwise` is how it ended if the snippet's end was not told."""
        end = self.end or {"end": otherwise}
        raised = end.get("raised")
        return Trace(
            source=self.source,
            steps=tuple(self.steps),
            ended=end["end"],
            raised=_raised(raised) if raised else None,
            output="".join(step.output for step in self.steps) + end.get("output", ""),
            refused=tuple(self.refused),
            confined=tuple(self.about.get("confined", ())),
            version=self.about.get("version", ""),
        )


def _thing(record: dict[str, Any]) -> Thing:
    parts = tuple((str(label), int(number)) for label, number in record.pop("parts"))
    return Thing(**record, parts=parts)


def _change(record: dict[str, Any]) -> Change:
    parts = tuple((label, before, after) for label, before, after in record.pop("parts", ()))
    return Change(**record, parts=parts)


def _raised(record: dict[str, Any]) -> Raised:
    lines = tuple((line, name) for line, name in record["traceback"])
    return Raised(record["type"], record["message"], record["line"], lines)
