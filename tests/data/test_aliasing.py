"""What a table is built from may change afterwards: the table does not."""

import numpy as np
import pandas as pd
import pytest

from anypart.data.files import objects, read
from anypart.data.infer import infer_schema

from .planted import planted


def changes_through(read_source, source, change):
    table = read_source(source)
    before = table.to_arrow().to_pylist()
    change(source)
    return table.to_arrow().to_pylist() != before


def change_array(source):
    source["n"][0] = 99


def change_frame(source):
    values = source["n"].to_numpy()
    values.flags.writeable = True
    values[0] = 99


CASES = {
    "arrays": (lambda: {"n": np.arange(5)}, change_array),
    "floats": (lambda: {"n": np.arange(5) / 2}, change_array),
    "lists": (lambda: {"n": [1, 2, 3]}, change_array),
    "rows": (lambda: [{"n": 1}, {"n": 2}], lambda rows: rows[0].update(n=99)),
    "pandas": (lambda: pd.DataFrame({"n": np.arange(5)}), change_frame),
}


@pytest.mark.parametrize("case", CASES)
def test_a_table_never_changes_with_what_it_was_built_from(case):
    make, change = CASES[case]
    assert not changes_through(read, make(), change)


def test_the_law_notices_a_table_that_looks_at_the_arrays():
    broken = planted(objects, "values = values.copy()", "pass")
    assert changes_through(broken.read_object, *(f() if i == 0 else f
                           for i, f in enumerate(CASES["arrays"])))  # fmt: skip


def test_a_schema_does_not_change_with_the_kinds_that_it_was_asked_for():
    kinds = {"n": "count"}
    schema = infer_schema(read({"n": [1, 2, 3, 4] * 9}), kinds)
    kinds["n"] = "categorical"
    assert schema.columns[0].kind == "count"
