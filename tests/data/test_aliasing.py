"""What a table is built from may change afterwards: the table does not."""

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anypart.data.files import objects, read
from anypart.data.infer import infer_schema

from .planted import planted


class Over:
    """A table over the memory of an array."""

    def __init__(self, make):
        self.array = np.arange(5)
        self.table = make(self.array)


def changes_through(read_source, source, change):
    table = read_source(source.table if isinstance(source, Over) else source)
    before = table.to_arrow().to_pylist()
    change(source)
    return table.to_arrow().to_pylist() != before


def change_array(source):
    source["n"][0] = 99


def change_frame(source):
    values = source["n"].to_numpy()
    values.flags.writeable = True
    values[0] = 99


def change_memory(source):
    source.array[0] = 99


def change_category(source):
    source.iloc[0, 0] = "b"


OVER = {
    "Arrow": lambda a: pa.table({"n": pa.array(a)}),
    "a batch": lambda a: pa.record_batch({"n": pa.array(a)}),
    "a slice": lambda a: pa.table({"n": pa.array(a)}).slice(0, 3),
    "Polars": lambda a: pl.DataFrame({"n": a}),
    "Arrow's columns": lambda a: {"n": pa.array(a)},
    "Polars' columns": lambda a: {"n": pl.Series(a)},
    "pandas' columns": lambda a: {"n": pd.Series(a, copy=False)},
    "a frame": lambda a: pd.DataFrame({"n": a}, copy=False),
    "a tensor": lambda a: {"n": torch.from_numpy(a)},
    "days": lambda a: pa.table({"n": pa.array(a.view("M8[s]"))}),
}
CASES = {
    **{f"{n} over memory": (lambda m=m: Over(m), change_memory) for n, m in OVER.items()},
    "categories": (
        lambda: pd.DataFrame({"n": pd.Categorical(["a", "b"])}, copy=False), change_category
    ),
    "arrays": (lambda: {"n": np.arange(5)}, change_array),
    "floats": (lambda: {"n": np.arange(5) / 2}, change_array),
    "lists": (lambda: {"n": [1, 2, 3]}, change_array),
    "rows": (lambda: [{"n": 1}, {"n": 2}], lambda rows: rows[0].update(n=99)),
    "pandas": (lambda: pd.DataFrame({"n": np.arange(5)}), change_frame),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_table_never_changes_with_what_it_was_built_from(case):
    make, change = CASES[case]
    assert not changes_through(read, make(), change)


def test_the_law_notices_a_table_that_looks_at_the_arrays():
    broken = planted(objects, "[_own(table.column(i)) for i", "[table.column(i) for i")
    for case in ("arrays", "Arrow over memory", "Polars over memory"):
        make, change = CASES[case]
        assert changes_through(broken.read_object, make(), change), case


TYPES = {
    pa.int64(): st.integers(-9, 9), pa.uint8(): st.integers(0, 9), pa.float32(): st.just(0.5),
    pa.float64(): st.floats(allow_nan=False), pa.bool_(): st.booleans(), pa.string(): st.text(),
    pa.date32(): st.dates(), pa.timestamp("us"): st.datetimes(), pa.time64("us"): st.times(),
    pa.duration("s"): st.just(dt.timedelta(1)), pa.decimal128(9, 2): st.integers(0, 9),
    pa.null(): st.none(), pa.timestamp("ms", "UTC"): st.integers(0, 9),
    pa.dictionary(pa.int8(), pa.string()): st.sampled_from("abc"), pa.date64(): st.dates(),
}  # fmt: skip


@pytest.mark.parametrize("kind", TYPES, ids=str)
@given(data=st.data())
def test_what_is_copied_is_what_was_there(kind, data):
    cells = data.draw(st.lists(TYPES[kind] | st.none(), max_size=9))
    if pa.types.is_dictionary(kind):
        array = pa.array(cells, pa.string()).dictionary_encode()
    else:
        array = pa.array(cells, kind)
    start = data.draw(st.integers(0, 9))
    part = pa.chunked_array([array.slice(start, 4), array], array.type)
    table = read(pa.table({"x": part}))
    assert table.arrow.field("x").type == array.type
    assert table.to_arrow()["x"].to_pylist() == part.to_pylist()
    table.to_arrow().validate(full=True)


def test_a_schema_does_not_change_with_the_kinds_that_it_was_asked_for():
    kinds = {"n": "count"}
    schema = infer_schema(read({"n": [1, 2, 3, 4] * 9}), kinds)
    kinds["n"] = "categorical"
    assert schema.columns[0].kind == "count"
