"""Values far out: the outer cells of a number keep the mean and the spread of their rows."""

import numpy as np
import pytest

from anypart.data import cells as shipped
from anypart.data.line import Line
from anypart.data.schema import Column, Kind
from tests.data.planted import planted


def check_tails(module, rounded):
    x = np.exp(np.random.default_rng(0).normal(6, 2, 16_000))
    x = np.concatenate([np.rint(x) if rounded else x, [-1e4, -5e3]])
    made, resolution = module.make_cells(x)
    line = Line(Column("x", Kind.CONTINUOUS, "", cells=made, resolution=resolution))
    mean, square = line.means()[-1], line.means(2)[-1]
    inside = x[x >= made[-1].low]
    assert 40 <= len(inside) < 100  # a long tail is cut more often
    assert mean == pytest.approx(inside.mean(), rel=0.1)
    assert np.sqrt(square - mean**2) == pytest.approx(inside.std(), rel=0.25)


@pytest.mark.parametrize("rounded", [False, True])
def test_the_last_cell_of_a_long_tail_has_the_moments_of_its_rows(rounded):
    check_tails(shipped, rounded)


def test_a_tail_in_pieces_like_all_others_is_found():
    few = planted(shipped, "if outer else (ROWS_PER_PIECE", "if False else (ROWS_PER_PIECE")
    with pytest.raises(AssertionError):
        check_tails(few, rounded=False)


def check_cuts(module):
    rng = np.random.default_rng(1)
    even = module.make_cells(rng.random(16_000))[0]
    long = module.make_cells(np.exp(rng.normal(0, 1.5, 16_000)))[0]
    assert len(even) == 64
    assert len(long) > 65
    x = np.exp(np.random.default_rng(1).normal(0, 1.5, 16_000))
    last = [int(((x >= c.low) & (x < c.high)).sum()) for c in module.make_cells(x)[0][-3:]]
    assert last[0] > 1.5 * last[1] > 1.5 * 40
    assert last[2] >= 40


def test_long_tails_are_cut_again_and_even_ends_are_not():
    check_cuts(shipped)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("high - low < LONG * beside", "high - low < 1e9"),
        ("high - low < LONG * beside or", ""),
        ("< 2 * ROWS_IN_TAIL", "< 20"),
    ],
)
def test_tails_that_are_cut_wrong_are_found(right, wrong):
    with pytest.raises(AssertionError):
        check_cuts(planted(shipped, right, wrong))
