"""`schedule`: how regularly days or times follow on each other, and where they stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.data.runs.find import runs
from anypart.data.runs.run import Runs


@dataclass(frozen=True)
class Schedule:
    """Times that come every `step`, with gaps.

    Args:
        step: whole days or seconds from one to the next.
        origin: of the places: place k is origin + k · step.
        runs: the stretches without a gap, of places.

    """

    step: int
    origin: int
    runs: Runs

    @property
    def whole(self) -> bool:
        """Whether there is no gap."""
        return len(self.runs) == 1

    def at(self, place: int) -> int:
        """Return the day or second of a place."""
        return self.origin + place * self.step


def schedule(times: NDArray[np.float64]) -> Schedule | None:
    """Find the step of days or seconds, and the stretches that keep to it.

    Args:
        times: (n,) days or seconds, in any order, repeated or not.

    Returns:
        None if fewer than three different times, or if less than half of them come one
        step after another: then there is no step, and no gap either.

    Cost:
        That of a sort.

    Example:
        >>> found = schedule(np.array([0.0, 60, 120, 300, 360]))
        >>> found.step, found.runs.lengths.tolist(), found.at(found.runs.gaps[0].start)
        (60, [3, 2], 180)

    """
    whole = np.unique(np.floor(times).astype(np.int64))
    if len(whole) < 3:
        return None
    steps, counts = np.unique(np.diff(whole), return_counts=True)
    step, often = int(steps[np.argmax(counts)]), int(counts.max())
    if 2 * often < len(whole) - 1:
        return None
    origin = int(whole[0])
    return Schedule(step, origin, runs((whole - origin) // step))
