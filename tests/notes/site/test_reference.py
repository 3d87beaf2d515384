"""Nothing public lags behind: every name, command and error has its entry in the reference."""

import ast
import contextlib
import io
import re
from importlib import import_module
from pathlib import Path

import pytest

import anypart
from anypart.base import errors
from notes.site import docstrings, reference
from notes.site.reference import COMMANDS, Reference

from ...data.planted import planted

SOURCE = Path(anypart.__file__).parent
NOT_SHOWN = ("terminal", "lens/python/inside")


@pytest.fixture(scope="module")
def made():
    return Reference()


def modules(folder=SOURCE):
    """Every public module with its syntax tree, read and not imported."""
    for file in sorted(folder.rglob("*.py")):
        inside = file.relative_to(SOURCE).as_posix()
        if inside.startswith(NOT_SHOWN) or "/_" in f"/{inside}".replace("__init__", ""):
            continue
        words = ["anypart", *file.relative_to(SOURCE).with_suffix("").parts]
        yield ".".join(w for w in words if w != "__init__"), ast.parse(file.read_text("utf-8"))


def exported(tree):
    """The names of `__all__`, read from the source."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return ast.literal_eval(node.value)
    return []


def defined(tree):
    """The public functions and classes of a module, read from the source."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [n.name for n in tree.body if isinstance(n, kinds) and not n.name.startswith("_")]


def anchors(made):
    found = set()
    for page in made.pages:
        inside = [entry for _, _, entries in page.inside for entry in entries]
        found |= {f"{page.file}#{module}" for module, *_ in page.inside} | {page.file}
        for entry in (*page.faces, *inside):
            found |= {f"{page.file}#{e.anchor}" for e in (entry, *entry.members)}
    return found


def lacking(made, folder=SOURCE):
    """Public names whose way into the reference leads nowhere."""
    there = anchors(made)
    names = [
        f"{module}.{name}"
        for module, tree in modules(folder)
        for name in {*exported(tree), *defined(tree)}
        if not isinstance(getattr(import_module(module), name), type(ast))
    ]
    assert names
    return [name for name in names if made.find(name) not in there]


def test_every_public_name_has_its_entry(made):
    assert lacking(made) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('if name.startswith("_") or not own', 'if name.startswith(("_", "c")) or not own'),
        ('self.name.replace(" ", "-")', "self.name.casefold()"),
    ],
)
def test_the_law_of_entries_notices_a_bug(monkeypatch, right, wrong):
    broken = planted(reference, right, wrong)
    ours = [m for m in reference._modules() if m.__name__.startswith("anypart.data.windows")]
    monkeypatch.setattr(broken, "_modules", lambda: ours)
    assert lacking(broken.Reference(), SOURCE / "data" / "windows") != []


def test_every_command_has_its_entry(made):
    from anypart.terminal.main import app

    shown = {e.name for page in made.pages if page.name == COMMANDS for e in page.faces}
    for words in ([], ["study"]):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            app([*words, "--help"], result_action="return_value")
        commands = re.findall(r"^│ ([a-z][a-z-]+)\s", said.getvalue(), re.M)
        assert len(commands) > 9
        for name in commands:
            assert " ".join(["anypart", *words, name]) in shown | {"anypart study"}


def test_every_option_of_a_command_is_said(made):
    page = next(page for page in made.pages if page.name == COMMANDS)
    fit = next(entry for entry in page.faces if entry.name == "anypart fit")
    names = [name for name, _ in docstrings.items(docstrings.parts(fit.doc)[1]["Args"])]
    assert "--minutes" in names
    assert "--output, -o" in names
    for entry in page.faces:
        said = docstrings.parts(entry.doc)[1].get("Args", "")
        for option in re.findall(r"\[?(--[a-z-]+|[A-Z_]+)\]?", entry.signature):
            assert re.search(rf"^{option}\b", said, re.M), f"{entry.name} {option}"


def test_every_error_has_its_entry(made):
    there = anchors(made)
    kinds = [
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.AnypartError)
    ]
    assert len(kinds) > 5
    assert all(made.find(f"anypart.base.errors.{name}") in there for name in kinds)


def test_a_name_is_found_under_every_name_that_imports_it(made):
    ways = ("anypart.Fitted", "anypart.queries.Fitted", "anypart.queries.fitted.Fitted")
    assert {made.find(way) for way in ways} == {"anypart.html#anypart.Fitted"}
    assert {made.find(f"{way}.ask") for way in ways} == {"anypart.html#anypart.Fitted.ask"}
    assert made.find("anypart.Fitted.asks") is None
    assert made.find("anypart.data.runs.shortest_run") is None
    assert made.find("numpy.sort") is None
    assert made.find("anypart.data.runs") == "anypart.data.runs.html"


def test_every_docstring_can_be_set(made):
    for page in made.pages:
        inside = [entry for _, _, entries in page.inside for entry in entries]
        for entry in (*page.faces, *inside):
            for one in (entry, *entry.members):
                shown = docstrings.rendered(one.doc, str)
                assert ".. math::" not in shown, one.name
                assert ":math:" not in shown, one.name
                assert not re.search(r"\\[a-z]+[ _({]", bare(shown)), one.name


def bare(shown):
    """What is left of a docstring without its code."""
    return re.sub(r"<(pre|code)\b.*?</\1>", "", shown, flags=re.S)


def test_what_is_indented_stays_as_it_is_typed():
    shown = docstrings.text("Write\n\n::\n\n    a = 1\n    b = 2\n\nand go on.")
    assert "a = 1\n" in shown
    assert "::" not in shown
    assert shown.count("<p>") == 2


def test_a_formula_within_a_line_is_set_as_one():
    for doc in (r"The sum \(\sum_i x_i\) of it.", r"The sum :math:`\sum_i x_i` of it."):
        for shown in (docstrings.text(doc), docstrings.summary(doc)):
            assert "∑</mo>" in shown
            assert "sum_i" not in shown


def test_a_long_signature_has_a_line_for_each_parameter():
    def long(first: dict[str, tuple[int, int]], second: str = "a, b", *, third: float = 0.5): ...

    assert reference._signature(long) == (
        "(\n    first: dict[str, tuple[int, int]],\n    second: str = 'a, b',\n    *,\n"
        "    third: float = 0.5,\n)"
    )
