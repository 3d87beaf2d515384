import dataclasses
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from anypart.base.errors import SavedFitError
from anypart.queries import load, saved


@pytest.fixture(scope="module")
def folder(stacked, tmp_path_factory):
    return stacked.save(tmp_path_factory.mktemp("saved") / "fit")


def test_a_loaded_fit_gives_the_same_answers(stacked, folder, table) -> None:
    again = load(folder)
    assert np.allclose(again.log_prob(table).value, stacked.log_prob(table).value, atol=1e-12)
    for given in (None, "age > 43"):
        a, b = (f.ask("country", given=given).value for f in (stacked, again))
        assert np.allclose(a["probability"], b["probability"], atol=1e-7)
    assert again.sample(50, seed=3, with_missing=True).value == (
        stacked.sample(50, seed=3, with_missing=True).value
    )
    assert again.metadata == stacked.metadata
    assert again.schema == stacked.schema


def test_saving_again_replaces_the_fit_and_leaves_no_litter(stacked, tmp_path) -> None:
    place = tmp_path / "fit"
    (place / "unfinished").mkdir(parents=True)
    stacked.save(place)
    before = sorted(p.name for p in place.rglob("*"))
    stacked.save(place)
    assert sorted(p.name for p in place.rglob("*")) == before
    assert (place / "unfinished").is_dir()
    other = tmp_path / "mine"
    other.mkdir()
    (other / "letter.txt").write_text("dear")
    with pytest.raises(SavedFitError, match="is no saved fit"):
        stacked.save(other)


def test_a_save_that_dies_leaves_the_old_fit_whole(stacked, tmp_path, monkeypatch, table) -> None:
    place = stacked.save(tmp_path / "fit")

    def die(path, data):
        if path.name == "fit.json":
            raise OSError("disk full")
        original(path, data)

    original = saved.write_whole
    monkeypatch.setattr(saved, "write_whole", die)
    with pytest.raises(SavedFitError, match="disk full"):
        stacked.save(place)
    assert len(load(place).log_prob(table)) == table.num_rows


def test_foreign_missing_and_newer_folders_are_named_as_such(folder, tmp_path) -> None:
    with pytest.raises(SavedFitError, match="no such folder"):
        load(tmp_path / "nothing")
    with pytest.raises(SavedFitError, match=r"no fit\.json"):
        load(tmp_path)
    for text, message in [
        ("[]", "not of a saved fit"),
        ('{"format": "else"}', "not of a saved fit"),
        ("{", "cannot be read"),
        (json.dumps({"format": "anypart-fit", "format_version": 99}), "newer anypart"),
        (json.dumps({"format": "anypart-fit", "format_version": 1}), "not as it was written"),
    ]:
        (tmp_path / "fit.json").write_text(text)
        with pytest.raises(SavedFitError, match=message):
            load(tmp_path)


def test_a_missing_member_file_is_named(folder, tmp_path) -> None:
    shutil.copytree(folder, tmp_path / "fit")
    next((tmp_path / "fit" / "members").glob("0-*")).unlink()
    with pytest.raises(SavedFitError, match="members/0-"):
        load(tmp_path / "fit")


def test_a_fit_cannot_be_changed(stacked) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="schema"):
        stacked.schema = None
    with pytest.raises(TypeError, match="a frozen mapping cannot be changed"):
        stacked.metadata["seed"] = 1
    with pytest.raises(TypeError, match="a frozen mapping cannot be changed"):
        stacked.metadata["plan"]["members"] = ()
    before = {k: v.tobytes() for k, v in stacked.model.state()[1].items()}
    stacked.ask("age", given="gain > 2")
    stacked.sample(20, given="age > 43")
    assert before == {k: v.tobytes() for k, v in stacked.model.state()[1].items()}


def test_loading_and_asking_does_not_import_torch(folder) -> None:
    code = (
        "import sys; from anypart.queries import load; "
        f"load({str(folder)!r}).ask('age', given='sex=Male'); "
        "print('torch' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.split() == ["False"]
