"""`anypart study python` and its kin, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from anypart.terminal.main import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["study", *words])
    told = capsys.readouterr()
    return code, told.out, told.err


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "snippet.py"
    path.write_text("def f(n):\n    yield n\na = [1]\nb = a\nb.append(2)\nprint('\\x1b[31m', a)\n")
    return str(path)


def test_a_file_is_stepped_through_as_text(capsys, file: str) -> None:
    code, out, _ = run(capsys, "python", file)
    assert code == 0
    assert "mutated list #" in out
    assert "(a, b): + [1] 2" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    "source",
    [b"\xef\xbb\xbfx = '\xc3\xa9'\n", b"# -*- coding: latin-1 -*-\nx = '\xe9'\n"],
    ids=["with a mark of order", "latin-1"],
)
def test_a_file_is_read_as_the_interpreter_reads_it(capsys, tmp_path: Path, source: bytes) -> None:
    path = tmp_path / "own.py"
    path.write_bytes(source)
    code, out, _ = run(capsys, "python", str(path))
    assert (code, "bound x to 'é'" in out) == (0, True)


def test_a_file_that_is_no_text_is_told(capsys, tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    for damaged in (b"x = '\xe9'\n", b"# coding: no-such\nx = 1\n"):
        path.write_bytes(damaged)
        code, _, err = run(capsys, "python", str(path))
        assert (code, "is no Python source" in err) == (2, True)


def test_a_file_becomes_a_page(capsys, file: str, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, out, _ = run(capsys, "python", file, "-o", str(page))
    assert (code, out) == (0, f"Wrote {page}.\n")
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["page.html", "snippet.py"]


def test_json_is_one_object(capsys, file: str) -> None:
    _, out, _ = run(capsys, "python", file, "--json")
    assert json.loads(out)["ended"] == "finished"


def test_without_a_file_the_examples_are_listed_and_each_can_be_seen(capsys) -> None:
    code, out, _ = run(capsys, "python")
    assert code == 0
    assert "default-argument " in out
    _, out, _ = run(capsys, "python", "--example", "default-argument")
    assert "add returns list #" in out


def test_a_generator_is_stepped(capsys, file: str) -> None:
    code, out, _ = run(capsys, "generator", "f(7)", file, "--do", "next", "--do", "close")
    assert code == 0
    assert "next(): yields 7" in out
    assert "close(): is closed" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("growth", "-n", "20"), "room for     24"),
        (("costs", "--seconds", "0.01", "-n", "10"), "built once by the compiler"),
        (("classify", "(1, [2])"), "deeply immutable:  no"),
        (("copies", "[[1], 2]"), "shares a[0]"),
        (("operations",), "≠ x[0] = 9"),
        (("operations", "set", "frozenset"), "x.add(9)"),
        (("operations", "--need", "key"), "tuple"),
    ],
)
def test_objects_are_measured(capsys, words: tuple[str, ...], said: str) -> None:
    code, out, _ = run(capsys, *words)
    assert code == 0
    assert said in out
    _, out, _ = run(capsys, *words, "--json")
    json.loads(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("python", "nowhere.py"), "nowhere.py"),
        (("python", "--example", "fibonaci"), "Did you mean 'fibonacci'?"),
        (("python", "x.py", "--example", "fibonacci"), "Give one of them"),
        (("python", "--example", "fibonacci", "-o", "page.txt"), "ends in .html"),
        (("python", "--example", "fibonacci", "-o", "no/such/page.html"), "Make it first"),
        (("python", "--example", "fibonacci", "--steps", "0"), "at least 1 step"),
        (("python", "--example", "fibonacci", "--with", "/no/python"), "does not start"),
        (("generator", "[1]"), "it is a list"),
        (("classify", "(1"), "never closed"),
        (("operations", "lists"), "Did you mean 'list'?"),
        (("growth", "list", "-n", "0"), "1 to 1,000,000"),
        (("generator", "count("), "never closed, line 1."),
        (("costs", "--seconds", "-1"), "-1 seconds are not spent"),
        (("costs", "-n", "0"), "Ask for 10 to"),
    ],
)
def test_a_mistake_ends_with_one_message_and_exit_code_two(capsys, words, said: str) -> None:
    code, out, err = run(capsys, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_file_that_is_no_python_is_named(capsys, tmp_path: Path) -> None:
    path = tmp_path / "bad.py"
    path.write_text("a = 1\nb = (")
    code, out, err = run(capsys, "python", str(path))
    assert (code, out) == (2, "")
    assert (
        err == "anypart: bad.py is no Python. SyntaxError: '(' was never closed (bad.py, line 2)\n"
    )


def test_an_empty_file_has_nothing_to_run(capsys, tmp_path: Path) -> None:
    path = tmp_path / "empty.py"
    path.write_text("")
    assert run(capsys, "python", str(path))[1] == "   0 nothing to run\nIt ran to its end.\n"
