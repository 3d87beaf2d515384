"""What is shown of a table is what is in it, and no more."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from anypart.queries.answer import Answer
from anypart.terminal.screen import screen
from anypart.terminal.show_answer import show_answer
from anypart.terminal.show_rows import deliver


@pytest.fixture(autouse=True)
def _fresh_console() -> None:
    screen.cache_clear()  # it would go on writing to the stdout of another test


def test_cells_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    deliver([pa.table({"[red]a": ["[bold]x[/bold] :bug:", "a\x1b[2Jb"]})], None, as_json=False)
    shown = capsys.readouterr().out
    assert "[red]a" in shown
    assert "[bold]x[/bold] :bug:" in shown
    assert "\x1b" not in shown


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    deliver([pa.table({"a": list(range(70))})] * 2, None, as_json=False)
    assert "90 rows more. Write them all with -o FILE." in capsys.readouterr().out


def test_an_answer_says_what_it_is_worth(capsys: pytest.CaptureFixture[str]) -> None:
    value = pa.table({"value": ["x", "y"], "probability": [0.25, 0.75]})
    show_answer(Answer(value, True, "p(a)"), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "p(a)"
    assert lines[-1] == "exact"
    assert [line.split()[0] for line in lines if "%" in line] == ["y", "x"]
    drawn = Answer(value, False, "p(a)", standard_error=0.01, reason="some were drawn")
    show_answer(drawn, as_json=False)
    assert "estimated ± 0.01 (standard error): some were drawn" in capsys.readouterr().out


def test_neighbouring_intervals_are_joined_without_losing_mass(
    capsys: pytest.CaptureFixture[str],
) -> None:
    n = 64
    value = pa.table(
        {
            "value": [f"[{i}, {i + 1})" for i in range(n)],
            "probability": [1 / n] * n,
            "low": [float(i) for i in range(n)],
            "high": [float(i + 1) for i in range(n)],
        }
    )
    show_answer(Answer(value, True, "p(a)"), as_json=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert lines[0].startswith(" 0 to 7 ")
    assert lines[-1].startswith(" [63, 64)")
    shares = [float(line.split("%")[0].split()[-1]) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=0.5)


def test_a_spike_stays_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    n = 40
    mass = np.full(n, 0.5 / (n - 1))
    mass[0] = 0.5
    value = pa.table(
        {
            "value": [str(i) for i in range(n)],
            "probability": mass,
            "low": np.arange(n, dtype=float),
            "high": np.arange(n, dtype=float),
        }
    )
    show_answer(Answer(value, True, "p(a)"), as_json=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if "%" in line]
    assert lines[0].split()[:3] == ["0", "50.0", "%"]
