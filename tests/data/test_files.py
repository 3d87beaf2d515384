import bz2
import dataclasses
import gzip
import json
import sqlite3

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data.files import read
from anypart.data.files.dialect import MISSING

ROWS = [{"a": "1", "b": "x", "c": "0.5"}, {"a": "2", "b": None, "c": "1.5"}]
TEXT = "a,b,c\n1,x,0.5\n2,,1.5\n"


def rows_of(path, raw, **settings):
    path.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    return read(path, **settings).to_arrow().to_pylist()


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", "|"),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.rstrip(),
        "\ufeff" + TEXT,
        "\n\n" + TEXT,
        '"a","b","c"\n"1","x","0.5"\n"2","","1.5"\n',
        "a, b, c\n1, x, 0.5\n2, NA, 1.5\n",
        "a;b;c\n1;x;0,5\n2;;1,5\n",
    ],
)
def test_usual_dialects_read_alike(tmp_path, text):
    assert rows_of(tmp_path / "t.csv", text) == ROWS


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bz2.compress])
def test_compressed_files_are_known_by_their_first_bytes(tmp_path, pack):
    assert rows_of(tmp_path / "t.csv.packed", pack(TEXT.encode())) == ROWS


def test_utf16_with_its_mark_is_read(tmp_path):
    assert rows_of(tmp_path / "t.csv", TEXT.encode("utf-16")) == ROWS


def test_cells_that_are_not_utf8_are_latin1_one_by_one(tmp_path):
    raw = "naïve,b\ncafé,1\n".encode() + "über,2\n".encode("latin-1")
    rows = rows_of(tmp_path / "t.csv", raw)
    assert rows == [{"naïve": "café", "b": "1"}, {"naïve": "über", "b": "2"}]
    assert rows_of(tmp_path / "t.csv", "ä,b\nö,1\n".encode("latin-1")) == [{"ä": "ö", "b": "1"}]


@pytest.mark.parametrize("token", ["", "NA", "N/A", "NaN", "nan", "null", "NULL", '""'])
def test_cells_that_say_nothing_are_missing(tmp_path, token):
    assert rows_of(tmp_path / "t.csv", f"a,b\n{token},1\n") == [{"a": None, "b": "1"}]


def test_quoted_cells_keep_delimiters_quotes_and_newlines(tmp_path):
    text = 'a,b\n"x,y\nz","say ""hi"""\n'
    assert rows_of(tmp_path / "t.csv", text) == [{"a": "x,y\nz", "b": 'say "hi"'}]


def test_a_header_may_hold_a_newline(tmp_path):
    assert rows_of(tmp_path / "t.csv", '"a\nb",c\n1,x\n') == [{"a\nb": "1", "c": "x"}]


def test_one_column_keeps_its_empty_lines_as_missing(tmp_path):
    assert rows_of(tmp_path / "t.csv", "a\n1\n\n3\n") == [{"a": "1"}, {"a": None}, {"a": "3"}]


def test_second_and_empty_names_are_made_unique_with_a_note(tmp_path):
    (tmp_path / "t.csv").write_text("a,a,,a_2\n1,2,3,4\n")
    table = read(tmp_path / "t.csv")
    assert table.arrow.names == ["a", "a_3", "column_3", "a_2"]
    assert "'a_3'" in table.notes[0]


def test_a_table_of_numbers_only_has_no_header(tmp_path):
    rows = rows_of(tmp_path / "t.csv", "1.5,2\n3,4\n")
    assert rows == [{"column_1": "1.5", "column_2": "2"}, {"column_1": "3", "column_2": "4"}]
    assert rows_of(tmp_path / "t.csv", "0,1,2\n7,8,9\n") == [{"0": "7", "1": "8", "2": "9"}]


def test_ten_thousand_names_and_no_rows_are_a_table(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(f"c{i}" for i in range(10_000)) + "\n")
    table = read(tmp_path / "t.csv")
    assert len(table.arrow) == 10_000
    assert table.to_arrow().num_rows == 0


def test_batches_are_small_and_can_be_read_again(tmp_path):
    (tmp_path / "t.csv").write_text("a\n" + "\n".join(map(str, range(1000))))
    table = read(tmp_path / "t.csv")
    assert [b.num_rows for b in table.batches(300)] == [300, 300, 300, 100]
    assert table.to_arrow() == table.to_arrow()


REFUSED = {
    "t.csv": [
        (b"", "t.csv is empty"),
        (b"\n \n", "t.csv is empty"),
        (b"a,b\n1\n2,3\n", "row 2 has 1 cells and the first row 2"),
        (b"a,b\n1,2\n1,2,3\n", "row 3 has 3 cells"),
        (b"\x89PNG\0\0\0", "is not a text table"),
        (gzip.compress(TEXT.encode() * 9, mtime=0)[:40], "cannot be read"),
    ],
    "t.parquet": [(b"PAR1 but no", "cannot be read as a table"), (b"", "cannot be read")],
    "t.arrow": [(b"ARROW1\0\0 but no", "cannot be read as a table"), (b"", "cannot be read")],
    "t.jsonl": [
        (b"", "is empty"),
        (b'{"a": 1}\n[1]\n', "line 2 is not a JSON object"),
        (b'{"a": 1}\n{"a": ', "line 2 is not a JSON object"),
    ],
    "t.duckdb": [(b"no", "cannot be read as a table")],
    "t.sqlite": [(b"SQLite format 3\0 but no", "cannot be read as a table")],
    "t.xlsx": [(b"PK", "is Excel, which is not read here")],
}


@pytest.mark.parametrize(
    ("name", "raw", "message"), [(n, *c) for n, v in REFUSED.items() for c in v]
)
def test_damaged_files_are_refused_with_a_reason(tmp_path, name, raw, message):
    with pytest.raises(DataError, match=message):
        rows_of(tmp_path / name, raw)


def test_absent_files_are_named_with_the_nearest_one(tmp_path):
    (tmp_path / "adult.csv").write_text(TEXT)
    with pytest.raises(DataError, match=r"Did you mean 'adult\.csv'"):
        read(tmp_path / "adlut.csv")
    with pytest.raises(DataError, match="no file matches"):
        read(str(tmp_path / "*.tsv"))
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)


def test_json_lines_become_text_and_absent_keys_are_missing(tmp_path):
    lines = [{"a": 1, "b": True}, {"a": 2.5, "c": {"x": [1]}}, {"b": None, "c": "é"}]
    rows = rows_of(tmp_path / "t.jsonl", "\n".join(map(json.dumps, lines)))
    assert rows == [
        {"a": "1", "b": "true", "c": None},
        {"a": "2.5", "b": None, "c": '{"x": [1]}'},
        {"a": None, "b": None, "c": "é"},
    ]


def test_columnar_files_keep_their_types(tmp_path):
    table = pa.table({"a": [1, None], "b": ["x", "y"], "c": [0.5, 1.5]})
    pq.write_table(table, tmp_path / "t.parquet")
    pa.feather.write_feather(table, tmp_path / "t.feather")
    with pa.ipc.new_stream(str(tmp_path / "t.arrow"), table.schema) as sink:
        sink.write_table(table)
    for name in ("t.parquet", "t.feather", "t.arrow"):
        assert read(tmp_path / name).to_arrow() == table


def test_a_pattern_joins_files_with_the_same_columns(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,x\n")
    (tmp_path / "2.csv").write_text("a,b\n2,y\n")
    assert read(str(tmp_path / "*.csv")).to_arrow()["a"].to_pylist() == ["1", "2"]
    (tmp_path / "3.csv").write_text("b,a\nz,3\n")
    assert read(str(tmp_path / "*.csv")).to_arrow()["b"].to_pylist() == ["x", "y", "z"]
    (tmp_path / "3.csv").write_text("a,c\n2,y\n")
    with pytest.raises(DataError, match="differ in their columns: b, c"):
        read(str(tmp_path / "*.csv"))


def test_databases_answer_queries_or_give_their_only_table(tmp_path):
    with duckdb.connect(str(tmp_path / "t.duckdb")) as base:
        base.execute("CREATE TABLE t AS SELECT range AS a, 'x' AS b FROM range(5)")
    base = sqlite3.connect(tmp_path / "t.sqlite")
    base.execute("CREATE TABLE t (a, b)")
    base.executemany("INSERT INTO t VALUES (?, ?)", [(i, "x") for i in range(5)])
    base.commit()
    base.close()
    for name in ("t.duckdb", "t.sqlite"):
        assert read(tmp_path / name).to_arrow()["a"].cast("int64").to_pylist() == [0, 1, 2, 3, 4]
        some = read(tmp_path / name, query="SELECT b, a FROM t WHERE a > 2")
        assert some.to_arrow().num_rows == some.to_arrow().num_rows == 2
        with pytest.raises(DataError, match="refuses the query"):
            read(tmp_path / name, query="SELECT nothing FROM nowhere")
        with pytest.raises(DataError, match="query= is for DuckDB and SQLite"):
            read({"a": [1]}, query="SELECT 1")


def test_several_tables_need_a_query(tmp_path):
    with duckdb.connect(str(tmp_path / "t.duckdb")) as base:
        base.execute("CREATE TABLE t (a INT); CREATE TABLE u (a INT)")
    with pytest.raises(DataError, match=r"has 2 tables \(t, u\)"):
        read(tmp_path / "t.duckdb")


COLUMNS = {"a": [1, 2, None], "b": ["x", None, "z"]}


@pytest.mark.parametrize(
    "source",
    [
        pa.table(COLUMNS),
        pd.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS),
        pl.DataFrame(COLUMNS).lazy(),
        COLUMNS,
        [{"a": 1, "b": "x"}, {"a": 2}, {"b": "z"}],
        pa.table(COLUMNS).to_reader(),
        duckdb.from_arrow(pa.table(COLUMNS)),
        pa.table(COLUMNS).to_batches()[0],
    ],
    ids=lambda s: f"{type(s).__module__}.{type(s).__name__}",
)
def test_tables_in_memory_are_read_twice_alike(source):
    table = read(source)
    assert table.n_rows == 3
    for _ in range(2):
        rows = table.to_arrow()
        assert rows["a"].cast(pa.float64()).to_pylist() == [1, 2, None]
        assert rows["b"].to_pylist() == ["x", None, "z"]


def test_mixed_types_in_a_column_become_text():
    expected = ["1", "x", "true", None, "2.5"]
    for source in (
        {"m": [1, "x", True, None, 2.5]},
        pd.DataFrame({"m": [1, "x", True, np.nan, 2.5]}),
    ):
        assert read(source).to_arrow()["m"].to_pylist() == expected


def test_objects_that_are_no_table_are_refused():
    with pytest.raises(DataError, match="cannot read a table from a int"):
        read(5)
    with pytest.raises(DataError, match="different lengths"):
        read({"a": [1], "b": [1, 2]})
    with pytest.raises(DataError, match="row 1 is a int"):
        read([{"a": 1}, 2])
    with pytest.raises(DataError, match="has no columns"):
        read([])
    with pytest.raises(DataError, match="is a str, not a list"):
        read({"a": "xyz"})


@pytest.mark.parametrize("values", [pd.Series([1, 2]), pl.Series([1, 2])], ids=["pandas", "polars"])
def test_a_single_column_is_told_how_to_become_a_table(values):
    with pytest.raises(DataError, match=r"Give it as one: column.to_frame\(\)"):
        read(values)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!DOCTYPE html>\n<html><body>Sign in, please</body></html>\n", "is a web page"),
        ("\n  <HTML>\n", "is a web page"),
        ("%PDF-1.4\n1 0 obj\n", "is a PDF"),
    ],
)
def test_what_was_saved_instead_of_a_table_is_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read(tmp_path / "t.csv")


def test_single_quotes_around_every_name_are_quotation_marks(tmp_path):
    (tmp_path / "t.csv").write_text("'a','b'\n'x, y','it''s'\n'z','1'\n")
    assert read(tmp_path / "t.csv").to_arrow().to_pydict() == {
        "a": ["x, y", "z"],
        "b": ["it's", "1"],
    }
    (tmp_path / "t.csv").write_text("a,b\n'tis,'twas\n")
    assert read(tmp_path / "t.csv").to_arrow().to_pydict() == {"a": ["'tis"], "b": ["'twas"]}


@pytest.mark.parametrize("text", ["a", "a,b", "\n\na,b"])
def test_names_without_an_end_of_line_are_a_table_without_rows(tmp_path, text):
    (tmp_path / "t.csv").write_text(text)
    assert read(tmp_path / "t.csv").to_arrow().num_rows == 0


CELLS = st.text(st.characters(codec="utf8", exclude_characters="\0"), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_what_pandas_writes_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("written") / "t.csv"
    clean = [tuple(c.replace("\r", "").strip() or "x" for c in row) for row in rows]
    clean = [tuple("x" if c in MISSING else c for c in row) for row in clean]
    pd.DataFrame(clean, columns=["first", "second"]).to_csv(path, index=False, quoting=1)
    assert [tuple(r.values()) for r in read(path).to_arrow().to_pylist()] == clean


def test_a_table_shows_its_name_columns_and_notes() -> None:
    table = read(pa.table({f"c{i}": [i] for i in range(30)}))
    lines = repr(dataclasses.replace(table, name="t.csv", notes=("guessed",))).splitlines()
    assert lines[0].startswith("t.csv: 1 rows, 30 columns (c0, c1, ")
    assert lines[0].endswith("c19, …)")
    assert lines[1:] == ["  guessed"]
