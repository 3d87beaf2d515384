"""Whatever holds integers, dates or times → int64 or uint64, and the way back."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.runs.run import Run, Runs

_UNITS = {
    "year": "Y", "month": "M", "day": "D", "hour": "h", "minute": "m", "second": "s",
    "millisecond": "ms", "microsecond": "us", "nanosecond": "ns",
}  # fmt: skip
_FINER = ("Y", "M", "D", "h", "m", "s", "ms", "us", "ns")  # each finer than the one before
_NANOSECONDS = {
    "D": 86_400 * 10**9, "h": 3_600 * 10**9, "m": 60 * 10**9, "s": 10**9,
    "ms": 10**6, "us": 10**3, "ns": 1,
}  # fmt: skip
_PANDAS_GAPS = ("NAType", "NaTType")  # what pandas writes for no value; it need not be there


@dataclass(frozen=True)
class Places:
    """Values as places on a line of integers.

    Args:
        keys: (n,) int64 or uint64, in any order.
        step: what one place is worth: 1, or a `numpy.timedelta64`.

    """

    keys: NDArray[Any]
    step: Any = 1

    def values(self) -> list[Any]:
        """List the values in their order, each as the start of the step that it falls in."""
        is_time = isinstance(self.step, np.timedelta64)  # NumPy takes one day to be equal to 1
        return list(self._time(self.keys)) if is_time else self.keys.tolist()

    def runs(self, starts: NDArray[Any], lasts: NDArray[Any]) -> Runs:
        """Give runs of places back as runs of values; both (n,) of the keys' type."""
        if isinstance(self.step, np.timedelta64):
            return Runs(self._time(starts), self._time(lasts), self.step)
        return Runs(starts, lasts)

    def run(self, start: int, length: int) -> Run:
        """Give one run of places back as a run of values."""
        if not isinstance(self.step, np.timedelta64):
            return Run(start, start + length)
        ends = self._time(np.array([start, start + length]))
        return Run(ends[0], ends[1], self.step)

    def _time(self, places: NDArray[Any]) -> NDArray[Any]:
        unit, count = np.datetime_data(self.step.dtype)[0], int(self.step.astype(np.int64))
        return (places * count).view(f"M8[{unit}]")


def places_of(values: Any, step: Any = None) -> Places:
    """Read integers, dates or times from whatever holds them.

    Args:
        values: an iterable, a NumPy, torch, Arrow, pandas or Polars array. Nulls and NaT are
            no values and are left out.
        step: of dates and times: `"day"`, `"15 minutes"`, a timedelta. A value belongs to
            the step that it falls in, counted from 1970-01-01 in UTC. None is a day for
            dates, and is refused for times.

    Raises:
        DataError: values that are neither, integers beyond 64 bits, a step finer than the
            values are.

    """
    array = _array(values)
    if array.dtype.kind == "M":
        return _times(array, step)
    if not array.size:
        return Places(np.zeros(0, np.int64))
    if step is not None:
        raise DataError(
            f"step={step!r} is for dates and times; these values are {array.dtype}. "
            "Leave it out for integers."
        )
    if array.dtype.kind not in "iub":
        raise DataError(
            f"Runs are of integers, dates or times; these values are {_kind(array)}. "
            "Convert them first, such as by rounding or by parsing."
        )
    kind = np.uint64 if array.dtype == np.uint64 else np.int64
    return Places(np.ascontiguousarray(array.ravel(), kind))


def _array(values: Any) -> NDArray[Any]:
    if isinstance(values, np.ma.MaskedArray):
        values = values.compressed()
    if isinstance(values, np.ndarray):
        return _from_items(values.ravel().tolist()) if values.dtype == object else values
    if hasattr(values, "detach"):  # a torch tensor; torch itself need not be there
        return values.detach().cpu().numpy()
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return _from_arrow(values)
    if hasattr(values, "to_numpy"):
        return _array(values.to_numpy())
    if not isinstance(values, Iterable):
        raise DataError(f"{values!r} holds no values. Give a list of integers, or an array.")
    return _from_items(list(cast("Iterable[Any]", values)))


def _kind(array: NDArray[Any]) -> str:
    """Name what an array holds: its type, or that of the first object that is no integer."""
    if array.dtype.kind == "O":
        odd = (v for v in array.ravel() if not isinstance(v, int | np.integer))
        return f"of type {type(next(odd)).__name__}"
    return "text" if array.dtype.kind in "UST" else str(array.dtype)


def _from_arrow(values: Any) -> NDArray[Any]:
    import pyarrow as pa

    from anypart.data.values import column_of

    array = column_of(values).drop_null()
    if pa.types.is_date64(array.type):
        array = array.cast(pa.date32())
    return array.to_numpy(zero_copy_only=False)


def _from_items(given: list[Any]) -> NDArray[Any]:
    items = [v for v in given if v is not None]
    if any(kind.__name__ in _PANDAS_GAPS for kind in set(map(type, items))):
        items = [v for v in items if type(v).__name__ not in _PANDAS_GAPS]
    first = items[0] if items else 0
    if isinstance(first, dt.date):
        return _from_dates(items)
    try:
        array = np.array(items)
    except ValueError:
        raise DataError("These are lists of different lengths, not integers. Join them.") from None
    if items and array.dtype.kind in "fO" and all(isinstance(v, int | np.integer) for v in items):
        # NumPy makes floats of negative integers beside ones from 2^63 on.
        low, high = min(items), max(items)
        if low < 0 or high >= 2**64:
            raise DataError(
                f"These integers reach from {low} to {high}; runs are of integers that fit 64 "
                "bits, signed or unsigned. Subtract the least first."
            )
        return np.array(items, np.uint64)
    return array


def _from_dates(items: list[Any]) -> NDArray[Any]:
    kinds = {(isinstance(t, dt.datetime), getattr(t, "tzinfo", None) is None) for t in items}
    odd = next((t for t in items if not isinstance(t, dt.date)), None)
    if odd is not None or len(kinds) > 1:
        also = "" if odd is None else f", and a {type(odd).__name__} ({odd!r})"
        raise DataError(
            f"These are dates, times with and times without a time zone together{also}. "
            "Make them one."
        )
    if (False, True) in kinds:
        return np.array(items, "M8[D]")
    times = np.array([t.replace(tzinfo=None) for t in items], "M8[us]")
    if (True, True) in kinds:
        return times
    # Differences of NumPy's: the first and last days of Python's own have none.
    return times - np.array([t.utcoffset() for t in items], "m8[us]")


def _times(array: NDArray[Any], step: Any) -> Places:
    array = array.ravel()
    array = array[~np.isnat(array)]
    own, own_count = np.datetime_data(array.dtype)
    if own_count != 1:
        raise DataError(f"These times are in steps of {own_count} {own}. Use a plain unit.")
    if step is None:
        if own != "D":
            raise DataError(
                f"Runs of times ({array.dtype}) need a step, such as step='minute' or "
                "step='15 minutes'."
            )
        step = "day"
    count, unit = _parsed(step)
    if own in _FINER and _FINER.index(unit) > _FINER.index(own):
        raise DataError(
            f"step={step!r} is finer than the values, which are {array.dtype}. "
            "Use a step that is at least their unit."
        )
    places = _in_units(array, own, unit) // count
    if len(places):
        low, high = (int(places.min()) - 1) * count, (int(places.max()) + 1) * count
        if low <= -(2**63) or high >= 2**63:
            raise DataError(
                f"These times reach to an end of what 64 bits hold in steps of {step!r}, so a run "
                "could not be given back. Use a coarser step, or leave such times out."
            )
    return Places(places, np.timedelta64(count, cast("Any", unit)))


def _in_units(times: NDArray[Any], own: str, unit: str) -> NDArray[np.int64]:
    """Count whole units since 1970, rounded down, towards the past."""
    if own in _NANOSECONDS:
        # NumPy's own rounding overflows near the first time that 64 bits hold.
        into = unit if unit in _NANOSECONDS else "D"
        ticks = times.view(np.int64) // (_NANOSECONDS[into] // _NANOSECONDS[own])
        times = ticks.view(f"M8[{into}]")
    return times.astype(f"M8[{unit}]").view(np.int64)


def _parsed(step: Any) -> tuple[int, str]:
    """Return how many of which unit: '15 minutes' is (15, 'm')."""
    if isinstance(step, str):
        match = re.fullmatch(r"\s*(\d*)\s*([a-z]+?)s?\s*", step)
        count, unit = (int(match[1] or 1), _UNITS.get(match[2])) if match else (0, None)
    elif isinstance(step, dt.timedelta):
        micros = step // dt.timedelta(microseconds=1)
        sizes = {"D": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "us": 1}
        unit = next(u for u, size in sizes.items() if micros % size == 0)
        count = micros // sizes[unit]
    elif isinstance(step, np.timedelta64):
        unit, scale = np.datetime_data(step.dtype)
        count = int(step.astype(np.int64)) * scale
        unit = unit if unit in _FINER else None
    else:
        count, unit = 0, None
    if unit is None or not 1 <= count < 2**63:
        raise DataError(
            f"step={step!r} is no step. Use a number and one of {', '.join(_UNITS)}, such as "
            "'day' or '15 minutes', or a timedelta. (Weeks begin on different days: use days.)"
        )
    return count, unit
