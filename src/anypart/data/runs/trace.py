"""How the longest run is found, step by step, and what the naive ways would cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from anypart.data.runs.run import Run
from anypart.data.runs.values import as_list


@dataclass(frozen=True)
class Visit:
    """What happens at one value.

    Args:
        value: the value.
        starts: whether it starts a run; if not, its predecessor is there.
        walked: the values that are walked to from it, `value` not among them.
        best: the longest run so far.
        steps: operations so far: one a visit, one a value walked to.

    """

    value: int
    starts: bool
    walked: tuple[int, ...]
    best: Run
    steps: int

    @property
    def said(self) -> str:
        """Say it in a sentence."""
        if not self.starts:
            return f"{self.value} is skipped: {self.value - 1} is there, so a run goes through it"
        run = Run(self.value, self.value + 1 + len(self.walked))
        last = f" to {run.stop - 1}" if self.walked else ""
        return (
            f"{self.value} starts a run{last}: {self.value - 1} is not there; length {run.length}"
        )


@dataclass(frozen=True)
class RunTrace:
    """How the longest run was found.

    Args:
        values: as given.
        visits: one for each different value, in the order of first appearance.
        run: what was found: the first of the longest in that order.
        steps: operations with the start guard, over the set of values.
        unguarded: operations if every value walked to the end of its run.
        repeated: operations with the guard, over the values as given and not their set.

    """

    values: tuple[int, ...]
    visits: tuple[Visit, ...]
    run: Run
    steps: int
    unguarded: int
    repeated: int

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{visit.steps:>8,}  {visit.said}" for visit in self.visits]
        run = self.run
        said = f"{run.start} … {run.stop - 1}  ({run.length:,})" if run.length else "none"
        return "\n".join(
            [
                *lines,
                f"longest run: {said}",
                f"steps: {self.steps:,}; without the start guard {self.unguarded:,}; over the "
                f"array and not its set {self.repeated:,}",
            ]
        )


def trace_run(values: Any) -> RunTrace:
    """Find the longest run as it is found by hand, and keep every step.

    A value whose predecessor is there cannot start a run, so it is skipped: each value is
    visited once and walked to at most once.

    Args:
        values: integers; as in `longest_run`.

    Cost:
        Python's own speed: for study, not for large data.

    Example:
        >>> found = trace_run([100, 4, 200, 1, 3, 2])
        >>> print(found.visits[1].said)
        4 is skipped: 3 is there, so a run goes through it
        >>> found.run.length, found.steps, found.unguarded
        (4, 9, 12)

    """
    given = as_list(values)
    there = dict.fromkeys(given)  # a set that keeps the order
    visits = list[Visit]()
    best, steps = Run(0, 0), 0
    for value in there:
        steps += 1
        walked = ()
        starts = value - 1 not in there
        if starts:
            walked = tuple(_walk(value, there))
            steps += len(walked)
            if 1 + len(walked) > best.length:
                best = Run(value, value + 1 + len(walked))
        visits.append(Visit(value, starts, walked, best, steps))
    unguarded = count_steps(given, guard=False)
    repeated = count_steps(given, distinct=False)
    return RunTrace(tuple(given), tuple(visits), best, steps, unguarded, repeated)


def _walk(value: int, there: dict[int, None]) -> Iterator[int]:
    while (value := value + 1) in there:
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
    given = as_list(values)
    there = dict.fromkeys(given)
    to_end = dict[int, int]()  # value → values walked to from it
    for value in sorted(there, reverse=True):
        to_end[value] = to_end[value + 1] + 1 if value + 1 in there else 0
    visited = there if distinct else given
    walked = sum(to_end[v] for v in visited if not (guard and v - 1 in there))
    return len(visited) + walked
