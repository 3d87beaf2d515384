"""`anypart decide`: what it passes on, what it says, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import anypart
from anypart.queries.answer import Answer
from anypart.terminal.main import main

COSTS = {"yes": {"yes": 0, "no": 1}, "no": {"yes": 5, "no": 0}}


class Fit:
    """A stand-in for a fit that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: Any = None

    def decide(self, rows: Any, column: str, metric: Any, **options: Any) -> Answer:
        self.asked = (rows, column, metric, options)
        value = pa.table({column: ["yes", "no"], "probability": [0.8, 0.6]})
        details = {"expected": 0.75, "positive": "yes", "chosen": 1, "least_chosen": 0.8}
        return Answer(value, True, "decide", details=details)


@pytest.fixture
def fit(monkeypatch: pytest.MonkeyPatch) -> Fit:
    made = Fit()
    monkeypatch.setitem(anypart.__dict__, "load", lambda folder: made)
    monkeypatch.setitem(anypart.__dict__, "read", lambda source, query=None: source)
    return made


def test_decide_passes_everything_on_and_says_what_is_expected(
    fit: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["decide", "f", "t.csv", "ill", "--metric", "f2", "--positive", "yes", "-g", "age > 5"]
    assert main(words) == 0
    assert fit.asked == ("t.csv", "ill", "f2", {"positive": "yes", "given": ["age > 5"]})
    said = capsys.readouterr().out
    assert "Expected f2 0.75, if the fit is right; exact." in said
    assert "yes is decided for 1 of 2 rows, down to a probability of 0.800." in said


def test_decide_reads_a_table_of_costs_and_writes_rows_for_programs(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "costs.json").write_text(json.dumps(COSTS))
    assert main(["decide", "f", "t", "ill", "--costs", str(tmp_path / "costs.json"), "--json"]) == 0
    assert fit.asked[2] == COSTS
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["ill"] for row in rows] == ["yes", "no"]


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "no such file"), ("{", "cannot be read as JSON"), ('{"a": 1}', "no table of costs")],
)
def test_costs_that_cannot_be_read_are_refused(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, words: str
) -> None:
    path = tmp_path / "costs.json"
    if text is not None:
        path.write_text(text)
    assert main(["decide", "f", "t", "ill", "--costs", str(path)]) == 2
    assert words in capsys.readouterr().err
    assert fit.asked is None


def test_a_metric_beside_costs_is_refused(
    fit: Fit, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "costs.json"
    path.write_text(json.dumps(COSTS))
    assert main(["decide", "f", "t", "ill", "--costs", str(path), "--metric", "f1"]) == 2
    assert "by --metric f1 or by --costs" in capsys.readouterr().err
    assert fit.asked is None
