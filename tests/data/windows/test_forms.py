"""The same lists in every form that holds them: Python's, NumPy's, Arrow's."""

import datetime as dt
import itertools
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data.windows import Range, Window, find, ranges, shortest_window, smallest_range

from ..planted import planted

DAY = dt.date(2024, 1, 20)
ENDS = [-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 2, 2**63 - 1]


def by_choice(lists):
    spans = [(max(c) - min(c), min(c), max(c)) for c in itertools.product(*lists)]
    return Range(*min(spans)[1:]) if spans else None


#: What turns integers of 64 bits into other values, and lists of these into what holds them.
FORMS = {
    "integers": (int, list),
    "NumPy": (int, lambda v: np.array(v, np.int64)),
    "Arrow": (int, lambda v: pa.array(v, pa.int64())),
    "Arrow with nulls": (int, lambda v: pa.array([None, *v], pa.int64())),
    "Arrow in chunks": (int, lambda v: pa.chunked_array([v[:1], v[1:]], pa.int64())),
    "lists with None": (int, lambda v: [*v, None]),
    "whole numbers beyond 64 bits": (lambda v: v * 2**70, list),
    "floats": (lambda v: float(v % 8) / 4, list),
    "floats with NaN": (lambda v: float(v % 8) / 4, lambda v: np.array([math.nan, *v])),
    "bytes": (lambda v: v % 120, lambda v: np.array(v, np.int8)),
    "dates": (lambda v: DAY + dt.timedelta(v % 9), list),
    "Arrow's dates": (lambda v: DAY + dt.timedelta(v % 9), lambda v: pa.array(v, pa.date32())),
    "truths": (lambda v: v % 2 == 0, list),
}  # fmt: skip


def check_range(form, lists):
    value, hold = FORMS[form]
    lists = [[value(v) for v in some] for some in lists]
    assert smallest_range([hold(some) for some in lists]) == by_choice(lists)


LISTS = st.lists(st.lists(st.sampled_from(ENDS), max_size=4), min_size=1, max_size=3)


@pytest.mark.parametrize("form", FORMS)
@given(lists=LISTS)
def test_a_range_is_the_least_over_all_choices_in_every_form(form, lists):
    check_range(form, lists)


def test_signed_and_unsigned_integers_are_compared_exactly():
    lists = [np.array([2**63 - 1, 5], np.int64), np.array([2**63 + 1], np.uint64)]
    assert smallest_range(lists) == Range(2**63 - 1, 2**63 + 1)


@pytest.mark.parametrize(
    ("form", "right", "wrong", "lists"),
    [
        ("NumPy", "held.item() if isinstance(held, np.gen", "held if (held, np.gen", [[1], [2]]),
        ("floats with NaN", "return array[array == array]", "return array", [[], [1, 2]]),
        ("Arrow with nulls", ".drop_null()", "", [[0], [1]]),
    ],
)  # fmt: skip
def test_the_law_of_forms_notices_a_bug(form, right, wrong, lists, recwarn):
    value, hold = FORMS[form]
    lists = [[value(v) for v in some] for some in lists]
    found = planted(ranges, right, wrong).smallest_range([hold(some) for some in lists])
    right = by_choice(lists)
    assert found != right or type(found.low) is not type(right.low)


def test_dates_beside_numbers_are_refused():
    with pytest.raises(DataError, match="no differences from each other"):
        smallest_range([[DAY], [1]])
    with pytest.raises(DataError, match="no list of numbers or dates"):
        smallest_range([[1, "a"]])


ITEMS = {
    "NumPy's integers": [np.int64(2), np.int64(3)],
    "floats": [2.0, 3.0],
    "an infinity": [2, math.inf],
    "not a number": [2, math.nan],
    "text": [2, "3"],
    "nothing": [2, None],
    "beyond 64 bits": [2, 2**70],
    "a truth": [2, True],
}
HELD = {
    "NumPy": lambda v: np.array(v, np.int64),
    "Arrow": lambda v: pa.array(v, pa.int64()),
    "a dictionary": lambda v: pa.array(v, pa.int64()).dictionary_encode(),
    "Arrow's text": lambda v: pa.array(list(map(str, v)), pa.string_view()),
    "truths": lambda v: pa.array([x == 2 for x in v], pa.bool_()),
    "single precision": lambda v: pa.array(v, pa.float32()),
}


@pytest.mark.parametrize("items", ITEMS)
@pytest.mark.parametrize("held", HELD)
def test_the_loop_finds_what_python_finds(held, items, monkeypatch):
    """Of few items Python's loop is used, of many the compiled one."""
    rng = np.random.default_rng(0)
    for n in (0, 1, 9, 30):
        sequence = HELD[held](rng.integers(1, 5, n).tolist())
        right = shortest_window(sequence, ITEMS[items])
        monkeypatch.setattr(find, "SMALL", 0)
        assert shortest_window(sequence, ITEMS[items]) == right
        monkeypatch.undo()


def test_a_date_is_no_time_of_it(monkeypatch):
    monkeypatch.setattr(find, "SMALL", 0)
    dates = pa.array([DAY, DAY + dt.timedelta(1)], pa.date32())
    assert shortest_window(dates, [DAY]) == Window(0, 1)
    assert shortest_window(dates, [dt.datetime(2024, 1, 20, 5)]) is None
    broken = planted(find, "values.to_pylist() != items", "False")
    broken.SMALL = 0
    assert broken.shortest_window(dates, [dt.datetime(2024, 1, 20, 5)]) is not None
