"""Tables written by file ending, whole or not at all."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, ipc, parquet

from anypart.base.errors import DataError
from anypart.terminal.output import check_output, to_json, write_table

ROWS = pa.table({"a": [1, 2], "b": ["x, y", None]})


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "arrow", "csv.gz"])
def test_what_is_written_can_be_read_back(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"out.{ending}"
    assert write_table([ROWS, ROWS], path) == 4
    wanted = pa.concat_tables([ROWS, ROWS]).to_pylist()
    if ending == "parquet":
        found = parquet.read_table(path).to_pylist()
    elif ending == "arrow":
        with ipc.open_file(path) as file:
            found = file.read_all().to_pylist()
    elif ending == "jsonl":
        found = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        parse = csv.ParseOptions(delimiter="\t" if ending == "tsv" else ",")
        convert = csv.ConvertOptions(strings_can_be_null=True, null_values=[""])
        found = csv.read_csv(path, parse_options=parse, convert_options=convert).to_pylist()
    assert found == wanted
    assert list(tmp_path.iterdir()) == [path]


def test_a_csv_holds_nested_values_as_json_and_bytes_as_text(tmp_path: Path) -> None:
    clock = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    odd = {"list": [[1, None]], "struct": [{"a": "é"}], "bytes": [b"a\xff"], "interval": clock}
    rows = pa.table({**odd, "view": pa.array(["x"], pa.string_view())})
    assert write_table([rows, rows], tmp_path / "out.csv") == 2
    found = csv.read_csv(tmp_path / "out.csv").to_pylist()[0]
    assert (found["list"], found["struct"]) == ("[1, null]", '{"a": "é"}')
    assert (found["bytes"], found["view"]) == ("a\\xff", "x")


def test_an_error_midway_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old")

    def tables() -> Iterator[pa.Table]:
        yield ROWS
        raise KeyboardInterrupt("midway")

    with pytest.raises(KeyboardInterrupt, match="midway"):
        write_table(tables(), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_law_bites_when_the_file_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import nullcontext

    from anypart.terminal import output

    monkeypatch.setattr(output, "replacing", nullcontext)
    with pytest.raises(AssertionError, match="old"):
        test_an_error_midway_leaves_the_old_file_and_nothing_else(tmp_path)


def test_compressed_text_is_what_its_ending_says(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl.gz"
    write_table([ROWS], path)
    assert gzip.decompress(path.read_bytes()).decode().splitlines()[0] == '{"a": 1, "b": "x, y"}'


@pytest.mark.parametrize("name", ["out", "out.xls", "out.parquet.gz", "out.gz"])
def test_an_ending_that_says_nothing_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"no table format has this ending\. Use \.csv"):
        check_output(tmp_path / name)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        check_output(tmp_path / "a.csv")


def test_json_has_no_word_for_infinity() -> None:
    assert to_json([float("nan"), float("inf"), 1.5, {"a": {2}}]) == '[null, null, 1.5, {"a": [2]}]'
