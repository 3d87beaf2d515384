"""What lists, tuples and generators cost, timed side by side, with the bytecode that says why."""

from __future__ import annotations

import dis
import sys
import timeit
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from time import perf_counter_ns
from types import CodeType
from typing import Any

from anypart.base.errors import LensError

_LONGEST = 600  # seconds
_ROUNDS = 40  # short ones: on a busy machine some meet a quiet moment
_UNROLL = 10  # times that a statement stands in the timed loop, so that the loop costs little
_ALWAYS = ("RESUME", "CACHE", "NOP", "PUSH_NULL", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL")


@dataclass(frozen=True)
class Cost:
    """One statement: how long, and what the interpreter does for it.

    Args:
        group: what it is compared within.
        code: the statement.
        nanoseconds: of one execution, the empty loop subtracted; the least of the rounds.
        ratio: to the fastest of its group.
        bytecode: instructions with their arguments.
        reason: what the bytecode says about the time.

    """

    group: str
    code: str
    nanoseconds: float
    ratio: float
    bytecode: tuple[str, ...]
    reason: str


@dataclass(frozen=True)
class StreamCost:
    """A list and a generator of the same items.

    Args:
        n: how many items.
        list_bytes: of the list, without its items.
        generator_bytes: of the generator.
        list_peak: most bytes allocated while a list of squares was summed.
        generator_peak: the same for a generator.
        list_first: nanoseconds until the first item is there.
        generator_first: the same for the generator.

    """

    n: int
    list_bytes: int
    generator_bytes: int
    list_peak: int
    generator_peak: int
    list_first: int
    generator_first: int


@dataclass(frozen=True)
class Costs:
    """All that was timed, on one interpreter in one run.

    Args:
        version: of the interpreter.
        costs: of statements, group by group.
        streams: list against generator, for growing n.

    """

    version: str
    costs: tuple[Cost, ...]
    streams: tuple[StreamCost, ...]

    def __iter__(self) -> Iterator[Cost]:
        """Go through the costs."""
        return iter(self.costs)

    def of(self, code: str) -> Cost:
        """Return the cost of a statement.

        Raises:
            KeyError: a statement that was not timed.

        """
        for cost in self.costs:
            if cost.code == code:
                return cost
        raise KeyError(code)

    def __str__(self) -> str:
        """Write it as text, a statement a line."""
        lines = [f"Python {self.version}; nanoseconds, and ratio to the fastest of the group"]
        for at, cost in enumerate(self.costs):
            if not at or self.costs[at - 1].group != cost.group:
                lines.append(f"{cost.group}:")
            lines.append(
                f"  {cost.code:24} {cost.nanoseconds:10.1f} {cost.ratio:7.1f}x  {cost.reason}"
            )
        lines.append("list against generator of n squares, bytes and nanoseconds:")
        for one in self.streams:
            lines.append(
                f"  n={one.n:<9,} size {one.list_bytes:>11,} | {one.generator_bytes}, peak "
                f"{one.list_peak:>11,} | {one.generator_peak:,}, first item "
                f"{one.list_first:>11,} | {one.generator_first:,}"
            )
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


_NAMES = "a, b, c = 1, 2, 3; t = (1, 2, 3); l = [1, 2, 3]"
_GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "make, of constants": (_NAMES, ("x = (1, 2, 3)", "x = [1, 2, 3]")),
    "make, of variables": (_NAMES, ("x = (a, b, c)", "x = [a, b, c]")),
    "make, empty": (_NAMES, ("x = ()", "x = tuple()", "x = []", "x = list()")),
    "read one item": (_NAMES, ("x = t[1]", "x = l[1]")),
    "copy": (_NAMES, ("x = tuple(t)", "x = t[:]", "x = list(l)", "x = l[:]")),
    "walk 1,000 items": (
        "t = tuple(range(1000)); l = list(t)",
        ("for x in t: pass", "for x in l: pass", "for x in (y for y in l): pass"),
    ),
    "sum 1,000 squares": (
        "r = range(1000)",
        ("x = sum([y * y for y in r])", "x = sum(y * y for y in r)"),
    ),
    "add to 10,000": (
        "from collections import deque; l = list(range(10_000)); d = deque(l)",
        ("l.append(0); l.pop()", "l.insert(0, 0); l.pop(0)", "d.appendleft(0); d.popleft()"),
    ),
    "look for one of 1,000": (
        "l = list(range(1000)); s = set(l); y = 999",
        ("x = y in s", "x = y in l"),
    ),
}


def costs(seconds: float = 1.0, most: int = 100_000) -> Costs:
    """Time the same thing done with a list, a tuple and a generator.

    Constants and variables are told apart: the compiler builds a tuple of constants once, so
    to time `(1, 2, 3)` is to time the loading of a constant.

    Args:
        seconds: to spend on statements, about.
        most: items of the longest list that is held against a generator, from 10 on.

    Raises:
        LensError: no time to spend, or fewer than 10 or more than 10,000,000 items.

    Cost:
        `seconds`, and the time of a list of `most` items.

    Example:
        >>> costs(0.01, 10).of("x = (1, 2, 3)").reason
        'built once by the compiler, only loaded here'

    """
    if not 0 < seconds <= _LONGEST:
        raise LensError(f"{seconds:g} seconds are not spent on costs. Give up to {_LONGEST}.")
    if not 10 <= most <= 10**7:
        raise LensError(f"a list of {most:,} items is not measured. Ask for 10 to 10,000,000.")
    n_codes = sum(len(codes) for _, codes in _GROUPS.values())
    each = max(seconds / n_codes / _ROUNDS, 1e-5)
    found = chain.from_iterable(
        _group(name, setup, codes, each) for name, (setup, codes) in _GROUPS.items()
    )
    sizes = [10**k for k in range(1, 8) if 10**k <= most]
    version = sys.version.split()[0]
    return Costs(version, tuple(found), tuple(_stream(n) for n in sizes))


def _group(name: str, setup: str, codes: Iterable[str], each: float) -> Iterator[Cost]:
    timers = {code: timeit.Timer("\n".join([code] * _UNROLL), setup) for code in codes}
    empty = timeit.Timer("pass", setup)
    numbers = {code: _number(timer, each) for code, timer in timers.items()}
    best = dict.fromkeys(timers, float("inf"))
    idle = float("inf")
    for _ in range(_ROUNDS):  # in turn, so that a slow moment of the machine meets all
        for code, timer in timers.items():
            best[code] = min(best[code], timer.timeit(numbers[code]) / numbers[code])
        idle = min(idle, empty.timeit(10_000) / 10_000)
    times = {code: max(time - idle, 1e-10) / _UNROLL * 1e9 for code, time in best.items()}
    listed = {code: _instructions(code, setup) for code in codes}
    for code, time in times.items():
        others = [listed[other] for other in times if other != code]
        told = tuple(f"{one.opname} {_argument(one)}".strip() for one in listed[code])
        reason = _reason(listed[code], others)
        yield Cost(name, code, time, time / min(times.values()), told, reason)


def _number(timer: timeit.Timer, seconds: float) -> int:
    once = max(timer.timeit(3) / 3, 1e-9)
    return max(int(seconds / once), 1)


def _instructions(code: str, setup: str) -> list[dis.Instruction]:
    """List the instructions of a statement in a function where the setup's names are local."""
    local = ", ".join(compile(setup, "<setup>", "exec").co_names)
    names: dict[str, Any] = {}
    exec(compile(f"def timed({local}):\n    {code}", "<cost>", "exec"), names)
    found = [one for one in dis.get_instructions(names["timed"]) if one.opname not in _ALWAYS]
    while found and (found[-1].opname.startswith("RETURN") or found[-1].argval is None):
        found.pop()  # the function's own end
    return found


def _argument(one: dis.Instruction) -> str:
    return f"<{one.argval.co_name}>" if isinstance(one.argval, CodeType) else one.argrepr


def _reason(own: list[dis.Instruction], others: list[list[dis.Instruction]]) -> str:
    """Say what the bytecode tells about the time."""
    ops = [one.opname for one in own]
    loads = [one for one in own if one.opname == "LOAD_CONST"]
    if any(isinstance(one.argval, CodeType) and one.argval.co_name == "<genexpr>" for one in own):
        return "a generator is resumed for each item"
    if ops[:1] == ["LOAD_CONST"] and isinstance(loads[0].argval, tuple):
        return "built once by the compiler, only loaded here"
    if "LIST_EXTEND" in ops:
        return "a new list each time, filled from a constant tuple"
    if any(op.startswith(("LOAD_GLOBAL", "LOAD_NAME")) for op in ops):
        return "a name is looked up among the built-in ones, then called"
    if any([one.opname for one in other] == ops for other in others):
        return "the same bytecode as its neighbour; the types' own work differs"
    built = [op for op in ops if op.startswith("BUILD_") and op != "BUILD_SLICE"]
    if built:
        return f"a new object each time ({built[0]})"
    return ""


def _stream(n: int) -> StreamCost:
    squares: Callable[[], Iterator[int]] = lambda: (x * x for x in range(n))  # noqa: E731
    began = perf_counter_ns()
    whole = [x * x for x in range(n)]
    _ = whole[0]
    list_first = perf_counter_ns() - began
    began = perf_counter_ns()
    generator = squares()
    next(generator)
    generator_first = perf_counter_ns() - began
    return StreamCost(
        n,
        sys.getsizeof(whole),
        sys.getsizeof(generator),
        _peak(lambda: sum([x * x for x in range(n)])),
        _peak(lambda: sum(x * x for x in range(n))),
        list_first,
        generator_first,
    )


def _peak(do: Callable[[], Any]) -> int:
    """Return the most bytes that were allocated at one time, above what was there before."""
    running = tracemalloc.is_tracing()
    if not running:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    do()
    peak = tracemalloc.get_traced_memory()[1] - before
    if not running:
        tracemalloc.stop()
    return peak
