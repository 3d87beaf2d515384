import numpy as np
import pytest

from anypart.base.errors import FitError
from anypart.optim import rows as rows_module
from anypart.optim.rows import Rows, fingerprint, some_rows, split


class Table:
    """Codes in memory; the first column numbers the rows."""

    def __init__(self, n_rows, n_cols=2):
        self.codes = np.tile(np.arange(n_rows, dtype=np.int32)[:, None], (1, n_cols))
        self.n_rows = n_rows
        self.n_cats = (max(n_rows, 1),) * n_cols

    def rows(self, index):
        return self.codes[index], np.ones_like(self.codes[index], dtype=bool)


def without(table, *rows):
    return Rows(table, np.array(rows, np.int64))


def test_rows_that_do_not_belong_are_never_read():
    rows = without(Table(10), 0, 3, 4, 9)
    assert rows.n_rows == 6
    assert rows.rows(np.arange(6))[0][:, 0].tolist() == [1, 2, 5, 6, 7, 8]


def test_a_seeded_tenth_is_held_out_and_not_trained_on():
    table = Table(1_000)
    halves = split(table, None, seed=3)
    train = halves.train.rows(np.arange(halves.train.n_rows))[0][:, 0]
    assert len(halves.codes) == 100
    assert sorted([*train, *halves.codes[:, 0]]) == list(range(1_000))
    assert np.array_equal(split(table, None, 3).codes, halves.codes)
    assert not np.array_equal(split(table, None, 4).codes, halves.codes)


def test_an_own_validation_table_leaves_all_rows_to_train_on():
    halves = split(Table(20), Table(20), seed=0)
    assert halves.train.n_rows == 20
    assert len(halves.codes) == 20


def test_validation_rows_are_bounded(monkeypatch):
    monkeypatch.setattr(rows_module, "MOST_VALID", 7)
    assert len(split(Table(1_000), None, 0).codes) == 7
    assert len(split(Table(1_000), Table(1_000), 0).codes) == 7


@pytest.mark.parametrize("n", [0, 1])
def test_a_table_without_rows_is_refused(n):
    with pytest.raises(FitError, match="at least 2 rows"):
        split(Table(n), None, 0)


def test_an_empty_validation_table_is_refused():
    empty = Table(0)
    empty.n_cats = Table(5).n_cats
    with pytest.raises(FitError, match="0 to validate on"):
        split(Table(5), empty, 0)


def test_a_validation_table_with_other_categories_is_refused():
    with pytest.raises(FitError, match="one schema"):
        split(Table(5), Table(6), 0)


def test_some_rows_are_all_rows_when_they_fit():
    rows = without(Table(10), 2)
    assert some_rows(rows, 100, 0)[0][:, 0].tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]
    assert len(some_rows(rows, 4, 0)[0]) == 4


def test_the_fingerprint_moves_with_a_cell_and_with_the_number_of_rows():
    one, other, longer = Table(100), Table(100), Table(101)
    assert fingerprint(one) == fingerprint(other)
    other.codes[50, 1] += 1
    assert len({fingerprint(t) for t in (one, other, longer)}) == 3
