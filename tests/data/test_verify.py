"""Verdicts on a sample are held against every row of a longer table."""

import numpy as np
import pyarrow as pa
import pytest

from anypart.base.errors import DataError
from anypart.data import infer, sample
from anypart.data import verify as shipped
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.schema import Kind

from .planted import planted

N, SAMPLED = 6_000, 2_000


@pytest.fixture(autouse=True)
def _small_samples(monkeypatch):
    monkeypatch.setattr(sample, "MAX_ROWS", SAMPLED)


def outside_the_sample(table, n):
    """Rows that the sample does not hold, found by their place."""
    numbered = read(pa.table({"row": np.arange(table.num_rows)}))
    inside = sample.sample_rows(numbered).rows.column("row").to_pylist()
    return sorted(set(range(table.num_rows)) - set(inside))[:n]


def long_table(one_more):
    """A table; `one_more` puts a counterexample to each verdict outside the sample."""
    rng = np.random.default_rng(0)
    order = rng.permutation(N)
    columns = {
        "wide": order + 13,
        "run": np.arange(N),
        "name": np.array([f"name {i}" for i in order], object),
        "same": np.full(N, 7),
        "two": np.array(["yes", "no"], object)[rng.integers(0, 2, N)],
        "some": np.array(["a", "b", "c"], object)[rng.integers(0, 3, N)],
        "x": rng.normal(size=N),
    }
    a, b = outside_the_sample(pa.table(columns), 2)
    if one_more:
        for key in ("wide", "run", "name"):
            columns[key][a] = columns[key][b]
        columns["same"][a], columns["two"][a], columns["some"][a] = 8, "maybe", "d"
    return pa.table({k: pa.array(v.tolist()) for k, v in columns.items()})


def check_that_every_row_counts(module, monkeypatch):
    monkeypatch.setattr(infer, "verified", module.verified)
    true, false = (infer.infer_schema(read(long_table(more))) for more in (False, True))
    kinds = [c.kind for c in true.columns]
    assert kinds[:5] == [Kind.KEY, Kind.KEY, Kind.KEY, Kind.CONSTANT, Kind.BINARY]
    kinds = [c.kind for c in false.columns]
    assert kinds[:5] == [Kind.COUNT, Kind.COUNT, Kind.TEXT, Kind.BINARY, Kind.CATEGORICAL]
    assert [c.categories for c in false.columns[3:6]] == [
        ("7", "8"),
        ("maybe", "no", "yes"),
        ("a", "b", "c", "d"),
    ]


def test_every_row_counts_for_keys_constants_and_categories(monkeypatch):
    check_that_every_row_counts(shipped, monkeypatch)


def test_the_law_bites(monkeypatch):
    for old, new in [
        ("HAVING count(*) > 1", "HAVING count(*) > 2"),
        ("n_strange[at] >= ENOUGH", "n_strange[at] >= 0"),
    ]:
        with pytest.raises(AssertionError, match="assert"):
            check_that_every_row_counts(planted(shipped, old, new), monkeypatch)


def test_the_reason_speaks_of_all_rows():
    reasons = {c.name: c.reason for c in infer.infer_schema(read(long_table(False))).columns}
    assert reasons["run"] == f"one run of integers, 0 to {N - 1}, each once"
    assert reasons["name"] == f"all {N:,} values different"
    reasons = {c.name: c.reason for c in infer.infer_schema(read(long_table(True))).columns}
    assert "is there twice" in reasons["name"]
    assert reasons["two"].endswith("maybe is rare")


def test_every_cell_of_a_long_table_has_a_code():
    table = long_table(True)
    assert Codec(infer.infer_schema(read(table))).encode(table).unknown == {}


def test_an_asked_kind_is_kept_or_refused():
    table = read(long_table(True))
    kept = infer.infer_schema(table, {"wide": "key", "some": "categorical"})
    assert kept.columns[0].kind == Kind.KEY
    assert "d" in kept.columns[5].categories
    with pytest.raises(DataError, match="'two' cannot be binary: it has 3"):
        infer.infer_schema(table, {"two": "binary"})


def test_a_category_beyond_what_a_column_holds_is_in_the_bin_of_rare_ones():
    table = long_table(False)
    row = outside_the_sample(table, 1)[0]
    words = [f"w{i % 250:03}" for i in range(N)]
    words[row] = "unheard"
    found = infer.infer_schema(read(table.append_column("word", pa.array(words)))).columns[-1]
    assert found.has_other
    assert len(found.categories) == 250
