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
    ("return times - np.array(", "return times + 0 * np.array("),
    ("_in_units(array, own, unit) // count", "_in_units(array, own, unit)"),
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


def test_what_pandas_writes_for_no_value_is_none():
    assert longest_run([1, pd.NA, 2]) == Run(1, 3)
    assert longest_run([dt.datetime(2024, 1, 1), pd.NaT], step="day").length == 1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("step", ["second", "15 minutes", "3 hours", "day"])
def test_times_at_the_ends_of_64_bits_fall_in_the_steps_that_whole_numbers_tell(unit, step):
    count, name = values._parsed(step)
    ticks = count * values._NANOSECONDS[name] // values._NANOSECONDS[unit]
    low, high = -(2**63) + 2 * ticks, 2**63 - 1 - 2 * ticks
    times = np.array([low, low + 1, high, 0, -1]).view(f"M8[{unit}]")
    found = values.places_of(times, step).keys.tolist()
    assert found == [low // ticks, (low + 1) // ticks, high // ticks, 0, -1]


def test_times_whose_run_would_end_beyond_64_bits_are_refused():
    last = np.array([2**63 - 1, 2**63 - 2]).view("M8[us]")
    with pytest.raises(DataError, match="end of what 64 bits hold in steps of 'microsecond'"):
        longest_run(last, step="microsecond")
    assert longest_run(last, step="second").length == 1


def test_the_first_and_last_days_of_the_calendar_have_time_zones_too():
    east, west = (dt.timezone(dt.timedelta(hours=h)) for h in (8, -8))
    first = dt.datetime.min.replace(tzinfo=east)
    assert str(longest_run([first], step="day").start) == "0000-12-31"
    last = dt.datetime.max.replace(tzinfo=west)
    assert str(longest_run([last], step="day").start) == "10000-01-01"


@pytest.mark.parametrize(
    ("given_values", "said"),
    [
        ([[1, 2], [3]], "lists of different lengths"),
        ([1, D(2024, 1, 1)], "of type date"),
        ([D(2024, 1, 1), 1], r"and a int \(1\)"),
        (pa.table({"a": [1], "b": [2]}), "rows of the columns 'a', 'b'. Take one"),
        (pd.DataFrame({"a": [1]}), "rows of the columns 'a'. Take one"),
        (pl.Series(["a"], dtype=pl.Categorical), "of type str"),
    ],
)
def test_what_holds_no_integers_is_named(given_values, said):
    with pytest.raises(DataError, match=said):
        longest_run(given_values)


@pytest.mark.parametrize("step", ["99999999999999999999 days", np.timedelta64("NaT", "D")])
def test_a_step_beyond_64_bits_is_no_step(step):
    with pytest.raises(DataError, match="is no step"):
        longest_run([D(2024, 1, 1)], step=step)


def test_encoded_runs_and_views_of_text_are_columns_like_others():
    assert longest_run(pa.RunEndEncodedArray.from_arrays([2, 3], [5, 6])) == Run(5, 7)
    zoned = pa.array([0, 86_400], pa.timestamp("s", "Asia/Shanghai"))
    assert longest_run(zoned.dictionary_encode(), step="day").length == 2
