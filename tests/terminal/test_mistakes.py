"""What a person with a table may get wrong: one message that says what to do, exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pyarrow import csv

from anypart.terminal.main import main

from ..queries.conftest import schema, stacked, table  # noqa: F401


@pytest.fixture
def folder(stacked, table, tmp_path, monkeypatch):  # noqa: F811
    """A folder with a fit, its table, and tables that do not fit."""
    stacked.save(tmp_path / "t.fit")
    csv.write_csv(table.slice(0, 50), tmp_path / "t.csv")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "names.csv").write_text("sex,age,gain,country")  # and no end of line
    (tmp_path / "dir").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("ask t.fi sex", "no such folder. Give a folder that `anypart fit` or `save` wrote. Did"),
        ("ask t.csv sex", "it is a file, and fits are folders"),
        ("ask dir sex", "it has no fit.json"),
        ("sample t.fit -n 1.5", '"1.5" is no whole number'),
        ("sample t.fit -n -5", "Ask for 0 or more"),
        ("sample t.fit -o dir", "is a folder"),
        ("audit t.fit t.csv --top 0", "Ask for 1 or more"),
        ("dependence t.fit --top -3", "Ask for 1 or more"),
        ("complete t.fit t.csv --how draw --draws 0", "Ask for 1 or more"),
        ("complete t.fit t.csv -o a.csv --cells a.csv", "Give each a file of its own"),
        ("report t.fit t.csv -o t.csv", "a page's name ends in .html"),
        ("report t.fit t.csv -o dir", "is a folder"),
        ("evaluate t.fit t.csv --fitted-on t.cs", "no file 't.cs'. Did you mean 't.csv'?"),
        ("evaluate t.fit names.csv", "without rows"),
        ("fit names.csv", "4 column names and no rows"),
        ("fit t.csv -o new.fit --valid names.csv", "names.csv has no rows"),
        ("fit empty.csv", "is empty"),
        ("profile https://here.org/t.csv", "is an address"),
        ("decide t.fit t.csv sex --metric f1 --positive X", "it has Female, Male"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(words, message, capsys):
    before = {p.name: p.read_bytes() for p in Path().glob("*.csv")}
    assert main(words.split()) == 2
    assert message in capsys.readouterr().err
    assert {p.name: p.read_bytes() for p in Path().glob("*.csv")} == before


@pytest.mark.usefixtures("folder")
def test_a_folder_that_may_not_be_written_to_is_refused_before_any_work(capsys, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main(["score", "nowhere.fit", "t.csv", "-o", "dir/out.csv"]) == 2
    assert "dir may not be written to" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_a_file_that_cannot_be_written_is_named_as_it_was_asked_for(capsys, monkeypatch):
    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["sample", "t.fit", "-n", "3", "-o", "out.csv"]) == 2
    told = capsys.readouterr().err
    assert told == (
        "anypart: out.csv: No space left on device. Check the path, rights and free space.\n"
    )
    assert not list(Path().glob("*out.csv*")) + list(Path().glob(".*.part"))


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("command", ["score", "complete"])
def test_values_never_met_are_told_on_stderr(command, capsys):
    Path("strange.csv").write_text("sex,country,age\nOther,Peru,\nFemale,Peru,30\nThird,Peru,40\n")
    assert main([command, "t.fit", "strange.csv", "-o", "out.csv"]) == 0
    assert (
        "values that the fit has never met count as empty cells: sex (2)."
        in capsys.readouterr().err
    )
    Path("known.csv").write_text("sex,country,age\nFemale,Peru,30\n")
    main([command, "t.fit", "known.csv", "-o", "out.csv"])
    assert not capsys.readouterr().err
