"""Metrics: the hard ones of scikit-learn, sums over every outcome, differences, biases."""

from __future__ import annotations

import importlib
import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference
from tests.calculus.smoothing import oracles
from tests.data.planted import planted

from anypart.base.errors import QuestionError
from anypart.calculus.smoothing import metrics
from anypart.calculus.smoothing.metrics import logits, probabilities

HOME = "anypart.calculus.smoothing.metrics"
COLD = 1e-5


def sk(function, **options):
    return lambda z, y: function(y, hard(z), **options)


def hard(z):
    return z.argmax(-1) if z.ndim == 2 and not hasattr(z, "labels") else (z > 0).astype(int)


BINARY = {
    "accuracy": ({}, sk(reference.accuracy_score)),
    "f1": ({}, sk(reference.f1_score, zero_division=0.0)),
    "f_beta": ({"beta": 2.0}, sk(reference.fbeta_score, beta=2.0, zero_division=0.0)),
    "precision": ({}, sk(reference.precision_score, zero_division=0.0)),
    "recall": ({}, sk(reference.recall_score, zero_division=0.0)),
    "iou": ({}, sk(reference.jaccard_score, zero_division=0.0)),
    "matthews": ({}, sk(reference.matthews_corrcoef)),
}
CLASSES = {
    f"{name}-{average}": (
        {"average": average, **extra},
        sk(function, average=average, zero_division=0.0, **extra),
    )
    for name, function, extra in (
        ("f1", reference.f1_score, {}),
        ("f_beta", reference.fbeta_score, {"beta": 0.5}),
        ("precision", reference.precision_score, {}),
        ("recall", reference.recall_score, {}),
        ("iou", reference.jaccard_score, {}),
    )
    for average in ("micro", "macro", "weighted")
} | {
    "accuracy": ({}, sk(reference.accuracy_score)),
    "matthews": ({}, sk(reference.matthews_corrcoef)),
}
ORDERS = {
    "auc": lambda z, y: reference.roc_auc_score(y, z),
    "average_precision": lambda z, y: reference.average_precision_score(y, z),
}


def rows(seed, n=40, classes=0, positives=0.3):
    rng = np.random.default_rng(seed)
    if classes:
        y = np.r_[np.arange(classes), rng.integers(0, classes, n - classes)]
        return rng.normal(size=(n, classes)) + 1.5 * np.eye(classes)[y], y
    y = (rng.random(n) < positives).astype(int)
    y[:2] = 0, 1
    return rng.normal(size=n) + y, y


def value(f, z, y, t, **options):
    return float(f(logits(torch.from_numpy(z)), torch.from_numpy(y), t, **options))


# Laws: (module of metrics, name, case)


def agrees_with_the_reference(module, name, temperature):
    for seed in range(2):
        for table, data in ((BINARY, rows(seed)), (CLASSES, rows(seed, classes=4))):
            if name in table:
                options, want = table[name]
                found = value(getattr(module, name.split("-")[0]), *data, temperature, **options)
                assert found == pytest.approx(want(*data), abs=1e-6)
        if name in ORDERS:
            z, y = rows(seed)
            found = value(getattr(module, name), z, y, temperature)
            assert found == pytest.approx(ORDERS[name](z, y), abs=1e-6)


@pytest.mark.parametrize("temperature", [0.0, COLD])
@pytest.mark.parametrize("name", [*BINARY, *[c for c in CLASSES if "-" in c], *ORDERS])
def test_a_cold_metric_is_that_of_scikit_learn(name, temperature):
    agrees_with_the_reference(metrics, name, temperature)


def cold_ndcg_is_that_of_scikit_learn(module):
    rng = np.random.default_rng(3)
    z, gain = rng.normal(size=(5, 10)), rng.integers(0, 4, (5, 10))
    for k in (None, 3, 10):
        want = reference.ndcg_score(gain, z, k=k)
        for t in (0.0, COLD):
            found = module.ndcg(logits(torch.from_numpy(z)), torch.from_numpy(gain), t, k)
            assert float(found) == pytest.approx(want, abs=1e-6)


def test_a_cold_ndcg_is_that_of_scikit_learn():
    cold_ndcg_is_that_of_scikit_learn(metrics)


def ndcg_with_ties_is_that_of_scikit_learn(module):
    rng = np.random.default_rng(5)
    z, gain = rng.integers(0, 4, (6, 9)).astype(float), rng.integers(0, 4, (6, 9))
    for k in (None, 2, 5):
        found = module.ndcg(logits(torch.from_numpy(z)), torch.from_numpy(gain), 0.0, k)
        assert float(found) == pytest.approx(reference.ndcg_score(gain, z, k=k), abs=1e-9)


def test_a_hard_ndcg_shares_places_among_ties():
    ndcg_with_ties_is_that_of_scikit_learn(metrics)
    ranking = importlib.import_module(f"{HOME}.ranking")
    broken = planted(ranking, "total[above + tied] - total[above]", "total[above + 1] * tied")
    with pytest.raises(AssertionError, match="assert"):
        ndcg_with_ties_is_that_of_scikit_learn(broken)


def binned(p, right, bins):
    at = np.clip(np.ceil(p * bins) - 1, 0, bins - 1)
    parts = [
        (at == b).mean() * abs(right[at == b].mean() - p[at == b].mean())
        for b in range(bins)
        if (at == b).any()
    ]
    return sum(parts)


def test_a_cold_calibration_error_is_that_of_hard_bins():
    cold_calibration_error_is_that_of_hard_bins(metrics)


def cold_calibration_error_is_that_of_hard_bins(module):
    rng = np.random.default_rng(4)
    p = rng.random(300)
    y = (rng.random(300) < p**2).astype(int)
    for t in (0.0, 1e-7):
        found = module.calibration_error(probabilities(torch.from_numpy(p)), torch.from_numpy(y), t)
        assert float(found) == pytest.approx(binned(p, y, 10), abs=1e-6)
    z, y = rows(1, 200, classes=3)
    share = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    want = binned(share.max(1), (share.argmax(1) == y).astype(float), 10)
    assert value(module.calibration_error, z, y, 0.0) == pytest.approx(want, abs=1e-6)


def levenshtein(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
        row = new
    return row[-1]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
    st.lists(st.integers(0, 2), min_size=1, max_size=6),
)
def test_a_cold_edit_distance_is_levenshteins(made, true):
    cold_edit_distance_is_levenshteins(metrics, made, true)


def cold_edit_distance_is_levenshteins(module, made, true):
    z = torch.nn.functional.one_hot(torch.tensor([made]), 3).double() * 5
    y = torch.tensor([true])
    want = levenshtein(made, true) / len(true)
    assert float(module.edit_distance(logits(z), y, 0)) == pytest.approx(want)
    warm = float(module.edit_distance(logits(z * 1e3), y, 0.01))
    steps = len(made) + len(true)
    assert want - 0.01 * math.log(3) * steps / len(true) - 1e-9 <= warm <= want + 1e-9


SMOOTH = [
    (name, options, rows(7, 8, classes))
    for name, options, classes in (
        ("accuracy", {}, 0),
        ("accuracy", {}, 3),
        ("f1", {}, 0),
        ("f_beta", {"average": "macro"}, 3),
        ("precision", {"average": "weighted"}, 3),
        ("recall", {}, 0),
        ("iou", {"average": "micro"}, 3),
        ("matthews", {}, 0),
        ("matthews", {}, 3),
        ("auc", {}, 0),
        ("average_precision", {}, 0),
        ("ndcg", {"k": 4}, 0),
        ("calibration_error", {}, 0),
        ("calibration_error", {}, 3),
        ("expected_f_beta", {"beta": 0.5}, 0),
    )
]


@pytest.mark.parametrize(("name", "options", "data"), SMOOTH)
def test_derivatives_are_limits_of_differences(name, options, data):
    derivatives_are_limits_of_differences(metrics, name, options, data)


def derivatives_are_limits_of_differences(module, name, options, data):
    z, y = data
    f = getattr(module, name)
    for t in (0.5,):
        x = torch.from_numpy(z).requires_grad_()
        loss = f.loss(logits(x), torch.from_numpy(y), t, **options)
        (grad,) = torch.autograd.grad(loss, x)
        want = oracles.differences(
            lambda v, t=t: (
                f.loss(
                    logits(torch.from_numpy(v.reshape(z.shape))), torch.from_numpy(y), t, **options
                )
                .detach()
                .numpy()
            ),
            z.ravel(),
        )
        assert np.allclose(grad.numpy().ravel(), want[0], atol=1e-6)
        assert grad.abs().max() > 1e-6


@pytest.mark.parametrize(("name", "options", "data"), SMOOTH)
def test_logits_and_their_probabilities_are_the_same_and_extremes_are_finite(name, options, data):
    z, y = data
    f, x, y = getattr(metrics, name), torch.from_numpy(z), torch.from_numpy(y)
    if name != "ndcg":  # whose scores are not squashed at all
        p = torch.sigmoid(x) if x.ndim == 1 else torch.softmax(x, -1)
        for t in (0.0, 0.3, 1.0):
            a, b = f(logits(x), y, t, **options), f(probabilities(p), y, t, **options)
            assert float(a) == pytest.approx(float(b), abs=1e-9)
    for scale in (0.0, 1e-9, 1e4):
        for t in (1e-6, 1.0, 1e6):
            v = (x * scale).requires_grad_()
            out = f(logits(v), y, t, **options)
            out.backward()
            assert out.isfinite()
            assert v.grad.isfinite().all()


def sure_probabilities_have_finite_derivatives(module):
    """0 and 1 are what a sigmoid or softmax in single precision gives far out."""
    y = torch.tensor([1, 0, 1, 0])
    p = torch.tensor([1.0, 0.0, 0.5, 0.2], requires_grad=True)
    loss = metrics.accuracy._value(module.probabilities(p), y)  # the mean of p or 1 − p
    slope = torch.tensor([0.25, -0.25, 0.25, -0.25])
    assert torch.equal(torch.autograd.grad(loss, p)[0], slope)
    table = torch.tensor([[1.0, 0, 0], [0.2, 0.3, 0.5], [0, 0, 1.0], [0.5, 0.5, 0]])
    for t in (0.3, 1.0, 3.0):
        for name in ("accuracy", "f1", "matthews", "auc", "average_precision", "expected_f_beta"):
            p = torch.tensor([1.0, 0.0, 0.5, 0.2], requires_grad=True)
            loss = getattr(metrics, name)._value(module.probabilities(p), y, t)
            assert torch.autograd.grad(loss, p)[0].isfinite().all()
        p = table.clone().requires_grad_()
        loss = metrics.f1._value(module.probabilities(p), y, t, average="macro")
        assert torch.autograd.grad(loss, p)[0].isfinite().all()


def test_sure_probabilities_have_finite_derivatives():
    sure_probabilities_have_finite_derivatives(importlib.import_module(f"{HOME}.predicted"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("inner = torch.where(sure, 0.5, p)", "inner = p"),
        ("return self.scores  # as a logit", "pass  # as a logit"),
    ],
)
def test_the_law_of_sure_probabilities_notices_a_bug(right, wrong):
    broken = planted(importlib.import_module(f"{HOME}.predicted"), right, wrong)
    with pytest.raises(AssertionError, match="assert"):
        sure_probabilities_have_finite_derivatives(broken)


def by_enumeration(p, y, beta):
    total = 0.0
    for made in itertools.product([0, 1], repeat=len(p)):
        chance = math.prod(q if m else 1 - q for q, m in zip(p, made, strict=True))
        hits = sum(m * t for m, t in zip(made, y, strict=True))
        below = sum(made) + beta**2 * sum(y)
        total += chance * ((1 + beta**2) * hits / below if below else 0.0)
    return total


def expected_f_is_the_sum_over_outcomes(module, p, y, beta):
    found = module.expected_f_beta(
        probabilities(torch.tensor(p, dtype=torch.float64)), torch.tensor(y), beta=beta
    )
    assert float(found) == pytest.approx(by_enumeration(p, y, beta), abs=1e-9)


CASES = st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 1)), min_size=1, max_size=7)


@settings(max_examples=60, deadline=None)
@given(CASES, st.sampled_from([0.5, 1.0, 2.0]))
def test_expected_f_is_the_sum_over_every_outcome(case, beta):
    p, y = (list(part) for part in zip(*case, strict=True))
    expected_f_is_the_sum_over_outcomes(metrics, p, y, beta)


def test_the_soft_f_nears_the_expected_one_as_rows_grow():
    off = {}
    for n in (4, 30, 300):
        rng = np.random.default_rng(n)
        found = []
        for _ in range(6):
            y = (rng.random(n) < 0.4).astype(int)
            y[0] = 1
            p = torch.from_numpy(rng.beta(0.5, 0.5, n)).clamp(1e-6, 1 - 1e-6)
            both = [
                float(f(probabilities(p), torch.from_numpy(y)))
                for f in (metrics.f1, metrics.expected_f_beta)
            ]
            found.append(abs(both[0] - both[1]))
        off[n] = max(found)
    assert off[4] > 0.01
    assert off[30] < 0.02
    assert off[300] < 0.002


@pytest.mark.parametrize("n", [0, 1, 5, 64, 1000])
def test_the_poisson_binomial_is_a_repeated_convolution(n):
    p = np.random.default_rng(n).random(n)
    want = np.ones(1)
    for q in p:
        want = np.convolve(want, [1 - q, q])
    found = metrics.poisson_binomial(torch.from_numpy(p)).numpy()
    assert np.allclose(found, want, atol=1e-14)


def test_expected_accuracy_is_the_accuracy_at_temperature_one():
    z, y = rows(2, 10, classes=3)
    p = torch.softmax(torch.from_numpy(z), 1)
    rng = torch.Generator().manual_seed(0)
    drawn = torch.multinomial(p, 20_000, True, generator=rng)
    mean = (drawn == torch.from_numpy(y)[:, None]).double().mean()
    # 4 standard errors of 200,000 independent draws
    assert abs(value(metrics.accuracy, z, y, 1.0) - float(mean)) < 4 * 0.5 / math.sqrt(200_000)


def five_percent():
    rng = np.random.default_rng(0)
    y = (np.arange(6144) < 307).astype(int)
    z = rng.normal(-2.2, 1.4, len(y)) + 2.6 * y
    at = rng.permutation(len(y))
    return torch.from_numpy(z[at]), torch.from_numpy(y[at])


def nearly_calibrated():
    rng = np.random.default_rng(1)
    z = torch.from_numpy(rng.normal(0, 1.5, 6144))
    return z, (torch.from_numpy(rng.random(6144)) < torch.sigmoid(0.7 * z)).long()


def two_of_eight():
    rng = np.random.default_rng(2)
    y = torch.tensor([1, 0, 0, 0] * 1024)
    return torch.from_numpy(rng.normal(0, 1.5, len(y))) + 2 * y, y


def batches(z, y, size):
    return zip(z.split(size), y.split(size), strict=True)


def test_soft_f_is_biased_on_batches_and_accuracy_is_not():
    z, y = five_percent()
    whole = float(metrics.f1(logits(z), y))
    means = {
        size: float(np.mean([float(metrics.f1(logits(a), b)) for a, b in batches(z, y, size)]))
        for size in (8, 32, 128, 1024)
    }
    assert means[8] < means[32] < means[128] < means[1024] < whole
    assert means[8] < 0.7 * whole
    shares = [float(metrics.accuracy(logits(a), b)) for a, b in batches(z, y, 8)]
    assert np.mean(shares) == pytest.approx(float(metrics.accuracy(logits(z), y)), abs=1e-9)


def slope_of_the_whole(f=metrics.f1, size=8, data=five_percent, **kept):
    """How far the mean of batches' slopes is from the slope of all rows, of its size."""
    z, y = data()

    def slope(z, y, **more):
        shift = torch.zeros(2, dtype=torch.float64, requires_grad=True)
        moved = z + shift[0] + shift[1] * z.sin()
        return torch.autograd.grad(f(logits(moved), y, **more), shift)[0]

    found = torch.stack([slope(a, b, **kept) for a, b in batches(z, y, size)])
    found = found[len(found) // 8 :].mean(0)
    return float((found - slope(z, y)).norm() / slope(z, y).norm())


def test_a_warm_auc_gains_by_larger_scores_in_a_worse_order_and_pairs_lose():
    y = torch.tensor([1, 1, 1, 0, 0, 0])
    right = torch.tensor([0.1, 0.1, 0.1, 0, 0, 0])
    worse = torch.tensor([10, 10, -10, 0, 0, 0.0])
    hard, warm = ([float(metrics.auc(logits(z), y, t)) for z in (right, worse)] for t in (0.0, 5.0))
    assert hard[0] > hard[1]
    assert warm[0] < warm[1]
    assert float(metrics.pair_loss(logits(right), y)) < float(metrics.pair_loss(logits(worse), y))


def test_moving_totals_give_the_slope_of_all_rows():
    assert slope_of_the_whole(totals=metrics.Totals(0.03)) < 0.15
    assert slope_of_the_whole() > 0.4


def test_moving_totals_of_bins_give_the_slope_of_all_rows():
    f = metrics.calibration_error
    moving = slope_of_the_whole(f, 8, nearly_calibrated, totals=metrics.Totals(0.03))
    assert moving < 0.4
    assert slope_of_the_whole(f, 8, nearly_calibrated) > 0.7


def test_recent_rows_give_average_precision_the_slope_of_all_rows():
    f = metrics.average_precision
    assert slope_of_the_whole(f, 8, two_of_eight, recent=metrics.Recent(400)) < 0.2
    assert slope_of_the_whole(f, 8, two_of_eight) > 1


def test_the_laws_of_moving_notice_a_bug():
    moving = importlib.import_module(f"{HOME}.moving")
    broken = planted(moving, "weight = max(self.rate, 1 / self._batches)", "weight = 1")
    assert slope_of_the_whole(totals=broken.Totals(0.03)) > 0.4
    broken = planted(moving, "- self.most), None)", "), None)")
    f = metrics.average_precision
    assert slope_of_the_whole(f, 8, two_of_eight, recent=broken.Recent(400)) > 0.3


def test_recent_rows_are_the_latest_each_once():
    recent = metrics.Recent(5)
    for start in (0, 3, 6):
        z = torch.arange(start, start + 3.0, requires_grad=True)
        joined, labels = recent.join(z, torch.tensor([0, 1, 0]))
        first = max(0, start - 2)
        assert joined.tolist() == list(range(first, start + 3))
        assert torch.autograd.grad(joined.sum(), z)[0].tolist() == [1, 1, 1]
    assert labels.tolist() == [1, 0, 0, 1, 0]
    with pytest.raises(QuestionError, match="not 0"):
        metrics.Recent(0)


def test_the_loss_of_pairs_bounds_what_auc_lacks():
    the_loss_of_pairs_bounds_what_auc_lacks(metrics)


def the_loss_of_pairs_bounds_what_auc_lacks(module):
    for seed in range(20):
        z, y = (torch.from_numpy(part) for part in rows(seed))
        loss = module.pair_loss(logits(z), y)
        assert float(loss) >= math.log(2) * (1 - float(metrics.auc(logits(z), y, 0))) - 1e-12
        gaps = [a - b for a in z[y == 1].tolist() for b in z[y == 0].tolist()]
        want = np.mean([math.log1p(math.exp(-g)) for g in gaps])
        assert float(loss) == pytest.approx(want, abs=1e-12)
    assert torch.autograd.gradcheck(
        lambda v: metrics.pair_loss(logits(v), y), z.clone().requires_grad_()
    )
    large = metrics.pair_loss(logits(torch.tensor([-1e4, 1e4])), torch.tensor([1, 0]))
    assert float(large) == pytest.approx(2e4)


BUGS = [
    (agrees_with_the_reference, "f_beta", "ratios", "(1 + beta**2) * c.hit", "2 * c.hit", (0.0,)),
    (agrees_with_the_reference, "iou", "ratios", "c.decided + c.true - c.hit", "c.true", (0.0,)),
    (agrees_with_the_reference, "matthews", "ratios", "1 - (c.true**2)", "1 - (c.hit**2)", (0.0,)),
    (
        agrees_with_the_reference,
        "auc",
        "ranking",
        "_ahead(z[yes, None], z",
        "_ahead(-z[yes, None], z",
        (0.0,),
    ),
    (
        agrees_with_the_reference,
        "average_precision",
        "ranking",
        "above * (1 - own) + own",
        "above * (1 - own)",
        (COLD,),
    ),
    (
        expected_f_is_the_sum_over_outcomes,
        "",
        "expected",
        "a + b + beta**2",
        "a + b + beta",
        ([0.3, 0.8, 0.5], [1, 0, 1], 2.0),
    ),
    (
        expected_f_is_the_sum_over_outcomes,
        "",
        "expected",
        "torch.stack([1 - padded, padded], 1)",
        "torch.stack([padded, 1 - padded], 1)",
        ([0.3, 0.8, 0.5], [1, 0, 1], 1.0),
    ),
]


BUGS += [
    (
        cold_ndcg_is_that_of_scikit_learn,
        "",
        "ranking",
        "weight = 1 / torch.log2(1 + place)",
        "weight = 1 / torch.log2(2 + place)",
        (),
    ),
    (
        cold_calibration_error_is_that_of_hard_bins,
        "",
        "calibration",
        "(right - sure)",
        "(right - 0.5)",
        (),
    ),
    (
        cold_edit_distance_is_levenshteins,
        "",
        "edit",
        "now[:, ix - start] + 1",
        "now[:, ix - start] + 2",
        ([0, 1], [0, 2, 1]),
    ),
    (
        derivatives_are_limits_of_differences,
        "matthews",
        "ratios",
        "cross / root)",
        "cross / root.detach())",
        ({}, rows(7, 8)),
    ),
    (
        derivatives_are_limits_of_differences,
        "average_precision",
        "ranking",
        "/ above.sum(1)).mean()",
        "/ above.sum(1).detach()).mean()",
        ({}, rows(7, 8)),
    ),
    (
        the_loss_of_pairs_bounds_what_auc_lacks,
        "",
        "ranking",
        "softplus(_ahead(z[None, ~yes], z[yes, None]))",
        "softplus(_ahead(z[yes, None], z[None, ~yes]))",
        (),
    ),
]


@pytest.mark.parametrize(("law", "name", "file", "right", "wrong", "arguments"), BUGS)
def test_a_planted_bug_breaks_the_law(law, name, file, right, wrong, arguments):
    broken = planted(importlib.import_module(f"{HOME}.{file}"), right, wrong)
    with pytest.raises(AssertionError, match="assert"):
        law(broken, *([name] if name else []), *arguments)


def test_what_a_metric_is_not_told_is_refused():
    z, y = torch.tensor([0.2, 0.4]), torch.tensor([0, 1])
    for call, words in (
        (lambda: metrics.f1(z, y), "never applied twice"),
        (lambda: probabilities(z * 9), r"say logits\("),
        (lambda: probabilities(z * math.nan), "2 of 2 values are NaN"),
        (lambda: metrics.f1(logits(z), torch.tensor([0, 1, 1])), "do not fit"),
        (lambda: metrics.f1(logits(z), torch.tensor([0, 2])), "from 0 to 2"),
        (lambda: metrics.f1(logits(z[:, None]), y), "of one class"),
        (lambda: metrics.accuracy(probabilities(torch.eye(2) / 2), y), "these to 0.5 to 0.5"),
        (lambda: metrics.f1(logits(z[:0]), y[:0]), "no rows"),
        (lambda: metrics.f1(logits(z), y, average="macro"), "average='macro' does not fit"),
        (lambda: metrics.f1(logits(z[None]), y[None]), "average='binary' does not fit"),
        (lambda: metrics.auc(logits(z), torch.tensor([1, 1])), "All 2 rows are positive"),
        (lambda: metrics.auc(logits(z[:1]), torch.tensor([0])), "All 1 rows are negative"),
        (lambda: metrics.auc(logits(z), y, -1.0), "not -1"),
        (lambda: metrics.accuracy(logits(z * math.nan), y), "NaN"),
        (lambda: metrics.ndcg(logits(z), torch.tensor([-1.0, 1])), "at least 0"),
        (lambda: metrics.edit_distance(logits(z), y), "Edit distance takes"),
        (lambda: metrics.Totals(0.0), "weight of a new batch"),
        (lambda: metrics.expected_f_beta(logits(torch.eye(2)), y), "one yes or no"),
    ):
        with pytest.raises(QuestionError, match=words):
            call()


def test_all_of_one_class_and_one_row_have_the_values_of_scikit_learn():
    for y in ([0, 0, 0], [1, 1, 1], [1], [0]):
        for sign in (-1.0, 1.0):
            z = np.full(len(y), sign)
            for name, (options, want) in BINARY.items():
                if name == "matthews":
                    continue  # 0 by convention, tested below
                found = value(getattr(metrics, name), z, np.array(y), 0.0, **options)
                assert found == pytest.approx(want(z, np.array(y)))
            assert value(metrics.matthews, z, np.array(y), 0.0) == 0.0


def test_a_perfect_classifier_costs_nothing():
    z, y = torch.tensor([50.0, -50.0, 50.0]), torch.tensor([1, 0, 1])
    for f in (metrics.f1, metrics.accuracy, metrics.auc, metrics.matthews, metrics.expected_f_beta):
        assert float(f.loss(logits(z), y)) == pytest.approx(0, abs=1e-6)
    # A sigmoid on probabilities, the fault of some code: a perfect classifier still pays.
    twice = metrics.f1.loss(logits(torch.sigmoid(z)), y)
    assert float(twice) > 0.2


@pytest.mark.parametrize("t", [0.0, 1e-6, 1.0, 1e6])
def test_infinite_scores_have_a_place_in_the_order(t):
    """One above all or below all, and two that tie: as very large ones, with derivatives."""
    y = torch.tensor([1, 0, 1, 0, 0, 1])
    for ends in ((math.inf, -math.inf), (math.inf, math.inf), (-math.inf, -math.inf)):
        z = torch.tensor([ends[0], ends[1], 0.3, -0.2, 0.1, 1.0], dtype=torch.float64)
        large = z.clamp(-1e9, 1e9)
        for metric in (metrics.auc, metrics.average_precision):
            v = z.clone().requires_grad_()
            found = metric(logits(v), y, t)
            assert float(found.detach()) == pytest.approx(
                float(metric(logits(large), y, t)), abs=1e-3
            )
            if t:
                (slope,) = torch.autograd.grad(found, v)
                assert slope.isfinite().all()
        gain = metrics.ndcg(logits(z), y.double(), t)
        assert float(gain) == pytest.approx(
            float(metrics.ndcg(logits(large), y.double(), t)), abs=1e-3
        )
