import decimal
import importlib.resources
import json

import numpy as np
import pyarrow as pa
import pytest

from anypart.base.errors import ColumnError, DataError, SavedFitError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import PackedCodes, pack
from anypart.data.profile import profile
from anypart.data.schema import Kind
from anypart.data.schema_json import schema_from_json, schema_to_json

from .tables import mixed

PENGUINS = str(importlib.resources.files("anypart.data") / "penguins.csv")


def kind_of(values, name="x"):
    return infer_schema(read({name: values, "other": [0, 1] * (len(values) // 2)})).columns[0]


def test_every_kind_of_column_is_recognised_with_a_reason():
    schema = infer_schema(read(mixed()))
    kinds = {c.name: c.kind.value for c in schema.columns}
    assert kinds == {
        "id": "key",
        "word": "categorical",
        "flag": "binary",
        "digit": "count",
        "spiky": "count",
        "rounded": "continuous",
        "real": "continuous",
        "big": "continuous",
        "day": "date",
        "when": "time",
        "same": "constant",
        "prose": "key",
    }
    assert all(c.reason for c in schema.columns)
    missing = {c.name: c.n_missing for c in schema.columns}
    assert missing["word"] == mixed()["word"].null_count


def test_a_csv_has_the_kinds_of_the_table_it_was_written_from(tmp_path):
    import pyarrow.csv

    pyarrow.csv.write_csv(mixed(), tmp_path / "t.csv")
    typed, text = infer_schema(read(mixed())), infer_schema(read(tmp_path / "t.csv"))
    for a, b in zip(typed.columns, text.columns, strict=True):
        assert (a.name, a.kind, a.n_missing) == (b.name, b.kind, b.n_missing)
        assert len(a.cells) == len(b.cells)


def test_penguins_get_few_codes():
    schema = infer_schema(read(PENGUINS))
    assert {c.name: c.kind.value for c in schema.columns}["sex"] == "binary"
    assert max(c.n_cats for c in schema.modelled) <= 25
    mass = next(c for c in schema.columns if c.name == "body_mass_g")
    assert mass.resolution == 25


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (list(range(100, 140)), Kind.KEY),
        ([f"user{i}" for i in range(40)], Kind.KEY),
        (np.random.default_rng(0).normal(size=400).tolist(), Kind.CONTINUOUS),
        (np.random.default_rng(0).integers(0, 10**9, 400).tolist(), Kind.COUNT),
        ((np.random.default_rng(0).permutation(1000)[:900]).tolist(), Kind.KEY),
        ([f"0{i % 7}123" for i in range(40)], Kind.CATEGORICAL),
        (["true", "false"] * 20, Kind.BINARY),
        (["2020-01-01", "2020-02-01", "2020-03-05"] * 10, Kind.DATE),
        (["2020-01-01 10:00", "2020-02-01T11:30:15", "2020-03-05"] * 10, Kind.TIME),
        (["2020-13-45", "2020-99-99", "2020-00-00"] * 10, Kind.CATEGORICAL),
        ([None] * 40, Kind.CONSTANT),
        (["1", "2", "3", "many"] * 10, Kind.CATEGORICAL),
        (["1", "2", "3", "4"] * 100 + ["many", "5"], Kind.COUNT),
        ([f"word {i % 2001}" for i in range(4002)], Kind.TEXT),
        ([f"w{i % 220}" for i in range(2200)], Kind.CATEGORICAL),
        ([[1], [2], [3]] * 10, Kind.CATEGORICAL),
        ([b"a", b"b", b"\xff"] * 10, Kind.CATEGORICAL),
    ],
)
def test_kinds_follow_from_the_values(values, kind):
    column = kind_of(values)
    assert column.kind == kind, column.reason


def test_zones_stay_whole_and_rare_values_of_many_share_a_bin():
    assert kind_of([f"w{i % 220}" for i in range(2200)]).n_cats == 220
    many = [f"w{i % 200}" for i in range(4000)] + [f"rare{i}" for i in range(100)]
    column = kind_of(many)
    assert column.has_other
    assert column.n_cats == 251


def test_unreadable_and_infinite_values_are_counted_in_the_reason():
    assert "1 infinite or unreadable" in kind_of([1.5, 2.5, float("inf"), 3.5] * 1).reason


@pytest.mark.parametrize("d", [2, 3, 60])
@pytest.mark.parametrize(
    "kind",
    [pa.duration("us"), pa.time64("us"), pa.time32("s"), pa.date64(), pa.timestamp("ns"),
     pa.timestamp("us", "UTC"), pa.uint8(), pa.int8(), pa.float32(), pa.float16(),
     pa.decimal128(10, 2), pa.large_string(), pa.string_view()],
    ids=str,
)  # fmt: skip
def test_any_arrow_type_goes_there_and_back(kind, d):
    days = 86_400_000 if kind == pa.date64() else 1
    values = pa.array([days * (i % d) for i in range(120)], pa.int64())
    if pa.types.is_time32(kind) or pa.types.is_float16(kind):
        values = values.cast(pa.int32() if pa.types.is_time32(kind) else pa.float32())
    if pa.types.is_decimal(kind):
        values = pa.array([decimal.Decimal(v) for v in values.to_pylist()])
    if str(kind).endswith(("string", "view")):
        values = pa.array([f"w{v}" for v in values.to_pylist()])
    rows = pa.table({"x": values.cast(kind), "y": [0, 1] * 60})
    codec = Codec(infer_schema(read(rows)))
    coded = codec.encode(rows)
    again = codec.encode(codec.decode(coded.codes, coded.seen, np.random.default_rng(0)))
    assert coded.seen.all()
    assert (again.codes == coded.codes).all()


def test_integers_beyond_doubles_are_rounded_not_refused():
    rows = {"x": [2**63 - 1 - i % 3 for i in range(60)], "y": [0, 1] * 30}
    assert Codec(infer_schema(read(rows))).encode(read(rows).to_arrow()).seen.all()


def test_overrides_are_obeyed_or_refused():
    table = read({"n": [1, 2, 3, 4] * 10, "s": ["a", "b", "c", "d"] * 10})
    schema = infer_schema(table, {"n": "categorical"})
    assert schema.columns[0].categories == ("1", "2", "3", "4")
    assert infer_schema(table, {"s": "text"}).modelled == (
        *schema.modelled[:0],
        infer_schema(table).columns[0],
    )
    with pytest.raises(ColumnError, match=r"has no column 'nn'.*Did you mean 'n'"):
        infer_schema(table, {"nn": "count"})
    with pytest.raises(DataError, match="kinds are binary"):
        infer_schema(table, {"n": "number"})
    with pytest.raises(DataError, match="cannot be continuous: none of its values"):
        infer_schema(table, {"s": "continuous"})
    with pytest.raises(DataError, match="cannot be date"):
        infer_schema(table, {"s": "date"})
    with pytest.raises(DataError, match="cannot be binary: it has 4"):
        infer_schema(table, {"n": "binary"})


def test_tables_with_nothing_to_model_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n")
    with pytest.raises(DataError, match="2 column names and no rows"):
        infer_schema(read(tmp_path / "t.csv"))
    with pytest.raises(DataError, match="no column that can be modelled: a: constant"):
        infer_schema(read({"a": [1, 1, 1]}))


def test_a_sample_stands_for_a_long_stream(monkeypatch):
    from anypart.data import sample

    monkeypatch.setattr(sample, "MAX_ROWS", 500)
    monkeypatch.setattr(sample, "MAX_CELLS", 500)
    table = pa.table({"a": pa.array(range(200_000)), "b": np.arange(200_000) % 7})
    found = sample.sample_rows(read(table), 0)
    assert found.n_rows == 200_000
    kept = np.array(found.rows["a"])
    assert 500 <= len(kept) <= 2000
    assert (np.diff(kept) > 0).all()
    assert abs(kept.mean() - 1e5) < 5 * 57_735 / np.sqrt(len(kept))


def test_a_schema_survives_json():
    schema = infer_schema(read(mixed()))
    saved = json.loads(json.dumps(schema_to_json(schema), allow_nan=False))
    assert schema_from_json(saved) == schema


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda s: s.pop("columns"), "damaged"),
        (lambda s: s.update(format="x"), "not 'anypart schema'"),
        (lambda s: s.update(version=99), "format version 99"),
        (lambda s: s["columns"][1].update(kind="odd"), "damaged"),
        (lambda s: s["columns"][1].update(arrow_type="odd"), "damaged"),
        (lambda s: s["columns"][3]["cells"].clear(), "has no codes"),
        (lambda s: s["columns"][5]["cells"].pop(3), "do not follow on each other"),
        (lambda s: s["columns"].append(s["columns"][0]), "same name"),
    ],
)
def test_a_damaged_schema_is_refused(damage, message):
    saved = schema_to_json(infer_schema(read(mixed())))
    damage(saved)
    with pytest.raises(SavedFitError, match=message):
        schema_from_json(saved)


def test_packed_codes_are_the_encoded_ones(tmp_path):
    table = mixed()
    codec = Codec(infer_schema(read(table)))
    rows = codec.encode(table)
    packed = pack(read(table), codec, tmp_path / "p")
    again = PackedCodes.open(tmp_path / "p")
    assert packed.layout.row_bytes < len(codec.n_cats)
    assert again.n_rows == len(table)
    assert again.n_cats == codec.n_cats
    for index in (slice(None), np.array([5, 3, 3])):
        codes, seen = again.rows(index)
        assert (codes == rows.codes[index]).all()
        assert (seen == rows.seen[index]).all()
    with pytest.raises(ValueError, match="read-only"):
        again.cells[0] = 1


def test_damaged_packed_codes_are_refused(tmp_path):
    table = mixed()
    pack(read(table), Codec(infer_schema(read(table))), tmp_path / "p")
    whole = (tmp_path / "p" / "codes.bin").read_bytes()
    (tmp_path / "p" / "codes.bin").write_bytes(whole[:-1])
    with pytest.raises(DataError, match="damaged ones"):
        PackedCodes.open(tmp_path / "p")
    (tmp_path / "p" / "packed.json").write_text("{}")
    with pytest.raises(DataError, match="damaged ones"):
        PackedCodes.open(tmp_path / "p")
    with pytest.raises(DataError, match="no packed codes"):
        PackedCodes.open(tmp_path / "q")


def test_a_profile_describes_every_column():
    table = read(mixed())
    schema = infer_schema(table)
    found = profile(table, schema)
    json.dumps(found.to_json(), allow_nan=False)
    by_name = {c.name: c for c in found.columns}
    assert by_name["word"].missing_share == mixed()["word"].null_count / 1500
    assert by_name["spiky"].top[0][0] == "0"
    assert by_name["day"].quantiles[0].startswith("2020-01")
    assert by_name["id"].n_cats == 0


def test_the_excerpt_is_the_shortest_that_shows_every_category():
    table = read(mixed())
    schema = infer_schema(table)
    window = profile(table, schema).excerpt
    names = [c.name for c in schema.modelled if not c.kind.numeric]
    rows = mixed().select(names)

    def shows(start, stop):
        part = rows.slice(start, stop - start)
        return all(
            set(part[n].drop_null().to_pylist()) == set(rows[n].drop_null().to_pylist())
            for n in names
        )

    assert shows(window.start, window.stop)
    shorter = window.length - 1
    # Windows are shortest in cells; by whole rows one may be saved at the edges.
    assert not any(shows(s, s + shorter - 1) for s in range(len(rows) - shorter))
