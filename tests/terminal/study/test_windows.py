import json

import pytest

from anypart.terminal.main import main


def test_the_window_of_a_text_is_shown_with_its_places(capsys):
    assert main(["study", "window", "ADOBECODEBANC", "ABC"]) == 0
    assert capsys.readouterr().out == "9 … 12  (4)  BANC\n"


def test_all_minimal_windows_are_listed(capsys):
    assert main(["study", "window", "ADOBECODEBANC", "ABC", "--all", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(w["start"], w["stop"]) for w in found] == [(0, 6), (5, 11), (9, 13)]


def test_a_column_is_searched_row_by_row(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text("user\nann\nbob\ncy\nbob\nann\n")
    assert main(["study", "window", str(path), "ann,bob", "--column", "user"]) == 0
    assert capsys.readouterr().out == "0 … 1  (2)  ann bob\n"
    assert main(["study", "window", str(path), "dan", "--column", "user"]) == 0
    assert "no window covers" in capsys.readouterr().out


def test_a_value_with_a_comma_is_asked_for_in_quotes(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text('user\nann\n"Lee, Bo"\ncy\n')
    words = ["study", "window", str(path), '"Lee, Bo", cy', "--column", "user"]
    assert main(words) == 0
    assert capsys.readouterr().out == "1 … 2  (2)  Lee, Bo cy\n"


def test_nothing_required_is_said_to_be_covered(capsys):
    assert main(["study", "window", "ab", ""]) == 0
    assert "the empty window covers it" in capsys.readouterr().out


def test_a_trace_says_what_each_end_does(capsys):
    assert main(["study", "window", "aab", "ab", "--trace"]) == 0
    out = capsys.readouterr().out
    assert "the right end takes 'a' in; lacking 'b'" in out
    assert "the left end lets 'a' go" in out
    assert "shortest window: ab (places 1 to 2)" in out


def test_a_page_steps_through_every_move(tmp_path):
    page = tmp_path / "window.html"
    assert main(["study", "window", "aab", "ab", "-o", str(page)]) == 0
    assert page.read_text().count('class="panel"') == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["v.csv", "a", "--column", "usr"], "Did you mean 'user'?"),
        (["ab", "a", "-o", "x.txt"], "ends in .html"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(words, said, tmp_path, capsys, monkeypatch):
    (tmp_path / "v.csv").write_text("user\nann\n")
    monkeypatch.chdir(tmp_path)
    assert main(["study", "window", *words]) == 2
    assert said in capsys.readouterr().err
