"""Step a generator: next, send, throw and close, and what each made it do."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import repeat
from pathlib import Path
from types import GeneratorType
from typing import Any

from anypart.base.errors import LensError
from anypart.lens.python.inside import stepping
from anypart.lens.python.trace import Raised
from anypart.lens.python.watching import Limits, run_job

_GIVEN = ("send", "throw")  # actions that are given something
MOST = 100  # actions of a generator that is asked for all it has


@dataclass(frozen=True)
class GeneratorStep:
    """One action and what came of it.

    Args:
        action: next, send, throw or close.
        given: what was sent or thrown, as text.
        lines: (function, line) pairs that ran, in order.
        outcome: yielded, returned (StopIteration), raised, or closed.
        value: what was yielded or returned, as text.
        state: not started, paused at a line, or finished.
        line: where it is paused now; None if it is finished.
        locals: its names now, name → text.
        inner: what it hands over to (`yield from`), if anything.
        raised: what it raised.

    """

    action: str
    given: str
    lines: tuple[tuple[str, int], ...]
    outcome: str
    value: str
    state: str
    line: int | None
    locals: dict[str, str]
    inner: str | None = None
    raised: Raised | None = None

    def __str__(self) -> str:
        """Write it as lines of text."""
        call = f"{self.action}({self.given})"
        ran = ", ".join(str(line) for _, line in self.lines) or "–"
        came = {
            "yielded": f"yields {self.value}",
            "returned": f"StopIteration, its value is {self.value}",
            "raised": f"raises {self.raised}",
            "closed": "is closed",
        }[self.outcome]
        names = ", ".join(f"{name}={text}" for name, text in self.locals.items())
        inner = f", hands over to {self.inner}" if self.inner else ""
        held = f"\n     names: {names}" if names else ""
        return f"{call}: {came}\n     lines run: {ran}; {self.state}{inner}{held}"


@dataclass(frozen=True)
class GeneratorTrace:
    """The actions taken on a generator.

    Args:
        name: of the generator's function.
        source: of that function; empty where none is to be had.
        first_line: of the source.
        steps: one for each action.
        output: what was printed meanwhile, if it ran in a process of its own.

    """

    name: str
    source: str
    first_line: int
    steps: tuple[GeneratorStep, ...]
    output: str = field(default="", compare=False)

    def __iter__(self) -> Iterator[GeneratorStep]:
        """Go through the steps."""
        return iter(self.steps)

    def __len__(self) -> int:
        """Count the steps."""
        return len(self.steps)

    @property
    def values(self) -> list[str]:
        """List what was yielded, as text."""
        return [step.value for step in self.steps if step.outcome == "yielded"]

    def __str__(self) -> str:
        """Write it as text, a step a paragraph."""
        told = [f"{at:4} {step}" for at, step in enumerate(self.steps)]
        printed = [f"printed: {line}" for line in self.output.splitlines()]
        return "\n".join([self.name, *told, *printed])

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def step_generator(
    generator: Generator[Any, Any, Any], actions: Sequence[str | tuple[str, Any]] = ()
) -> GeneratorTrace:
    """Take actions on a generator and tell the lines, names and values of each.

    Args:
        generator: is driven on from where it stands.
        actions: `"next"`, `("send", value)`, `("throw", exception)` and `"close"`, in order;
            if there are none, `next` until it is finished, at most 100 times. What follows
            its end is left out.

    Returns:
        One step for each action; the last one says `returned` with the value of
        StopIteration if the generator came to its end.

    Raises:
        LensError: no generator, or no such action.

    Example:
        >>> def echo():
        ...     got = yield 1
        ...     return got
        >>> [(s.outcome, s.value) for s in step_generator(echo(), ["next", ("send", "hi")])]
        [('yielded', '1'), ('returned', "'hi'")]
        >>> step_generator([1, 2])
        Traceback (most recent call last):
            ...
        anypart.base.errors.LensError: a list is no generator. Give what yield makes of a function.

    """
    if not isinstance(generator, GeneratorType):
        raise LensError(
            f"a {type(generator).__name__} is no generator. Give what yield makes of a function."
        )
    source, first = stepping.source_of(generator.gi_code)
    todo: Iterable[stepping.Action] = repeat(("next", None), MOST)
    if actions:
        todo = [_action(one) for one in _listed(actions)]
    steps = tuple(_step(record) for record in stepping.step(generator, todo))
    return GeneratorTrace(generator.__name__, source, first, steps)


def step_expression(
    source: str,
    expression: str,
    actions: Sequence[str] = (),
    *,
    limits: Limits | None = None,
    python: str | Path = "",
) -> GeneratorTrace:
    r"""Run a source in a process of its own, and step the generator that an expression gives.

    Args:
        source: Python; runs first, held as `watch` holds it.
        expression: gives the generator: `fib(6)`.
        actions: `next`, `send EXPRESSION`, `throw EXPRESSION`, `close`; as in
            `step_generator`.
        limits: on time and memory.
        python: the interpreter.

    Raises:
        LensError: no generator, no such action, or a source that fails or does not end.

    Example:
        >>> step_expression("def f(n):\n    yield from range(n)", "f(2)").values
        ['0', '1']

    """
    told: list[dict[str, Any]] = []
    job = {
        "job": "generator",
        "source": source,
        "expression": expression,
        "actions": [_words(one) for one in _listed(actions)] or [["next", ""]] * MOST,
        "stdin": "",
    }
    otherwise = run_job(job, limits or Limits(), python, told.append)
    ends = [message for message in told if "end" in message]
    raised = ends[0].get("raised") if ends else None
    if raised:
        raise LensError(f"{expression!r} gives no generator to step: {Raised(**raised)}.")
    about = next((m["generator"] for m in told if "generator" in m), None)
    if not ends or about is None:
        raise LensError(f"stepping {expression!r} did not end ({otherwise}). Give it less to do.")
    steps = tuple(_step(message["taken"]) for message in told if "taken" in message)
    return GeneratorTrace(about["name"], source, 1, steps, ends[0].get("output", ""))


def _action(one: str | tuple[str, Any]) -> stepping.Action:
    if one in ("next", "close"):
        return one, None
    if isinstance(one, tuple) and len(one) == 2 and one[0] in _GIVEN:
        return one
    raise LensError(
        f"{one!r} is no action. There are 'next', ('send', value), ('throw', exception) "
        "and 'close'."
    )


def _listed(actions: Any) -> Sequence[Any]:
    if isinstance(actions, list | tuple):
        return actions
    raise LensError(f"actions={actions!r} is no list of actions. Put them in one, as ['next'].")


def _words(one: str) -> list[str]:
    name, _, given = str(one).strip().partition(" ")
    if name not in ("next", "send", "throw", "close") or bool(given) != (name in _GIVEN):
        raise LensError(
            f"{one!r} is no action. There are next, send EXPRESSION, throw EXPRESSION and close."
        )
    return [name, given]


def _step(record: dict[str, Any]) -> GeneratorStep:
    raised = record.get("raised")
    lines = tuple((str(name), int(line)) for name, line in record["lines"])
    kept = {k: v for k, v in record.items() if k not in ("lines", "raised")}
    return GeneratorStep(**kept, lines=lines, raised=Raised(**raised) if raised else None)
