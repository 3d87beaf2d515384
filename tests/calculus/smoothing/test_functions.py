"""Every function: limits, bounds, derivatives, symmetries, extreme inputs; and bugs."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tests.calculus.smoothing import oracles
from tests.data.planted import planted

from anypart.base.errors import AnypartError, QuestionError
from anypart.calculus import smoothing

OPTIONS = {
    "max": {},
    "min": {},
    "abs": {},
    "clip": {"low": -1.0, "high": 2.0},
    "step": {},
    "greater": {"than": 0.3},
    "sign": {},
    "floor": {},
    "round": {},
    "argmax": {},
    "one_hot_argmax": {},
    "top_k_mask": {"k": 2},
    "top_k": {"k": 2},
    "sort": {},
    "rank": {},
    "quantile": {"q": 0.3},
    "median": {},
}
REDUCING = ["max", "min", "argmax", "top_k", "quantile", "median"]
ALONG = [*REDUCING, "one_hot_argmax", "top_k_mask", "sort", "rank"]
HARD = {
    "max": np.max,
    "min": np.min,
    "abs": np.abs,
    "clip": lambda x: np.clip(x, -1.0, 2.0),
    "step": lambda x: np.heaviside(x, 0.5),
    "greater": lambda x: np.heaviside(x - 0.3, 0.5),
    "sign": np.sign,
    "floor": np.floor,
    "round": np.round,
    "argmax": np.argmax,
    "one_hot_argmax": lambda x: np.eye(len(x))[np.argmax(x)],
    "top_k_mask": lambda x: (stats.rankdata(-x, "ordinal") <= 2).astype(float),
    "top_k": lambda x: -np.sort(-x)[:2],
    "sort": np.sort,
    "rank": stats.rankdata,
    "quantile": lambda x: np.quantile(x, 0.3),
    "median": np.median,
}
VALUES = st.lists(
    st.floats(-50, 50).map(lambda v: round(v, 3)) | st.sampled_from([0.0, 1.0, -1.0, 0.5]),
    min_size=2,
    max_size=9,
)
TEMPERATURES = st.floats(-6, 6).map(lambda e: 10.0**e)
APART = [0.7, -1.63, 3.31, 0.11, 2.42]  # no ties, no integers


def member(name, module=smoothing):
    return getattr(module, name)


def tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def test_the_tests_know_every_function():
    functions = {n for n in smoothing.__all__ if isinstance(member(n), smoothing.Smooth)}
    assert functions == set(OPTIONS) == set(HARD)


# Laws: each takes the function, so that a broken one can be given to it.


def hard_is_the_reference(f, name, values, temperature):
    found = f(tensor(values), 0, **OPTIONS[name]).numpy()
    assert np.allclose(found, HARD[name](np.array(values)))


def bound_holds(f, name, values, temperature):
    x = tensor(values)
    soft, hard = f(x, temperature, **OPTIONS[name]), f(x, 0, **OPTIONS[name])
    bound = f.bound(x, temperature, **OPTIONS[name])
    slack = 1e-9 * (1 + x.abs().max() + temperature)
    assert ((soft - hard).abs() <= bound + slack).all()


def low_temperature_is_hard(f, name, values, temperature):
    x = tensor(APART)
    low = 1e-3 if name in ("sort", "top_k", "quantile", "median") else 1e-6
    found = f(x, low, **OPTIONS[name])
    assert torch.allclose(found, f(x, 0, **OPTIONS[name]), atol=1e-5)
    assert (f.bound(x, low, **OPTIONS[name]) < 1e-5).all()


def derivative_is_the_limit_of_differences(f, name, values, temperature):
    rng = np.random.default_rng(len(values))
    x = rng.normal(0, 2, 5)
    for t in (0.15, 0.31, 1.7, 20.0):
        exact = torch.autograd.functional.jacobian(
            lambda v, t=t: f(v, t, **OPTIONS[name]).reshape(-1), tensor(x.tolist())
        )
        found = oracles.differences(
            lambda v, t=t: f(tensor(v.tolist()), t, **OPTIONS[name]).detach().numpy(), x
        )
        assert np.allclose(exact.numpy(), found, atol=2e-6)


def second_derivative_is_the_limit_of_differences(f, name, values, temperature):
    """Of a sum of squares and cubes, whose slope hangs on the function's own."""
    x = np.random.default_rng(len(values)).normal(0, 2, 5)

    def slope(v, t):
        v = v if isinstance(v, torch.Tensor) else tensor(v.tolist()).requires_grad_()
        loss = f(v, t, **OPTIONS[name]).square().sum() + v.pow(3).sum()
        return torch.autograd.grad(loss, v, create_graph=True)[0]

    for t in (0.45, 1.7):
        exact = torch.autograd.functional.jacobian(lambda v, t=t: slope(v, t), tensor(x.tolist()))
        found = oracles.differences(lambda v, t=t: slope(v, t).detach().numpy(), x)
        assert np.allclose(exact.numpy(), found, atol=1e-5)


def finite_at_every_temperature(f, name, values, temperature):
    for t in (1e-6, 1e-3, 0.19, 0.21, 1.0, 1e3, 1e6):
        x = torch.tensor(values, dtype=torch.float32, requires_grad=True)
        out = f(x, t, **OPTIONS[name])
        out.sum().backward()
        assert out.isfinite().all()
        assert x.grad is None or x.grad.isfinite().all()


def straight_through_is_hard_with_the_soft_derivative(f, name, values, temperature):
    weights = torch.linspace(-1, 2, 9, dtype=torch.float64)
    grads = []
    for call in (f, f.straight_through):
        x = tensor(values).requires_grad_()
        out = call(x, 0.7, **OPTIONS[name])
        (out.reshape(-1) * weights[: out.numel()]).sum().backward()
        grads.append(x.grad)
    assert torch.equal(out, f(tensor(values), 0, **OPTIONS[name]))
    assert torch.equal(*grads)


def a_batch_is_its_rows_along_any_dimension(f, name, values, temperature):
    if name not in ALONG:
        return
    x = torch.randn(3, 4, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for t in (0, 0.4):
        for dim in (0, 1, 2, -2):
            found = f(x, t, dim=dim, **OPTIONS[name]).movedim(
                *((dim, -1) if name not in REDUCING or name == "top_k" else (0, 0))
            )
            rows = x.movedim(dim, -1)
            one = torch.stack([f(r, t, **OPTIONS[name]) for r in rows.reshape(-1, rows.shape[-1])])
            assert torch.allclose(found.reshape(one.shape), one)


def shifts_and_scales_go_through(f, name, values, temperature):
    x, o = tensor(values), OPTIONS[name]
    shift, scale, t = 3.7 * values[0], 0.3 + abs(values[-1]) / 9, 0.4
    if name in ("max", "min", "sort", "top_k", "median", "quantile"):
        assert torch.allclose(f(x + shift, t, **o), f(x, t, **o) + shift, atol=1e-7)
    if name in ("argmax", "one_hot_argmax", "top_k_mask", "rank"):
        assert torch.allclose(f(x + shift, t, **o), f(x, t, **o), atol=1e-7)
        assert torch.allclose(f(x * scale, t * scale, **o), f(x, t, **o), atol=1e-7)
    if name in ("max", "min", "abs"):
        assert torch.allclose(f(x * scale, t * scale), f(x, t) * scale, atol=1e-7)
    if name in ("sort", "top_k", "median", "quantile"):  # whose temperature is in 1/x
        assert torch.allclose(f(x * scale, t / scale, **o), f(x, t, **o) * scale, atol=1e-7)
    if name in ("step", "sign"):
        assert torch.allclose(f(x * scale, t * scale), f(x, t), atol=1e-7)
    if name in ("floor", "round"):
        assert torch.allclose(f(x + 7, t), f(x, t) + 7, atol=1e-7)


def what_rises_still_rises(f, name, values, temperature):
    if name in ("abs", "argmax", "one_hot_argmax", "top_k_mask", "rank"):
        return  # of which an entry falls as another rises
    x = tensor(values).requires_grad_()
    for out in f(x, temperature, **OPTIONS[name]).reshape(-1)[:3]:
        (grad,) = torch.autograd.grad(out, x, retain_graph=True)
        assert (grad >= -1e-9).all()


def sums_are_kept(f, name, values, temperature):
    x, n = tensor(values), len(values)
    if name == "top_k_mask":
        for k in range(n + 1):
            mask = f(x, temperature, k)
            assert ((mask >= 0) & (mask <= 1)).all()
            assert float(mask.sum()) == pytest.approx(k, abs=1e-9)
    if name == "one_hot_argmax":
        assert float(f(x, temperature).sum()) == pytest.approx(1)
    if name == "rank":
        ranks = f(x, temperature)
        assert float(ranks.sum()) == pytest.approx(n * (n + 1) / 2)
        same = ranks.argsort(stable=True) == x.argsort(stable=True)
        assert same.all() or x.unique().numel() < n
    if name == "sort":
        ordered = f(x, temperature)
        assert float(ordered.sum()) == pytest.approx(float(x.sum()), abs=1e-7)
        assert (ordered[1:] >= ordered[:-1] - 1e-9).all()


LAWS = [
    a_batch_is_its_rows_along_any_dimension,
    shifts_and_scales_go_through,
    what_rises_still_rises,
    sums_are_kept,
    hard_is_the_reference,
    bound_holds,
    low_temperature_is_hard,
    derivative_is_the_limit_of_differences,
    second_derivative_is_the_limit_of_differences,
    finite_at_every_temperature,
    straight_through_is_hard_with_the_soft_derivative,
]


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=30, deadline=None)
@given(values=VALUES, temperature=TEMPERATURES)
def test_bounds_are_never_violated(name, values, temperature):
    bound_holds(member(name), name, values, temperature)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("law", LAWS)
def test_laws_at_fixed_points(law, name):
    for values in ([*APART], [1.25, 1.5, -0.75, 4.0], [0.6, 0.4]):
        law(member(name), name, values, 0.3)


HOME = "anypart.calculus.smoothing"
BUGS = [
    (
        a_batch_is_its_rows_along_any_dimension,
        "argmax",
        "choices",
        "(one_hot_argmax(x, temperature, dim)",
        "(one_hot_argmax(x, temperature)",
    ),
    (
        a_batch_is_its_rows_along_any_dimension,
        "sort",
        "orders",
        "rows = wide.movedim(dim, -1)",
        "rows = wide.transpose(dim, -1)",
    ),
    (
        shifts_and_scales_go_through,
        "max",
        "extremes",
        "return top.squeeze(dim) +",
        "return 0.9 * top.squeeze(dim) +",
    ),
    (shifts_and_scales_go_through, "abs", "extremes", "(-2 * size / temperature)", "(-2 * size)"),
    (
        what_rises_still_rises,
        "step",
        "steps",
        "return torch.sigmoid(x / temperature)",
        "return torch.sigmoid(-x / temperature)",
    ),
    (
        what_rises_still_rises,
        "sort",
        "orders",
        "return _sloped(grads[0], ctx.found, ctx.kind)",
        "return -_sloped(grads[0], ctx.found, ctx.kind)",
    ),
    (
        sums_are_kept,
        "top_k_mask",
        "choices",
        "p = torch.sigmoid(u - cut)\n",
        "p = torch.sigmoid(u - cut - 0.1)\n",
    ),
    (
        sums_are_kept,
        "one_hot_argmax",
        "choices",
        "torch.softmax(below_max(x, dim)[0] / temperature, dim)",
        "torch.sigmoid(below_max(x, dim)[0] / temperature)",
    ),
    (
        sums_are_kept,
        "rank",
        "orders",
        "return _project(x, temperature, dim, far=False)",
        "return 1.1 * _project(x, temperature, dim, far=False)",
    ),
    (hard_is_the_reference, "step", "steps", "x.new_tensor(0.5)", "x.new_tensor(1.0)"),
    (hard_is_the_reference, "rank", "orders", "low + high + 1", "low + high + 2"),
    (bound_holds, "max", "extremes", "temperature * math.log(length", "0.1 * math.log(length"),
    (bound_holds, "clip", "extremes", "math.expm1(width)", "width * 3"),
    (bound_holds, "argmax", "choices", "(length(x, dim) - 1) * _others", "_others"),
    (bound_holds, "sort", "orders", "2 * temperature * spread", "temperature * 0 * spread"),
    (bound_holds, "rank", "orders", "(n - 1) / 2 * (1 -", "0.01 * (1 -"),
    (
        low_temperature_is_hard,
        "floor",
        "steps",
        "        out = whole\n",
        "        out = whole + 1\n",
    ),
    (low_temperature_is_hard, "abs", "extremes", "size + temperature", "2 * size + temperature"),
    (
        derivative_is_the_limit_of_differences,
        "top_k_mask",
        "choices",
        "torch.where(slope > FLAT, step, 0.0)",
        "step.detach()",
    ),
    (
        second_derivative_is_the_limit_of_differences,
        "top_k_mask",
        "choices",
        "_ in range(2):\n        slope",
        "_ in range(1):\n        slope",
    ),
    (
        second_derivative_is_the_limit_of_differences,
        "sort",
        "orders",
        '"pull": "push"',
        '"pull": "pull"',
    ),
    (
        second_derivative_is_the_limit_of_differences,
        "median",
        "orders",
        "return _sloped(grads[0], ctx.found, ctx.kind)",
        "return _along(grads[0], ctx.found, ctx.kind)",
    ),
    (
        derivative_is_the_limit_of_differences,
        "rank",
        "orders",
        "found.temperature, far, out)",
        "1.0, far, out)",
    ),
    (
        finite_at_every_temperature,
        "floor",
        "steps",
        "if depth > 700:",
        "if depth > 1e9:",
    ),
]


@pytest.mark.parametrize(("law", "name", "file", "right", "wrong"), BUGS)
def test_a_planted_bug_breaks_the_law(law, name, file, right, wrong):
    broken = planted(importlib.import_module(f"{HOME}.{file}"), right, wrong)
    cases = [[0.9, 0.9, 0.9], [1.25, 1.5, -0.75, 4.0], [0.0, 0.0], [-10.0, 0.0, 0.0, 10.0], [1, 2]]
    with pytest.raises((AssertionError, OverflowError)):  # noqa: PT012 - any of the cases
        for values in cases:
            for t in (1.0, 0.05, 30.0):
                law(getattr(broken, name), name, [float(v) for v in values], t)


def test_the_straight_through_law_notices_a_soft_forward():
    contract = importlib.import_module(f"{HOME}.contract")
    broken = planted(contract, "return hard.clone()", "return hard + 0.01")
    twin = broken.Smooth(smoothing.max._soft, smoothing.max._hard, smoothing.max._bound)
    with pytest.raises(AssertionError):
        straight_through_is_hard_with_the_soft_derivative(twin, "max", APART, 0.3)


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=15, deadline=None)
@given(values=VALUES, temperature=TEMPERATURES)
def test_laws_of_symmetry_order_and_sums(name, values, temperature):
    for law in (shifts_and_scales_go_through, what_rises_still_rises, sums_are_kept):
        law(member(name), name, values, temperature)


def test_golden_numbers():
    x = tensor([2.0, 1, 4, 5, 3])
    for k, want in ((1, 5.4519), (2, 5.0727), (5, 5.00135), (10, 5.000005)):
        assert float(smoothing.max(x, 1 / k)) == pytest.approx(want, abs=6e-6 if k > 2 else 6e-5)
    for k, want in ((1, 3.734), (2, 3.892), (5, 3.993), (10, 3.99996)):
        assert float(smoothing.argmax(x, 1 / k)) + 1 == pytest.approx(want, abs=6e-4)


def test_the_derivative_of_the_smooth_maximum_is_the_softmax():
    x = tensor(APART).requires_grad_()
    (grad,) = torch.autograd.grad(smoothing.max(x, 0.3), x)
    assert torch.allclose(grad, smoothing.one_hot_argmax(x, 0.3))
    (grad,) = torch.autograd.grad(smoothing.abs(x, 0.3).sum(), x)
    assert torch.allclose(grad, smoothing.sign(x, 0.3))


@pytest.mark.parametrize("t", [0.03, 0.15, 0.25, 1.0])
def test_the_smooth_floor_is_the_mean_over_logistic_noise(t):
    for x in (-1.3, 0.0, 0.4, 0.999, 7.5):
        want = oracles.smoothed_by_logistic_noise(math.floor, x, t)
        assert float(smoothing.floor(tensor(x), t)) == pytest.approx(want, abs=1e-11)


def floor_keeps_its_bound_beside_a_jump(floor):
    """Single precision: just below 0 the distance to the jump is far finer than to −1."""
    t = 1e-6
    x = -torch.linspace(0.1, 20, 400) * t
    off = (floor(x, t) - floor(x, 0)).abs()
    assert (off <= smoothing.floor.bound(x, t) * 1.001 + 1e-7).all()


def test_floor_keeps_its_bound_beside_a_jump():
    floor_keeps_its_bound_beside_a_jump(smoothing.floor)
    steps = importlib.import_module(f"{HOME}.steps")
    broken = planted(steps, "whole = x.detach().round()", "whole = x.detach().floor()")
    with pytest.raises(AssertionError):
        floor_keeps_its_bound_beside_a_jump(broken.floor)


@pytest.mark.parametrize("t", [1e-3, 0.1, 1.0, 30.0])
def test_the_mask_maximises_value_plus_entropy(t):
    for k in (1, 2, 4):
        want = oracles.best_mask(np.array(APART), t, k)
        assert np.allclose(smoothing.top_k_mask(tensor(APART), t, k).numpy(), want, atol=1e-9)


def test_bounds_are_attained():
    assert float(smoothing.max(torch.zeros(7), 2.0)) == pytest.approx(2 * math.log(7))
    for n in (2, 3, 10, 1000):
        loss = [y * (n - 1) / (n - 1 + math.exp(y)) for y in np.linspace(0.01, 12, 40_001).tolist()]
        assert max(loss) == pytest.approx(smoothing.regret(n, 1.0), rel=1e-6)
    even = torch.arange(9.0)
    assert float(smoothing.rank(even, 4.0)[0]) - 1 == pytest.approx(
        float(smoothing.rank.bound(even, 4.0))
    )
    pair = tensor([0.0, 3.0])
    off = (smoothing.sort(pair, 2.0) - pair).abs().max()
    assert float(off) <= float(smoothing.sort.bound(pair, 2.0).max()) < 1.1 * float(off) + 0.3


def test_infinities_that_have_a_limit_are_taken():
    inf = math.inf
    x = tensor([1.0, -inf, 3.0])
    assert float(smoothing.max(x, 0.1)) == pytest.approx(3.0)
    assert smoothing.one_hot_argmax(x, 0.1)[1] == 0
    assert smoothing.max(tensor([inf, 1.0]), 0.1) == inf
    assert torch.equal(
        smoothing.one_hot_argmax(tensor([inf, 1.0, inf]), 1.0), tensor([0.5, 0, 0.5])
    )
    assert torch.equal(smoothing.rank(tensor([inf, 1.0, -inf, 2.0]), 1e-3), tensor([4.0, 2, 1, 3]))
    ends = tensor([inf, -inf])
    for name, want in (
        ("abs", [inf, inf]),
        ("clip", [2.0, -1.0]),
        ("step", [1.0, 0.0]),
        ("sign", [1.0, -1.0]),
        ("floor", [inf, -inf]),
        ("round", [inf, -inf]),
    ):
        for t in (0.1, 1.0):
            x = ends.clone().requires_grad_()
            out = member(name)(x, t, **OPTIONS[name])
            assert torch.equal(out, tensor(want))
    for call in (
        lambda: smoothing.sort(ends, 0.1),
        lambda: smoothing.top_k_mask(tensor([inf, inf, 1.0]), 0.1, 1),
    ):
        with pytest.raises(QuestionError, match="infinite"):
            call()


def test_large_finite_values_are_finite_though_their_sum_is_not():
    x = torch.tensor([3e38, 1e38, 2e38])
    assert torch.equal(smoothing.sort(x, 1e-39), torch.tensor([1e38, 2e38, 3e38]))
    assert torch.equal(smoothing.rank(x, 1e30), torch.tensor([3.0, 1.0, 2.0]))
    assert smoothing.max(x, 1.0) == x[0]


def test_one_element_is_itself():
    one = tensor([2.5])
    for t in (1e-6, 1.0, 1e6):
        for name in ("max", "min", "sort", "median"):
            assert float(member(name)(one, t)) == pytest.approx(2.5)
        assert float(smoothing.rank(one, t)) == 1
        assert float(smoothing.argmax(one, t)) == 0
        assert float(smoothing.one_hot_argmax(one, t)) == 1


@pytest.mark.parametrize("name", OPTIONS)
def test_what_has_no_meaning_is_refused(name):
    f, o = member(name), OPTIONS[name]
    with pytest.raises(QuestionError, match="2 of 3 values are NaN"):
        f(tensor([math.nan, 1.0, math.nan]), 0.1, **o)
    with pytest.raises(QuestionError, match="not -1"):
        f(tensor(APART), -1.0, **o)
    with pytest.raises(QuestionError, match="not inf"):
        f(tensor(APART), math.inf, **o)
    with pytest.raises(QuestionError, match="floating point"):
        f(torch.arange(3), 0.1, **o)
    if name in ALONG:
        for t in (0, 0.1):
            with pytest.raises(QuestionError, match=r"empty|There are 0"):
                f(torch.zeros(2, 0), t, **o)
            with pytest.raises(AnypartError, match="no dimension 5"):
                f(torch.zeros(2, 3), t, dim=5, **o)


def test_options_without_meaning_are_refused():
    x = tensor(APART)
    for call, words in (
        (lambda: smoothing.top_k(x, 0.1, 6), "not 6"),
        (lambda: smoothing.top_k_mask(x, 0.1, -1), "not -1"),
        (lambda: smoothing.quantile(x, 0.1, 1.5), "between 0 and 1"),
        (lambda: smoothing.clip(x, 0.1, 2.0, 1.0), "low < high"),
        (lambda: smoothing.regret(0, 1.0), "at least 1"),
    ):
        with pytest.raises(QuestionError, match=words):
            call()
