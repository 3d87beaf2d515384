"""`Run` and `Runs`: stretches of consecutive integers, days or minutes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError


@dataclass(frozen=True)
class Run:
    """The values start, start + step, …, stop − step.

    Args:
        start: the first value: an integer, or a `numpy.datetime64`.
        stop: one step past the last. Of integers it is a Python integer, so it may be 2^63.
        step: 1 for integers, else a `numpy.timedelta64`.

    Example:
        >>> Run(3, 7).length, list(range(*Run(3, 7).bounds))
        (4, [3, 4, 5, 6])

    """

    start: Any
    stop: Any
    step: Any = field(default=1, repr=False)

    @property
    def length(self) -> int:
        """Count the values of the run."""
        return int((self.stop - self.start) // self.step)

    @property
    def bounds(self) -> tuple[Any, Any]:
        """Return start and stop."""
        return self.start, self.stop


@dataclass(frozen=True, eq=False)
class Runs(Sequence[Run]):
    """Runs in ascending order, none touching the next; two arrays, not an object a run.

    Args:
        starts: (n,) first values: int64, uint64 or datetime64.
        lasts: (n,) last values, of the same type.
        step: of the values, as in `Run`.

    Raises:
        DataError: a slice that turns their order round.

    Example:
        >>> from anypart.data.runs import runs
        >>> found = runs([1, 2, 3, 7, 10, 11])
        >>> found[0], found.lengths.tolist()
        (Run(start=1, stop=4), [3, 1, 2])
        >>> list(found.gaps)
        [Run(start=4, stop=7), Run(start=8, stop=10)]

    """

    starts: NDArray[Any]
    lasts: NDArray[Any]
    step: Any = 1

    def __post_init__(self) -> None:
        for name in ("starts", "lasts"):
            looked_at = getattr(self, name).view()
            looked_at.flags.writeable = False  # a stream of runs goes on with the same memory
            object.__setattr__(self, name, looked_at)

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> Runs: ...
    def __getitem__(self, index: int | slice) -> Run | Runs:
        if isinstance(index, slice):
            if (index.step or 1) < 0:
                raise DataError("Runs ascend. Take reversed(runs) for the other order.")
            return Runs(self.starts[index], self.lasts[index], self.step)
        return self._run(self.starts[index], self.lasts[index])

    def __iter__(self) -> Iterator[Run]:
        return map(self._run, self.starts, self.lasts)

    def __repr__(self) -> str:
        shown = ", ".join(map(repr, self[:3]))
        return f"<{len(self)} runs: {shown}{', …' if len(self) > 3 else ''}>"

    def _run(self, start: Any, last: Any) -> Run:
        if self.starts.dtype.kind == "M":
            return Run(start, last + self.step, self.step)
        return Run(int(start), int(last) + 1)

    @property
    def lengths(self) -> NDArray[np.uint64]:
        """Count the values of each run, (n,)."""
        # Unsigned differences cannot overflow: 2^63 − 1 − (−2^63) fits.
        wide = self.lasts.view(np.uint64) - self.starts.view(np.uint64)
        return wide // np.uint64(_ticks(self.step)) + np.uint64(1)

    @property
    def longest(self) -> Run:
        """Return the longest run; of several the lowest; `Run(0, 0)` if there is none."""
        return self[int(np.argmax(self.lengths))] if len(self) else Run(0, 0)

    @property
    def gaps(self) -> Runs:
        """Return the stretches between neighbouring runs, one fewer than there are runs."""
        return Runs(self.lasts[:-1] + self.step, self.starts[1:] - self.step, self.step)


def _ticks(step: Any) -> int:
    return int(step.astype(np.int64)) if isinstance(step, np.timedelta64) else int(step)
