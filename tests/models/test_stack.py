import threading

import numpy as np
from tests.models.makers import N_CATS, hidden_tree

from anypart.models import stack as shipped
from anypart.models.contract import Evidence
from anypart.models.stack import Stack

WEIGHTS = np.log([0.5, 0.3, 0.2])


def some_rows(n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, N_CATS, (n_rows, len(N_CATS))).astype(np.int32)
    return Evidence(codes, rng.random(codes.shape) < 0.6)


def test_many_rows_in_threads_give_the_same_bits_as_in_one(monkeypatch):
    stack = Stack([hidden_tree(np.random.default_rng(i)) for i in range(3)], WEIGHTS)
    rows = some_rows()

    def answers():
        return (
            stack.log_prob(rows),
            stack.conditional(rows),
            stack.leave_one_out(rows.codes, rows.seen),
        )

    in_threads = answers()
    monkeypatch.setattr(shipped, "ROWS_FOR_THREADS", 10**9)
    for one, other in zip(in_threads, answers(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_few_rows_are_answered_without_threads(monkeypatch):
    stack = Stack([hidden_tree(np.random.default_rng(i)) for i in range(3)], WEIGHTS)
    names = set()
    for member in stack.members:
        kept = member.log_prob

        def noted(evidence, kept=kept):
            names.add(threading.current_thread().name)
            return kept(evidence)

        monkeypatch.setattr(member, "log_prob", noted)
    stack.log_prob(some_rows(10))
    assert names == {threading.current_thread().name}
    stack.log_prob(some_rows(600))
    assert len(names) > 1
