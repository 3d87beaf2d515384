"""Integers beyond 2^53 come back exactly, or are refused; a double never stands for them."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from anypart.base.errors import DataError
from anypart.data import values as shipped
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.schema import Kind

from .planted import planted

NAMES = [2**53, -(2**53), 2**53 + 1, 2**60 + 7, 2**63 - 1, -(2**63)]


def as_column(form, numbers):
    """The same integers as an Arrow column of each type that holds them."""
    if form == "text":
        return pa.array([str(n) for n in numbers])
    if form == "decimal":
        return pa.array([Decimal(n) for n in numbers], pa.decimal128(38, 0))
    return pa.array(numbers, form)


def check_that_values_come_back(form, numbers):
    rng = np.random.default_rng(0)
    cells = rng.choice(np.array(numbers, object), 400).tolist()
    table = pa.table({"id": as_column(form, cells), "other": rng.integers(0, 5, 400)})
    schema = infer_schema(read(table))
    assert schema.columns[0].kind == Kind.CATEGORICAL
    codec = Codec(schema)
    coded = codec.encode(table)
    back = codec.decode(coded.codes, coded.seen, rng).column("id").to_pylist()
    assert coded.seen.all()
    assert [int(v) for v in back] == cells


@pytest.mark.parametrize("form", ["int64", "text", "decimal"])
def test_large_integers_that_repeat_are_names_and_come_back_exactly(form):
    check_that_values_come_back(form, NAMES)


def test_integers_that_no_type_of_64_bits_holds_come_back_exactly():
    for form in ("text", "decimal"):
        check_that_values_come_back(form, [10**25 + i for i in range(6)])
    check_that_values_come_back("uint64", [2**64 - 1 - i for i in range(6)])


def test_a_stray_sentinel_is_unseen_and_the_column_stays_a_quantity():
    cells = np.random.default_rng(0).integers(0, 50, 1_000).tolist()
    cells[3] = cells[7] = 2**63 - 1
    for form in ("int64", "text"):
        table = pa.table({"n": as_column(form, cells)})
        schema = infer_schema(read(table))
        assert schema.columns[0].kind == Kind.COUNT
        assert "2 beyond 2^53 are unseen" in schema.columns[0].reason
        coded = Codec(schema).encode(table)
        assert coded.unknown == {"n": 2}
        assert np.flatnonzero(~coded.seen[:, 0]).tolist() == [3, 7]


def test_large_integers_as_counts_are_refused_and_as_continuous_are_doubles():
    table = read(pa.table({"id": NAMES * 20}))
    with pytest.raises(DataError, match=r"reach beyond 2\^53.*categorical"):
        infer_schema(table, {"id": "count"})
    assert infer_schema(table, {"id": "continuous"}).columns[0].arrow_type == "double"


def test_the_limit_is_where_doubles_begin_to_skip():
    near, far = 2**53 - 1, 2**53
    assert float(near) != float(near - 1)
    assert float(far) == float(far + 1)
    numbers = [near, -near, far, -far, 0]
    for form in ("int64", "text", "decimal"):
        found = shipped.beyond_exact(as_column(form, [*numbers, None][:5])).tolist()
        assert found == [False, False, True, True, False]
    careless = planted(shipped, "EXACT = 2**53 ", "EXACT = 2**62 ")
    assert not careless.beyond_exact(as_column("int64", numbers)).any()
