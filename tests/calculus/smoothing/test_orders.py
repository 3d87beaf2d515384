"""Sort and rank beside the minimax formula, their kernels, precision and ties."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.calculus.smoothing import oracles
from tests.data.planted import planted

from anypart.calculus import smoothing
from anypart.calculus.smoothing import pooling

VALUES = st.lists(
    st.floats(-5, 5).map(lambda v: round(v, 2)) | st.integers(-2, 2).map(float),
    min_size=1,
    max_size=8,
)


def kernel(module, values, t, *, far):
    x = np.array([values])
    places = module.order(x)
    out, pool = np.empty_like(x), np.empty(x.shape, np.int64)
    module.forward(x, places, t, far, out, pool)
    return out[0]


def agrees_with_the_projection(module, values, t):
    assert np.allclose(kernel(module, values, t, far=False), oracles.soft_rank(np.array(values), t))
    assert np.allclose(kernel(module, values, t, far=True), oracles.soft_sort(np.array(values), t))


@settings(max_examples=100, deadline=None)
@given(values=VALUES, t=st.floats(-2, 2).map(lambda e: 10.0**e))
def test_sort_and_rank_are_the_projections(values, t):
    agrees_with_the_projection(pooling, values, t)


PLAIN = ("numba.njit(cache=True, nogil=True)(kernel)", "kernel")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("(size / (size + below))", "0.5"),
        ("0.5 * (stop - start[top - 1])", "0.5 * (stop - start[top])"),
        ("(values[j] - mean[b]) / t + middle + 1.0", "(values[j] - mean[b]) / t + begin + 1.0"),
        ("mean[b] + (j - middle) / t", "mean[b] + (j - begin) / t"),
    ],
)
def test_the_law_notices_a_bug_in_the_kernel(right, wrong):
    plain = planted(pooling, *PLAIN)
    rng = np.random.default_rng(0)
    cases = [(rng.normal(0, 2, 6).tolist(), 10.0 ** rng.uniform(-1, 1)) for _ in range(30)]
    for values, t in cases:
        agrees_with_the_projection(plain, values, t)
    source = importlib.import_module(plain.__name__)
    assert source is plain
    broken = planted_twice(right, wrong)
    with pytest.raises(AssertionError):  # noqa: PT012 - any of the cases
        for values, t in cases:
            agrees_with_the_projection(broken, values, t)


def planted_twice(right, wrong):
    """A plain-Python copy of the kernels with one bug."""
    import inspect
    import types

    source = inspect.getsource(pooling)
    for old, new in (PLAIN, (right, wrong)):
        assert source.count(old) == 1, f"{old!r} must occur once in the source"
        source = source.replace(old, new)
    copy = types.ModuleType("planted_pooling")
    exec(compile(source, copy.__name__, "exec"), copy.__dict__)
    return copy


def test_the_order_of_single_precision_is_the_stable_order():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(4, 400)).astype(np.float32).round(1)
    x[0, :9] = [0.0, -0.0, np.inf, -np.inf, 1e-45, -1e-45, 3e38, -3e38, 0.0]
    assert (pooling.order(x) == np.argsort(x, axis=-1, kind="stable")).all()


@pytest.mark.parametrize("t", [1e-6, 1e-3, 1.0, 1e3, 1e6])
def test_single_precision_keeps_its_digits_at_every_temperature(t):
    rng = np.random.default_rng(2)
    x = rng.normal(size=2000).astype(np.float32)
    for far, f in ((False, smoothing.rank), (True, smoothing.sort)):
        exact = kernel(pooling, x.astype(np.float64).tolist(), t, far=far)
        found = f(torch.from_numpy(x), t).numpy()
        assert np.allclose(found, exact, rtol=1e-5, atol=1e-5)


def test_equal_values_have_equal_ranks_and_equal_derivatives():
    x = torch.tensor([1.0, 2, 1, 2, 1], requires_grad=True)
    for t in (1e-6, 0.5, 10.0):
        found = smoothing.rank(x, t)
        assert found[0] == found[2] == found[4]
        assert found[1] == found[3]
    found = smoothing.rank(x, 1e-6)
    assert found.tolist() == [2.0, 4.5, 2.0, 4.5, 2.0]
    (grad,) = torch.autograd.grad(smoothing.rank(x, 10.0)[1], x)
    assert float(grad.sum()) == pytest.approx(0, abs=1e-6)


def test_half_precision_comes_back_as_half_precision():
    x = torch.randn(3, 7).half()
    assert smoothing.rank(x, 0.1).dtype == torch.float16
    assert torch.allclose(smoothing.rank(x, 0.1).float(), smoothing.rank(x.float(), 0.1), atol=0.01)


def test_many_equal_steps_pool_in_linear_time_and_without_recursion():
    x = torch.arange(200_000, dtype=torch.float64)
    assert float(smoothing.rank(x, 1e9).std()) == pytest.approx(0, abs=60)
    assert torch.equal(smoothing.rank(x, 0.5), x + 1)
