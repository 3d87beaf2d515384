"""Distances keep the identities of the books, agree with a linear programme, and bite."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.models.planting import plant

from anypart.base.errors import QuestionError
from anypart.models.contract import Evidence, Layout
from anypart.optim import distances as d
from anypart.optim.distances import counts, models, rows, transport

SYMMETRIC = (d.jensen_shannon, d.total_variation, d.hellinger)


@st.composite
def pairs(draw, positive=False):
    size = draw(st.integers(2, 6))
    low = 1 if positive else 0
    weights = st.lists(st.integers(low, 50), min_size=size, max_size=size).filter(any)
    return tuple(np.array(x) / sum(x) for x in (draw(weights), draw(weights)))


def by_hand(p, q):
    total = 0.0
    for a, b in zip(p, q, strict=True):
        if a > 0:
            total += a * math.log(a / b) if b > 0 else math.inf
    return total


def check_kl(pair):
    p, q = pair
    assert float(d.forward_kl(p, q)) == pytest.approx(by_hand(p, q), abs=1e-14)
    assert float(d.reverse_kl(p, q)) == pytest.approx(by_hand(q, p), abs=1e-14)
    assert float(d.forward_kl(p, q)) >= 0
    rest = float(d.cross_entropy(p, q)) - float(d.entropy(p))
    assert float(d.forward_kl(p, q)) == pytest.approx(rest, abs=4e-15)


@given(pairs())
def test_forward_kl_is_cross_entropy_less_entropy_to_machine_precision(pair):
    check_kl(pair)


def test_the_example_of_the_notes_has_one_finite_and_one_infinite_direction():
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.4, 0.4, 0.2])
    assert float(d.forward_kl(p, q)) == pytest.approx(math.log(1.25), abs=1e-16)
    assert float(d.reverse_kl(p, q)) == math.inf
    assert float(d.forward_kl(p, q).round(4)) == 0.2231


@given(pairs())
def test_bounds_between_distances_hold(pair):
    tv, h = float(d.total_variation(*pair)), float(d.hellinger(*pair))
    js, kl = float(d.jensen_shannon(*pair)), float(d.forward_kl(*pair))
    assert tv <= math.sqrt(kl / 2) + 1e-12  # Pinsker
    assert 0 <= js <= math.log(2) + 1e-15
    assert js <= math.log(2) * tv + 1e-12
    assert h**2 - 1e-12 <= tv <= math.sqrt(2) * h + 1e-12
    assert -2 * math.log1p(-(h**2)) <= kl + 1e-9 if h < 1 else kl == math.inf


@given(pairs())
def test_distances_are_zero_between_equals_only_and_the_symmetric_ones_have_no_direction(pair):
    p, q = pair
    for of in (*SYMMETRIC, d.forward_kl, d.reverse_kl):
        assert float(of(p, p)) == 0
        assert (float(of(p, q)) > 0) == (np.abs(p - q).max() > 0)
    for of in SYMMETRIC:
        assert float(of(p, q)) == pytest.approx(float(of(q, p)), abs=1e-15)


def test_disjoint_distributions_are_as_far_as_can_be():
    p, q = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    assert float(d.jensen_shannon(p, q)) == pytest.approx(math.log(2), abs=1e-16)
    assert float(d.total_variation(p, q)) == float(d.hellinger(p, q)) == 1.0


def test_a_small_difference_is_not_lost_to_rounding():
    eps = 1e-9
    p, q = np.array([0.5, 0.5]), np.array([0.5 + eps, 0.5 - eps])
    assert float(d.forward_kl(p, q)) == pytest.approx(2 * eps**2, rel=1e-6)


def check_far():
    p, q = np.array([0.5, 0.5]), np.array([1e-60, 1.0])
    assert float(d.forward_kl(p, q)) == pytest.approx(by_hand(p, q), rel=1e-14)


def test_a_large_distance_is_not_taken_for_an_infinite_one():
    check_far()


@given(pairs(positive=True))
def test_cells_that_are_joined_bring_distributions_nearer(pair):
    p, q = pair
    joined = [np.concatenate([[x[0] + x[1]], x[2:]]) for x in pair]
    for of in (*SYMMETRIC, d.forward_kl, d.reverse_kl):
        assert float(of(*joined)) <= float(of(p, q)) + 1e-12


def programme(p, q, cost):
    """Least cost of moving p to q, by a linear programme."""
    n, m = cost.shape
    out = np.zeros((n + m, n * m))
    for i in range(n):
        out[i, i * m : (i + 1) * m] = 1
    for j in range(m):
        out[n + j, j::m] = 1
    return linprog(cost.ravel(), A_eq=out, b_eq=np.concatenate([p, q])).fun


def check_transport():
    rng = np.random.default_rng(1)
    for trial in range(25):
        n, m = rng.integers(2, 8, 2)
        p, q = rng.dirichlet(np.ones(n) / 2), rng.dirichlet(np.ones(m))
        if trial % 3 == 0:
            p[0] = 0
            p /= p.sum()
        cost = rng.random((n, m)) if trial % 2 else rng.integers(0, 4, (n, m)).astype(float)
        assert d.wasserstein(p, q, cost) == pytest.approx(programme(p, q, cost), abs=1e-9)


def check_line():
    rng = np.random.default_rng(2)
    for n in (1, 2, 5, 9):
        x = np.sort(rng.normal(size=n))
        p, q = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(n))
        far = np.abs(x[:, None] - x)
        assert float(d.line_wasserstein(p, q, x)) == pytest.approx(programme(p, q, far), abs=1e-9)


def test_wasserstein_is_the_least_cost_of_a_linear_programme():
    check_transport()


def test_wasserstein_on_a_line_is_the_least_cost_of_a_linear_programme():
    check_line()


@given(pairs())
def test_wasserstein_is_total_variation_where_all_cells_are_one_apart(pair):
    apart = 1.0 - np.eye(len(pair[0]))
    assert d.wasserstein(*pair, apart) == pytest.approx(float(d.total_variation(*pair)), abs=1e-12)


def check_unbiased():
    """Average over every pair of samples of sizes 2 and 3, weighed by their probability."""
    p, q = np.array([0.2, 0.5, 0.3]), np.array([0.6, 0.1, 0.3])
    x = np.array([0.0, 1.0, 2.5])
    kernel = np.exp(-((x[:, None] - x) ** 2))
    mean = 0.0
    for left in itertools.product(range(3), repeat=2):
        for right in itertools.product(range(3), repeat=3):
            at = np.array([*left, *right])
            weight = p[list(left)].prod() * q[list(right)].prod()
            mean += weight * rows.unbiased_squared_mmd(kernel[np.ix_(at, at)], 2)
    expected = sum((p[i] - q[i]) * (p[j] - q[j]) * kernel[i, j] for i in range(3) for j in range(3))
    assert mean == pytest.approx(expected, abs=1e-14)
    assert float(d.squared_mmd(p, q, kernel)) == pytest.approx(expected, abs=1e-14)
    assert float(d.mmd(p, q, kernel)) == pytest.approx(math.sqrt(expected), abs=1e-14)


def test_the_estimate_of_squared_mmd_is_unbiased_by_enumeration():
    check_unbiased()


def check_dealt():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(9, 2))
    kernel = np.exp(-rows.squared_distances(x, x))
    rng, again = np.random.default_rng(4), np.random.default_rng(4)
    found = rows._dealt(kernel, 4, rng)
    for value in found[:20]:
        at = again.permutation(9)
        assert value == pytest.approx(rows.unbiased_squared_mmd(kernel[np.ix_(at, at)], 4))


def test_rows_dealt_anew_have_the_unbiased_square_of_their_order():
    check_dealt()


def two_models():
    rng = np.random.default_rng(5)
    made = []
    for _ in range(2):
        parts = [np.log(rng.dirichlet(np.full(n, 3.0))) for n in (3, 2, 4)]
        made.append(parts)
    return made


class Product:
    """Independent columns, written out for the tests."""

    def __init__(self, parts):
        self.parts = parts
        self.layout = Layout(tuple(map(len, parts)))

    def log_prob(self, evidence):
        return sum(part[evidence.codes[:, c]] for c, part in enumerate(self.parts))

    def sample(self, evidence, rng):
        drawn = [rng.choice(len(x), evidence.n_rows, p=np.exp(x)) for x in self.parts]
        return np.stack(drawn, axis=1).astype(np.int32)


def exact_divergences(p, q):
    table = []
    for model in (p, q):
        cells = [
            math.exp(sum(part[c] for part, c in zip(model.parts, row, strict=True)))
            for row in itertools.product(*(range(len(x)) for x in model.parts))
        ]
        table.append(np.array(cells))
    a, b = table
    return {
        "forward_kl": by_hand(a, b),
        "reverse_kl": by_hand(b, a),
        "jensen_shannon": (by_hand(a, (a + b) / 2) + by_hand(b, (a + b) / 2)) / 2,
        "total_variation": np.abs(a - b).sum() / 2,
        "hellinger": math.sqrt(1 - np.sqrt(a * b).sum()),
    }


def check_crossed():
    """Over 60 seeds the errors that are met are those that are stated."""
    p, q = map(Product, two_models())
    truth = exact_divergences(p, q)
    z = {name: [] for name in truth}
    nothing = Evidence.nothing(2_000, 3)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x, y = p.sample(nothing, rng), q.sample(nothing, rng)
        logs = [models.log_probs(m, r) for r in (x, y) for m in (p, q)]
        for name, found in d.Crossed(*logs).measure().items():
            z[name].append((found.value - truth[name]) / found.error)
    for name, values in z.items():
        assert abs(np.mean(values)) < 0.6, name  # 4.6 standard errors
        assert 0.6 < np.std(values) < 1.5, name


def test_estimates_between_models_are_off_by_what_their_errors_say():
    check_crossed()


def test_models_of_few_cells_are_compared_exactly():
    p, q = map(Product, two_models())
    found = d.between_models(p, q, np.random.default_rng(0))
    for name, value in exact_divergences(p, q).items():
        assert found[name].value == pytest.approx(value, abs=1e-12)
        assert found[name].exact


def test_a_model_that_excludes_a_row_is_infinitely_far_one_way_only():
    left = np.array([-1.0, -1.0])
    found = d.Crossed(left, np.array([-1.0, -np.inf]), left, left).measure()
    assert found["forward_kl"].value == math.inf
    assert found["reverse_kl"].value == 0
    assert math.isfinite(found["jensen_shannon"].value)


def test_a_likelihood_that_is_itself_estimated_is_refused():
    p, q = map(Product, two_models())
    q.interval = None
    found = d.between_models(p, q, np.random.default_rng(0))
    assert "itself an estimate" in found["forward_kl"].reason


def test_images_in_colour_are_too_many_to_list():
    states = d.log10_states(itertools.repeat(256, 700 * 1400 * 3))
    digits = len(str(2 ** (8 * 1_700))) - 1  # the same count written out, for 1,700 bytes
    assert math.floor(d.log10_states([256] * 1_700)) == digits
    assert states == pytest.approx(7_080_225.45, abs=0.05)
    with pytest.raises(QuestionError, match=r"about 10\^24 rows, too many to list"):
        models.all_rows((256,) * 10)


def check_false_alarms():
    """One source is called two about as often as stated: of 300 at most 26 at 5 %."""
    rng = np.random.default_rng(7)
    p = np.array([0.4, 0.3, 0.2, 0.1])
    alarms = 0
    for _ in range(300):
        a, b = rng.multinomial(80, p), rng.multinomial(120, p)
        alarms += counts.measure_counts(a, b, rng)["jensen_shannon"].p_value <= 0.05
    assert 3 <= alarms <= 26


def test_one_source_is_taken_for_two_no_more_often_than_stated():
    check_false_alarms()


def test_a_cell_that_one_sample_lacks_refuses_a_kl_one_way():
    rng = np.random.default_rng(0)
    found = counts.measure_counts(np.array([5, 5, 0]), np.array([4, 4, 2]), rng, ("a", "b", "c"))
    assert found["forward_kl"].value == pytest.approx(math.log(1.25))
    assert found["reverse_kl"].value is None
    assert "'c'" in found["reverse_kl"].reason


@pytest.mark.parametrize(
    ("p", "q", "message"),
    [
        ([0.5, 0.6], [0.5, 0.5], r"p sums to 1\.1, not to 1"),
        ([0.5, 0.5], [1.5, -0.5], "q holds a number that is no probability"),
        ([0.5, 0.5], [1.0], "p has 2 cells and q 1"),
        ([], [], "p has no cells"),
    ],
)
def test_what_is_no_distribution_is_refused(p, q, message):
    with pytest.raises(QuestionError, match=message):
        d.forward_kl(p, q)


def test_costs_and_places_that_do_not_fit_are_refused():
    half = [0.5, 0.5]
    with pytest.raises(QuestionError, match="one place a cell, ascending"):
        d.line_wasserstein(half, half, [1.0, 0.0])
    with pytest.raises(QuestionError, match="negative or not finite"):
        d.wasserstein(half, half, [[0.0, -1.0], [1.0, 0.0]])
    with pytest.raises(QuestionError, match=r"give one of \(2, 2\)"):
        d.wasserstein(half, half, [[0.0]])
    n = transport.MOST_CELLS + 1
    even = np.full(n, 1 / n)
    with pytest.raises(QuestionError, match="takes minutes"):
        d.wasserstein(even, even, np.ones((n, n)))
    with pytest.raises(QuestionError, match="give a symmetric one"):
        d.mmd(half, half, [[1.0, 0.0], [0.5, 1.0]])


@pytest.mark.parametrize(
    ("module", "right", "wrong", "law"),
    [
        ("exact", "np.where(p > 0, terms, q)", "np.where(p > 0, terms, 0.0)", "kl"),
        ("exact", "NEAR = 0.5", "NEAR = 1e6", "far"),
        ("exact", "return _kl(q, p)", "return _kl(p, q)", "kl"),
        ("transport", "flow[edge] -= sent", "flow[edge] -= 0 * sent", "transport"),
        ("transport", "u[near] += end", "u[near] -= end", "transport"),
        ("transport", "* np.diff(x)", "* np.diff(x) ** 2", "line"),
        ("rows", "xx.sum() - np.trace(xx)", "xx.sum()", "unbiased"),
        ("rows", "- 2 * across / (n * m)", "- across / (n * m)", "dealt"),
        ("models", "half = np.abs(ratio) / 2", "half = np.abs(ratio)", "crossed"),
        ("models", "math.log(2) - np", "1.0 - np", "crossed"),
        ("counts", "value - 1e-12", "value + 0.01", "false_alarms"),
    ],
)
def test_a_planted_bug_is_found(monkeypatch, module, right, wrong, law):
    plant(monkeypatch, f"anypart.optim.distances.{module}", right, wrong)
    checks = {
        "kl": lambda: check_kl((np.array([0.5, 0.5, 0.0]), np.array([0.4, 0.35, 0.25]))),
        "far": check_far,
        "transport": check_transport,
        "line": check_line,
        "unbiased": check_unbiased,
        "dealt": check_dealt,
        "crossed": check_crossed,
        "false_alarms": check_false_alarms,
    }
    with pytest.raises(AssertionError, match=r"assert|Mismatch|Obtained|_"):
        checks[law]()
