import dataclasses

import numpy as np
import pytest

from anypart.base.errors import DataError, FitError
from anypart.models.contract import Evidence
from anypart.optim import loop
from anypart.optim.checkpoint import read_arrays, write_arrays
from anypart.optim.events import Progress, event_from_json, event_to_json
from anypart.optim.loop import Stopped, train_member
from anypart.optim.plan import Member
from anypart.optim.rows import Rows, Split

MEMBER = Member("shares", "toy", {}, 0, 40, 10, 4, 3)


class Shares:
    """A model of one column: a share for each category."""

    family = "toy"

    def __init__(self, shares):
        self.shares = shares

    def log_prob(self, evidence):
        return np.log(self.shares[evidence.codes[:, 0]])

    def state(self):
        return {"kind": "shares"}, {"shares": self.shares}


class ShareLearner:
    """Moves the shares towards those of the batch, from `turn` on away from them."""

    def __init__(self, turn=10**9):
        self.shares, self.turn, self.n = np.array([0.98, 0.01, 0.01]), turn, np.array(0)

    def step(self, codes, seen, progress):
        aim = np.bincount(codes[:, 0], minlength=3) / len(codes) + 1e-3
        if self.n >= self.turn:
            aim = np.array([1, 1e-6, 1e-6])
        self.shares = 0.9 * self.shares + 0.1 * aim / aim.sum()
        self.n = self.n + 1
        return 0.0

    def model(self):
        return Shares(self.shares.copy())

    def state(self):
        return {"shares": self.shares, "n": self.n}

    def load_state(self, arrays):
        self.shares, self.n = arrays["shares"], arrays["n"]


class Table:
    n_rows, n_cats = 200, (3,)
    codes = np.random.default_rng(0).integers(0, 3, (200, 1)).astype(np.int32)

    def rows(self, index):
        return self.codes[index], np.ones((len(self.codes[index]), 1), bool)


@pytest.fixture
def halves(monkeypatch):
    monkeypatch.setattr(loop, "load_model", lambda family, settings, arrays: Shares(**arrays))
    start_with(monkeypatch, ShareLearner)
    table = Table()
    return Split(Rows(table, np.arange(20)), *table.rows(np.arange(20)))


def start_with(monkeypatch, make):
    monkeypatch.setattr(loop, "start_learner", lambda *_: make())


def quiet(_):
    return None


def test_training_makes_the_validation_rows_likelier(halves, tmp_path):
    found = train_member(MEMBER, halves, tmp_path / "c", quiet)
    at_start = ShareLearner().model().log_prob(Evidence(halves.codes, halves.seen)).mean()
    assert found.steps == 40
    assert found.log_lik > at_start + 0.5


def test_the_best_snapshot_is_kept_when_later_ones_are_worse(halves, tmp_path, monkeypatch):
    start_with(monkeypatch, lambda: ShareLearner(turn=20))
    found = train_member(MEMBER, halves, tmp_path / "c", quiet)
    assert found.step <= 20 < found.steps
    assert found.log_lik == found.model.log_prob(Evidence(halves.codes, halves.seen)).mean()


def test_training_ends_after_patience_is_used_up(halves, tmp_path, monkeypatch):
    start_with(monkeypatch, lambda: ShareLearner(turn=8))
    found = train_member(MEMBER, halves, tmp_path / "c", quiet)
    assert found.step == 8
    assert found.steps == 8 + 3 * 4


def stopping_at(step, halves, checkpoint, member=MEMBER):
    """Train until a step, then stop; tell whether it was stopped."""
    count = iter(range(1, 10**6))
    try:
        train_member(member, halves, checkpoint, quiet, lambda: next(count) >= step)
    except Stopped:
        return True
    return False


def differs_after_stops(halves, folder):
    """Stop at every step of a run, and compare its end with a run left alone."""
    alone = train_member(MEMBER, halves, folder / "alone", quiet)
    for step in range(1, alone.steps, 3):
        assert stopping_at(step, halves, folder / f"{step}")
        again = train_member(MEMBER, halves, folder / f"{step}", quiet)
        same = np.array_equal(again.model.shares, alone.model.shares)
        if not same or dataclasses.astuple(again)[1:] != dataclasses.astuple(alone)[1:]:
            return True
    return False


@pytest.mark.parametrize("turn", [10**9, 10, 30])
def test_a_run_that_was_stopped_ends_with_the_same_bits(halves, tmp_path, monkeypatch, turn):
    start_with(monkeypatch, lambda: ShareLearner(turn=turn))
    assert not differs_after_stops(halves, tmp_path)


@pytest.mark.parametrize(
    ("turn", "bug"),
    [
        (10**9, lambda run: setattr(run, "step", run.step + 1)),
        (10**9, lambda run: setattr(run, "rows", run.rows.stream.start(epochs=None))),
        (10, lambda run: setattr(run, "best_log_lik", -np.inf)),
        (10, lambda run: setattr(run, "stale", 0)),
        (30, lambda run: setattr(run, "best", None)),
    ],
)
def test_the_same_bits_law_bites(halves, tmp_path, monkeypatch, turn, bug):
    """A resume that forgets one thing ends elsewhere."""
    shipped = loop._Run.load

    def forgetful(self, path):
        shipped(self, path)
        bug(self)

    start_with(monkeypatch, lambda: ShareLearner(turn=turn))
    monkeypatch.setattr(loop._Run, "load", forgetful)
    assert differs_after_stops(halves, tmp_path)


def test_a_run_can_be_stopped_many_times(halves, tmp_path):
    alone = train_member(MEMBER, halves, tmp_path / "alone", quiet)
    stops = 0
    while stopping_at(7, halves, tmp_path / "c"):
        stops += 1
    found = train_member(MEMBER, halves, tmp_path / "c", quiet)
    assert stops == 5
    assert np.array_equal(found.model.shares, alone.model.shares)


def test_a_checkpoint_is_written_as_often_as_the_member_says(halves, tmp_path):
    train_member(dataclasses.replace(MEMBER, save_every=0), halves, tmp_path / "c", quiet)
    assert read_arrays(tmp_path / "c")[1]["step"] == MEMBER.steps
    train_member(MEMBER, halves, tmp_path / "none", quiet)
    assert not (tmp_path / "none").exists()


def test_a_checkpoint_of_another_plan_is_refused(halves, tmp_path):
    assert stopping_at(5, halves, tmp_path / "c")
    other = dataclasses.replace(MEMBER, batch=11)
    with pytest.raises(FitError, match="another plan of shares"):
        train_member(other, halves, tmp_path / "c", quiet)


def test_a_checkpoint_without_a_place_in_the_rows_is_refused(halves, tmp_path):
    assert stopping_at(5, halves, tmp_path / "c")
    arrays, about = read_arrays(tmp_path / "c")
    del about["rows"]
    write_arrays(tmp_path / "c", arrays, about)
    with pytest.raises(DataError, match="no saved place of a stream"):
        train_member(MEMBER, halves, tmp_path / "c", quiet)


def test_a_likelihood_that_is_lost_is_an_error(halves, tmp_path, monkeypatch):
    class Lost(ShareLearner):
        def model(self):
            return Shares(np.full(3, np.nan))

    start_with(monkeypatch, Lost)
    with pytest.raises(FitError, match="not a number"):
        train_member(MEMBER, halves, tmp_path / "c", quiet)


def test_progress_is_told_with_the_time_left(halves, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SECONDS_BETWEEN_EVENTS", 0)
    told = []
    train_member(MEMBER, halves, tmp_path / "c", told.append)
    assert [e.step for e in told] == list(range(1, 41))
    assert told[0].log_lik is None
    assert told[-1].log_lik is not None
    assert told[-1].seconds_left == 0
    assert [event_from_json(event_to_json(e)) for e in told] == told
    assert all(isinstance(e, Progress) for e in told)
