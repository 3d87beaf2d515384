"""What training loses without its stream of mini-batches."""

import tracemalloc

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.data.codec import Encoded
from anypart.data.packed import Layout, PackedCodes
from anypart.data.streams import sources
from anypart.models.contract import Evidence
from anypart.optim import loop
from anypart.optim.loop import train_member
from anypart.optim.plan_file import Member
from anypart.optim.rows import Rows, Split

MEMBER = Member("trees", "chow_liu", {}, 0, 60, 50, 1_000, 1)


def packed(codes, n_cats):
    layout = Layout(n_cats, (False,) * len(n_cats))
    cells = layout.write(Encoded(codes, np.ones(codes.shape, bool), np.zeros(len(codes))))
    return PackedCodes(layout, len(codes), np.append(cells.ravel(), np.zeros(3, np.uint8)))


@pytest.fixture
def split():
    """Six thousand rows of two columns that agree, sorted as exports of databases are."""
    value = np.sort(np.random.default_rng(0).integers(0, 4, 6_000))
    codes = np.stack([value, value], 1).astype(np.int32)
    table = packed(codes, (4, 4))
    return Split(Rows(table, np.arange(0, 6_000, 10)), *table.rows(np.arange(0, 6_000, 10)))


def trained(split, tmp_path):
    found = train_member(MEMBER, split, tmp_path / "c", lambda event: None)
    return found.model.log_prob(Evidence(split.codes, split.seen)).mean()


def test_without_the_shuffled_stream_a_sorted_table_is_learned_badly(split, tmp_path, monkeypatch):
    with_stream = trained(split, tmp_path)
    plant(
        monkeypatch,
        "anypart.data.streams.stages",
        "return order.permutation(self.n)",
        "return np.arange(self.n)",
    )
    assert trained(split, tmp_path) < with_stream - 0.1
    assert with_stream > -np.log(4) - 0.1  # the entropy of the rows is log 4


def test_without_the_stream_training_holds_the_whole_table(monkeypatch):
    """The same batches from rows read at once: as right, at many times the bytes."""
    monkeypatch.setattr(sources, "WINDOW_CELLS", 65_536)
    codes = np.random.default_rng(0).integers(0, 4, (40_960, 16)).astype(np.int32)
    rows = Rows(packed(codes, (4,) * 16), np.empty(0, np.int64))

    def peak():
        tracemalloc.start()
        for _, (found, _) in zip(range(200), loop.code_batches(rows, 64, 0).start(), strict=False):
            assert found.shape == (64, 16)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    with_stream = peak()
    monkeypatch.setattr(sources, "WINDOW_CELLS", 16 * 40_960)
    assert peak() > 5 * with_stream
