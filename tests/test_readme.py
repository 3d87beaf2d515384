"""Both READMEs are run: their Python, and every line of their shell sessions."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = ["README.md", "README.zh-CN.md"]


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.fixture
def beside_penguins(tmp_path, monkeypatch):
    shutil.copy(ROOT / "src/anypart/data/penguins.csv", tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("readme", READMES)
def test_the_python_of_the_readme_runs(readme, beside_penguins):
    (code,) = blocks(readme, "python")
    names = {}
    exec(code, names)
    assert names["full"].num_rows == 344
    assert names["more"].num_rows == 100


def test_the_chinese_readme_has_no_command_of_its_own():
    (english,), (chinese,) = (blocks(readme, "console") for readme in READMES)
    assert set(chinese.splitlines()) <= set(english.splitlines())


def test_every_command_of_the_readme_ends_well(beside_penguins):
    (session,) = blocks("README.md", "console")
    command = Path(sys.executable).parent / "anypart"
    for line in session.splitlines():
        done = subprocess.run(
            [command, *shlex.split(line)[1:]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert Path("report.html").stat().st_size > 10_000


def test_the_readmes_name_the_two_commands():
    for readme in READMES:
        text = (ROOT / readme).read_text("utf-8")
        assert "make demo" in text
        assert "make test" in text
