"""Parsing, exit codes and messages of the `anypart` command, with a stand-in for a fit."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pytest

import anypart
from anypart.base.errors import ColumnError
from anypart.queries.answer import Answer
from anypart.queries.completing import Filled
from anypart.terminal.main import app, main


class Named(NamedTuple):
    """A stand-in for a table."""

    source: str
    query: str | None
    arrow: pa.Schema = pa.schema({"age": pa.int64()})


class Recorder:
    """A stand-in for a fit that notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, Any]] = []

    def __getattr__(self, verb: str) -> Any:
        def note(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((verb, args, kwargs))
            rows = pa.table({"age": [1, 2], "sex": ["f", None]})
            cells = pa.table({"row": [1], "column": ["sex"], "value": ["m"], "probability": [0.6]})
            if verb == "sample_blocks":
                return iter([rows])
            if verb == "complete_blocks":
                return iter([Filled(rows, cells)])
            return Answer(rows, True, verb, details={"cells": cells})

        return note


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setitem(anypart.__dict__, "load", lambda folder: recorder)
    monkeypatch.setitem(anypart.__dict__, "read", lambda source, query=None: Named(source, query))
    return recorder


def test_every_verb_is_a_command_with_help(capsys: pytest.CaptureFixture[str]) -> None:
    verbs = "demo profile fit ask sample complete score audit dependence evaluate report"
    for verb in verbs.split():
        assert main([verb, "--help"]) == 0
        assert f"anypart {verb}" in capsys.readouterr().out
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(verb in text for verb in verbs.split())


def test_conditions_reach_the_fit_as_they_were_written(fitted: Recorder, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    words = ["sample", "f", "-n", "7", "--given", "age > 50", "-g", "x<-3", "-o", str(out)]
    assert main([*words, "--with-missing", "--seed", "3"]) == 0
    verb, args, kwargs = fitted.calls[0]
    assert (verb, args) == ("sample_blocks", (7,))
    assert kwargs == {"given": ["age > 50", "x<-3"], "with_missing": True, "seed": 3}


def test_a_condition_may_begin_with_a_minus(fitted: Recorder) -> None:
    assert main(["sample", "f", "--given", "-3 < x"]) == 0
    assert fitted.calls[0][2]["given"] == ["-3 < x"]


def test_complete_passes_how_and_draws_on(fitted: Recorder) -> None:
    assert main(["complete", "f", "t.csv", "--how", "draw", "--draws", "4"]) == 0
    _, _, kwargs = fitted.calls[0]
    assert (kwargs["how"], kwargs["draws"]) == ("draw", 4)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "x.csv"], "no file 'x.csv'"),
        (["fit", "x.csv", "-o", "f", "--purpose", "best"], '"any", "density", "fast", "questions"'),
        (["sample", "f", "-n", "many"], "is no whole number"),
        (["audti", "f"], 'Did you mean "audit"'),
        (["ask"], "anypart ask --help"),
        (["sample", "f", "-o", "out.xlsx"], "no table format has this ending"),
        (["sample", "f", "-o", "no/such/out.csv"], "no folder"),
        (["profile", "nowhere.csv", "--kinds", "nowhere.json"], "nowhere"),
    ],
)
def test_a_mistake_is_one_line_on_stderr_and_exit_code_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.err.startswith("anypart: ")
    assert "Traceback" not in shown.err
    assert shown.out == ""


def test_an_error_of_the_fit_is_shown_as_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(folder: Path) -> None:
        raise ColumnError("adult has no column 'agee' (15 columns). Did you mean 'age'?")

    monkeypatch.setitem(anypart.__dict__, "load", refuse)
    assert main(["ask", "f", "agee"]) == 2
    wanted = "anypart: adult has no column 'agee' (15 columns). Did you mean 'age'?\n"
    assert capsys.readouterr().err == wanted


def test_ctrl_c_exits_with_130_and_says_that_nothing_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(anypart.__dict__, "load", stop)
    assert main(["sample", "f"]) == 130
    assert "nothing was written" in capsys.readouterr().err


def test_ours_is_not_shown_as_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(folder: Path) -> None:
        raise AssertionError("a bug")

    monkeypatch.setitem(anypart.__dict__, "load", broken)
    with pytest.raises(AssertionError, match="a bug"):
        main(["sample", "f"])


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from anypart.terminal.main import main; main(['--help'])\n"
        "heavy = {'torch', 'duckdb', 'pyarrow', 'numpy', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_importing_the_package_loads_no_heavy_library() -> None:
    code = (
        "import sys, anypart; dir(anypart)\n"
        "heavy = {'torch', 'duckdb', 'pyarrow', 'numpy'} & set(sys.modules)\n"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_face_has_its_names_and_no_others() -> None:
    assert {"Fitted", "fit", "load", "read"} <= set(dir(anypart))
    with pytest.raises(AttributeError, match="no attribute 'predict'"):
        anypart.predict  # noqa: B018


COMPLETE = {
    "bash": """
        source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(($# - 2)); _anypart 2>/dev/null
        printf '%s\\n' "${COMPREPLY[@]}" """,
    "fish": 'source $argv[1]; complete --do-complete "$argv[2..]" | string split --fields 1 \\t',
}


# What is tried is the shell itself: where it is not installed (fish on most machines) there is
# nothing to try, and the package's tests must not need one that the package does not need.
SHELLS = [
    pytest.param(
        shell,
        marks=pytest.mark.skipif(not shutil.which(shell), reason=f"{shell} is not installed"),
    )
    for shell in COMPLETE
]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["pro"], {"profile"}),
        (["study", "rec"], {"receptive-field"}),
        (["fit", "pen"], {"penguins.csv"}),
        (["score", "some.fit", "pen"], {"penguins.csv"}),
        (["fit", "penguins.csv", "--valid", "pen"], {"penguins.csv"}),
        (["fit", "penguins.csv", "--over"], {"--overwrite"}),
        (["fit", "penguins.csv", "--purpose", "f"], {"fast"}),
    ],
)
def test_a_real_shell_completes_commands_files_options_and_choices(
    shell: str, words: list[str], wanted: set[str], tmp_path: Path
) -> None:
    (tmp_path / "penguins.csv").touch()
    script = tmp_path / "script"
    script.write_text(app.generate_completion(shell=shell))  # what --install-completion writes
    name = ["bash"] if shell == "bash" else []  # bash's $0
    line = [shell, "-c", COMPLETE[shell], *name, str(script), "anypart", *words]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert {word.strip() for word in done.stdout.splitlines()} == wanted, done.stderr


def test_a_fit_without_an_output_gets_the_name_of_its_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("a,b\n" + "0,x\n1,y\n" * 30)
    assert main(["fit", "rows.csv", "--minutes", ".01", "--purpose", "fast"]) == 0
    assert main(["ask", "rows.fit", "b", "--given", "a=1"]) == 0


def test_the_package_runs_as_a_module_with_the_same_exit_codes():
    for words, code in ((["--version"], 0), (["fit", "nowhere.csv"], 2)):
        line = [sys.executable, "-m", "anypart", *words]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
    assert "nowhere.csv" in done.stderr


def test_score_passes_a_question_on(monkeypatch, capsys):
    asked = {}

    class Fit:
        def score_batches(self, rows, *, question=None, unknown=None):
            asked.update(rows=rows, question=question)
            yield pa.RecordBatch.from_pydict({"row": [0], "log_prob": [-0.5]})

    monkeypatch.setitem(anypart.__dict__, "load", lambda folder: Fit())
    monkeypatch.setitem(anypart.__dict__, "read", lambda source, query=None: source)
    assert main(["score", "f", "t.csv", "--question", "* | b", "--json"]) == 0
    assert asked == {"rows": "t.csv", "question": "* | b"}
    assert '"log_prob": -0.5' in capsys.readouterr().out.replace(":-", ": -")
