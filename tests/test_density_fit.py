"""A fit for density, end to end: its members, its labels, and what it gains."""

import dataclasses

import numpy as np
import pyarrow as pa
import pytest

import anypart
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack
from anypart.optim.plan_file import Member, Plan
from anypart.optim.portfolio import train
from anypart.optim.rows import fingerprint
from anypart.queries import completions
from anypart.queries.fitted import Fitted


def exclusive_or(n_rows, seed):
    """Three switches of which the third is nearly the exclusive or of two, and two more."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, n_rows), rng.integers(0, 2, n_rows)
    c = np.where(rng.random(n_rows) < 0.97, a ^ b, a)
    d = np.where(rng.random(n_rows) < 0.9, c, 1 - c)
    e = np.array(["low", "mid", "high"])[a + (rng.random(n_rows) < 0.5) * b]
    return pa.table({"a": a, "b": b, "c": c, "d": d, "e": e})


def member(family, steps, batch=100, **settings):
    return Member(family, family, settings, 1, steps, batch, max(steps // 5, 1), 10)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A fit by a plan in steps, so that a busy machine trains the same members."""
    folder = tmp_path_factory.mktemp("density")
    table = read(exclusive_or(1_500, 0))
    codec = Codec(infer_schema(table))
    packed = pack(table, codec, folder / "rows")
    members = (
        member("chow_liu", 2),
        member("hidden_tree", 60, n_states=4),
        member("continuous_mixture", 60, width=16, points=64),
        member("fvsbn", 8, 1),
        member("boosted_trees", 40, 1, order="given", rate=0.3, asked=1.0),
        member("order_agnostic", 40, width=16, blocks=1),
    )
    plan = Plan(1, "density", 1.0, fingerprint(packed), 0, members)
    return Fitted.of(codec, train(packed, None, plan, folder / "work"), packed, {})


def test_members_along_an_order_have_weight(fitted):
    families = {m.family for m in fitted.model.members}
    assert "boosted_trees" in families
    assert not fitted.model.ability.any_part


def test_complete_rows_are_exact_and_near_the_truth(fitted):
    answer = fitted.log_prob(exclusive_or(2_000, 5))
    entropy = 2 * np.log(2) + 0.12 + 0.325 + 0.69 * 0.5  # a, b; c; d; e, about
    assert np.mean(answer.value) == pytest.approx(-entropy, abs=0.15)


def test_a_part_is_summed_if_it_has_few_completions(fitted):
    answer = fitted.ask("c", given={"a": 1, "b": 0})
    assert answer.exact
    assert answer.value["probability"].to_pylist()[1] == pytest.approx(0.985, abs=0.03)


def test_a_part_of_many_completions_is_estimated_and_says_so(fitted, monkeypatch):
    monkeypatch.setattr(completions, "count", lambda _, e: np.full(e.n_rows, 1e12))
    answer = fitted.ask("c", given={"a": 1, "b": 0})
    assert not answer.exact
    columns = (answer.value[name].to_pylist() for name in ("value", "probability"))
    found = {str(value): p for value, p in zip(*columns, strict=True)}
    assert max(found["1"], found["0"]) == pytest.approx(0.985, abs=0.05)
    assert found["1"] > found["0"]


def test_audits_say_that_members_judged_alone_and_vectors_that_exact_ones_gave_them(fitted):
    rows = exclusive_or(20, 9)
    gaps = rows.set_column(1, "b", pa.array([None] * 20, rows["b"].type))
    for table in (rows, gaps):
        audit = fitted.audit(table, top=3)
        assert not audit.exact
        assert "by its own prediction" in audit.reason
        assert "drawn" not in audit.reason
    assert fitted.similar(rows, gaps, k=2).exact
    exact = dataclasses.replace(fitted, model=fitted.model.proposal)
    assert exact.audit(gaps, top=3).exact


def test_samples_keep_the_rule(fitted):
    drawn = fitted.sample(2_000, given={"a": 1}, seed=3).value
    a, b, c = (drawn[n].to_numpy() for n in "abc")
    assert (a == 1).all()
    assert (c == (a ^ b)).mean() > 0.95


def test_a_saved_fit_answers_the_same(fitted, tmp_path):
    again = anypart.load(fitted.save(tmp_path / "saved.fit"))
    rows = exclusive_or(50, 7)
    np.testing.assert_array_equal(again.log_prob(rows).value, fitted.log_prob(rows).value)


def test_without_the_members_along_an_order_rows_are_less_likely(fitted):
    rows = exclusive_or(2_000, 5)
    without = dataclasses.replace(fitted, model=fitted.model.proposal)
    loss = np.mean(fitted.log_prob(rows).value) - np.mean(without.log_prob(rows).value)
    assert loss > 0.01


def test_one_column_given_all_others_is_exact(fitted, monkeypatch):
    rows = exclusive_or(300, 8)
    answer = fitted.ask("c", rows=rows)
    assert answer.exact
    both = [
        fitted.log_prob(rows.set_column(2, "c", pa.array(np.full(300, c)))).value for c in (0, 1)
    ]
    right = 1 / (1 + np.exp(np.asarray(both[0]) - np.asarray(both[1])))
    np.testing.assert_allclose(answer.value["1"].to_numpy(), right, atol=1e-5)
    assert fitted.decide(rows, "c", "f1", positive="1").exact
    gap = pa.concat_tables([rows.drop_columns(["e"]).slice(0, 3)])
    monkeypatch.setattr(completions, "count", lambda _, e: np.full(e.n_rows, 1e12))
    assert fitted.ask("c", rows=rows).exact
    assert not fitted.ask("c", rows=gap).exact
