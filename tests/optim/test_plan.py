import dataclasses
import json

import numpy as np
import pytest
from tests.optim.tables import packed_table

from anypart.base.errors import FitError
from anypart.optim import plan as plan_module
from anypart.optim.events import Measured
from anypart.optim.menu import BASELINES, PURPOSES, wishes
from anypart.optim.plan import (
    Member,
    Plan,
    choose,
    load_plan,
    make_plan,
    plan_from_json,
    plan_to_json,
    reserve_of,
    save_plan,
)
from anypart.optim.policies import read_policy, stated
from anypart.optim.sizes import STATES

MEMBER = Member("a", "hidden_tree", {"n_states": 8}, 3, 100, 64, 10, 5, 1.5)
SPARE = tuple(dataclasses.replace(MEMBER, name=n, seconds=t) for n, t in (("b", 0.5), ("c", 1.0)))
PLAN = Plan(7, "any", 0.5, "0badcafe", 2, (MEMBER,), reserve=SPARE)


def costs(wanted, step=0.001):
    cheap = ("independent", "chow_liu")
    return {
        w.name: Measured(w.name, 0.1, step * (0.001 if w.family in cheap else 1), 0.001)
        for w in wanted
    }


def test_a_plan_comes_back_from_json_and_from_its_folder(tmp_path):
    assert plan_from_json(plan_to_json(PLAN)) == PLAN
    assert load_plan(tmp_path) is None
    save_plan(PLAN, tmp_path / "new")
    assert load_plan(tmp_path / "new") == PLAN


def test_a_later_format_is_refused():
    fields = json.loads(plan_to_json(PLAN)) | {"format": 3}
    with pytest.raises(FitError, match="format 3, this version reads 2"):
        plan_from_json(json.dumps(fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"format": 2, "members": [{}]}'])
def test_a_damaged_plan_is_refused_with_its_path(tmp_path, text):
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(FitError, match=r"plan.json: This is not a plan"):
        load_plan(tmp_path)


def test_the_reserve_is_paid_by_steps_that_were_not_taken():
    def names(**taken):
        return [m.name for m in PLAN.affordable(taken)]

    assert names() == names(a=100) == names(a=67) == []
    assert names(a=66) == ["b"]  # of 1.5 seconds
    assert names(a=1) == ["b"]
    assert names(a=1, b=100) == ["b"]
    assert names(a=1, b=90) == ["b", "c"]


def test_whichever_member_ends_first_the_same_reserve_is_trained():
    rng = np.random.default_rng(0)
    for _ in range(200):
        members = tuple(
            dataclasses.replace(MEMBER, name=f"m{i}", seconds=float(rng.random())) for i in range(8)
        )
        plan = dataclasses.replace(PLAN, members=members[:4], reserve=members[4:])
        steps = {m.name: int(rng.integers(1, 100)) for m in members}
        ends = []
        for _ in range(2):
            taken = {}
            while running := sorted(
                {m.name for m in (*plan.members, *plan.affordable(taken))} - taken.keys()
            ):
                name = str(rng.choice(running))
                taken[name] = steps[name]
            ends.append(taken)
        assert ends[0] == ends[1]


def test_a_plan_keeps_in_reserve_what_it_has_not_or_made_smaller():
    wanted = wishes(20_000, "any")
    found = costs(wanted)
    made = choose(wanted, found, 20_000, seconds=6.0)
    kept = reserve_of(wanted, found, 20_000, made)
    assert [m.seconds for m in kept] == sorted(m.seconds for m in kept)
    whole = {m.name for m in made} - {m.name.removesuffix("_again") for m in kept}
    assert whole | {m.name.removesuffix("_again") for m in kept} == {w.name for w in wanted}
    assert {m.name for m in kept}.isdisjoint(m.name for m in made)
    steps = {m.name: m.steps for m in made}
    for m in kept:
        if m.name.endswith("_again"):
            assert m.steps >= steps[m.name.removesuffix("_again")]
    assert reserve_of(wanted, found, 20_000, choose(wanted, found, 20_000, 1e6)) == []


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(Member)])
def test_the_mark_moves_with_everything_that_bits_depend_on(field):
    old = getattr(MEMBER, field)
    new = {"n_states": 9} if field == "settings" else old * 2
    moved = dataclasses.replace(MEMBER, **{field: new}).mark != MEMBER.mark
    assert moved == (field not in ("seconds", "save_every"))


@pytest.mark.parametrize("n_rows", [10, 344, 5_000, 20_000, 10**7])
@pytest.mark.parametrize("purpose", PURPOSES)
def test_names_are_unique_and_the_network_is_for_density_and_questions(n_rows, purpose):
    wanted = wishes(n_rows, purpose)
    assert len({w.name for w in wanted}) == len(wanted)
    assert ("order_agnostic" in {w.family for w in wanted}) == (purpose in ("density", "questions"))


@pytest.mark.parametrize(("n_cats", "there"), [(2, True), (15, True), (40, False)])
def test_fast_has_a_continuous_mixture_only_where_it_is_cheap_to_ask(n_cats, there):
    families = {w.family for w in wishes(20_000, "fast", n_cats=n_cats)}
    assert ("continuous_mixture" in families) == there
    assert "continuous_mixture" in {w.family for w in wishes(20_000, "any", n_cats=n_cats)}


@pytest.mark.parametrize("purpose", ["any", "fast", "density", "questions"])
def test_hidden_trees_decay_by_the_logits_that_share_a_row(purpose):
    for n_rows, n_cats in ((20_000, 2), (20_000, 30), (2_000, 30), (5_000_000, 30)):
        policy = read_policy("a | *", ["a", "b"])
        questions = stated(policy, 2)
        wanted = wishes(n_rows, purpose, policy, questions=questions, n_cats=n_cats)
        trees = [w.settings for w in wanted if w.family == "hidden_tree"]
        assert trees
        for tree in trees:
            logits = tree["n_states"] * n_cats / n_rows
            assert tree["decay"] == pytest.approx(min(0.09 * logits, 1.7 / n_rows ** (1 / 3)))
        assert not any("decay" in w.settings for w in wanted if w.family != "hidden_tree")


@pytest.mark.parametrize("purpose", ["any", "fast", "density"])
def test_members_that_can_use_it_know_which_columns_have_an_order(purpose):
    for ordered in ((), (1, 4)):
        wanted = wishes(20_000, purpose, ordered=ordered)
        told = {w.family: tuple(w.settings.get("ordered", ())) for w in wanted}
        assert told.pop("hidden_tree") == told.pop("continuous_mixture") == ordered
        assert not any(told.values())


def test_an_unknown_purpose_is_refused_with_a_suggestion():
    with pytest.raises(FitError, match="Did you mean 'density'"):
        wishes(100, "densty")


def test_few_columns_are_offered_trees_of_more_states_first():
    few, many = wishes(20_000, "any", n_cols=10), wishes(20_000, "any", n_cols=100)
    assert [w.settings["n_states"] for w in few[2:4]] == [4 * STATES, 4 * STATES]
    assert max(w.settings.get("n_states", 0) for w in many) == 2 * STATES
    assert {w.name for w in few} == {w.name for w in many}


def test_columns_of_many_categories_are_offered_trees_of_more_states():
    binary, many = (wishes(20_000, "any", n_cats=n) for n in (2, 40))
    assert max(w.settings.get("n_states", 0) for w in binary) == 2 * STATES
    assert max(w.settings.get("n_states", 0) for w in many) == 4 * STATES
    assert [w.name for w in binary] == [w.name for w in many]


@pytest.mark.parametrize(
    ("n_cols", "n_cats", "passes"), [(15, 40, 10), (15, 2, 20), (8, 40, 20), (8, 2, 20)]
)
def test_many_columns_of_many_categories_are_passed_over_less_often(n_cols, n_cats, passes):
    wanted = wishes(20_000, "any", n_cols=n_cols, n_cats=n_cats)
    assert {w.passes for w in wanted if w.family == "hidden_tree"} == {passes}


@pytest.mark.parametrize("seconds", [0.01, 1, 10, 60, 1_000])
def test_no_worker_is_given_more_than_its_seconds(seconds):
    wanted = wishes(20_000, "any")
    members = choose(wanted, costs(wanted, 0.02), 20_000, seconds)
    loads = [0.0] * plan_module.WORKERS
    for member in members[1:]:
        loads[loads.index(min(loads))] += member.seconds
    assert max(loads) <= seconds + members[0].seconds
    assert members[0].family == "independent"


def test_more_time_never_gives_fewer_members_or_steps():
    wanted = wishes(20_000, "any")
    found = [choose(wanted, costs(wanted, 0.05), 20_000, s) for s in (1, 5, 20, 50, 100, 500)]
    sizes = [sum(m.steps for m in members) for members in found]
    assert sizes == sorted(sizes)
    assert [m.name for m in found[-1]] == [w.name for w in wanted]


def test_too_little_time_makes_trees_smaller():
    wanted = wishes(20_000, "any")
    seconds = 2.0
    members = choose(wanted, costs(wanted, 0.05), 20_000, seconds)
    states = [m.settings["n_states"] for m in members if m.family == "hidden_tree"]
    assert states
    assert max(states) < STATES


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return packed_table(tmp_path_factory.mktemp("table"), 400)


def test_what_could_not_be_tried_out_in_time_is_left_out(table, monkeypatch):
    """Baselines and the first member that knows more are waited for."""
    tried = []

    def one_after_another(jobs, tables, count, tell, enough):
        for job in jobs:
            if enough():
                return
            tried.append(job.name)
            tell(Measured(job.name, 0.01, 0.001, 0.001))

    monkeypatch.setattr(plan_module, "run_jobs", one_after_another)
    monkeypatch.setattr(plan_module, "SHARE_REHEARSING", 0.0)
    monkeypatch.setattr(plan_module, "SECONDS_TO_REHEARSE", 0.0)
    made = make_plan(table, minutes=0.1)
    assert tried == ["independent", "chow_liu", "hidden_tree_1"]
    # What differs in its structure's noise only costs the same.
    assert {m.name for m in made.members} == {*tried, *(f"hidden_tree_{k}" for k in (2, 3, 4))}


@pytest.mark.parametrize("start", [7.0, 10.0])
def test_without_time_for_more_a_plan_has_one_more_than_baselines(table, monkeypatch, start):
    def dear(wanted, *_):
        return {
            w.name: Measured(w.name, 0.0 if w.family in BASELINES else start, 0.001, 0.001)
            for w in wanted
        }

    monkeypatch.setattr(plan_module, "_try_out", lambda *how: (dear(*how), {}))
    assert len(make_plan(table, minutes=0.3).members) > 2  # 18 seconds, 14 are for training
    monkeypatch.setattr(plan_module, "SHARE_TRAINING", 0.4)  # 5 are; half of the 18 are 9
    short = make_plan(table, minutes=0.3)
    real = [m.name for m in short.members if m.family not in BASELINES]
    assert real == (["hidden_tree_1"] if start < 9 else [])


def test_what_takes_long_to_start_is_tried_out_last(table, monkeypatch):
    asked = []
    run_jobs = plan_module.run_jobs

    def watched(jobs, *rest):
        asked.extend(job.name for job in jobs)
        run_jobs(jobs, *rest)

    monkeypatch.setattr(plan_module, "run_jobs", watched)
    monkeypatch.setattr(plan_module, "SHARE_REHEARSING", 0.0)
    monkeypatch.setattr(plan_module, "SECONDS_TO_REHEARSE", 0.0)
    make_plan(table, minutes=0.1, purpose="density")
    assert asked[0] == "independent"
    assert set(asked[-2:]) == {"fvsbn", "linear_trees_1"}


def test_a_plan_is_made_by_rehearsal_and_fits_its_minutes(table, monkeypatch):
    monkeypatch.setattr(plan_module, "SECONDS_TO_REHEARSE", 300.0)  # whatever else runs
    plan = make_plan(table, minutes=1.0, seed=4)
    assert (plan.seed, plan.purpose) == (4, "any")
    assert sum(m.seconds for m in plan.members) <= 1.0 * 60 * plan_module.WORKERS
    assert {"independent", "chow_liu", "hidden_tree"} <= {m.family for m in plan.members}
    assert len({m.seed for m in plan.members}) == len(plan.members)
    assert all(1 <= m.validate_every <= m.steps for m in plan.members)
    assert plan_from_json(plan_to_json(plan)) == plan


def test_a_plan_seeks_trees_where_there_are_rows(table, tmp_path, monkeypatch):
    monkeypatch.setattr(plan_module, "SECONDS_TO_REHEARSE", 300.0)
    many = packed_table(tmp_path, 1_300)

    def planned(packed, seeking):
        monkeypatch.setattr(plan_module, "MOST_SEEKING", seeking)
        return make_plan(packed, minutes=5)

    plans = [planned(table, 2.0), planned(many, 0.5), planned(many, 2.0)]
    trees = [[m for m in plan.members if m.family == "hidden_tree"] for plan in plans]
    assert all(trees)
    # 400 rows, or less than a second to seek in
    assert not any("edges" in m.settings for m in (*trees[0], *trees[1]))
    edges = {tuple(map(tuple, m.settings.get("edges", ()))) for m in trees[2]}
    assert max(map(len, edges)) == 4


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_plan_without_time_is_refused(table, minutes):
    with pytest.raises(FitError, match="more than 0 minutes"):
        make_plan(table, minutes=minutes)
