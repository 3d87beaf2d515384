"""`anypart study smoothing`: what it shows, and what it refuses."""

from __future__ import annotations

import json

import pytest

from anypart.terminal.main import main


def test_a_function_is_shown_with_its_error_and_bound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "smoothing", "max", "2", "1", "4", "5", "3", "-t", "1", "-t", "0.5"]) == 0
    said = capsys.readouterr().out
    for word in ("max of 2 1 4 5 3", "5.4519", "0.452", "1.61", "5.0727"):
        assert word in said


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["study", "smoothing", "top_k_mask", "3", "2", "-1", "4", "--k", "2", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["hard"] == [1.0, 0.0, 0.0, 1.0]
    for line in found["soft"]:
        assert sum(line["soft"]) == pytest.approx(2)
        assert line["off"] <= line["bound"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("maxx 3", "Did you mean 'max'?"),
        ("max", "Give max values"),
        ("clip 3", "clip needs --low"),
        ("max 3 --k 2", "max has no --k"),
        ("quantile 3 4 --q 2", "between 0 and 1"),
        ("max nan 1", "1 of 2 values are NaN"),
        ("max 1 -t -1", "at least 0"),
    ],
)
def test_mistakes_are_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "smoothing", *words.split()]) == 2
    assert said in capsys.readouterr().err
