"""Trees are sought by trying out: three columns at once, guided by mistakes, a tree always."""

import numpy as np
import pytest
from tests.data.planted import planted
from tests.optim.test_plan import costs

from anypart.models.contract import Evidence, Layout
from anypart.models.structure import spanning_tree
from anypart.optim import tree_search as shipped
from anypart.optim.events import Sought, event_from_json, event_to_json
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner
from anypart.optim.in_memory import Held
from anypart.optim.menu import wishes
from anypart.optim.plan import choose, with_trees
from anypart.optim.rows import split

FOREVER = float("inf")
N_CATS = (12, 4, 4, 18, *(2,) * 6)
LAYOUT, N_COLS = Layout(N_CATS), len(N_CATS)


def rows(n=4_000, seed=0):
    """A size, two qualities, a price that is their sum, and six columns of chance.

    Large things are a little worse in one quality, so size says more of it than it shows.
    """
    rng = np.random.default_rng(seed)
    size, first = rng.integers(0, 12, n), rng.integers(0, 4, n)
    second = np.where(rng.random(n) < 0.12, 3 - size // 3, rng.integers(0, 4, n))
    named = np.stack([size, first, second, size + first + second], 1)
    codes = np.concatenate([named, rng.integers(0, 2, (n, 6))], 1).astype(np.int32)
    return codes, np.ones(codes.shape, bool)


def search(module, stray=0.0):
    return module.TreeSearch(LAYOUT, *rows(), (0, 3), stray, 0)


def check_that_three_columns_are_found(module):
    sought = search(module)
    begun = sought.best
    edges = sought.climb(FOREVER)
    assert len(edges) == N_COLS - 1
    assert sought.best.log_prob.mean() > begun.log_prob.mean() + 0.05
    assert (0, 2) in set(edges) - set(begun.edges)


def test_a_column_is_put_where_it_says_most_of_two():
    check_that_three_columns_are_found(shipped)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("key=lambda p: -missed[p]", "key=lambda p: missed[p]"),
        ("gain.mean() > gain.std()", "gain.mean() < -gain.std()"),
    ],
)
def test_the_law_bites(right, wrong):
    with pytest.raises(AssertionError):
        check_that_three_columns_are_found(planted(shipped, right, wrong))


class Independent:
    """The independent model of some rows, as far as mistakes ask for it."""

    def __init__(self, layout, codes, seen):
        self.layout = layout
        self._logs = np.concatenate(
            [
                np.log(np.bincount(codes[seen[:, c], c], minlength=n) / seen[:, c].sum())
                for c, n in enumerate(layout.n_cats)
            ]
        )

    def leave_one_out(self, codes, seen):
        return np.tile(self._logs, (len(codes), 1)).astype(np.float32)


def check_mistakes(module):
    rng = np.random.default_rng(2)
    layout = Layout((3, 4, 2))
    first = rng.integers(0, 3, 4_000)
    codes = np.stack([first, np.where(rng.random(4_000) < 0.5, first, 3), first % 2], 1)
    codes[:, 2] = rng.integers(0, 2, 4_000)
    codes, seen = codes.astype(np.int32), rng.random((4_000, 3)) < 0.8
    seen[first == 1, 1] &= rng.random((first == 1).sum()) < 0.5  # gaps hang on values
    groups = module._groups(layout, codes, seen)
    model = Independent(layout, codes, seen)
    found = module.mistakes(model, codes, seen, groups)
    for a, b in ((0, 1), (1, 0), (0, 2), (2, 1)):
        both = seen[:, a] & seen[:, b]
        met = np.zeros((layout.n_cats[a], layout.n_cats[b]))
        np.add.at(met, (codes[both, a], codes[both, b]), 1)
        foreseen = np.exp(model._logs[layout.slices[a]])[:, None] * met.sum(0)
        told = met * np.log((met + 0.5) / (foreseen + 0.5))
        assert found[a, b] == pytest.approx(told.sum() / len(codes), abs=1e-4)
    assert found[1, 0] > 0.1 > 0.01 > abs(found[2, 0])


def test_mistakes_of_an_independent_model_are_what_columns_tell_of_each_other():
    check_mistakes(shipped)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("np.repeat(seen, GROUPS, axis=1)", "1"),  # cells that are not seen
        ("np.log(met / foreseen)", "np.log(met / met)"),
    ],
)
def test_wrong_mistakes_are_found(right, wrong):
    with pytest.raises(AssertionError):
        check_mistakes(planted(shipped, right, wrong))


def check_that_few_rows_are_taught_in_many_steps(module, monkeypatch):
    taught = []
    monkeypatch.setattr(module.HiddenTreeLearner, "step", lambda *args: taught.append(len(args[1])))
    codes, seen = rows(1_200)
    module.TreeSearch(LAYOUT, codes, seen, (0, 3), 0.0, 0)
    assert len(taught) > 40
    assert sum(taught) >= 3 * 1_080 - max(taught)


def test_few_rows_are_taught_in_many_steps(monkeypatch):
    check_that_few_rows_are_taught_in_many_steps(shipped, monkeypatch)


def test_large_batches_of_few_rows_are_found(monkeypatch):
    large = planted(shipped, "batch_size(n_rows)", "250")
    with pytest.raises(AssertionError):
        check_that_few_rows_are_taught_in_many_steps(large, monkeypatch)


def test_every_change_leaves_a_tree():
    sought, rng = search(shipped, stray=0.6), np.random.default_rng(0)
    for _ in range(50):
        a, b = sorted(rng.choice(N_COLS, 2, replace=False).tolist())
        if (a, b) in sought.best.edges:
            continue
        edges = sought._joined((a, b))
        assert (a, b) in edges
        assert len(set(edges)) == N_COLS - 1
        weights = np.zeros((N_COLS, N_COLS))
        weights[tuple(np.array(edges).T)] = 1
        order, parent = spanning_tree(weights + weights.T)
        pairs = {tuple(sorted((int(c), int(parent[c])))) for c in order[1:]}
        assert pairs == set(edges)
        sought.best = shipped._Tried(edges, sought.best.model, sought.best.log_prob)


def test_columns_that_another_settles_are_nobody_s_neighbours():
    codes, seen = rows(1_500)
    codes[:, 4] = codes[:, 5]
    sought = shipped.TreeSearch(LAYOUT, codes, seen, (0, 3), 0.0, 0)
    settled = {4, 5} - set(sought.free)
    assert len(settled) == 1
    assert not settled & {c for e in sought.climb(FOREVER) for c in e}


def test_a_tree_has_the_edges_that_it_is_given():
    codes, seen = rows(500)
    edges = [[c, c + 1] for c in range(N_COLS - 1)]
    settings = HiddenSettings(n_states=3, structure_noise=0.6, edges=edges)
    learner = HiddenTreeLearner(LAYOUT, codes, seen, settings, 0)
    shape = learner.tree.shape
    column_of = {node: c for c, node in enumerate(shape.node_of)}
    found = {
        tuple(sorted((column_of[n], column_of[p]))) for n, p in enumerate(shape.parents) if p >= 0
    }
    assert found == {tuple(e) for e in edges}
    assert np.isfinite(learner.model().log_prob(Evidence(codes, seen))).all()


def test_a_search_without_time_returns_the_tree_of_the_strongest_pairs():
    codes, seen = rows(1_200)
    parts = split(Held(codes, seen, N_CATS), None, 0)
    found = shipped.seek_tree("tree", (), 0.0, -1.0, 0, parts.train)
    assert found.name == "tree"
    assert len(found.edges) == N_COLS - 1
    back = event_from_json(event_to_json(found))
    assert isinstance(back, Sought)
    assert [tuple(e) for e in back.edges] == list(found.edges)


@pytest.mark.parametrize(
    ("n_rows", "n_cols", "worth"), [(999, 9, False), (9_000, 9, True), (9_000, 65, False)]
)
def test_trees_are_sought_where_there_are_rows_and_few_enough_columns(n_rows, n_cols, worth):
    assert shipped.worth_seeking(n_rows, n_cols) == worth


def test_trees_differ_by_what_was_found():
    wanted = wishes(20_000, "any", n_cols=20)
    found = {"tree": Sought("tree", ((0, 1),)), "strayed tree": Sought("strayed tree", ((0, 2),))}
    given = with_trees(wanted, found)
    assert [w.name for w in given] == [w.name for w in wanted]
    trees = [w for w in given if w.family == "hidden_tree"]
    straight = [w for w in trees if not w.settings["structure_noise"]]
    strayed = [w for w in trees if w.settings["structure_noise"]]
    assert all(w.settings["edges"] == [[0, 1]] for w in straight)
    assert [w.settings.get("edges") for w in strayed[:3]] == [[[0, 2]], None, [[0, 2]]]
    assert not any("edges" in w.settings for w in given if w.family != "hidden_tree")
    assert with_trees(wanted, {}) == wanted
    assert choose(given, costs(given), 20_000, 1e6)
