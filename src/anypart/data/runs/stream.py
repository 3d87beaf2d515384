"""`RunStream`: runs of values that arrive one by one or in batches, merged as they come."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.runs.find import runs_of
from anypart.data.runs.run import Run, Runs
from anypart.data.runs.values import Places, places_of

_LEAST = 4096  # values that are kept before they are merged


class RunStream:
    """The runs of all values so far, in memory of the runs and not of the values.

    New values wait until there are as many as runs, so merging costs each of them a
    constant. Streams over parts of the values can be joined, in any order.

    Args:
        step: of dates and times, as in `longest_run`.

    Example:
        >>> stream = RunStream()
        >>> stream.update([1, 2, 5])
        >>> stream.longest
        Run(start=1, stop=3)
        >>> stream.update([4, 3])
        >>> stream.longest, len(stream.runs)
        (Run(start=1, stop=6), 1)

    """

    def __init__(self, step: Any = None) -> None:
        self._step = step
        self._kind: Places | None = None  # an empty one, of the type and step of the values
        self._starts = self._lasts = np.zeros(0, np.int64)
        self._waiting = list[NDArray[Any]]()
        self._n_waiting = 0

    def add(self, value: Any) -> None:
        """Take one value."""
        self.update([value])

    def update(self, values: Any) -> None:
        """Take values, as `longest_run` does.

        Raises:
            DataError: other values than those before: dates after integers, or integers
                that do not fit the type of the first ones.

        """
        places = places_of(values, self._step)
        if not len(places.keys):
            return
        self._waiting.append(self._alike(places).keys)
        self._n_waiting += len(places.keys)
        if self._n_waiting > max(_LEAST, len(self._starts)):
            self._merge()

    def join(self, other: RunStream) -> None:
        """Take the runs of another stream, which stays as it is."""
        other._merge()
        if other._kind is None:
            return
        starts = self._alike(Places(other._starts, other._kind.step)).keys
        lasts = self._alike(Places(other._lasts, other._kind.step)).keys
        self._merge()
        self._absorb(starts, lasts)

    @property
    def runs(self) -> Runs:
        """Return the runs so far, ascending."""
        self._merge()
        return (self._kind or Places(self._starts)).runs(self._starts, self._lasts)

    @property
    def longest(self) -> Run:
        """Return the longest run so far; of several, the lowest; `Run(0, 0)` before any value."""
        return self.runs.longest

    def _alike(self, places: Places) -> Places:
        """Return places in the type of the first ones, or say why they do not fit."""
        keys = places.keys
        if self._kind is None:
            self._kind = Places(keys[:0], places.step)
            self._starts = self._lasts = keys[:0]
        kind = self._kind
        if str(kind.step) != str(places.step):  # NumPy takes one day to be equal to 1
            raise DataError(
                f"The stream holds values in steps of {kind.step}; these are in steps of "
                f"{places.step}. Make another stream for them."
            )
        dtype = kind.keys.dtype
        info = np.iinfo(dtype)
        if keys.dtype != dtype and not info.min <= int(keys.min()) <= int(keys.max()) <= info.max:
            raise DataError(
                f"The stream holds {dtype} integers; these reach from {keys.min()} to "
                f"{keys.max()}. Make another stream for them."
            )
        return Places(keys.astype(dtype, copy=False), kind.step)

    def _merge(self) -> None:
        if not self._waiting:
            return
        fresh = runs_of(Places(np.concatenate(self._waiting)))
        self._waiting, self._n_waiting = [], 0
        self._absorb(fresh.starts, fresh.lasts)

    def _absorb(self, starts: NDArray[Any], lasts: NDArray[Any]) -> None:
        starts = np.concatenate([self._starts, starts])
        # Two ascending lists: the stable sort merges them, in one pass.
        order = np.argsort(starts, kind="stable")
        starts = starts[order]
        lasts = np.maximum.accumulate(np.concatenate([self._lasts, lasts])[order])
        later, before = starts[1:], lasts[:-1]
        apart = (later > before) & (later.view(np.uint64) - before.view(np.uint64) > 1)
        breaks = np.flatnonzero(apart)
        self._starts = starts[np.concatenate([[0], breaks + 1])]
        self._lasts = lasts[np.concatenate([breaks, [len(lasts) - 1]])]
