"""Generators driven along every path of actions, so that a page can step them without Python.

What an action makes of a generator follows from where it stands and from its names alone: the
examples keep nothing hidden. So paths that lead to the same standing are taken for one.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any

from anypart.lens.python import step_generator
from anypart.lens.python.generators import GeneratorStep

Make = Callable[[], Generator[Any, Any, Any]]
Action = str | tuple[str, Any]
DEEPEST = 6  # actions from the start


@dataclass(frozen=True)
class Example:
    """A generator to step.

    Args:
        call: the expression that gives it.
        en: what it shows.
        zh: the same in Chinese.
        source: that the call is evaluated after.
        more: actions beside next and close.

    """

    call: str
    en: str
    zh: str
    source: str
    more: tuple[Action, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """List what may be done to it."""
        return ("next", *self.more, "close")

    def maker(self) -> Make:
        """Return what makes a fresh generator, its source known to tracebacks and to the lens."""
        file = f"<{self.call}>"
        lines = self.source.splitlines(keepends=True)
        linecache.cache[file] = (len(self.source), None, lines, file)
        names: dict[str, Any] = {}
        exec(compile(self.source, file, "exec"), names)
        return lambda: eval(self.call, names)


_COUNTER = """\
def counter():
    yield 1
    yield 2
    return "done"
"""

_FIB = """\
def fib(most):
    n, a, b = 0, 0, 1
    while n < most:
        yield b
        a, b = b, a + b
        n += 1
"""

_AVERAGER = """\
def averager():
    total, n, average = 0, 0, None
    while True:
        value = yield average
        total += value
        n += 1
        average = total / n
"""

_CAREFUL = """\
def careful():
    try:
        while True:
            try:
                yield "ready"
            except ValueError as error:
                yield f"caught {error}"
    finally:
        note = "cleaned up"
"""

_OUTER = """\
def inner():
    got = yield 1
    yield got
    return "inner is done"


def outer():
    value = yield from inner()
    yield value
"""

EXAMPLES = (
    Example(
        "counter()",
        "two yields and a return",
        "两个 yield 和一个 return",
        _COUNTER,
    ),
    Example(
        "fib(5)",
        "Fibonacci numbers: names are kept",
        "斐波那契数：名字保留下来",
        _FIB,
    ),
    Example(
        "averager()",
        "a running average of what is sent",
        "对送入的数求平均",
        _AVERAGER,
        (("send", 10), ("send", 30)),
    ),
    Example(
        "careful()",
        "what is thrown in, and finally",
        "抛入的异常与 finally",
        _CAREFUL,
        (("throw", ValueError("x")), ("throw", KeyError("k"))),
    ),
    Example(
        "outer()",
        "yield from: handed over to another",
        "yield from：交给另一个生成器",
        _OUTER,
        (("send", 7),),
    ),
)


def data() -> dict[str, Any]:
    """Return the examples, each with its source and all that its actions can lead to."""
    made = list[dict[str, Any]]()
    for one in EXAMPLES:
        words = [[a, ""] if isinstance(a, str) else [a[0], repr(a[1])] for a in one.actions]
        about = {"call": one.call, "en": one.en, "zh": one.zh, "source": one.source}
        made.append({**about, "actions": words, "moves": explored(one.maker(), one.actions)})
    return {"deepest": DEEPEST, "generators": made}


def explored(make: Make, actions: tuple[Action, ...]) -> list[list[dict[str, Any] | None]]:
    """Drive a generator along all paths of at most `DEEPEST` actions.

    Args:
        make: gives a fresh generator.
        actions: what may be done to it.

    Returns:
        State → action → the step, as `GeneratorStep` has it, with `to`, the next state: −1
        when it is finished. None for a step beyond the deepest path. State 0 is the start.

    """
    unstarted = step_generator(make(), [("send", "too early")]).steps[-1]
    states = {_standing(unstarted): 0}
    paths: list[tuple[Action, ...]] = [()]  # a shortest one to each state
    moves = list[list[dict[str, Any] | None]]()
    for path in paths:  # grows as it is walked
        row: list[dict[str, Any] | None] = [None] * len(actions)
        for at, action in enumerate(actions if len(path) < DEEPEST else ()):
            step = step_generator(make(), [*path, action]).steps[-1]
            standing = _standing(step)
            if step.state != "finished" and standing not in states:
                states[standing] = len(paths)
                paths.append((*path, action))
            row[at] = {**asdict(step), "to": states.get(standing, -1)}
        moves.append(row)
    return moves


def _standing(step: GeneratorStep) -> tuple[Any, ...]:
    """Return all that the next step depends on."""
    return step.state, step.line, tuple(step.locals.items()), step.inner
