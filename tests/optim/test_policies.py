"""Every policy's loss is what the policy says: enumerated questions, orders and corruptions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from tests.models.planting import plant

from anypart.base.errors import ColumnError, FitError
from anypart.models.contract import Evidence, Layout
from anypart.models.order_agnostic import OrderAgnostic
from anypart.optim import gradient, policies
from anypart.optim.gradient import NetworkSettings, initial_parameters, seeded_orders
from anypart.optim.policies import KINDS, Policy, kinds, read_policy

LAYOUT = Layout((2, 3, 2, 2))
ROWS = np.array([[1, 2, 0, 1], [0, 1, 1, 0]], np.int32)
SEEN = np.array([[True, True, False, True], [True, True, True, True]])
POLICIES = {
    "orders": Policy("orders"),
    "one order": Policy("one order"),
    "another order": Policy("one order", columns=(2, 0, 3, 1)),
    "subsets": Policy("subsets"),
    "half": Policy("subsets", share=0.5),
    "spans": Policy("spans"),
    "short spans": Policy("spans", share=0.5),
    "columns": Policy("columns", columns=(1, 3)),
    "columns given": Policy("columns", columns=(0, 1), given=(3,)),
    "corruption": Policy("corruption", share=0.4),
}


def network(seed=0):
    """A network with every parameter far from its start."""
    rng = np.random.default_rng(seed)
    settings = NetworkSettings(width=6, blocks=1)
    start = initial_parameters(LAYOUT, ROWS, SEEN, settings, seed)
    return OrderAgnostic(
        LAYOUT,
        {n: a + rng.normal(size=a.shape).astype(np.float32) for n, a in start.items()},
        seeded_orders(4, 1, seed),
    )


def log_p(net, row, context, col):
    shown = np.zeros((1, 4), bool)
    shown[0, list(context)] = True
    flat = net.conditional(Evidence(row[None], shown))[0]
    return flat[LAYOUT.slices[col]][row[col]]


def questions(policy, cells):
    """All (probability, asked, given) of a policy, by its definition in words."""
    n = len(cells)
    if policy.kind in ("orders", "one order"):
        yield 1.0, cells, ()
        return
    if policy.kind == "columns":
        asked = tuple(c for c in cells if c in policy.columns)
        rest = tuple(c for c in cells if c not in asked)
        yield 1.0, asked, rest if policy.given is None else policy.given
        return
    sizes = range(1, n + 1) if policy.share is None else [max(round(policy.share * n), 1)]
    for size in sizes:
        if policy.kind == "subsets":
            parts = list(itertools.combinations(cells, size))
        else:
            parts = [cells[i : i + size] for i in range(n - size + 1)]
        for part in parts:
            yield 1 / len(sizes) / len(parts), part, tuple(c for c in cells if c not in part)


def said(net, policy, row, seen, power=0.5):
    """What a policy says it minimises for one row, nats; as a level, with power 1."""
    cells = tuple(np.flatnonzero(seen).tolist())
    if policy.kind == "corruption":
        return corrupted(net, policy.share, row, cells)
    total = 0.0
    for chance, asked, given in questions(policy, cells):
        orders = list(itertools.permutations(asked))
        if policy.kind == "one order":
            line = policy.columns or (0, 1, 2, 3)
            orders = [tuple(c for c in line if c in asked)]
        for order in orders:
            # Of n cells that are left, all are predicted, or of a fixed order one.
            n_left = np.arange(len(order), 0, -1)
            n_predicted = np.ones_like(n_left) if policy.kind == "one order" else n_left
            weight = (len(cells) / n_predicted) ** power * n_predicted / len(order)
            logs = [log_p(net, row, given + order[:i], c) for i, c in enumerate(order)]
            lost = -np.dot(weight, logs)
            total += chance / len(orders) * lost
    return total


def corrupted(net, share, row, cells):
    """Every set of replaced cells and every other value, all cells asked."""
    tokens = [net._tokens(r[None], s[None])[0] for r, s in zip(ROWS, SEEN, strict=True)]
    own = net._tokens(row[None], np.isin(np.arange(4), cells)[None])[0]
    total = 0.0
    for hit in itertools.product([False, True], repeat=len(cells)):
        donors = [[r for r in (0, 1) if SEEN[r, c]] for c in cells]
        chosen = [d if h else [None] for d, h in zip(donors, hit, strict=True)]
        for pick in itertools.product(*chosen):
            shown = own.copy()
            chance = 1.0
            for c, h, r, d in zip(cells, hit, pick, donors, strict=True):
                chance *= share / len(d) if h else 1 - share
                shown[c] = tokens[r][c] if h else shown[c]
            sums = net._sums(shown[None])
            lost = -sum(net._cell(sums, slice(None), c)[0][row[c]] for c in cells)
            total += chance * lost
    return total


def found(net, some, n=1_500, batches=16):
    """Mean loss of many copies of the rows and its standard error."""
    codes, seen = np.tile(ROWS, (n, 1)), np.tile(SEEN, (n, 1))
    parameters = {k: torch.tensor(a) for k, a in net._arrays.items()}
    losses = []
    for seed in range(batches):
        exercise = policies.draw(some, codes, seen, np.random.default_rng(seed))
        loss = gradient.any_part_loss(parameters, LAYOUT, codes, seen, exercise)
        losses.append(float(loss))
    return np.mean(losses), np.std(losses, ddof=1) / batches**0.5


def off(name):
    """Standard errors between a policy's loss and what it says."""
    net = network()
    exact = np.mean([said(net, POLICIES[name], r, s) for r, s in zip(ROWS, SEEN, strict=True)])
    mean, error = found(net, [POLICIES[name]])
    return abs(mean - exact) / max(error, 1e-6 * abs(exact))


@pytest.mark.parametrize("name", POLICIES)
def test_the_loss_is_unbiased_for_what_the_policy_says(name):
    assert off(name) < 4.5  # of 16 batches; a false alarm in 2,000 runs of a policy


BUGS = {
    "one more is told": (
        "half",
        "policies.kinds",
        "(spread(len(n_asked), rng) * n_asked)",
        "(spread(len(n_asked), rng) * np.maximum(n_asked - 1, 1))",
    ),
    "no weight": ("orders", "gradient", "np.sqrt(seen.sum(1) /", "np.sqrt(1.0 /"),
    "no root": ("subsets", "gradient", "scale = np.sqrt(", "scale = ("),
    "weight of all cells": ("subsets", "gradient", "np.maximum(exercise.asked.sum(1), 1)", "2"),
    "crowded numbers": ("subsets", "policies.kinds", "(rng.permutation(n) +", "(np.zeros(n) +"),
    "all of a fixed order": (
        "one order",
        "policies.kinds",
        "places == n_told if question.fixed",
        "places == n_told if False",
    ),
    "the order backwards": (
        "one order",
        "policies.kinds",
        "ranks[:, order] = np",
        "ranks[:] = -np",
    ),
    "starts beyond": (
        "short spans",
        "policies.kinds",
        "seen.sum(1) - long, 0) + 1)",
        "seen.sum(1) - long, 0) + 2)",
    ),
    "gaps count as neighbours": (
        "spans",
        "policies.kinds",
        "place = np.cumsum(seen, axis=1) - 1",
        "place = np.cumsum(np.ones_like(seen), axis=1) - 1",
    ),
    "unseen values": (
        "corruption",
        "policies.exercise",
        "codes[seen[:, col], col]",
        "codes[:, col]",
    ),
    "only replaced cells": (
        "corruption",
        "policies.exercise",
        "seen[rows], seen[rows], question",
        "seen[rows], question.replaced, question",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_law_bites(monkeypatch, bug):
    name, module, right, wrong = BUGS[bug]
    plant(monkeypatch, f"anypart.optim.{module}", right, wrong)
    for kind, function in list(KINDS.items()):
        monkeypatch.setitem(KINDS, kind, getattr(kinds, function.__name__))
    assert off(name) > 4.5


def test_a_mixture_has_the_mean_of_its_policies():
    net, some = network(), [Policy("orders", 1.0), Policy("columns", 3.0, columns=(3,))]
    parts = [np.mean([said(net, p, r, s) for r, s in zip(ROWS, SEEN, strict=True)]) for p in some]
    mean, error = found(net, some)
    assert abs(mean - (parts[0] + 3 * parts[1]) / 4) < 4.5 * error


def test_level_estimates_the_same_for_any_model():
    net, some = network(), [Policy("subsets")]
    exact = np.mean([said(net, some[0], r, s, 1) for r, s in zip(ROWS, SEEN, strict=True)])
    codes, seen = np.tile(ROWS, (1_000, 1)), np.tile(SEEN, (1_000, 1))
    levels = [policies.level(net, some, codes, seen, seed) for seed in range(12)]
    assert abs(np.mean(levels) + exact) < 4.5 * np.std(levels, ddof=1) / 12**0.5


@pytest.mark.parametrize("name", POLICIES)
def test_what_is_asked_has_a_value_and_is_not_shown(name):
    rng = np.random.default_rng(1)
    seen = rng.random((300, 4)) < 0.7
    codes = rng.integers(0, LAYOUT.n_cats, (300, 4)).astype(np.int32)
    exercise = policies.draw([POLICIES[name]], codes, seen, rng)
    assert not (exercise.asked & ~seen).any()
    assert not (exercise.shown & ~seen).any()
    hidden = seen.any(axis=1) & ~exercise.asked.any(axis=1)
    if name == "corruption":
        return
    assert not (exercise.asked & exercise.shown).any()
    assert not hidden.any() or name.startswith("columns")


def parity(n_rows, seed):
    """The last column is the exclusive or of the first two, but for one row in ten."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 2, (n_rows, 2))
    last = (first[:, 0] ^ first[:, 1]) ^ (rng.random(n_rows) < 0.1)
    return np.column_stack([first, last]).astype(np.int32)


def test_without_the_questions_they_are_answered_worse():
    layout, rows, test = Layout((2, 2, 2)), parity(500, 1), parity(500, 2)
    asked = [Policy("columns", columns=(0,))]
    levels = {}
    for name, some in {"asked": asked, "one order": [Policy("one order")]}.items():
        settings = NetworkSettings(24, 1, 1, 0.0, 1e-2, policy=tuple(p.settings() for p in some))
        seen = np.ones(rows.shape, bool)
        learner = gradient.NetworkLearner(layout, rows, seen, settings, 0)
        for step in range(250):
            learner.step(rows, seen, step / 250)
        levels[name] = policies.level(learner.model(), asked, test, seen, 0) / 3
    assert levels["asked"] > -0.45  # nats a cell; the noise alone costs .325
    assert levels["one order"] < -0.6  # what it never asked it does not know: ln 2 is .693


NAMES = ["age", "income", "sex"]


@pytest.mark.parametrize(
    ("written", "error", "said"),
    [
        ("orderz", FitError, "Did you mean 'orders'"),
        ("orders 10%", FitError, "does not take"),
        ("spans 0%", FitError, "above 0 %"),
        ({"orders": 0}, FitError, "weight of 'orders' is 0"),
        ([], FitError, "at least one question"),
        ("incme | *", ColumnError, "Did you mean 'income'"),
        (" | age", FitError, "asks for no column"),
        ("age, sex | sex", FitError, "asks for 'sex' and gives it"),
    ],
)
def test_what_is_no_policy_is_refused(written, error, said):
    with pytest.raises(error, match=said):
        read_policy(written, NAMES)


def test_questions_weights_and_shares_are_read():
    assert read_policy("* | age", NAMES) == (Policy("columns", columns=(1, 2), given=(0,)),)
    assert read_policy("income | ", NAMES) == (Policy("columns", columns=(1,), given=()),)
    some = read_policy({"mixed": 3, "income | *": 1}, NAMES)
    assert sum(p.weight for p in some) == pytest.approx(4)
    assert some[-1] == Policy("columns", columns=(1,))
    assert read_policy("subsets 12.5%", NAMES)[0].share == 0.125
