"""What windows are looked for in: the items of every form that holds them, by every way."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from anypart.base.errors import DataError
from anypart.data.windows import (
    Window,
    find,
    items,
    minimal_windows,
    shortest_window,
    stream,
    trace_window,
)

from ..planted import planted

DAYS = [dt.date(2024, 1, d) for d in (1, 2, 3)]
NOONS = [dt.datetime(2024, 1, d, 12) for d in (1, 2, 3)]

#: Three different items, and what holds them.
FORMS = {
    "text": ("abc", "".join),
    "iterator": ("abc", iter),
    "Arrow": ("abc", pa.array),
    "Arrow in chunks": ("abc", lambda v: pa.chunked_array([v[:1], v[1:]])),
    "a dictionary in chunks": (
        "abc",
        lambda v: pa.chunked_array([pa.array(v[:1]).dictionary_encode(),
                                    pa.array(v[1:]).dictionary_encode()]),
    ),
    "large text": ("abc", lambda v: pa.array(v, pa.large_string())),
    "text with nulls": (["a", None, "c"], pa.array),
    "Polars' categories": ("abc", lambda v: pl.Series(list(v), dtype=pl.Categorical)),
    "pandas' categories": ("abc", lambda v: pd.Series(list(v)).astype("category")),
    "integers": ([7, 8, 9], np.array),
    "of the other byte order": ([7, 8, 9], lambda v: np.array(v, ">i4")),
    "unsigned of the other byte order": ([7, 2**64 - 1, 9], lambda v: np.array(v, ">u8")),
    "far apart of the other byte order": ([7, 2**40, 9], lambda v: np.array(v, ">i8")),
    "a tensor": ([7, 8, 9], torch.tensor),
    "encoded runs": ([7, 8, 9], lambda v: pa.RunEndEncodedArray.from_arrays(
        pa.array(range(1, len(v) + 1), pa.int32()), pa.array(v))),
    "masked": ([7, None, 9], lambda v: np.ma.array([x or 8 for x in v],
                                                   mask=[x is None for x in v])),
    "days": (DAYS, lambda v: np.array(v, "M8[D]")),
    "days one by one": (DAYS, lambda v: [np.datetime64(x) for x in v]),
    "times": (NOONS, lambda v: np.array(v, "M8[us]")),
    "nanoseconds": (NOONS, lambda v: np.array(v, "M8[ns]")),
    "zoned": ([t.replace(tzinfo=dt.UTC) for t in NOONS],
              lambda v: pa.array(v, pa.timestamp("us", "Asia/Shanghai"))),
    "days with NaT": ([DAYS[0], None, DAYS[2]], lambda v: np.array(v, "M8[D]")),
}  # fmt: skip


@pytest.mark.parametrize("small", [0, 10**6])
@pytest.mark.parametrize("form", FORMS)
def test_every_way_finds_the_items_of_every_form(form, small, monkeypatch):
    monkeypatch.setattr(find, "SMALL", small)
    (a, b, c), hold = FORMS[form]
    held = [a, a, b, c, b]
    plain = [[a, a, b, c, b][p] for p in range(5)]
    for wanted in ([a, b], [b, c], [b, b], [c, c]):
        expected = shortest_window(plain, wanted)
        assert shortest_window(hold(held), wanted) == expected
        assert shortest_window(hold(held), hold(wanted)) == expected
        assert trace_window(hold(held), wanted).window == expected
        assert list(minimal_windows(hold(held), wanted)) == list(minimal_windows(plain, wanted))


def test_what_is_masked_is_no_item(monkeypatch):
    monkeypatch.setattr(find, "SMALL", 0)
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert shortest_window(masked, [2]) is None
    assert shortest_window(masked, [1, 3]) == Window(0, 3)
    broken = planted(items, "or isinstance(array, np.ma.MaskedArray)", "")
    monkeypatch.setattr(find, "laid_out", broken.laid_out)
    assert shortest_window(masked, [2]) == Window(1, 2)


@pytest.mark.parametrize(
    ("form", "old", "new"),
    [
        ("days with NaT", "or np.isnat(item)", ""),
        ("nanoseconds", '"M8[us]") if np', '"M8[s]") if not np'),
        ("days one by one", "and np.datetime64 not in set(map(type, items))", ""),
        ("Arrow", 'found.to_pylist() if hasattr(found, "to_pylist") else found', "found"),
    ],
)
def test_the_law_of_items_notices_a_bug(form, old, new, monkeypatch):
    (a, b, c), hold = FORMS[form]
    held, wanted = hold([a, a, b, c, b]), [b, c]
    right = [(2, 4), (3, 5)]
    assert [(w.start, w.stop) for w in stream.minimal_windows(held, wanted)] == right
    monkeypatch.setattr(stream, "items_of", planted(items, old, new).items_of)
    assert [(w.start, w.stop) for w in stream.minimal_windows(held, wanted)] != right


def test_how_often_items_are_required_may_be_told_by_a_mapping():
    assert shortest_window("hello", {"l": 2, "z": 0}) == Window(2, 4)
    assert shortest_window("hello", {"z": -1}) == Window(0, 0)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: list(minimal_windows(5, [1])), "5 is no sequence"),
        (lambda: trace_window(5, [1]), "5 is no sequence"),
        (lambda: trace_window([1, [2]], [2]), "Item 1 of the sequence"),
        (lambda: shortest_window(pa.table({"a": [1]}), [1]), "rows of the columns 'a'"),
        (lambda: shortest_window(pd.DataFrame({"a": [1]}), [1]), "rows of the columns 'a'"),
        (lambda: list(minimal_windows(np.zeros((2, 2)), [0])), "along one axis"),
    ],
)
def test_what_is_no_sequence_is_named(ask, said):
    with pytest.raises(DataError, match=said):
        ask()
