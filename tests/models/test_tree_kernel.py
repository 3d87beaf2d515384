"""Loops of boosted trees against walks of one row at a time."""

import inspect
import types

import numpy as np
import pytest
from tests.models.one_order_makers import boosted_trees

from anypart.models import tree_kernel
from anypart.models.boosted_trees import BoostedTrees


def some_trees(depth, seed, n_rows=1_500, n_cols=3, n_rounds=4):
    """Two places for the second column; rows beyond one run of the kernel."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (9, n_rows)).astype(np.uint8)
    tests = rng.integers(-1, 9, (n_rounds, n_cols, (1 << depth) - 1)).astype(np.int32)
    values = rng.normal(size=(n_rounds, n_cols + 1, 1 << depth)).astype(np.float32)
    return bits, tests, values, np.array([0, 1, 1, 2])


def leaf_of(bits, tests, row):
    node = 0
    while node < len(tests):
        node = 2 * node + 1 + (tests[node] >= 0 and int(bits[tests[node], row]))
    return node - len(tests)


def trees_add_what_a_walk_finds(kernels, depth=3, seed=0):
    bits, tests, values, column_of = some_trees(depth, seed)
    found = np.zeros((len(column_of), bits.shape[1]), np.float32)
    kernels.add_trees(bits, tests, values, column_of, found)
    for row in (0, 1, 700, 1_023, 1_024, 1_499):
        for place, col in enumerate(column_of):
            leaves = [leaf_of(bits, t[col], row) for t in tests]
            right = sum(v[place, leaf] for v, leaf in zip(values, leaves, strict=True))
            assert found[place, row] == pytest.approx(right, abs=1e-5)


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_trees_add_what_a_walk_finds(depth):
    trees_add_what_a_walk_finds(tree_kernel, depth, depth)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("leaf[r] = (leaf[r] << 1) | found[r]", "leaf[r] = (leaf[r] << 1) | (1 - found[r])"),
        ("size = min(RUN, n_rows - start)", "size = min(RUN, n_rows - start) - 1"),
        ("base = 2 * base + 1", "base = 2 * base + 2"),
    ],
)
def test_a_planted_bug_is_found(right, wrong):
    source = inspect.getsource(tree_kernel)
    assert source.count(right) == 1
    copy = types.ModuleType("planted")
    plain = source.replace(right, wrong).replace("@kernel", "")
    exec(compile(plain, "planted", "exec"), copy.__dict__)
    with pytest.raises((AssertionError, IndexError)):
        trees_add_what_a_walk_finds(copy)


def test_level_by_level_is_the_same():
    bits, tests, values, column_of = some_trees(4, 7)
    whole = np.zeros((len(column_of), bits.shape[1]), np.float32)
    tree_kernel.add_trees(bits, tests, values, column_of, whole)
    steps = np.zeros_like(whole)
    for questions, adds in zip(tests, values, strict=True):
        leaf = np.zeros((3, bits.shape[1]), np.uint8)
        for level in range(4):
            here = np.ascontiguousarray(questions[:, (1 << level) - 1 : (2 << level) - 1])
            tree_kernel.descend(bits, here, leaf)
        tree_kernel.add_values(adds, leaf, column_of, steps)
    np.testing.assert_array_equal(steps, whole)


def test_slopes_are_derivatives_and_a_gap_has_none():
    logits = np.linspace(-30, 30, 13, dtype=np.float32)[None].repeat(3, 0)
    target = np.array([[0.0], [1.0], [np.nan]], np.float32).repeat(13, 1)
    small, slopes, curves = np.exp(-np.abs(logits)), np.empty_like(logits), np.empty_like(logits)
    tree_kernel.binary_slopes(target, logits, small, slopes, curves)
    p = 1 / (1 + np.exp(-logits[0].astype(np.float64)))
    np.testing.assert_allclose(slopes[:2], [p, p - 1], atol=1e-7)
    q = 1 / (1 + np.exp(logits[0].astype(np.float64)))  # 1 − p without its loss of digits
    np.testing.assert_allclose(curves[:2], [p * q] * 2, rtol=1e-5)
    assert (slopes[2] == 0).all()
    assert (curves[2] == 0).all()


@pytest.mark.parametrize("damage", ["question", "leaves", "nodes"])
def test_trees_that_ask_what_is_not_there_are_refused(damage):
    settings, arrays = boosted_trees(np.random.default_rng(0)).state()
    arrays = {name: a.copy() for name, a in arrays.items()}
    if damage == "question":
        arrays["tests"][0, 1, 0] = 10_000
    elif damage == "leaves":
        arrays["values"] = arrays["values"][..., :-1]
    else:
        arrays["tests"] = arrays["tests"][..., :-1]
    with pytest.raises(ValueError, match="A saved boosted_trees is damaged"):
        BoostedTrees.from_state(settings, arrays)
