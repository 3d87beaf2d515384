"""Laws of answers; each is a function of a fit, so that a planted bug can be fed to it."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from anypart.models.contract import Evidence
from anypart.queries import asking, drawing, meaning
from anypart.queries.completing import most_likely

GIVENS = [None, "age > 43", "gain = 0", "country in (Peru, Chile) and 30 <= age < 47", "sex=Male"]


@pytest.fixture(params=["fitted", "stacked", "one_value_fitted"])
def fit(request):
    return request.getfixturevalue(request.param)


def test_a_conditional_is_the_ratio_of_two_probabilities_in_any_order(fit) -> None:
    a, b, c = "age > 43", "sex = Male", "country = Peru"
    joint = fit.probability([a, b, c]).value
    for x, y, z in itertools.permutations([a, b, c]):
        chained = (
            fit.probability(x).value
            * fit.probability(y, given=x).value
            * fit.probability(z, given=[y, x]).value
        )
        assert chained == pytest.approx(joint, rel=1e-4)


def test_an_asked_category_is_the_ratio_of_two_log_probs_of_rows(fit) -> None:
    row = {"age": [40], "country": ["Peru"]}
    below = fit.log_prob(row).value[0]
    answer = fit.ask("sex", given="age = 40 and country = Peru").value
    for value, probability in zip(*(c.to_pylist() for c in answer.columns), strict=True):
        above = fit.log_prob({**row, "sex": [value]}).value[0]
        assert np.exp(above - below) == pytest.approx(probability, rel=1e-4)


def check_joint(fit, given) -> None:
    joint = fit.ask("sex", "country", given=given).value
    assert sum(joint["probability"].to_pylist()) == pytest.approx(1)
    for name in ("sex", "country"):
        alone = fit.ask(name, given=given).value
        sums = joint.group_by(name).aggregate([("probability", "sum")]).to_pylist()
        got = {r[name]: r["probability_sum"] for r in sums}
        want = dict(zip(alone["value"].to_pylist(), alone["probability"].to_pylist(), strict=True))
        assert got == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize("given", GIVENS)
def test_a_joint_marginalises_to_what_is_asked_alone(fit, given) -> None:
    check_joint(fit, given)


def check_samples(fit, n: int = 300) -> None:
    for given, holds in [
        ("41 < age < 46", lambda t: (pc.field("age") > 41) & (pc.field("age") < 46)),
        ("age not in (42, 44)", lambda t: ~pc.field("age").isin([42, 44])),
        ("age in (37, 61, 62)", lambda t: pc.field("age").isin([37, 61, 62])),
        ("gain > 2.5", lambda t: pc.field("gain") > 2.5),
        (
            "gain != 0 and gain <= 7.25",
            lambda t: (pc.field("gain") != 0) & (pc.field("gain") <= 7.25),
        ),
        ("gain = 3.141", lambda t: pc.field("gain") == 3.141),
        ("country != Peru and sex=Male", lambda t: pc.field("country") != "Peru"),
    ]:
        made = fit.sample(n, given=given, seed=4).value
        assert made.num_rows == n
        assert made.filter(holds(made)).num_rows == n, given


def test_samples_always_meet_the_conditions(fit) -> None:
    check_samples(fit)


def test_samples_agree_with_the_probabilities(fitted) -> None:
    """A test with a false-alarm rate below 1e-4: five standard errors of a share."""
    n, given = 4000, "age > 41 and gain < 9"
    made = fitted.sample(n, given=given, seed=1).value
    for event, hits in [
        ("age <= 44", pc.sum(pc.less_equal(made["age"], 44)).as_py()),
        ("gain < 1.5", pc.sum(pc.less(made["gain"], 1.5)).as_py()),
        ("country = Peru", pc.sum(pc.equal(made["country"], "Peru")).as_py()),
    ]:
        p = fitted.probability(event, given=given).value
        assert abs(hits / n - p) < 5 * np.sqrt(p * (1 - p) / n) + 1e-3, event


@pytest.mark.parametrize("how", ["draw", "mode", "mean", "median", "likely"])
def test_completing_never_changes_a_given_cell_and_leaves_none_empty(stacked, table, how) -> None:
    rows = table.slice(0, 200).append_column("note", pa.array(["x"] * 200))
    answer = stacked.complete(rows, how=how, seed=2)
    for name in rows.column_names:
        there = rows[name].is_valid()
        assert answer.value[name].filter(there).to_pylist() == rows[name].drop_null().to_pylist()
    assert not any(c.null_count for c in answer.value.columns)
    cells = answer.details["cells"]
    assert cells.num_rows == sum(c.null_count for c in rows.columns)
    assert 0 < pc.min(cells["probability"]).as_py() <= pc.max(cells["probability"]).as_py() <= 1


def test_climbing_is_labelled_and_no_single_change_improves_it(fitted, table) -> None:
    rows = table.slice(0, 40)
    assert not fitted.complete(rows, how="likely").exact
    encoded = fitted.codec.encode(rows)
    evidence = Evidence(encoded.codes, encoded.seen)
    codes = most_likely(fitted.model, evidence, encoded.codes)
    assert (codes[encoded.seen] == encoded.codes[encoded.seen]).all()
    whole = np.ones_like(encoded.seen)
    best = fitted.model.log_prob(Evidence(codes, whole))
    for at, n in enumerate(fitted.codec.n_cats):
        for code in range(n):
            other = np.where(encoded.seen[:, [at]], codes[:, [at]], code)
            changed = codes.copy()
            changed[:, [at]] = other
            assert (fitted.model.log_prob(Evidence(changed, whole)) <= best + 1e-4).all()


def test_conditions_and_their_opposite_share_the_probability(fit) -> None:
    for one, other in [("age > 43", "age <= 43"), ("gain < 2.2", "gain >= 2.2")]:
        both = fit.probability(one).value + fit.probability(other).value
        assert both == pytest.approx(1, abs=1e-5)
    assert fit.probability("age > 60", given="age < 50").value == 0.0


def test_dependence_is_mutual_information_by_enumeration(fitted) -> None:
    p = fitted.model.p
    matrix = fitted.dependence().details["matrix"]
    for a, b in itertools.combinations(range(p.ndim), 2):
        pair = p.sum(axis=tuple(i for i in range(p.ndim) if i not in (a, b)))
        product = pair.sum(1, keepdims=True) * pair.sum(0, keepdims=True)
        assert matrix[a, b] == pytest.approx(np.sum(pair * np.log(pair / product)), abs=1e-9)


def test_what_does_not_sum_weights_answers_as_what_does(fitted, one_value_fitted) -> None:
    for given in GIVENS[1:]:
        a, b = (f.ask("age", given=given) for f in (fitted, one_value_fitted))
        assert np.allclose(a.value["probability"], b.value["probability"], atol=1e-6)
        assert b.exact


def test_too_many_combinations_are_estimated_with_an_error_that_holds(
    fitted, one_value_fitted, monkeypatch
) -> None:
    monkeypatch.setattr("anypart.queries.events.MOST_COMBINATIONS", 1)
    event = "age > 43 and gain < 5"
    truth, guess = (f.probability(event) for f in (fitted, one_value_fitted))
    assert truth.exact
    assert not guess.exact
    assert abs(truth.value - guess.value) < 5 * guess.standard_error + 1e-6
    assert "drawn" in guess.reason


def test_the_joint_law_catches_a_condition_that_is_dropped(fitted, monkeypatch) -> None:
    original = asking.ask_joint
    monkeypatch.setattr(
        asking, "ask_joint", lambda r, m, c, event: original(r, m, c, meaning.Event())
    )
    with pytest.raises(AssertionError, match="=="):
        check_joint(fitted, "age > 43")


def test_the_sampling_law_catches_values_drawn_from_the_whole_cell(fitted, monkeypatch) -> None:
    monkeypatch.setattr(
        drawing,
        "draw_inside",
        lambda r, at, part, codes, rng: r.codec.values_at(at, codes, rng.random(len(codes))),
    )
    with pytest.raises(AssertionError, match=r"age|gain"):
        check_samples(fitted)
