"""How the longest run is found, step by step, and what the naive ways would cost."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from anypart.data.runs.run import Run
from anypart.data.runs.values import places_of


@dataclass(frozen=True)
class Visit:
    """What happens at one value.

    Args:
        value: the value: an integer, or a `numpy.datetime64`.
        starts: whether it starts a run; if not, its predecessor is there.
        walked: the values that are walked to from it, `value` not among them.
        best: the longest run so far.
        steps: operations so far: one a visit, one a value walked to.
        step: from a value to the next.

    """

    value: Any
    starts: bool
    walked: tuple[Any, ...]
    best: Run
    steps: int
    step: Any = 1

    @property
    def said(self) -> str:
        """Say it in a sentence."""
        before = self.value - self.step
        if not self.starts:
            return f"{self.value} is skipped: {before} is there, so a run goes through it"
        last = f" to {self.walked[-1]}" if self.walked else ""
        return (
            f"{self.value} starts a run{last}: {before} is not there; length {1 + len(self.walked)}"
        )


@dataclass(frozen=True)
class RunTrace:
    """How the longest run was found.

    Args:
        values: as given; of times the steps that they fall in.
        visits: one for each different value, in the order of first appearance.
        run: what was found: the first of the longest in that order.
        steps: operations with the start guard, over the set of values.
        unguarded: operations if every value walked to the end of its run.
        repeated: operations with the guard, over the values as given and not their set.

    """

    values: tuple[Any, ...]
    visits: tuple[Visit, ...]
    run: Run
    steps: int
    unguarded: int
    repeated: int

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers; dates and times as text."""
        return json.loads(json.dumps(asdict(self), default=str))

    def __str__(self) -> str:
        lines = [f"{visit.steps:>8,}  {visit.said}" for visit in self.visits]
        run = self.run
        said = f"{run.start} … {run.stop - run.step}  ({run.length:,})" if run.length else "none"
        return "\n".join(
            [
                *lines,
                f"longest run: {said}",
                f"steps: {self.steps:,}; without the start guard {self.unguarded:,}; over the "
                f"array and not its set {self.repeated:,}",
            ]
        )


def trace_run(values: Any, *, step: Any = None) -> RunTrace:
    """Find the longest run as it is found by hand, and keep every step.

    A value whose predecessor is there cannot start a run, so it is skipped: each value is
    visited once and walked to at most once.

    Args:
        values: as in `longest_run`.
        step: of dates and times, as in `longest_run`.

    Cost:
        Python's own speed: for study, not for large data.

    Example:
        >>> found = trace_run([100, 4, 200, 1, 3, 2])
        >>> print(found.visits[1].said)
        4 is skipped: 3 is there, so a run goes through it
        >>> found.run.length, found.steps, found.unguarded
        (4, 9, 12)

    """
    places = places_of(values, step)
    given, one = places.values(), places.step
    there = dict.fromkeys(given)  # a set that keeps the order
    visits = list[Visit]()
    best, steps = Run(0, 0), 0
    for value in there:
        steps += 1
        walked = ()
        starts = value - one not in there
        if starts:
            walked = tuple(_walk(value, one, there))
            steps += len(walked)
            if 1 + len(walked) > best.length:
                best = Run(value, (walked or (value,))[-1] + one, one)
        visits.append(Visit(value, starts, walked, best, steps, one))
    unguarded = _counted(given, one, guard=False, distinct=True)
    repeated = _counted(given, one, guard=True, distinct=False)
    return RunTrace(tuple(given), tuple(visits), best, steps, unguarded, repeated)


def _walk(value: Any, one: Any, there: Collection[Any]) -> Iterator[Any]:
    while (value := value + one) in there:
        yield value


def count_steps(values: Any, *, guard: bool = True, distinct: bool = True) -> int:
    """Count the operations of a way to find the longest run: visits and values walked to.

    Args:
        values: integers.
        guard: only values without a predecessor walk on.
        distinct: visit the set of the values, not the values as given.

    Example:
        >>> count_steps(range(4000)), count_steps(range(4000), guard=False)
        (7999, 8002000)

    """
    places = places_of(values)
    return _counted(places.values(), places.step, guard=guard, distinct=distinct)


def _counted(given: list[Any], one: Any, *, guard: bool, distinct: bool) -> int:
    there = dict.fromkeys(given)
    to_end = dict[Any, int]()  # value → values walked to from it
    for value in sorted(there, reverse=True):
        to_end[value] = to_end[value + one] + 1 if value + one in there else 0
    visited = there if distinct else given
    walked = sum(to_end[v] for v in visited if not (guard and v - one in there))
    return len(visited) + walked
