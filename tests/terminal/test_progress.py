"""What a person reads while a fit runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from rich.console import Console

from anypart.optim.events import Combined, Finished, Progress
from anypart.terminal.progress import FitProgress


@dataclass(frozen=True)
class Prepared:
    table: str = "t.csv"
    n_rows: int = 344
    n_cols: int = 7
    members: tuple[str, ...] = ("independent", "chow_liu", "hidden_tree")
    resumed: bool = False


EVENTS = (
    Prepared(),
    Finished("independent", 1, 1, -12.5),
    Finished("chow_liu", 1, 1, -10.25),
    Progress("hidden_tree", 30, 60, -9.875, 61.0),
    Combined({"hidden_tree": 1.0}, -9.5),
)


def test_a_log_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with FitProgress("f") as progress:
        for event in EVENTS:
            progress.on_event(event)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Fitting t.csv: 344 rows, 7 columns modelled"
    assert lines[1] == "  independent: done, -12.500 nats per row"
    assert lines[3] == "  hidden_tree: 50%, -9.875 nats per row; about 1:01 left"
    assert lines[4].startswith("  all together: -9.500 nats per row")


def test_programs_get_one_json_object_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    with FitProgress("f", as_json=True) as progress:
        for event in EVENTS:
            progress.on_event(event)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["event"] for e in events] == [
        "prepared",
        "finished",
        "finished",
        "progress",
        "combined",
    ]
    assert isinstance(events[-1]["weights"], Mapping)


def test_the_live_table_shows_members_beside_the_baselines_and_the_time_left() -> None:
    progress = FitProgress("f")
    for event in EVENTS[:4]:
        progress.on_event(event)
    console = Console(width=100)
    with console.capture() as drawn:
        console.print(progress.table())
    text = drawn.get()
    for shown in ("independent", "-12.500", "chow_liu", "-10.250", "-9.875", "About 1:01 left"):
        assert shown in text


def test_ctrl_c_says_how_to_go_on() -> None:
    with pytest.raises(KeyboardInterrupt, match="run the same command again"), FitProgress("f"):
        raise KeyboardInterrupt
