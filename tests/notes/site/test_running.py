"""A note's code runs once in sections; what goes wrong is named."""

import pytest

from notes.site import running
from notes.site.running import NoteError, run, sections

from ...data.planted import planted
from .making import make_note


def test_what_a_section_prints_tells_and_draws_is_kept(tmp_path):
    found = run(make_note(tmp_path) / "code.py")
    assert found.output == {"setup": "", "first": "four 4\n", "first_quiet": ""}
    assert found.told == {"four": 4, "half": 0.5, "loss": -1.25}
    assert "<path id='p' d='M0 0h1'/>" in found.figures["dot"]


def test_sections_share_one_namespace_and_an_empty_folder(tmp_path):
    code = "# %% one\nimport os\nx = 1\n# %% two\nprint(x, os.listdir())\n"
    assert run(make_note(tmp_path, code=code) / "code.py").output["two"] == "1 []\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("print(1)\n", "01_topic: code.py has no section"),
        ("x = 1\n# %% one\n", "01_topic: code.py has code before"),
        ("# %% Two words\n", "01_topic: line 1: '# %% Two words' is no section"),
        ("# %% a\n# %% a\n", "01_topic: line 2: there are two sections 'a'"),
        ("# %% a\nx = 1\n\n# %% b\nassert x == 2\n", "section 'b', line 5: AssertionError: assert"),
        ("# %% a\n1 / 0\n", "01_topic: section 'a', line 2: ZeroDivisionError: division by zero"),
        ("# %% a\nx = (\n", "01_topic: section 'a', line 2: SyntaxError"),
        ("# %% a\nimport os\nos._exit(3)\n", "section 'a': the process ended with 3"),
        ("# %% a\nwhile True: pass\n", "section 'a': more than 1 s of a processor"),
        (
            "# %% a\nfrom notes.press import tell\ntell(a=1)\ntell(a=2)\n",
            "line 4: ValueError: a was told",
        ),
        ("# %% a\nfrom notes.press import tell\ntell(a=[1])\n", "ValueError: a is a list; tell"),
        (
            "# %% a\nfrom notes.press import figure\nfigure('f', 'no')\n",
            "ValueError: Figure 'f' is no",
        ),
    ],
)
def test_a_note_that_fails_is_named_with_section_and_error(tmp_path, code, message):
    with pytest.raises(NoteError, match="01_topic") as failed:
        run(make_note(tmp_path, code=code) / "code.py", seconds=1)
    assert message in str(failed.value)


def test_a_note_that_waits_is_told_from_one_that_computes(tmp_path):
    path = make_note(tmp_path, code="# %% a\nimport time\ntime.sleep(60)\n") / "code.py"
    with pytest.raises(NoteError, match="not done after 3 s of the clock"):
        run(path, clock=3)


def test_a_section_is_shown_without_its_head(tmp_path):
    found = sections(make_note(tmp_path) / "code.py")
    assert found["first"].source == 'print("four", 2 + 2)'
    assert found["first"].line == 4


CLOCK = "# %% a\nimport time\nprint(time.perf_counter_ns())\n"


def reruns_changed_code(module, root):
    """Run, run again, change the code, run: whether only the change ran anew."""
    path = make_note(root, code=CLOCK) / "code.py"
    first, again = (module.run(path, root / "kept").output for _ in range(2))
    path.write_text(CLOCK + "# more\n", "utf-8")
    return first == again != module.run(path, root / "kept").output


def test_a_run_is_kept_until_its_code_changes(tmp_path):
    assert reruns_changed_code(running, tmp_path)
    assert len(list((tmp_path / "kept").iterdir())) == 1


def is_kept(module, root, patch):
    """Whether a run stays valid while compiled code is written, and not when source is."""
    package = root / "src" / "package"
    (package / "__pycache__").mkdir(parents=True)
    (root / "notes").mkdir()
    for file in (root / "notes" / "press.py", package / "one.py"):
        file.write_text("x = 1\n", "utf-8")
    patch.setattr(module, "ROOT", root)
    before = module.fingerprint([])
    (package / "__pycache__" / "one.f-1.py311.nbi").write_bytes(b"compiled")
    compiled = module.fingerprint([])
    (package / "one.py").write_text("x = 2\n", "utf-8")
    return before == compiled != module.fingerprint([])


def test_compiled_code_is_no_change_of_the_package(tmp_path, monkeypatch):
    assert is_kept(running, tmp_path, monkeypatch)


def test_the_law_of_compiled_code_notices_a_bug(tmp_path, monkeypatch):
    module = planted(running, '"__pycache__" not in path.parts', 'path.suffix != ".pyc"')
    assert not is_kept(module, tmp_path, monkeypatch)


def test_the_law_of_kept_runs_notices_a_bug(tmp_path):
    assert not reruns_changed_code(planted(running, "(*files, ROOT", "(ROOT"), tmp_path)
