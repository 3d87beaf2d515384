import json

import pytest

from anypart.terminal.main import main

VISITS = "user,day\nann,2024-02-28\nann,2024-02-29\nbob,2024-01-01\nann,2024-03-01\n"


def test_integers_are_given_as_words(capsys):
    assert main(["study", "runs", "100", "4", "200", "1", "3", "2", "-1"]) == 0
    out = capsys.readouterr().out
    assert "longest run: 1 … 4  (4)" in out
    assert "gap  5 … 99  (95)" in out


def test_json_gives_the_gaps_too(capsys):
    assert main(["study", "runs", "1", "2", "5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gaps"] == [{"start": 3, "stop": 5, "length": 2}]


def test_a_trace_says_why_each_value_is_skipped_or_starts_a_run(capsys):
    assert main(["study", "runs", "4", "3", "--trace"]) == 0
    out = capsys.readouterr().out
    assert "4 is skipped: 3 is there" in out
    assert "3 starts a run to 4: 2 is not there; length 2" in out


def test_a_trace_of_a_column_of_times_takes_its_step_and_names_them(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text("at\n2024-01-01T00:05:00\n2024-01-01T00:21:00\n")
    words = ["study", "runs", str(path), "--column", "at", "--step", "15 minutes", "--trace"]
    assert main(words) == 0
    assert "2024-01-01T00:15 is skipped: 2024-01-01T00:00 is there" in capsys.readouterr().out


def test_streaks_of_a_table_are_found_by_user(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text(VISITS)
    assert main(["study", "runs", str(path), "--column", "day", "--by", "user", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found[0] == {"user": "ann", "start": "2024-02-28", "stop": "2024-03-02", "length": 3}
    assert found[1]["length"] == 1


def test_a_column_may_be_grouped_by_itself(tmp_path, capsys):
    path = tmp_path / "visits.csv"
    path.write_text(VISITS)
    assert main(["study", "runs", str(path), "--column", "day", "--by", "day", "--json"]) == 0
    assert [streak["length"] for streak in json.loads(capsys.readouterr().out)] == [1] * 4


def test_a_page_steps_through_every_value(tmp_path, capsys):
    page = tmp_path / "runs.html"
    assert main(["study", "runs", "7", "3", "8", "-o", str(page)]) == 0
    text = page.read_text()
    assert text.count('class="panel"') == 4
    assert "8 is skipped: 7 is there" in text
    assert "src=" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["1", "x"], "'x' is no integer. Give integers"),
        ([], "there are no values"),
        (["1", "--step", "day"], "--step is of dates"),
        (["visits.csv", "--column", "user"], "these values are of type str"),
        (["1", "--by", "user"], "--by is a column"),
        (["visits.csv", "--column", "day", "--by", "user", "--trace"], "Leave out --by"),
        (["1", "2", "--column", "day"], "of one table"),
        (["visits.csv", "--column", "dya"], "Did you mean 'day'?"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(words, said, tmp_path, capsys, monkeypatch):
    (tmp_path / "visits.csv").write_text(VISITS)
    monkeypatch.chdir(tmp_path)
    assert main(["study", "runs", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
