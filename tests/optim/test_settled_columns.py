"""A column that another one settles hangs on that column's own code."""

import itertools

import numpy as np
import pytest
from tests.data.planted import planted

from anypart.models import structure
from anypart.models.contract import Evidence, Layout
from anypart.optim import decoder, tree_start
from anypart.optim.decoder import DecoderLearner, DecoderSettings
from anypart.optim.finish import finish_member, load_stored
from anypart.optim.hats import hats
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner
from anypart.optim.loop import Stopped
from anypart.optim.plan import Member
from anypart.optim.rows import Rows, Split

LAYOUT = Layout((6, 3, 2))
BOROUGH = np.array([0, 0, 1, 1, 2, 2])


def zones(n_rows: int, seed: int = 0):
    """A zone, the borough it lies in, and a coin that leans on the borough."""
    rng = np.random.default_rng(seed)
    zone = rng.choice(6, n_rows, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1])
    coin = rng.random(n_rows) < np.array([0.2, 0.5, 0.8])[BOROUGH[zone]]
    codes = np.stack([zone, BOROUGH[zone], coin], axis=1).astype(np.int32)
    return codes, np.ones(codes.shape, np.bool_)


def tree(codes, seen):
    return HiddenTreeLearner(LAYOUT, codes, seen, HiddenSettings(n_states=4), 0)


def mixture(codes, seen):
    settings = DecoderSettings(dims=2, width=32, points=128, rate=0.02)
    return DecoderLearner(LAYOUT, codes, seen, settings, 0)


def learned(start=tree, n_rows: int = 2_000, steps: int = 60):
    codes, seen = zones(n_rows)
    seen[::7, 1] = False  # gaps are summed out
    learner = start(codes, seen)
    for step in range(steps):
        rows = np.arange(step * 100, step * 100 + 100) % n_rows
        learner.step(codes[rows], seen[rows], step / steps)
    return learner


def agreement(model) -> float:
    drawn = model.sample(Evidence.nothing(4_000, 3), np.random.default_rng(1))
    return float(np.mean(BOROUGH[drawn[:, 0]] == drawn[:, 1]))


def test_only_a_column_that_is_settled_is_found():
    codes, seen = zones(2_000)
    counts = structure.pair_counts(LAYOUT, codes, seen)
    assert structure.determined(LAYOUT, counts) == {1: 0}
    codes[:50, 1] = (codes[:50, 1] + 1) % 3  # 2.5 % exceptions are too many
    counts = structure.pair_counts(LAYOUT, codes, seen)
    assert structure.determined(LAYOUT, counts) == {}


def test_few_rows_settle_nothing():
    codes, seen = zones(60)
    counts = structure.pair_counts(LAYOUT, codes, seen)
    assert structure.determined(LAYOUT, counts) == {}


STARTS = pytest.mark.parametrize("start", [tree, mixture])


def hidden_where(values, n_rows=2_000):
    """Zones that are not seen in boroughs of these values."""
    codes, seen = zones(n_rows)
    seen[np.isin(codes[:, 1], values), 0] = False
    return codes, seen


def check_that_gaps_by_value_settle_nothing(module):
    for values in ([0], [2], [0, 1]):  # one borough left: every zone "settles" it
        counts = module.pair_counts(LAYOUT, *hidden_where(values))
        assert module.determined(LAYOUT, counts) == {}
    codes, seen = zones(2_000)
    seen[::2, 0] = False  # gaps by chance hide nothing
    assert module.determined(LAYOUT, module.pair_counts(LAYOUT, codes, seen)) == {1: 0}


def test_a_column_whose_gaps_hang_on_another_does_not_settle_it():
    check_that_gaps_by_value_settle_nothing(structure)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (" & ~passed_over", ""),
        ("LEAST_MET * due", "LEAST_MET * due * 3"),
    ],
)
def test_the_law_of_gaps_by_value_bites(right, wrong):
    with pytest.raises(AssertionError):
        check_that_gaps_by_value_settle_nothing(planted(structure, right, wrong))


@STARTS
def test_what_gaps_hide_keeps_its_share(start):
    codes, seen = hidden_where([0])
    learner = start(codes, seen)
    for step in range(60):
        rows = np.arange(step * 100, step * 100 + 100) % len(codes)
        learner.step(codes[rows], seen[rows], step / 60)
    told = np.exp(learner.model().conditional(Evidence.nothing(1, 3))[0])[LAYOUT.slices[1]]
    np.testing.assert_allclose(told, np.bincount(codes[:, 1]) / len(codes), atol=0.05)


@STARTS
def test_the_model_of_a_settled_column_sums_to_one_and_keeps_the_rule(start):
    model = learned(start).model()
    cells = np.array(list(itertools.product(*map(range, LAYOUT.n_cats))), np.int32)
    total = np.exp(model.log_prob(Evidence(cells, np.ones(cells.shape, np.bool_)))).sum()
    assert total == pytest.approx(1, abs=1e-5)
    assert agreement(model) > 0.995


@STARTS
def test_without_the_finding_the_rule_is_kept_less_well(monkeypatch, start):
    with_it = agreement(learned(start).model())
    monkeypatch.setattr(tree_start, "determined", lambda layout, counts: {})
    assert agreement(learned(start).model()) < with_it


def test_a_table_of_what_is_settled_leans_on_the_rows():
    codes, seen = zones(2_000)
    codes[0, 1] = 2 - codes[0, 1] + (codes[0, 1] == 1)  # one exception
    hosts, tables = decoder.settled_tables(tree_start.make_sample(LAYOUT, codes, seen))
    counts = np.zeros((6, 3))
    np.add.at(counts, (codes[:, 0], codes[:, 1]), 1)
    right = counts / counts.sum(1, keepdims=True)
    assert hosts == {1: 0}
    np.testing.assert_allclose(np.exp(tables[1]), right, atol=1e-4)
    assert np.isfinite(tables[1]).all()


@STARTS
def test_training_goes_on_from_its_state_with_the_same_bits(start):
    codes, seen = zones(2_000)
    first, second = learned(start, steps=20), learned(start, steps=0)
    second.load_state(first.state())
    for learner in (first, second):
        learner.step(codes[:100], seen[:100], 0.5)
    for one, other in zip(first.state().values(), second.state().values(), strict=True):
        np.testing.assert_array_equal(one, other)


class Zones:
    """The rows as a source of training."""

    def __init__(self):
        self.codes, self.seen = zones(400)
        self.n_rows, self.n_cats = 400, LAYOUT.n_cats

    def rows(self, index):
        return self.codes[index], self.seen[index]


def test_a_member_with_settled_columns_is_stopped_resumed_and_stored(tmp_path):
    source, some = Zones(), np.arange(50)
    halves = Split(Rows(source, some), *source.rows(some))
    settings = {"dims": 2, "width": 8, "points": 32}
    member = Member("mixture", "continuous_mixture", settings, 0, 30, 50, 5, 9)
    steps = iter(range(100))
    with pytest.raises(Stopped):
        finish_member(member, halves, tmp_path, print, lambda: next(steps) > 12)
    finish_member(member, halves, tmp_path, print)
    finish_member(member, halves, tmp_path / "alone", print)
    one, alone = load_stored(member, tmp_path), load_stored(member, tmp_path / "alone")
    assert one.model.family == "settled"
    np.testing.assert_array_equal(one.valid_log_prob, alone.valid_log_prob)


def check_that_hats_are_of_the_right_column(module):
    """A borough that its zone settles comes first, a number of nine cells last."""
    codes, seen = zones(2_000)
    number = np.random.default_rng(3).integers(0, 9, len(codes))
    codes = np.stack([codes[:, 1], codes[:, 0], number], axis=1).astype(np.int32)
    settings = module.DecoderSettings(dims=2, width=8, points=16, ordered=(2,))
    learner = module.DecoderLearner(Layout((3, 6, 9)), codes, seen, settings, 0)
    width = next(a.shape[1] for k, a in learner.state().items() if k.endswith("out_weight"))
    assert width == 6 + len(hats(9))


def test_hats_are_of_the_right_column_where_others_are_settled():
    check_that_hats_are_of_the_right_column(decoder)


def test_hats_of_another_column_are_found():
    wrong = planted(decoder, "if c in settings.ordered]", "if place in settings.ordered]")
    with pytest.raises(AssertionError):
        check_that_hats_are_of_the_right_column(wrong)
