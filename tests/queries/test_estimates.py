"""Parts under a mixture with one-order members: near the right answer, and honest about it."""

from __future__ import annotations

import itertools
import types

import numpy as np
import pytest
from tests.models import oracle
from tests.models.laws import of_row, random_evidence, samples_agree_with, table_of
from tests.models.makers import MAKERS, N_CATS
from tests.models.one_order_makers import MANY_ORDERS, ONE_ORDER
from tests.models.planting import plant
from tests.queries.conftest import make_table

from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence
from anypart.models.stack import Stack
from anypart.queries import completions, estimates, events
from anypart.queries.fitted import Fitted

ERRORS_ALLOWED = 6.0  # standard errors, with heavy-tailed weights: false alarms are rare


@pytest.fixture(autouse=True)
def drawn(monkeypatch):
    """Draw also where the complete rows are so few, as in these tables, that all are asked."""

    def count(layout, evidence):
        return np.where(evidence.seen.all(axis=1), 1.0, 1e9)

    monkeypatch.setattr(completions, "count", count)


def mixture(seed=0, exact=("hidden_tree", "independent"), other=("fvsbn", "nade")):
    rng = np.random.default_rng(seed)
    members = [MAKERS[name](rng) for name in exact]
    for name in other:
        members.append((ONE_ORDER | MANY_ORDERS)[name](rng))
    return Stack(members, np.log(rng.dirichlet(np.full(len(members), 4.0))))


def spared(seed=0):
    """Only one-order members have weight; the exact model is there to draw from."""
    rng = np.random.default_rng(seed)
    members = [ONE_ORDER["fvsbn"](rng), MANY_ORDERS["made"](rng)]
    return Stack(members, np.log([0.4, 0.6]), MAKERS["hidden_tree"](rng))


def parts(model, seed, weighted=True):
    """Random evidence without complete rows, for those need no estimate."""
    evidence = random_evidence(model, np.random.default_rng(seed), weighted=weighted)
    evidence.seen[:, 1] = False
    return evidence


def check_log_prob(model, seed):
    table, evidence = table_of(model), parts(model, seed)
    found = events.log_prob(model, evidence)
    assert found.error is not None
    assert found.effective is not None
    for row in range(evidence.n_rows):
        right = np.log(oracle.event(table, *of_row(evidence, row)))
        allowed = ERRORS_ALLOWED * found.error[row] + 2e-4
        assert abs(found.value[row] - right) < allowed
        if not evidence.seen[row].all():
            assert 1 <= found.effective[row] <= estimates.MOST_DRAWS * 1.0001


def check_conditional(model, seed):
    table, evidence = table_of(model), parts(model, seed)
    found = events.conditional(model, evidence)
    for row in range(evidence.n_rows):
        right = oracle.conditional(table, *of_row(evidence, row))
        allowed = ERRORS_ALLOWED * found.error[row] + 2e-4
        assert (np.abs(np.exp(found.value[row]) - right) < allowed).all()
    for place in model.layout.slices:
        np.testing.assert_allclose(np.exp(found.value[:, place]).sum(axis=1), 1, atol=1e-5)


MODELS = {"members": mixture, "spare": spared}


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("seed", range(3))
def test_estimates_are_within_their_errors_of_enumeration(make, seed):
    check_log_prob(MODELS[make](seed), seed)
    check_conditional(MODELS[make](seed), seed)


def check_errors():
    """Over many rows, the estimates miss by what their standard errors say."""
    model = mixture(3)
    table = table_of(model)
    rows = oracle.all_rows(N_CATS)
    misses, cell_misses = [], []
    for seen in itertools.product([False, True], repeat=len(N_CATS)):
        if not 0 < sum(seen) < 4 or seen[1]:
            continue
        codes = np.unique(np.where(seen, rows, 0), axis=0).astype(np.int32)
        evidence = Evidence(codes, np.tile(seen, (len(codes), 1)))
        found = events.log_prob(model, evidence)
        cells = events.conditional(model, evidence)
        for row in range(len(codes)):
            right = oracle.event(table, codes[row], evidence.seen[row])
            misses.append((found.value[row] - np.log(right)) / max(found.error[row], 1e-5))
            right = oracle.conditional(table, codes[row], evidence.seen[row])
            free = cells.error[row] > 1e-4
            cell_misses += list((np.exp(cells.value[row]) - right)[free] / cells.error[row][free])
    for some in (misses, cell_misses):
        # Standard normal if the errors are right; their root mean square is then near 1.
        assert 0.6 < np.sqrt(np.mean(np.square(some))) < 1.4


def test_the_standard_errors_are_the_errors():
    check_errors()


def coverage(seed):
    """Share of 500 estimates of one part, and of its cells, that the truth is 1.96 errors from."""
    model = mixture(seed, other=("fvsbn",))
    table, codes = table_of(model), oracle.all_rows(N_CATS)[seed * 5]
    seen = np.array([True, False, False, False, False])
    evidence = Evidence(np.tile(codes, (500, 1)), np.tile(seen, (500, 1)))
    found, cells = events.log_prob(model, evidence), events.conditional(model, evidence)
    truth, right = np.log(oracle.event(table, codes, seen)), oracle.conditional(table, codes, seen)
    inside = np.abs(found.value - truth) <= 1.96 * found.error
    place = model.layout.slices[1]
    apart = np.abs(np.exp(cells.value) - right)[:, place]
    return inside.mean(), (apart <= 1.96 * cells.error[:, place]).mean()


def check_coverage():
    """Whatever the exact members are, 95 of 100 are within 1.96 errors of the truth, or more.

    Some of them hardly ever draw what the other member finds likely: with their draws alone
    66 of 100 were, and in other mixtures fewer.
    """
    shares = []
    for seed in range(9):
        shares.append(coverage(seed))
        assert min(shares[-1]) > 0.92  # three standard deviations of 500 parts below .95
    assert (np.mean(shares, axis=0) > 0.95).all()
    assert (np.mean(shares, axis=0) < 0.98).all()


def test_errors_are_wide_enough_whatever_the_exact_members_are():
    check_coverage()


def skewed():
    """Share of 10,000 means of 64 skewed draws within 1.96 errors; .91 without the widening."""
    draws = np.random.default_rng(0).lognormal(0, 0.8, (10_000, 64))
    away = draws - draws.mean(axis=1, keepdims=True)
    moments = [((away**2).mean(axis=1), (away**3).mean(axis=1))]
    error = estimates._error_of_mean(moments, [slice(0, 64)])
    return (np.abs(draws.mean(axis=1) - np.exp(0.32)) <= 1.96 * error).mean()


def check_skewed():
    assert 0.935 < skewed() < 0.96


def test_errors_are_wider_for_skewed_draws():
    check_skewed()


def check_samples():
    model = mixture(1, exact=("hidden_tree",), other=("fvsbn",))
    rng = np.random.default_rng(0)
    evidence = parts(model, 5, weighted=False).rows(slice(0, 1))
    many = Evidence(np.tile(evidence.codes, (6_000, 1)), np.tile(evidence.seen, (6_000, 1)))

    class Asked:
        layout, log_prob = model.layout, staticmethod(model.log_prob)

        @staticmethod
        def sample(evidence, rng):
            return events.sample(model, evidence, rng)

    samples_agree_with(Asked, rng, many)


def test_samples_given_a_part_follow_the_mixture():
    check_samples()


def silent(member):
    """A member that tells complete rows' probabilities and draws none by itself."""
    return types.SimpleNamespace(
        family=member.family,
        layout=member.layout,
        ability=member.ability,
        log_prob=member.log_prob,
    )


def far_off():
    """What the exact member proposes is nearly excluded by another, which proposes nothing."""
    model = spared()
    member = model.members[0]
    member.arrays["bias"] += 12.0
    return Stack([silent(member)], np.zeros(1), model.spare)


def check_more_draws():
    """Of the last part a twelfth of the draws count: it has more than the others have."""
    codes = np.tile(np.array([1, 3, 0, 0, 1], np.int32), (301, 1))
    seen = np.tile([True, True, False, False, True], (301, 1))
    seen[-1] = [False, False, False, False, True]
    model, many = far_off(), Evidence(codes, seen)
    for ask in (events.log_prob, events.conditional):
        found = ask(model, many)
        assert 200 < found.effective[0] < 256.01
        assert found.effective[-1] > 100


def test_parts_of_which_few_draws_count_are_drawn_for_again():
    check_more_draws()


BUGS = [
    ("estimates", "found = (draws.share * known +", "found = (known +",
        lambda: check_conditional(mixture(), 0)),
    ("estimates", "n_cats) - found * means[1]", "n_cats)", check_coverage),
    ("estimates", "spread / np.sqrt(n) *", "spread / n *", check_errors),
    ("estimates", "(1 + skewness", "(1 + 0 * skewness", check_skewed),
    ("estimates", "third = sum((k / n * of[1]", "third = sum((0 * of[1]", check_skewed),
    ("estimates", "total[:, part] - total[:, part].mean(axis=1,",
        "total[:, part] - total.mean(axis=1,", check_coverage),
    ("estimates", "draws.weight.ravel() if same", "(0 * draws.weight + 1).ravel() if same",
        check_samples),
    ("estimates", "if more > n:", "if more < n:", check_more_draws),
    ("proposals", "self.share + self.ratio", "self.ratio", lambda: check_log_prob(mixture(), 0)),
    ("proposals", "proposal.log_prob(whole) - np.repeat(log_event, n)", "proposal.log_prob(whole)",
        lambda: check_log_prob(spared(), 0)),
    ("proposals", "return found.tolist()", "return (0 * found).tolist()", check_coverage),
    ("proposals", "density.append(log_own - log_weight)", "density.append(log_own)",
        lambda: check_log_prob(spared(), 0)),
    ("proposals", "of_q + ratio, kinds", "ratio, kinds", check_samples),
]  # fmt: skip


@pytest.mark.parametrize(("module", "right", "wrong", "check"), BUGS)
def test_a_planted_bug_is_found(module, right, wrong, check, monkeypatch):
    plant(monkeypatch, f"anypart.queries.{module}", right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        check()


def test_complete_rows_and_no_evidence_are_not_estimated():
    model = mixture()
    rows = oracle.all_rows(N_CATS)
    whole = Evidence(rows, np.ones(rows.shape, bool))
    found = events.log_prob(model, whole)
    assert found.error is None
    assert np.array_equal(found.value, model.log_prob(whole))
    assert np.array_equal(events.log_prob(model, Evidence.nothing(3, 5)).value, np.zeros(3))


def test_complete_rows_among_others_are_exact():
    model, evidence = mixture(), parts(mixture(), 0, weighted=False)
    evidence.seen[3] = True
    found = events.log_prob(model, evidence)
    assert found.error[3] == 0
    np.testing.assert_allclose(found.value[3], model.log_prob(evidence)[3])


def check_single_gaps(model, seed):
    """Rows with one unseen cell, some with two among them: exact, without an error."""
    table, rng = table_of(model), np.random.default_rng(seed)
    codes = oracle.all_rows(N_CATS)[rng.integers(48, size=12)]
    seen = np.ones(codes.shape, bool)
    seen[np.arange(12), rng.integers(5, size=12)] = False
    seen[::4, 1] = seen[::4, 0] = False
    evidence = Evidence(codes, seen)
    found = events.conditional(model, evidence)
    single = (~seen).sum(1) == 1
    assert (found.error[single] == 0).all()
    assert np.isinf(found.effective[single]).all()
    assert (found.error[~single].max(1) > 0).all()
    for row in np.flatnonzero(single):
        right = oracle.conditional(table, *of_row(evidence, row))
        np.testing.assert_allclose(np.exp(found.value[row]), right, atol=1e-5)


def test_a_single_unseen_cell_needs_no_draws():
    for seed in range(3):
        check_single_gaps(mixture(seed), seed)
        check_single_gaps(spared(seed), seed)


def test_draws_for_a_single_unseen_cell_are_noticed(monkeypatch):
    plant(monkeypatch, "anypart.queries.estimates", "| ((~evidence.seen).sum(axis=1) == 1)", "")
    with pytest.raises(AssertionError):
        check_single_gaps(mixture(0), 0)


def test_the_same_question_has_the_same_answer():
    model, evidence = mixture(), parts(mixture(), 0)
    one, two = (events.log_prob(model, evidence).value for _ in range(2))
    assert np.array_equal(one, two)


def test_a_far_proposal_shows_in_the_effective_draws():
    """A member that nearly excludes what the exact one proposes leaves few effective draws."""
    near, far = spared(), far_off()
    before = events.log_prob(near, parts(near, 0, weighted=False)).effective.min()
    after = events.log_prob(far, parts(far, 0, weighted=False))
    assert after.effective.min() < before / 2
    assert after.error.max() > 0.05


def test_a_spare_is_saved_with_the_mixture():
    model = spared()
    again = load_model("stack", *model.state())
    evidence = parts(model, 0)
    found, right = events.log_prob(again, evidence), events.log_prob(model, evidence)
    assert np.array_equal(found.value, right.value)
    assert again.spare.family == "hidden_tree"


def test_an_answer_says_what_was_estimated(stacked):
    codec, exact = stacked.codec, stacked.model
    rng = np.random.default_rng(0)
    member = ONE_ORDER["fvsbn"](rng, codec.n_cats)
    member.arrays["bias"] *= 10  # nearly always one row, which the exact members seldom draw
    far = Fitted(stacked.schema, Stack([exact, silent(member)], np.log([1e-4, 1 - 1e-4])))
    assert (
        "even the error is uncertain"
        in far.probability("sex = Male", given="country = Peru").reason
    )
    member = ONE_ORDER["fvsbn"](rng, codec.n_cats)
    member.arrays["weight"] *= 0.05
    fit = Fitted(stacked.schema, Stack([exact, member], np.log([0.5, 0.5])))
    answer = fit.ask("sex", given="age > 40")
    assert not answer.exact
    assert 0 < answer.standard_error < 0.1
    assert answer.details["effective_draws"] > 10
    assert "drawn from the members" in answer.reason
    table = make_table(20)
    complete = make_table(200).drop_null()
    assert fit.log_prob(complete).exact
    partial = fit.log_prob(table.select(["sex", "country"]))
    assert not partial.exact
    assert partial.standard_error > 0
    chance = fit.probability("sex = Male", given="country = Peru")
    assert 0 < chance.value < 1
    assert chance.standard_error > 0
    assert fit.complete(table, how="mode").value.num_rows == 20
    assert fit.sample(3).exact
    assert "drawn from the members" in fit.sample(3, given="sex = Male").reason
