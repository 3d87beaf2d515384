import tracemalloc

import numpy as np
import pytest

from anypart.base.errors import FitError
from anypart.optim.checkpoint import DTYPES, part, read_arrays, under, write_arrays


def test_arrays_and_description_come_back_with_their_bits(tmp_path):
    arrays = {
        "a": np.random.default_rng(0).normal(size=(3, 4)).T,
        "scalar": np.array(7),
        "none": np.empty((0, 2), np.float32),
        "mask": np.array([True, False]),
        "codes": np.arange(4, dtype=np.int32)[::2],
    }
    about = {"x": 0.1 + 0.2, "none": None, "nested": {"list": [1, "ü"]}, "low": -1e308}
    write_arrays(tmp_path / "f", arrays, about)
    found, described = read_arrays(tmp_path / "f")
    assert described == about
    assert found.keys() == arrays.keys()
    for name, a in arrays.items():
        assert found[name].dtype == a.dtype
        assert found[name].shape == a.shape
        assert np.array_equal(found[name], a)


def test_parts_are_stored_side_by_side():
    both = under("a", {"x": np.ones(1)}) | under("ab", {"x": np.zeros(1)})
    assert part(both, "a")["x"][0] == 1
    assert part(both, "ab")["x"][0] == 0


@pytest.mark.parametrize("cut", [0, 5, 40, -1])
def test_a_torn_file_is_refused_with_what_to_do(tmp_path, cut):
    write_arrays(tmp_path / "f", {"a": np.ones(100)}, {})
    whole = (tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(whole[:cut])
    with pytest.raises(FitError, match="Delete this file"):
        read_arrays(tmp_path / "f")


def test_a_foreign_file_is_refused(tmp_path):
    from safetensors.numpy import save_file

    save_file({"a": np.ones(2)}, tmp_path / "f")
    with pytest.raises(FitError, match="not a state of a fit"):
        read_arrays(tmp_path / "f")


def test_every_kind_of_number_is_read_by_the_library(tmp_path):
    arrays = {name: np.array([0, 1, 1]).astype(name) for name in ("bool", *DTYPES)}
    write_arrays(tmp_path / "f", arrays, {})
    found, _ = read_arrays(tmp_path / "f")
    assert {name: a.dtype.name for name, a in found.items()} == {name: name for name in arrays}
    assert all(np.array_equal(found[name], a) for name, a in arrays.items())


def test_nothing_is_copied_to_be_written(tmp_path):
    arrays = {str(i): np.ones((500, 500), np.float32) for i in range(4)}
    tracemalloc.start()
    write_arrays(tmp_path / "f", arrays, {})
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 500_000 < (tmp_path / "f").stat().st_size
