"""A fit for questions, end to end: one network, judged by them, that answers by itself."""

import numpy as np

import anypart
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack
from anypart.fitting import Wanted
from anypart.optim.menu import wishes
from anypart.optim.plan_file import Member, Plan
from anypart.optim.policies import level
from anypart.optim.portfolio import train
from anypart.optim.rows import fingerprint, split
from anypart.queries.fitted import Fitted
from tests.test_density_fit import exclusive_or


def test_a_fit_for_questions_answers_them_by_one_network(tmp_path):
    table = read(exclusive_or(1_000, 0))
    codec = Codec(infer_schema(table))
    packed = pack(table, codec, tmp_path / "rows")
    wanted = Wanted.of(1, 0, "questions", None, {"orders": 1, "a | *": 2}, None)
    some = wanted.policies([c.name for c in codec.schema.modelled])
    network, *others = wishes(900, "questions", some)
    trees = ["boosted_trees"] * 2
    assert [w.family for w in others] == [*trees, "independent", "chow_liu"]
    assert [w.settings["about"] for w in others[:2]] == [0, 0]
    settings = {**network.settings, "width": 32, "rate": 1e-2}
    members = (
        Member("network", network.family, settings, 1, 150, 100, 25, 9),
        Member("chow_liu", "chow_liu", {}, 1, 2, 100, 1, 9),
    )
    plan = Plan(0, "questions", 1.0, fingerprint(packed), 0, members)
    events = []
    model = train(packed, None, plan, tmp_path / "fit", events.append)
    fitted = Fitted.of(codec, model, packed, {})
    assert events[-1].weights == {"network": 1.0}
    # It was judged by its questions, not by whole rows.
    rows = split(packed, None, 0)
    judged = level(model, some, rows.codes, rows.seen, members[0].seed)
    assert np.isclose(events[-1].log_lik, judged, atol=1e-4)
    answer = fitted.ask("a", given="b = 1 and c = 1 and d = 1 and e in (low, mid)")
    assert not answer.exact
    fitted.save(tmp_path / "saved")
    again = anypart.load(tmp_path / "saved")
    assert again.ask("a", given="b = 1").value.equals(fitted.ask("a", given="b = 1").value)


def fitted_for_c(folder, experts):
    """A fit for `c | *`, of a network that learns little and trees about c, or without them."""
    table = read(exclusive_or(1_000, 0))
    codec = Codec(infer_schema(table))
    packed = pack(table, codec, folder / "rows")
    names = [c.name for c in codec.schema.modelled]
    some = Wanted.of(1, 0, "questions", None, "c | *", None).policies(names)
    network, *others = wishes(900, "questions", some)
    settings = {**network.settings, "width": 8}
    members = [Member("network", network.family, settings, 1, 30, 100, 15, 9)]
    for wish in others[:2] if experts else ():
        members.append(Member(wish.name, wish.family, wish.settings, 1, 60, 1, 20, 9))
    plan = Plan(0, "questions", 1.0, fingerprint(packed), 0, tuple(members))
    events = []
    model = train(packed, None, plan, folder / "fit", events.append)
    return Fitted.of(codec, model, packed, {}), events[-1].weights


def log_loss_of_c(fitted):
    test = exclusive_or(2_000, 9)
    chances = fitted.ask("c", rows=test).value
    own = np.where(test["c"].to_numpy() == 1, chances["1"].to_numpy(), chances["0"].to_numpy())
    return float(-np.log(own).mean())


def test_without_experts_a_question_about_one_column_is_answered_worse(tmp_path):
    (tmp_path / "with").mkdir()
    (tmp_path / "without").mkdir()
    pool, weights = fitted_for_c(tmp_path / "with", experts=True)
    alone, all_of_it = fitted_for_c(tmp_path / "without", experts=False)
    assert all_of_it == {"network": 1.0}
    assert sum(weights.values()) == 1.0
    assert max(weights, key=weights.get).startswith("trees_")
    assert log_loss_of_c(pool) < log_loss_of_c(alone) - 0.1
    pool.save(tmp_path / "saved")
    again, rows = anypart.load(tmp_path / "saved"), exclusive_or(50, 3)
    for a in ("f1", "macro-f1"):
        decided = [f.decide(rows, "c", a, positive="1").value for f in (pool, again)]
        assert decided[0].equals(decided[1])
    audited = pool.audit(rows, top=3)
    assert len(audited.value) == 3
