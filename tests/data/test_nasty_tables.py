"""Tables as people have them: foreign dialects, spellings, gaps, headers that are not there."""

import datetime as dt
import decimal
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from anypart.base.errors import DataError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.profile import profile
from anypart.data.schema_json import schema_from_json, schema_to_json
from anypart.data.spelling import Spelling, find_spelling
from anypart.data.values import placed

N = 120
rng = np.random.default_rng(0)
PRICES = np.round(rng.gamma(2.0, 900.0, N) + 1000, 2)
DAYS = [dt.datetime(2020, 1, 5) + dt.timedelta(days=int(d)) for d in rng.integers(0, 900, N)]
TIMES = [
    day + dt.timedelta(seconds=int(s))
    for day, s in zip(DAYS, rng.integers(0, 86400, N), strict=True)
]


def written(tmp_path, rows, name="t.csv", encoding="utf8"):
    path = tmp_path / name
    path.write_bytes("\n".join([*rows, ""]).encode(encoding))
    return read(path)


def column(words):
    return infer_schema(read({"x": words, "other": [0, 1] * (len(words) // 2)})).columns[0]


def swapped(text, pairs):
    return "".join(dict(pairs).get(c, c) for c in text)


@pytest.mark.parametrize(
    ("spell", "said"),
    [
        (lambda x: f"${x:,.2f}", "$1,234.56"),
        (lambda x: f"{x:.2f} €", "1234.56 €"),
        (lambda x: swapped(f"{x:,.2f} €", [(",", "."), (".", ",")]), "1.234,56 €"),
        (lambda x: f"USD {x:,.2f}", "USD 1,234.56"),
        (lambda x: f"{x:.2f}%", "1234.56%"),
        (lambda x: f"{x:.2f} kg", "1234.56 kg"),
        (lambda x: f"{x:,.2f}".replace(",", "'"), "1'234.56"),
        (lambda x: swapped(f"{x:,.2f}", [(",", "\xa0"), (".", ",")]), "1\xa0234,56"),
    ],
)
def test_numbers_are_read_however_they_are_written_and_given_back_so(spell, said):
    words = [spell(x) for x in PRICES]
    found = column(words)
    assert found.kind == "continuous"
    assert said in found.reason
    x, known = placed(pa.array(words), found)
    assert known.all()
    assert np.array_equal(x, PRICES)
    assert found.spelling.write(pa.array(x)).to_pylist() == words


@pytest.mark.parametrize(
    "pattern",
    [
        *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y"),
        *("%d.%m.%y", "%Y%m%d", "%m/%d/%Y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S"),
        "%Y年%m月%d日",
    ],
)
def test_dates_are_read_however_they_are_written_and_given_back_so(pattern):
    words = [t.strftime(pattern) for t in TIMES]
    found = column(words)
    assert found.kind == ("time" if "%M" in pattern else "date")
    codec = Codec(infer_schema(read({"x": words, "other": [0, 1] * (N // 2)})))
    x, known = placed(pa.array(words), found)
    assert known.all()
    unit = 1 if "%M" in pattern else 86400
    assert x[0] == (TIMES[0] - dt.datetime(1970, 1, 1)).total_seconds() // unit
    coded = codec.encode(pa.table({"x": words, "other": [0] * N}))
    back = codec.decode(coded.codes, coded.seen, np.random.default_rng(0)).column("x").to_pylist()
    assert all(dt.datetime.strptime(word, pattern) for word in back)
    iso = placed(pa.array([TIMES[0].date().isoformat()]), found)[0][0]
    assert iso * unit == (DAYS[0] - dt.datetime(1970, 1, 1)).total_seconds() // 86400 * 86400


def test_a_date_that_two_orders_fit_says_so():
    words = [f"{1 + i % 12:02}/{1 + i % 11:02}/2020" for i in range(N)]
    assert "it could be DD/MM/YYYY" in column(words).reason
    assert "it could be" not in column([*words[:-1], "12/31/2020"]).reason


def test_times_of_a_day_are_seconds_and_come_back_as_times():
    words = [t.strftime("%H:%M") for t in TIMES]
    found = column(words)
    assert (found.kind, found.resolution) == ("count", 60.0)
    x, _ = placed(pa.array(["05:32"]), found)
    assert x[0] == (5 * 60 + 32) * 60
    codec = Codec(infer_schema(read({"x": words, "other": [0, 1] * (N // 2)})))
    coded = codec.encode(pa.table({"x": words}))
    back = codec.decode(coded.codes, None, np.random.default_rng(0)).column("x")
    assert all(dt.datetime.strptime(word, "%H:%M") for word in back.to_pylist())


@pytest.mark.parametrize(
    "words",
    [
        [f"Z{i % 40}" for i in range(N)],  # codes, not numbers with a unit in front
        [f"{i % 40:05}" for i in range(N)],
        [f"{i % 9}.{i % 7}.{i % 11}" for i in range(N)],  # versions, not dates
        [f"{i % 30}-{i % 30 + 5}" for i in range(N)],
        ["31.02.2020", "30.02.2021"] * (N // 2),
        ["+43 660 1234567", "+43 1 58801"] * (N // 2),
    ],
)
def test_what_only_looks_like_numbers_or_dates_stays_words(words):
    found = column(words)
    assert found.kind in ("categorical", "binary", "text", "key")
    assert found.spelling.is_plain


@pytest.mark.parametrize("mark", ["?", "-", ".", "n.a.", "None", "unknown", "#DIV/0!"])
def test_a_mark_among_numbers_is_a_gap_and_among_words_a_word(mark):
    numbers = [mark if i % 10 == 3 else str(i * 37 % 100) for i in range(N)]
    found = column(numbers)
    assert (found.kind, found.n_missing, found.spelling.gaps) == ("count", N // 10, (mark,))
    assert f"{mark!r} taken as no value" in found.reason
    words = [mark if i % 10 == 3 else "abc"[i % 3] for i in range(N)]
    assert mark in column(words).categories
    table = read({"x": words, "other": [0, 1] * (N // 2)})
    schema = infer_schema(table, missing=[mark])
    assert schema.columns[0].categories == ("a", "b", "c")
    assert schema.columns[0].n_missing == N // 10
    assert not Codec(schema).encode(table.to_arrow()).seen[3, 0]


def test_a_number_that_means_no_value_is_named_and_can_be_told():
    ages = [-999 if i % 10 == 0 else 20 + i * 7 % 50 for i in range(N)]
    for values in (ages, [f"{x}.0" for x in ages], pa.array(ages, pa.float32())):
        table = read(pa.table({"x": values, "y": [0, 1] * (N // 2)}))
        assert "--missing -999" in profile(table, infer_schema(table)).columns[0].warnings[0]
        found = infer_schema(table, missing=["-999"]).columns[0]
        assert (found.n_missing, found.cells[0].low >= 0) == (N // 10, True)
        assert not profile(table, infer_schema(table, missing=["-999"])).columns[0].warnings
    assert infer_schema(read(pa.table({"x": pa.array([25, 3] * 50, pa.uint8())})), missing=["-999"])


def test_words_that_may_be_gaps_or_the_same_word_are_named():
    words = ["?", "yes", "Yes", "no"] * (N // 4)
    table = read({"x": words, "y": [0, 1] * (N // 2)})
    said = profile(table, infer_schema(table)).columns[0].warnings
    assert "--missing '?'" in said[0]
    assert said[1] == "'Yes' and 'yes' are taken as different"


def test_marks_and_nan_of_a_long_table_are_counted_on_all_rows(monkeypatch):
    monkeypatch.setattr("anypart.data.sample.MAX_CELLS", 1)  # 2,000 rows are looked at
    n = 20_000
    words = ["?" if i % 4 == 0 else str(i * 37 % 100) for i in range(n)]
    reals = np.where(np.arange(n) % 5 == 0, np.nan, np.arange(n) / 7)
    schema = infer_schema(read(pa.table({"x": words, "y": reals})))
    assert [c.n_missing / n for c in schema.columns] == pytest.approx([0.25, 0.2], abs=0.03)


def test_a_spelling_survives_in_a_saved_schema_and_old_ones_have_none():
    schema = infer_schema(read({"x": [f"${x:,.2f}" for x in PRICES], "y": [0, 1] * (N // 2)}))
    saved = json.loads(json.dumps(schema_to_json(schema)))
    assert schema_from_json(saved) == schema
    for one in saved["columns"]:
        del one["spelling"]
    assert all(c.spelling == Spelling() for c in schema_from_json(saved).columns)


def test_a_european_file_has_thousands_with_points_and_decimals_with_commas(tmp_path):
    rows = [
        f"{swapped(f'{x:,.2f}', [(',', '.'), ('.', ',')])};{i % 7},5" for i, x in enumerate(PRICES)
    ]
    table = written(tmp_path, ["Umsatz;Größe", *rows], encoding="cp1252")
    assert table.arrow.names == ["Umsatz", "Größe"]
    assert [float(x) for x in table.to_arrow().column("Umsatz").to_pylist()] == PRICES.tolist()


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (["# made by a tool", "# on a day"], "first 2 rows"),
        (["Sales 2024"], "first line"),
        (["Sales 2024,,", ",,"], "first 2 rows"),
    ],
)
def test_comments_and_titles_before_the_table_are_skipped_and_said(tmp_path, before, said):
    rows = [f"{i % 5},{'xyz'[i % 3]},{i % 9}" for i in range(N)]
    table = written(tmp_path, [*before, "a,b,c", *rows])
    assert table.arrow.names == ["a", "b", "c"]
    assert table.to_arrow().num_rows == N
    assert said in table.notes[0]


def test_a_header_that_only_looks_like_a_comment_or_a_title_is_kept(tmp_path):
    rows = [f"{i},{i % 9}" for i in range(N)]
    assert written(tmp_path, ["#chrom,pos", *rows]).arrow.names == ["#chrom", "pos"]
    assert written(tmp_path, [",0", *rows]).arrow.names == ["column_1", "0"]
    assert written(tmp_path, ["# x", *(str(i) for i in range(N))]).to_arrow().num_rows == N


def test_the_separator_that_a_spreadsheet_names_is_taken(tmp_path):
    table = written(tmp_path, ["sep=;", "a;b", *(f"{i},5;{i % 3}" for i in range(N))])
    assert table.arrow.names == ["a", "b"]
    assert table.to_arrow().num_rows == N


def test_rows_one_wider_than_the_header_have_names_or_end_in_a_comma(tmp_path):
    names = written(tmp_path, ["a,b", *(f"r{i},{i % 5},{i % 3}" for i in range(N))])
    assert names.arrow.names == ["column_1", "a", "b"]
    assert names.to_arrow().column("a").to_pylist()[:2] == ["0", "1"]
    tail = written(tmp_path, ["a,b", *(f"{i % 5},{i % 3}," for i in range(N))])
    assert tail.arrow.names == ["a", "b", "column_3"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "cp1252"])
def test_encodings_are_found_without_a_mark_too(tmp_path, encoding):
    table = written(
        tmp_path, ["Größe;Art", *(f"{i};„€{i % 3}“" for i in range(N))], encoding=encoding
    )
    assert table.arrow.names == ["Größe", "Art"]
    assert table.to_arrow().column("Art")[1].as_py() == "„€1“"


def test_a_quotation_mark_that_is_never_closed_is_named(tmp_path):
    rows = [f"{i % 5},y" for i in range(60_000)]
    table = written(tmp_path, ["a,b", '1,"x', *rows])
    assert "never closed" in table.notes[0]
    with pytest.raises(DataError, match=r"row 2 goes over .* lines.* never closed"):
        infer_schema(table)


def test_json_is_an_array_or_lines_whatever_its_ending(tmp_path):
    rows = [{"a": i, "b": {"c": [i % 3]}} for i in range(N)]
    for number, text in enumerate(
        (json.dumps(rows), json.dumps(rows, indent=1), "\n".join(map(json.dumps, rows)))
    ):
        path = tmp_path / f"{number}.json"
        path.write_text(text)
        found = read(path).to_arrow()
        assert found.column("a").to_pylist() == [str(i) for i in range(N)]
        assert found.column("b")[1].as_py() == '{"c": [1]}'
    path.write_text(json.dumps(rows)[:-9])
    with pytest.raises(DataError, match=f"item {N} is not a JSON object"):
        read(path)


def test_an_array_of_json_is_streamed_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("anypart.data.files.json_lines.CHUNK", 7)
    (tmp_path / "t.json").write_text(json.dumps([{"größe": "ä,]", "n": i} for i in range(9)]))
    found = read(tmp_path / "t.json").to_arrow()
    assert found.column("größe").to_pylist() == ["ä,]"] * 9


def test_times_in_another_unit_than_the_fitted_ones_are_the_same_times():
    clock = [dt.time(i % 24, i * 7 % 60) for i in range(N)]
    table = pa.table({"t": pa.array(clock, pa.time32("s")), "y": [0, 1] * (N // 2)})
    schema = infer_schema(read(table))
    shown = profile(read(table), schema).columns[0].quantiles
    assert shown[0] == "00:00:00"
    codec = Codec(schema)
    other = table.set_column(0, "t", table.column("t").cast(pa.time64("us")))
    assert np.array_equal(codec.encode(table).codes, codec.encode(other).codes)


def test_decimals_are_the_doubles_nearest_to_them():
    cents = pa.array([decimal.Decimal(i) / 100 for i in range(10_000)], pa.decimal128(10, 2))
    found = infer_schema(read(pa.table({"x": cents}))).columns[0]
    assert placed(cents, found)[0].tolist() == [i / 100 for i in range(10_000)]
    assert found.resolution == 0.01


def test_damaged_text_in_a_parquet_file_is_a_clean_error(tmp_path):
    raw = pa.array([b"sound", b"\xe2\x82"] * 20, pa.binary())
    text = pa.Array.from_buffers(pa.string(), 40, raw.buffers())
    pa.parquet.write_table(pa.table({"x": text}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"t\.parquet cannot be read to its end: .*UTF8"):
        infer_schema(read(tmp_path / "t.parquet"))


def test_numbers_too_large_to_square_count_as_infinite():
    values = [1e308, -1e308, 1e149, 0.5] * 30
    found = infer_schema(read({"x": values, "y": [0, 1] * 60})).columns[0]
    assert "60 infinite or unreadable values are unseen" in found.reason
    assert placed(pa.array(values), found)[1].tolist() == [False, False, True, True] * 30


def test_a_planted_bug_in_reading_dates_is_caught(monkeypatch):
    real = Spelling._read_times
    text = pa.array(["31.02.2020", "01.02.2020"])
    assert real(Spelling(pattern="%d.%m.%Y"), text).null_count == 1
    monkeypatch.setattr(
        "anypart.data.spelling.form._unpadded", lambda array: pa.array(["same"] * len(array))
    )
    with pytest.raises(AssertionError):
        assert real(Spelling(pattern="%d.%m.%Y"), text).null_count == 1


def test_words_without_values_have_the_plain_spelling():
    assert find_spelling(pa.array([], pa.string()), 0.99) == Spelling()
    assert find_spelling(pa.array(["?", "-"]), 0.99) == Spelling()
