"""A perturbed tree is another good tree, however strong the columns hang together."""

import numpy as np
import pytest
from tests.data.planted import planted

from anypart.models import structure as shipped

NOISE = 0.6


def weights_of(scale, n=9):
    rng = np.random.default_rng(3)
    upper = np.triu(rng.gamma(1.0, scale, (n, n)), 1)
    return upper + upper.T


def kept(weights, tree):
    """Sum of the weights of a tree's edges."""
    return sum(weights[c, p] for c, p in enumerate(tree[1]) if p >= 0)


def check_that_little_is_given_up(module, scale):
    weights = weights_of(scale)
    best = kept(weights, module.spanning_tree(weights))
    lost, trees = [], set()
    for seed in range(40):
        noisy = module.perturbed(weights, NOISE, np.random.default_rng(seed))
        assert np.array_equal(noisy, noisy.T)
        tree = module.spanning_tree(noisy)
        lost.append(best - kept(weights, tree))
        trees.add(tuple(sorted(tuple(sorted((c, p))) for c, p in enumerate(tree[1]) if p >= 0)))
    assert np.mean(lost) < len(weights) * min(0.03, NOISE * weights.mean())
    return len(trees)


@pytest.mark.parametrize("scale", [0.003, 0.03, 0.3, 3.0])
def test_a_perturbed_tree_gives_up_little(scale):
    n_trees = check_that_little_is_given_up(shipped, scale)
    assert n_trees > 5 or scale > 0.1  # where much is at stake there may be one good tree


def test_the_law_bites_on_noise_without_a_limit():
    careless = planted(shipped, "np.minimum(noise * weights, MOST_STRAY)", "noise * weights")
    with pytest.raises(AssertionError, match="assert"):
        check_that_little_is_given_up(careless, 3.0)
    fixed = planted(shipped, "np.minimum(noise * weights, MOST_STRAY)", "MOST_STRAY")
    with pytest.raises(AssertionError, match="assert"):
        check_that_little_is_given_up(fixed, 0.003)
