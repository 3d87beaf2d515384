import dataclasses
import json
import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from anypart.base.errors import SavedFitError
from anypart.queries import load, saved

CASES = int(os.environ.get("ANYPART_FUZZ_CASES", "200"))


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


def test_bytes_flipped_or_cut_anywhere_give_a_clean_error_or_no_change(
    folder, tmp_path, table
) -> None:
    check_hurt_bytes(folder, tmp_path, table)


def check_hurt_bytes(folder, tmp_path, table) -> None:
    rng = np.random.default_rng([11, int(os.environ.get("ANYPART_FUZZ_SLICE", "0"))])
    want = load(folder).log_prob(table.slice(0, 5)).value
    place = tmp_path / "hurt"
    shutil.copytree(folder, place)
    files = sorted(p for p in place.rglob("*") if p.is_file())
    refused = 0
    for _ in range(CASES):
        path = files[rng.integers(len(files))]
        whole = path.read_bytes()
        hurt = bytearray(whole)
        at = int(rng.integers(len(hurt)))
        if rng.random() < 0.3:
            del hurt[at:]
        else:
            hurt[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(hurt)
        try:
            assert np.array_equal(load(place).log_prob(table.slice(0, 5)).value, want)
        except SavedFitError:
            refused += 1
        path.write_bytes(whole)
    assert refused > 0.8 * CASES


def test_the_fuzz_law_catches_checksums_that_are_not_compared(
    stacked, tmp_path, table, monkeypatch
) -> None:
    always = SimpleNamespace(hexdigest=lambda: "0" * 64)
    monkeypatch.setattr(saved, "hashlib", SimpleNamespace(sha256=lambda data: always))
    place = stacked.save(tmp_path / "weak")
    with pytest.raises(AssertionError, match="array_equal"):
        check_hurt_bytes(place, tmp_path, table)


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
