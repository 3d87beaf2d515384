"""A fit for questions, end to end: a network on its policy, own members for stated questions."""

import numpy as np
import pyarrow as pa
import pytest

import anypart
from anypart.base.errors import ColumnError, FitError, QuestionError
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack
from anypart.fitting import Wanted
from anypart.models.contract import Evidence
from anypart.models.stated import Stated, log_given
from anypart.optim.menu import wishes
from anypart.optim.plan_file import Member, Plan
from anypart.optim.policies import stated
from anypart.optim.portfolio import train
from anypart.optim.rows import fingerprint, split
from anypart.queries.fitted import Fitted
from tests.models.planting import plant
from tests.test_density_fit import exclusive_or

NETWORK = {"width": 32, "rate": 1e-2}
TREES = {"depth": 3, "rate": 0.3, "ridge": 1.0}


def train_on(folder, policy, members, table=None):
    """Train some members on a policy; each is a family, steps and settings."""
    table = read(exclusive_or(1_000, 0) if table is None else table)
    codec = Codec(infer_schema(table))
    packed = pack(table, codec, folder / "rows")
    wanted = Wanted.of(1, 0, "questions", None, policy, None)
    some = wanted.policies([c.name for c in codec.schema.modelled])
    made = tuple(
        Member(f"{family}_{n}", family, settings, 1, steps, 100, 25, 9)
        for n, (family, steps, settings) in enumerate(members(some))
    )
    asked = tuple(p.settings() for p in some)
    plan = Plan(0, "questions", 1.0, fingerprint(packed), 0, made, asked)
    events = []
    model = train(packed, None, plan, folder / "fit", events.append)
    fitted = Fitted.of(codec, model, packed, {})
    return fitted, some, split(packed, None, 0), events


def network_of(policies, **settings):
    asked = [p.settings() for p in policies]
    return ("order_agnostic", 150, {**NETWORK, "policy": asked, **settings})


def trees_of(question, **settings):
    return ("boosted_trees", 50, {**TREES, "question": question.settings(), **settings})


def test_a_policy_without_stated_questions_is_answered_by_the_network_alone(tmp_path):
    fitted, _, rows, events = train_on(
        tmp_path, {"orders": 1, "spans": 2}, lambda some: [network_of(some), ("chow_liu", 2, {})]
    )
    assert events[-1].weights == {"order_agnostic_0": 1.0}
    assert events[-1].questions == ()
    # It is told how likely whole rows are, whatever its snapshot was chosen by.
    likely = fitted.model.log_prob(Evidence(rows.codes, rows.seen)).mean()
    assert np.isclose(events[-1].log_lik, likely, atol=1e-4)
    answer = fitted.ask("a", given="b = 1 and c = 1 and d = 1 and e in (low, mid)")
    assert not answer.exact
    fitted.save(tmp_path / "saved")
    again = anypart.load(tmp_path / "saved")
    assert again.ask("a", given="b = 1").value.equals(fitted.ask("a", given="b = 1").value)


BOTH = {"c | *": 1, "* | e": 1}


def for_both(some):
    first, second = stated(some, 5)
    made = ("made", 60, {"width": 32, "order": "chow_liu", "orders": 1})
    return [
        ("chow_liu", 2, {}),
        trees_of(first),
        trees_of(second),
        (*made[:2], {**made[2], "question": second.settings()}),
        network_of(some),
    ]


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    return train_on(tmp_path_factory.mktemp("both"), BOTH, for_both)


def test_stated_questions_have_members_of_their_own_and_exact_ones_answer_the_rest(both):
    fitted, _, _, events = both
    assert set(events[-1].weights) == {"chow_liu_0"}
    one, other = events[-1].questions
    assert set(one) <= {"chow_liu_0", "boosted_trees_1", "order_agnostic_4"}
    assert set(other) <= {"chow_liu_0", "boosted_trees_2", "made_3", "order_agnostic_4"}
    for weights in (one, other):
        assert np.isclose(sum(weights.values()), 1)
    assert fitted.model.ability.any_part  # of what is not stated


def answers_follow_from_the_questions_own(fitted, folder):
    test = exclusive_or(300, 5)
    fitted.save(folder / "saved")
    for fit in (fitted, anypart.load(folder / "saved")):
        model, names = fit.model, [c.name for c in fit.codec.columns]
        given = fit.log_prob(test, question="* | e")
        assert given.exact
        coded = fit.codec.encode(test)
        own = model.questions[1]
        right = np.exp([log_given(m, coded.codes, coded.seen, own.question) for m in own.members])
        assert np.allclose(np.exp(given), np.exp(own.log_weights) @ right, rtol=1e-4)
        column = fit.ask("c", rows=test)
        assert column.exact
        assert "need not agree" in column.details["agreement"]
        chance = np.stack([column.value["0"], column.value["1"]], 1)
        truth = test["c"].to_numpy()
        alone = fit.log_prob(test, question="c | a, b, d, e")
        assert np.allclose(np.log(chance[np.arange(300), truth]), alone, atol=1e-4)
        assert names == ["a", "b", "c", "d", "e"]


def test_answers_follow_from_the_questions_own_members(both, tmp_path):
    answers_follow_from_the_questions_own(both[0], tmp_path)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        (
            "anypart.queries.events",
            "value[able] = own.log_given",
            "value[able] = 0 * own.log_given",
        ),
        (
            "anypart.models.stated_questions",
            "found[rows, self.layout.slices[col]] = own.cell(evidence.rows(rows))",
            "pass",
        ),
    ],
)
def test_a_question_that_is_not_answered_by_its_own_is_noticed(
    module, right, wrong, both, tmp_path, monkeypatch
):
    plant(monkeypatch, module, right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        answers_follow_from_the_questions_own(both[0], tmp_path)


def mean_level(fitted, question):
    return float(np.mean(fitted.log_prob(exclusive_or(2_000, 7), question=question)))


def test_without_its_own_members_a_stated_question_is_answered_worse(both, tmp_path):
    """The caller of topic 6's stated questions, switched off."""
    without, *_ = train_on(tmp_path, BOTH, lambda some: [("chow_liu", 2, {})])
    for question, gain in (("c | *", 0.15), ("* | e", 0.1)):
        assert mean_level(both[0], question) > mean_level(without, question) + gain


def test_decisions_and_audits_are_by_the_questions_own_too(both, tmp_path):
    fitted, rows = both[0], exclusive_or(50, 3)
    fitted.save(tmp_path / "saved")
    again = anypart.load(tmp_path / "saved")
    for metric in ("f1", "macro-f1"):
        decided = [f.decide(rows, "c", metric, positive="1").value for f in (fitted, again)]
        assert decided[0].equals(decided[1])
    assert len(fitted.audit(rows, top=3).value) == 3


def test_another_question_is_the_ratio_of_two_probabilities(both):
    fitted, test = both[0], exclusive_or(50, 3)
    answer = fitted.log_prob(test, question="a, b | d")
    parts = [np.asarray(fitted.log_prob(test.select(c))) for c in (["a", "b", "d"], ["d"])]
    assert answer.exact
    assert np.allclose(answer, parts[0] - parts[1], atol=1e-5)


def test_gaps_are_answered_as_in_training_and_said_not_to_be_exact(tmp_path):
    table, rng = exclusive_or(1_000, 0), np.random.default_rng(0)
    gone = rng.random((1_000, 5)) < 0.05
    columns = {
        name: [None if g else v for g, v in zip(gone[:, i], table[name].to_pylist(), strict=True)]
        for i, name in enumerate(table.column_names)
    }
    fitted, *_ = train_on(tmp_path, BOTH, for_both, pa.table(columns))
    assert fitted.model.questions[0].most_gaps > 0
    whole, gap = exclusive_or(20, 3), exclusive_or(20, 3).drop_columns(["e"])
    assert fitted.ask("c", rows=whole).exact
    answer = fitted.ask("c", rows=gap)
    assert not answer.exact
    assert "without a value entered as in training" in answer.reason
    assert fitted.ask("c", given="a = 1").exact  # too little is given: it is the rest's


def test_drawn_rows_follow_the_question(both):
    fitted = both[0]
    rows = pa.table({"e": ["mid"] * 4_000})
    codes = fitted.codec.encode(fitted.complete(rows, seed=1).value)
    found = np.bincount(codes.codes[:, :4] @ [8, 4, 2, 1], minlength=16) / 4_000
    every = np.array(np.unravel_index(np.arange(16), (2,) * 4)).T
    table = pa.table({n: every[:, i] for i, n in enumerate("abcd")} | {"e": ["mid"] * 16})
    right = np.exp(fitted.log_prob(table, question="* | e"))
    assert np.isclose(right.sum(), 1, atol=1e-4)
    assert np.abs(found - right).max() < 0.05  # six standard deviations of a share


@pytest.mark.parametrize(
    ("question", "error", "match"),
    [
        ("c", FitError, "is no question"),
        ("z | *", ColumnError, "'z'"),
        ("c | c", FitError, "asks for 'c' and gives it"),
    ],
)
def test_what_is_no_question_is_refused(both, question, error, match):
    with pytest.raises(error, match=match):
        both[0].log_prob(exclusive_or(5, 1), question=question)


def test_rows_without_the_asked_column_are_refused(both):
    with pytest.raises(QuestionError, match="none of the asked columns"):
        both[0].log_prob(exclusive_or(5, 1).drop_columns(["c"]), question="c | *")


def test_a_plan_has_members_for_every_stated_question():
    questions = (Stated((0,), (1, 2, 3)), Stated((1, 2), (0,)))
    policies = Wanted.of(1, 0, "questions", None, ["a | *", "b, c | a"], None).policies([*"abcd"])
    assert stated(policies, 4) == questions
    names = [w.name for w in wishes(9_000, "questions", policies, questions=questions)]
    assert names[:4] == ["independent", "chow_liu", "small_trees_for_1", "shallow_trees_for_2"]
    assert {"deep_trees_for_1", "masked_network_for_2", "order_agnostic", "hidden_tree_1"} < {
        *names
    }
    mixed = Wanted.of(1, 0, "questions", None, ["a | *", "spans"], None).policies([*"abcd"])
    first, *others = wishes(9_000, "questions", mixed, questions=questions[:1])
    assert first.family == "order_agnostic"
    assert "hidden_tree_1" not in {w.name for w in others}
