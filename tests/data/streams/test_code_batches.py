"""Mini-batches of codes: which rows a stream reads, and that it goes on where it stood."""

import itertools
import json
from functools import partial

import numpy as np
import pytest

from anypart.base.errors import DataError
from anypart.data.streams import code_batches, sources, stages

from ..planted import planted


class Rows:
    """Codes in memory; the first column numbers the rows."""

    def __init__(self, n_rows, n_cols=2):
        self.codes = np.tile(np.arange(n_rows, dtype=np.int32)[:, None], (1, n_cols))
        self.n_rows = n_rows
        self.n_cats = (max(n_rows, 1),) * n_cols

    def rows(self, index):
        return self.codes[index], np.ones_like(self.codes[index], dtype=bool)


def row_numbers(cursor, batches=None):
    """Which rows the next batches hold, one after the other."""
    taken = (codes[:, 0].tolist() for codes, _ in itertools.islice(cursor, batches))
    return list(itertools.chain.from_iterable(taken))


@pytest.fixture
def small_windows(monkeypatch):
    """Make windows of four blocks of eight rows."""
    monkeypatch.setattr(sources, "BLOCK", 8)
    monkeypatch.setattr(sources, "WINDOW_CELLS", 8 * 4 * 2)


def test_an_epoch_reads_every_row_once_when_batches_divide_the_rows():
    cursor = code_batches(Rows(60), 10, seed=0).start(epochs=2)
    first, second = row_numbers(cursor, 6), row_numbers(cursor)
    assert sorted(first) == sorted(second) == list(range(60))
    assert first != second


def test_windows_of_a_long_table_do_not_repeat_rows(small_windows):
    read = row_numbers(code_batches(Rows(1_003), 8, seed=0).start())
    assert len(set(read)) == len(read) == (1_003 // 32) * 32


def test_a_window_is_blocks_of_neighbouring_rows(small_windows):
    window = sorted(row_numbers(code_batches(Rows(1_003), 8, seed=0).start(), 4))
    starts = [row for row in window if row - 1 not in window]
    assert len(starts) <= 5  # four blocks, one of which may span the end of the table
    assert sum(row + 1 in window for row in window) >= 32 - len(starts)


def test_every_row_of_a_long_table_is_read_sooner_or_later(small_windows):
    cursor = code_batches(Rows(1_003), 8, seed=0).start(epochs=4)
    assert set(row_numbers(cursor)) == set(range(1_003))


def test_a_batch_larger_than_the_table_is_the_table():
    codes, seen = next(code_batches(Rows(5), 100, seed=0).start())
    assert sorted(codes[:, 0]) == list(range(5))
    assert seen.all()


def test_another_seed_is_another_order():
    one, same, other = (row_numbers(code_batches(Rows(40), 8, seed).start()) for seed in (0, 0, 1))
    assert one == same != other


def test_a_batch_without_rows_is_refused():
    with pytest.raises(DataError, match="A batch of 0 items holds nothing"):
        code_batches(Rows(5), 0, seed=0)


def resumes_anywhere(make):
    """Whether a stream of three epochs is the same, stopped and resumed at every batch."""
    alone = row_numbers(make().start(epochs=3))
    for stop in range(sum(1 for _ in make().start(epochs=3)) + 1):
        cursor = make().start(epochs=3)
        first = row_numbers(cursor, stop)
        place = json.dumps(cursor.state())
        assert len(place) < 200
        if first + row_numbers(make().resume(json.loads(place), epochs=3)) != alone:
            return False
    return True


@pytest.mark.parametrize("n", [100, 5, 203])
def test_batches_go_on_where_they_stood(n, small_windows):
    assert resumes_anywhere(partial(code_batches, Rows(n), 7, seed=1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("Windows", "for number in range(mark or 0, self.n", "for number in range(0, self.n"),
        ("Windows", "yield self._places(epoch, number), number + 1", "yield self._places(epoch, "
         "number), number"),
        ("Cut", "start, given = mark or (None, 0)\n        for",
         "start, given = (mark or (None, 0))[0], 0\n        for"),
        ("Cut", "(start, piece)\n", "(start, piece - 1)\n"),
        ("Cut", "start, given = after, 0\n\n\n@", "given = 0\n\n\n@"),
    ],
)  # fmt: skip
def test_the_law_of_going_on_notices_a_bug(name, old, new, small_windows, monkeypatch):
    monkeypatch.setattr(sources, name, getattr(planted(stages, old, new), name))
    assert not resumes_anywhere(partial(code_batches, Rows(203), 7, seed=1))
