import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data.runs import Run, longest_run, runs, values

from ..planted import planted

D = dt.date


@pytest.mark.parametrize(
    "make",
    [
        *(np.array, pa.array, torch.tensor, pd.Series, pd.Index, pl.Series, iter, tuple, set),
        lambda v: pa.chunked_array([v[:2], [], v[2:]]),
        lambda v: pa.array(v).dictionary_encode(),
    ],
)
def test_runs_take_integers_from_whatever_holds_them(make):
    assert longest_run(make([3, 1, 2, 9])) == Run(1, 4)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64, np.bool_])
def test_runs_take_integers_of_any_width(kind):
    array = np.array([0, 1], kind)
    assert longest_run(array) == longest_run(pa.array(array)) == Run(0, 2)


def test_arrays_that_do_not_lie_in_one_piece_are_read_right():
    table = np.arange(40).reshape(8, 5).T[::2, ::3]
    assert list(runs(table)) == list(runs(table.ravel().tolist()))
    assert longest_run(np.arange(9)[::-2]).length == 1


def test_nulls_are_no_values():
    assert longest_run(pa.array([1, None, 2, 4])) == Run(1, 3)
    assert longest_run([1, None, 2, 4]) == Run(1, 3)
    assert longest_run(np.array(["NaT", "2024-01-01"], "M8[D]")).length == 1


def test_integers_of_both_signs_beyond_64_bits_together_are_refused():
    assert longest_run([2**63, 2**63 + 1, 5]) == Run(2**63, 2**63 + 2)
    for given_values in ([-1, 2**63], [2**64]):
        with pytest.raises(DataError, match="fit 64 bits"):
            longest_run(given_values)


@pytest.mark.parametrize("fractions", [[1.5, 2.5], ["a"], np.array([1.0])])
def test_values_that_are_no_integers_are_refused(fractions):
    with pytest.raises(DataError, match="Runs are of integers, dates or times; these"):
        runs(fractions)


def test_a_step_for_integers_is_refused():
    with pytest.raises(DataError, match="Leave it out for integers"):
        runs([1, 2], step="day")


@pytest.mark.parametrize("make", [list, pa.array, lambda d: np.array(d, "M8[D]"), pd.to_datetime])
def test_days_are_consecutive_over_a_leap_day(make):
    days = [D(2024, 2, 28), D(2024, 3, 1), D(2024, 2, 29), D(2024, 3, 5)]
    run = longest_run(make(days), step="day")
    assert (run.start, run.stop, run.length) == (D(2024, 2, 28), D(2024, 3, 2), 3)
    gap = runs(make(days), step="day").gaps[0]
    assert (gap.start, gap.length) == (D(2024, 3, 2), 3)


@given(
    st.lists(st.datetimes(dt.datetime(1960, 1, 1), dt.datetime(1980, 1, 1)), max_size=30),
    st.sampled_from([("minute", 60), ("15 minutes", 900), ("hour", 3600), ("2 days", 172_800)]),
)
def test_a_step_holds_the_times_that_fall_in_it(times, step):
    name, seconds = step
    epoch = dt.datetime(1970, 1, 1)
    bins = {(t - epoch) // dt.timedelta(seconds=seconds) for t in times}
    found = runs(times, step=name)
    assert int(found.lengths.sum()) == len(bins)
    for run in found:
        start = (run.start.astype("M8[s]").item() - epoch) / dt.timedelta(seconds=seconds)
        assert {int(start) + k for k in range(run.length)} <= bins
        assert start == int(start)


def test_months_are_steps_of_unequal_days():
    days = [D(2023, 12, 31), D(2024, 1, 1), D(2024, 2, 29), D(2024, 4, 1)]
    run = longest_run(days, step="month")
    assert (str(run.start), str(run.stop), run.length) == ("2023-12", "2024-03", 3)


def test_time_zones_are_counted_in_utc():
    plus2 = dt.timezone(dt.timedelta(hours=2))
    times = [dt.datetime(2024, 1, 1, 1, tzinfo=plus2), dt.datetime(2024, 1, 1, 0, tzinfo=dt.UTC)]
    assert longest_run(times, step="hour").start == dt.datetime(2023, 12, 31, 23)
    assert longest_run(pa.array(times), step="hour").length == 2


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (None, "need a step"),
        ("week", "is no step"),
        ("0 days", "is no step"),
        (dt.timedelta(0), "is no step"),
        (3, "is no step"),
        ("nanosecond", "finer than the values"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(step, said):
    with pytest.raises(DataError, match=said):
        runs([dt.datetime(2024, 1, 1)], step=step)


def test_timedeltas_are_steps():
    times = np.array(["2024-01-01T00:00", "2024-01-01T00:31"], "M8[s]")
    half_hours = runs(times, step=dt.timedelta(minutes=30))
    assert half_hours.longest.length == 2
    assert half_hours.longest == runs(times, step=np.timedelta64(30, "m")).longest


def test_dates_and_times_together_are_refused():
    with pytest.raises(DataError, match="Make them one"):
        runs([D(2024, 1, 1), dt.datetime(2024, 1, 1)], step="day")


BUGS = [
    ("t.astimezone(dt.UTC).replace(tzinfo=None) if t.tzinfo else t", "t.replace(tzinfo=None)"),
    ("view(np.int64) // count", "view(np.int64)"),
    ("(places * count)", "places"),
]


@pytest.mark.parametrize(("old", "new"), BUGS)
def test_the_law_notices_a_bug_in_the_shipped_source(old, new):
    def start(module):
        zone = dt.timezone(dt.timedelta(hours=2))
        places = module.places_of([dt.datetime(2024, 1, 1, 1, 40, tzinfo=zone)], "30 minutes")
        return places.runs(places.keys, places.keys)[0].start

    assert start(values) == dt.datetime(2023, 12, 31, 23, 30)
    assert start(planted(values, old, new)) != dt.datetime(2023, 12, 31, 23, 30)


def test_masked_values_objects_and_days_in_milliseconds_are_read():
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert longest_run(masked).bounds == (1, 2)
    assert longest_run(np.array([4, 5, None], object)).bounds == (4, 6)
    assert longest_run(pa.array([0, 86_400_000], pa.date64())).length == 2
    with pytest.raises(DataError, match="5 holds no values"):
        longest_run(5)
