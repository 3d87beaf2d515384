"""Damaged saved fits and checkpoints: a clean error or what was saved, never anything else."""

import contextlib
import copy
import json
import os
import shutil
from types import SimpleNamespace

import numpy as np
import pytest

from anypart.base.errors import FitError, SavedFitError
from anypart.optim.checkpoint import read_arrays, write_arrays
from anypart.queries import load, saved

from ..queries.conftest import schema, stacked, table  # noqa: F401

INPUTS = int(os.environ.get("ANYPART_FUZZ", "300"))
SLICE = int(os.environ.get("ANYPART_FUZZ_SLICE", "0"))  # other slices have other inputs
FOREIGN = [None, True, -1, 10**30, 0.5, "", "x", [], [1], {}, {"kind": "x"}, [[0, 1], [2]]]


@pytest.fixture(scope="module")
def folder(stacked, tmp_path_factory):  # noqa: F811
    return stacked.save(tmp_path_factory.mktemp("saved") / "fit")


def hurt(raw, rng):
    """Flip a bit somewhere, or cut."""
    raw = bytearray(raw)
    at = int(rng.integers(len(raw)))
    if rng.random() < 0.3:
        del raw[at:]
    else:
        raw[at] ^= 1 << int(rng.integers(8))
    return bytes(raw)


def test_bytes_flipped_or_cut_anywhere_give_a_clean_error_or_no_change(
    folder,
    tmp_path,
    table,  # noqa: F811
):
    check_hurt_bytes(folder, tmp_path, table)


def check_hurt_bytes(folder, tmp_path, table):  # noqa: F811
    rng = np.random.default_rng([11, SLICE])
    want = load(folder).log_prob(table.slice(0, 5)).value
    place = tmp_path / "hurt"
    shutil.copytree(folder, place)
    files = sorted(p for p in place.rglob("*") if p.is_file())
    refused = 0
    for _ in range(INPUTS):
        path = files[rng.integers(len(files))]
        whole = path.read_bytes()
        path.write_bytes(hurt(whole, rng))
        try:
            assert np.array_equal(load(place).log_prob(table.slice(0, 5)).value, want)
        except SavedFitError:
            refused += 1
        path.write_bytes(whole)
    assert refused > 0.8 * INPUTS


def test_the_fuzz_law_catches_checksums_that_are_not_compared(
    stacked,  # noqa: F811
    tmp_path,
    table,  # noqa: F811
    monkeypatch,
):
    always = SimpleNamespace(hexdigest=lambda: "0" * 64)
    monkeypatch.setattr(saved, "hashlib", SimpleNamespace(sha256=lambda data: always))
    place = stacked.save(tmp_path / "weak")
    with pytest.raises(AssertionError, match="array_equal"):
        check_hurt_bytes(place, tmp_path, table)


def places(tree):
    """Every (holder, key) of a tree of dicts and lists."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree))
    for key in keys:
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from places(tree[key])


def changed(tree, rng):
    """Put foreign values in some places of a tree, or leave some out."""
    tree = json.loads(json.dumps(tree))
    for _ in range(rng.integers(1, 4)):
        every = list(places(tree))
        holder, key = every[rng.integers(len(every))]
        if rng.random() < 0.3:
            del holder[key]
        else:
            holder[key] = copy.deepcopy(FOREIGN[rng.integers(len(FOREIGN))])  # never twice
    return tree


@pytest.mark.filterwarnings("ignore")  # of arithmetic: a cell of no width
def test_a_foreign_fit_with_true_checksums_is_refused_cleanly_or_loads(folder, tmp_path):
    rng = np.random.default_rng([12, SLICE])
    place = tmp_path / "foreign"
    shutil.copytree(folder, place)
    about = json.loads((place / "fit.json").read_text())
    refused = 0
    for _ in range(INPUTS):
        other = changed(about, rng)
        other["sha256"] = saved._digest(other)
        (place / "fit.json").write_text(json.dumps(other))
        try:
            load(place)
        except SavedFitError:
            refused += 1
    assert refused > 0.3 * INPUTS


def test_a_damaged_checkpoint_is_refused_cleanly_or_read(tmp_path):
    rng = np.random.default_rng([13, SLICE])
    path = tmp_path / "f"
    write_arrays(path, {"a": np.ones((3, 4)), "b": np.arange(5)}, {"step": 3, "rng": [1, "ü"]})
    whole = path.read_bytes()
    for _ in range(INPUTS):
        path.write_bytes(hurt(whole, rng))
        with contextlib.suppress(FitError):
            read_arrays(path)
