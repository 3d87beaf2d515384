"""Stated questions: exact along an order, one mixture each, and bugs that the laws find."""

from __future__ import annotations

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import ERROR_RATE, table_of
from tests.models.makers import hidden_tree
from tests.models.one_order_makers import MANY_ORDERS, N_CATS, ONE_ORDER
from tests.models.planting import plant

from anypart.base.errors import SavedFitError
from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence, Layout
from anypart.models.order_agnostic import OrderAgnostic
from anypart.models.stated import Stated, log_given
from anypart.models.stated_questions import Share, StatedQuestions, for_question
from anypart.optim.gradient import NetworkSettings, initial_parameters, seeded_orders

MAKERS = {**ONE_ORDER, **MANY_ORDERS}
ROWS = oracle.all_rows(N_CATS)
SEEN = np.ones(ROWS.shape, bool)


def along(order):
    """The question of an order: two columns given, two asked, one not named."""
    return Stated(tuple(sorted(order[2:4])), tuple(sorted(order[:2])))


def asked_alone(order):
    """The last column of an order given all others."""
    return Stated((int(order[-1]),), tuple(sorted(order[:-1].tolist())))


def of_a_table(table, question):
    """Log p(asked | given) of every row, by summing a table of all rows."""
    keep, given = [*question.given, *question.asked], list(question.given)
    both = table.sum(axis=tuple(c for c in range(table.ndim) if c not in keep), keepdims=True)
    below = table.sum(axis=tuple(c for c in range(table.ndim) if c not in given), keepdims=True)
    return np.log(np.broadcast_to(both / below, table.shape)).ravel()


def network(rng):
    layout, settings = Layout(N_CATS), NetworkSettings(width=8, orders=3)
    start = initial_parameters(layout, ROWS, SEEN, settings, 0)
    arrays = {n: a + rng.normal(size=a.shape).astype(np.float32) * 0.5 for n, a in start.items()}
    return OrderAgnostic(layout, arrays, seeded_orders(len(N_CATS), 3, 0))


def stated(seed=0):
    """A model of two stated questions, along the order of its trees."""
    rng = np.random.default_rng(seed)
    trees = ONE_ORDER["boosted_trees"](rng)
    while N_CATS[trees.order[-1]] == 1:
        trees = ONE_ORDER["boosted_trees"](rng)
    members = [trees, hidden_tree(rng), network(rng), hidden_tree(rng)]
    weights = [np.log(rng.dirichlet(np.ones(3))) for _ in range(2)]
    questions = [
        (along(trees.order), Share((0, 1, 2), weights[0])),
        (asked_alone(trees.order), Share((2, 0, 1), weights[1])),
    ]
    return StatedQuestions(members, Share((1, 3), np.log([0.3, 0.7])), questions)


@pytest.mark.parametrize("family", MAKERS)
def test_a_part_that_comes_after_what_is_given_is_exact(family):
    for seed in range(5):
        model = MAKERS[family](np.random.default_rng(seed))
        order = model.order if family in ONE_ORDER else model.orders[0]
        if family in MANY_ORDERS:
            model.orders = np.stack([along(order).ranked(o) for o in model.orders])
        right = of_a_table(table_of(model), along(order))
        assert np.allclose(log_given(model, ROWS, SEEN, along(order)), right, atol=1e-4)


@pytest.mark.parametrize("family", ONE_ORDER)
def test_one_pass_tells_a_column_given_those_before_it(family):
    model = ONE_ORDER[family](np.random.default_rng(1))
    table = table_of(model)
    for at, col in enumerate(model.order.tolist()):
        seen = np.zeros(SEEN.shape, bool)
        seen[:, model.order[:at]] = True
        found = np.exp(model.column(Evidence(ROWS, seen), col))
        for row in (3, 40):
            right = oracle.conditional(table, ROWS[row], seen[row])
            assert np.allclose(found[row], right[model.layout.slices[col]], atol=1e-4)


def answers_are_mixtures_of_exact_ones(seed=0):
    model = stated(seed)
    for own, (question, share) in zip(model.questions, model._shares, strict=True):
        parts = [
            np.exp(of_a_table(table_of(for_question(model.members[i], question)), question))
            for i in share.members
        ]
        right = np.exp(share.log_weights) @ np.stack(parts)
        assert np.allclose(np.exp(own.log_given(ROWS, SEEN)), right, atol=1e-4)
    # A single asked column: the same by `conditional` and by `leave_one_out`.
    seen = SEEN.copy()
    (col,) = model.questions[1].question.asked
    seen[:, col] = False
    place = model.layout.slices[col].start + ROWS[:, col]
    for found in (model.conditional(Evidence(ROWS, seen)), model.leave_one_out(ROWS, SEEN)):
        assert np.allclose(np.exp(found[np.arange(len(ROWS)), place]), right, atol=1e-4)


def what_is_not_stated_is_the_rest(seed=0):
    model = stated(seed)
    (col,), rng = model.questions[1].question.asked, np.random.default_rng(seed)
    seen = rng.random(SEEN.shape) < 0.5
    seen[:, col] = True
    evidence = Evidence(ROWS, seen)
    assert (model.log_prob(evidence) == model.rest.log_prob(evidence)).all()
    assert (model.conditional(evidence) == model.rest.conditional(evidence)).all()


def draws_follow_the_stated_distribution(seed=0):
    model, n = stated(seed), 20_000
    own = model.questions[0]
    codes = np.tile(ROWS[40], (n, 1)).astype(np.int32)
    seen = np.zeros(codes.shape, bool)
    seen[:, list(own.question.given)] = True
    drawn = model.sample(Evidence(codes, seen), np.random.default_rng(seed))
    assert (drawn[seen] == codes[seen]).all()
    same = (ROWS[40] == ROWS)[:, list(own.question.given)].all(axis=1)
    columns = list(own.question.asked)
    places = [N_CATS[c] for c in columns]
    counts = np.bincount(
        np.ravel_multi_index(drawn[:, columns].T, places), minlength=np.prod(places)
    )
    right = np.zeros(len(counts))
    logs = own.log_given(ROWS, SEEN)
    right[np.ravel_multi_index(ROWS[same][:, columns].T, places)] = np.exp(logs[same])
    assert abs(right.sum() - 1) < 1e-4
    # Bernstein: each count strays by less than this but for ERROR_RATE.
    most = np.sqrt(2 * n * right * (1 - right) * np.log(2 / ERROR_RATE)) + np.log(2 / ERROR_RATE)
    assert (np.abs(counts - n * right) <= most).all()


LAWS = {
    law.__name__: law
    for law in (
        answers_are_mixtures_of_exact_ones,
        what_is_not_stated_is_the_rest,
        draws_follow_the_stated_distribution,
    )
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("law", LAWS)
def test_stated_questions_keep_the_law(law, seed):
    LAWS[law](seed)


BUGS = [
    ("answers_are_mixtures_of_exact_ones", "stated", "seen & given))", "seen))"),
    (
        "answers_are_mixtures_of_exact_ones",
        "stated_questions",
        "np.stack(logs) + self.log_weights[:, None], 0",
        "np.stack(logs) - np.log(len(logs)), 0",
    ),
    (
        "answers_are_mixtures_of_exact_ones",
        "stated_questions",
        "orders.append(question.ranked(order))",
        "orders.append(order)",
    ),
    (
        "answers_are_mixtures_of_exact_ones",
        "stated_questions",
        "rows = np.flatnonzero(own.met(others))",
        "rows = np.flatnonzero(own.met(seen))",
    ),
    (
        "what_is_not_stated_is_the_rest",
        "stated",
        " & ~np.any(seen & ~given, axis=1)",
        "",
    ),
    (
        "draws_follow_the_stated_distribution",
        "stated_questions",
        "p=np.exp(self.log_weights)",
        "p=None",
    ),
    (
        "draws_follow_the_stated_distribution",
        "stated_questions",
        "codes[rows[:, None], asked] = drawn[:, asked]",
        "codes[rows[:, None], asked] = drawn[::-1, asked][:, ::-1] * 0",
    ),
]


@pytest.mark.parametrize(("law", "module", "right", "wrong"), BUGS)
def test_a_planted_bug_breaks_the_law(monkeypatch, law, module, right, wrong):
    plant(monkeypatch, f"anypart.models.{module}", right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        hold(law)


def hold(law):
    for seed in range(3):
        LAWS[law](seed)


def test_a_saved_model_gives_the_same_answers_and_a_damaged_one_is_refused():
    model = stated()
    settings, arrays = model.state()
    again = load_model("stated_questions", settings, arrays)
    for one, other in zip(model.questions, again.questions, strict=True):
        assert (one.log_given(ROWS, SEEN) == other.log_given(ROWS, SEEN)).all()
    evidence = Evidence(ROWS, SEEN)
    assert (model.log_prob(evidence) == again.log_prob(evidence)).all()
    for name in ("rest", "question.0", "0.tests"):
        less = {k: v for k, v in arrays.items() if k != name}
        with pytest.raises(SavedFitError, match="damaged"):
            load_model("stated_questions", settings, less)
    with pytest.raises(SavedFitError, match="damaged"):
        load_model("stated_questions", settings | {"rest": []}, arrays)
