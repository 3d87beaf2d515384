import itertools

import numpy as np
import pytest
import torch

from anypart.base.errors import QuestionError
from anypart.models.contract import Evidence, Layout
from anypart.models.order_agnostic import OrderAgnostic
from anypart.optim.gradient import (
    NetworkLearner,
    NetworkSettings,
    any_part_loss,
    initial_parameters,
    masked_logits,
    seeded_orders,
)
from anypart.optim.policies import Policy, draw

LAYOUT = Layout((2, 3, 4))
SETTINGS = NetworkSettings(width=8, blocks=2, orders=3, dropout=0.1, rate=1e-2)


def table(n_rows=200, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, n_rows)
    b = (a + rng.integers(0, 2, n_rows)) % 3
    c = np.where(rng.random(n_rows) < 0.9, a + b, 3)
    return np.stack([a, b, c], 1).astype(np.int32), rng.random((n_rows, 3)) < 0.9


def trained(steps=30, seed=0):
    codes, seen = table()
    learner = NetworkLearner(LAYOUT, codes, seen, SETTINGS, seed)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    return learner


@pytest.fixture(scope="module")
def network():
    return trained().model()


def all_rows():
    codes = np.array(list(itertools.product(*map(range, LAYOUT.n_cats))), np.int32)
    return codes, np.ones(codes.shape, bool)


def wild(seed=0):
    """A network with every parameter far from its start."""
    rng = np.random.default_rng(seed)
    codes, seen = table()
    start = initial_parameters(LAYOUT, codes, seen, SETTINGS, seed)
    arrays = {n: a + rng.normal(size=a.shape).astype(np.float32) for n, a in start.items()}
    return OrderAgnostic(LAYOUT, arrays, seeded_orders(3, 3, seed))


@pytest.mark.parametrize("n_orders", [1, 3])
def test_complete_rows_sum_to_one(n_orders):
    net = wild()
    net.orders = net.orders[:n_orders]
    assert np.exp(net.log_prob(Evidence(*all_rows()))).sum() == pytest.approx(1, abs=1e-5)


def test_every_part_sums_to_one_over_its_cells():
    net = wild(1)
    codes, _ = all_rows()
    for part in itertools.product([False, True], repeat=3):
        some = np.unique(np.where(part, codes, 0), axis=0).astype(np.int32)
        seen = np.tile(np.array(part), (len(some), 1))
        assert np.exp(net.log_prob(Evidence(some, seen))).sum() == pytest.approx(1, abs=1e-5)


def test_log_prob_is_the_mean_over_orders_of_the_product_of_conditionals():
    net = wild(2)
    codes, _ = all_rows()
    rng = np.random.default_rng(0)
    for row in codes[::5]:
        seen = rng.random(3) < 0.7
        chains = []
        for order in net.orders:
            shown, total = np.zeros(3, bool), 0.0
            for col in order:
                if seen[col]:
                    flat = net.conditional(Evidence(row[None], shown[None]))[0]
                    total += flat[LAYOUT.slices[col]][row[col]]
                    shown[col] = True
            chains.append(total)
        expected = np.log(np.mean(np.exp(chains)))
        found = net.log_prob(Evidence(row[None], seen[None]))
        assert found[0] == pytest.approx(expected, abs=1e-5)


def test_untrained_network_is_the_independent_model():
    codes, seen = table()
    net = NetworkLearner(LAYOUT, codes, seen, SETTINGS, 0).model()
    logs = []
    for col, n in enumerate(LAYOUT.n_cats):
        count = np.array([np.sum(seen[:, col] & (codes[:, col] == k)) for k in range(n)]) + 0.5
        logs.append(np.log(count / count.sum()))
    rows, there = all_rows()
    expected = [sum(log[k] for log, k in zip(logs, row, strict=True)) for row in rows]
    np.testing.assert_allclose(net.log_prob(Evidence(rows, there)), expected, atol=1e-5)


def leaks(net, n_tries=20):
    """Tell whether any answer moves with a code that is not seen."""
    rng = np.random.default_rng(3)
    for _ in range(n_tries):
        codes, seen = table(10, int(rng.integers(1000)))
        other = np.where(seen, codes, rng.integers(0, LAYOUT.n_cats, codes.shape))
        one, two = Evidence(codes, seen), Evidence(other.astype(np.int32), seen)
        if not np.array_equal(net.conditional(one), net.conditional(two)):
            return True
        if not np.array_equal(net.log_prob(one), net.log_prob(two)):
            return True
    return False


def test_no_answer_moves_with_an_unseen_code(network):
    assert not leaks(network)
    assert not leaks(wild())


def test_the_leak_law_bites(monkeypatch):
    def careless(self, codes, seen):
        return codes + self._starts

    monkeypatch.setattr(OrderAgnostic, "_tokens", careless)
    assert leaks(wild())


def test_leave_one_out_does_not_see_the_cell_itself():
    net = wild()
    codes, seen = table(10)
    left_out = net.leave_one_out(codes, seen)
    for col, place in enumerate(LAYOUT.slices):
        without = seen.copy()
        without[:, col] = False
        expected = net.conditional(Evidence(codes, without))[:, place]
        np.testing.assert_allclose(left_out[:, place], expected, atol=1e-5)


def test_a_seen_cell_is_certain(network):
    codes, _ = all_rows()
    found = network.conditional(Evidence(codes, np.ones(codes.shape, bool)))
    for col, place in enumerate(LAYOUT.slices):
        expected = np.where(np.arange(LAYOUT.n_cats[col]) == codes[:, [col]], 0, -np.inf)
        np.testing.assert_array_equal(found[:, place], expected)


def test_samples_follow_log_prob():
    net, n = wild(4), 40_000
    drawn = net.sample(Evidence.nothing(n, 3), np.random.default_rng(0))
    rows, seen = all_rows()
    p = np.exp(net.log_prob(Evidence(rows, seen)))
    index = np.ravel_multi_index(drawn.T, LAYOUT.n_cats)
    count = np.bincount(index, minlength=len(rows))
    # 6 standard deviations: one false alarm in about 10^7 runs of these 24 cells.
    assert np.all(np.abs(count - n * p) < 6 * np.sqrt(n * p * (1 - p)) + 1)


def test_samples_keep_what_is_seen(network):
    codes, seen = table(50)
    drawn = network.sample(Evidence(codes, seen), np.random.default_rng(0))
    assert np.array_equal(drawn[seen], codes[seen])
    assert np.all((drawn >= 0) & (drawn < np.array(LAYOUT.n_cats)))


def test_weighted_evidence_is_refused_with_a_way_out(network):
    evidence = Evidence(np.zeros((1, 3), np.int32), np.zeros((1, 3), bool), {0: np.zeros((1, 2))})
    with pytest.raises(QuestionError, match="purpose='any'"):
        network.log_prob(evidence)


def test_state_gives_the_same_network_back(network):
    again = OrderAgnostic.from_state(*network.state())
    rows = Evidence(*table(20))
    assert np.array_equal(again.log_prob(rows), network.log_prob(rows))
    assert np.array_equal(again.represent(rows), network.represent(rows))


def test_numpy_and_torch_give_the_same_logits():
    net = wild()
    codes, seen = table(30)
    tokens = net._tokens(codes, seen)
    parameters = {n: torch.tensor(a) for n, a in net._arrays.items()}
    logits = masked_logits(parameters, torch.tensor(tokens), 0.0, None).numpy()
    expected = net.conditional(Evidence(codes, seen))
    for col, place in enumerate(LAYOUT.slices):
        rows = ~seen[:, col]
        found = torch.log_softmax(torch.tensor(logits[:, place]), 1).numpy()
        np.testing.assert_allclose(found[rows], expected[rows, place], atol=1e-4)


def test_gradient_reaches_every_parameter():
    codes, seen = table()
    net = wild()
    parameters = {n: torch.tensor(a, requires_grad=True) for n, a in net._arrays.items()}
    exercise = draw([Policy("orders")], codes, seen, np.random.default_rng(0))
    any_part_loss(parameters, LAYOUT, codes, seen, exercise).backward()
    for name, p in parameters.items():
        rows = p.grad.reshape(len(p), -1).abs().sum(1) if p.dim() > 1 else p.grad.abs()
        assert torch.all(rows > 0), name


def test_a_row_without_a_value_teaches_nothing():
    codes, seen = table()
    learner = NetworkLearner(LAYOUT, codes, seen, SETTINGS, 0)
    assert learner.step(codes[:5], np.zeros((5, 3), bool), 0.0) == 0


def test_training_finds_the_dependence():
    network = trained(300).model()
    codes, seen = table(300, seed=9)
    start = NetworkLearner(LAYOUT, codes, seen, SETTINGS, 0).model()
    gain = network.log_prob(Evidence(codes, seen)) - start.log_prob(Evidence(codes, seen))
    assert gain.mean() > 0.3


def test_going_on_from_a_state_gives_the_same_bits():
    codes, seen = table()
    straight = trained(12)
    first = NetworkLearner(LAYOUT, codes, seen, SETTINGS, 0)
    for step in range(5):
        first.step(codes, seen, step / 12)
    second = NetworkLearner(LAYOUT, codes, seen, SETTINGS, 0)
    second.load_state(first.state())
    for step in range(5, 12):
        second.step(codes, seen, step / 12)
    one, two = straight.state(), second.state()
    assert one.keys() == two.keys()
    assert all(np.array_equal(one[k], two[k]) for k in one)


def test_a_snapshot_does_not_move_with_later_steps():
    codes, seen = table()
    learner = trained(3)
    model = learner.model()
    before = model.log_prob(Evidence(codes, seen))
    learner.step(codes, seen, 0.5)
    assert np.array_equal(before, model.log_prob(Evidence(codes, seen)))
