import numpy as np
from tests.models.makers import N_CATS, hidden_tree
from threadpoolctl import threadpool_info

from anypart.models.contract import Evidence
from anypart.models.stack import Stack

WEIGHTS = np.log([0.5, 0.3, 0.2])


def some_rows(n_rows=600, seed=0):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, N_CATS, (n_rows, len(N_CATS))).astype(np.int32)
    return Evidence(codes, rng.random(codes.shape) < 0.6)


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def noting(verb, during):
    """Note the threads of products each time that a verb is called."""

    def noted(*question):
        during.append(blas_threads())
        return verb(*question)

    return noted


def test_products_take_one_thread_while_members_answer_and_what_they_took_afterwards(monkeypatch):
    stack = Stack([hidden_tree(np.random.default_rng(i)) for i in range(3)], WEIGHTS)
    rows, during = some_rows(), []
    for member in stack.members:
        for verb in ("log_prob", "conditional", "leave_one_out", "sample", "represent"):
            monkeypatch.setattr(member, verb, noting(getattr(member, verb), during))
    before = blas_threads()
    stack.conditional(rows)
    stack.leave_one_out(rows.codes, rows.seen)
    stack.sample(rows, np.random.default_rng(0))
    stack.represent(rows)
    assert during
    assert all(threads == {1} for threads in during)
    assert blas_threads() == before
