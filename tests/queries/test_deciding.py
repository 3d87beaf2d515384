"""`decide` beside `ask`: its labels are the best for what it is asked, and errors say why."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from tests.data.planted import planted

from anypart.base.errors import ColumnError, QuestionError
from anypart.queries import deciding


def chances(fitted, rows, column):
    asked = fitted.ask(column, rows=rows).value
    return asked.column_names, np.stack([asked[n].to_numpy() for n in asked.column_names], 1)


def labels_of(answer, column):
    return answer.value[column].to_pylist()


def f1_is_that_of_the_best_set(decide_, fitted, rows):
    names, p = chances(fitted, rows, "sex")
    q = p[:, names.index("Female")]

    def expected(chosen):
        total = 0.0
        for truth in itertools.product([0, 1], repeat=len(q)):
            chance = np.prod(np.where(truth, q, 1 - q))
            below = sum(chosen) + sum(truth)
            total += chance * (2 * np.dot(chosen, truth) / below if below else 0.0)
        return total

    found = decide_(fitted._reader, fitted.model, rows, "sex", "f1", "Female", None)
    made = [name == "Female" for name in labels_of(found, "sex")]
    best = max(expected(c) for c in itertools.product([0, 1], repeat=len(q)))
    assert expected(made) == pytest.approx(best)
    assert found.details["expected"] == pytest.approx(best)
    assert found.details["chosen"] == sum(made)


def test_f1_takes_the_set_of_rows_with_the_highest_expectation(stacked, table):
    f1_is_that_of_the_best_set(deciding.decide, stacked, table.slice(3, 7))


def test_the_law_notices_labels_by_the_likeliest(stacked, table):
    broken = planted(deciding, "np.where(choice.chosen, positive,", "np.where(chances > 0.9, 0,")
    with pytest.raises(AssertionError, match="assert"):
        f1_is_that_of_the_best_set(broken.decide, stacked, table.slice(3, 7))


def test_accuracy_takes_the_likeliest_label_and_expects_its_chance(stacked, table):
    found = stacked.decide(table, "country")
    names, p = chances(stacked, table, "country")
    assert labels_of(found, "country") == [names[i] for i in p.argmax(1)]
    assert np.allclose(found.value["probability"], p.max(1))
    assert found.details["expected"] == pytest.approx(p.max(1).mean())
    assert found.exact


def test_costs_take_the_cheapest_decision_also_one_that_is_no_label(stacked, table):
    costs = {
        "Female": {"Female": 0, "Male": 4},
        "Male": {"Female": 1.5, "Male": 0},
        "ask": {"Female": 0.9, "Male": 0.9},
    }
    found = stacked.decide(table, "sex", costs)
    names, p = chances(stacked, table, "sex")
    made = labels_of(found, "sex")
    for label, cost, row in zip(made, found.value["cost"].to_pylist(), p, strict=True):
        each = {d: sum(c[n] * q for n, q in zip(names, row, strict=True)) for d, c in costs.items()}
        assert cost == pytest.approx(min(each.values())) == pytest.approx(each[label])
    assert "ask" in made
    assert np.isnan(found.value["probability"].to_numpy()[made.index("ask")])


def test_the_columns_own_values_are_not_looked_at(stacked, table):
    hidden = table.drop_columns(["sex"])
    for metric in ("accuracy", "f1", "F-beta2", "f0.5"):
        a = stacked.decide(table, "sex", metric, positive="Male")
        if not metric.startswith("F"):
            b = stacked.decide(hidden, "sex", metric, positive="Male")
            assert a.value.equals(b.value)


def test_more_weight_on_recall_decides_for_more_rows(stacked, table):
    chosen = [
        stacked.decide(table, "sex", f"f{beta}", positive="Male").details["chosen"]
        for beta in (0.25, 1, 3)
    ]
    assert chosen == sorted(chosen)


def test_tables_come_back_as_they_came(stacked, table):
    assert isinstance(stacked.decide(table.to_pandas(), "sex").value, pd.DataFrame)
    assert len(stacked.decide(table.slice(0, 0), "sex")) == 0


def test_conditions_change_decisions(stacked, table):
    rows = table.select(["sex"]).slice(0, 3)
    old = stacked.decide(rows, "country", given="age > 60")
    assert set(labels_of(old, "country")) <= {"Peru", "Chile", "B, C"}
    names, p = chances(stacked, rows, "country")
    free = stacked.decide(rows, "country")
    assert old.details["expected"] != pytest.approx(free.details["expected"])
    assert free.details["expected"] == pytest.approx(p.max(1).mean())
    assert len(names) == 3


@pytest.mark.parametrize(
    ("column", "metric", "options", "words"),
    [
        ("sex", "f1", {}, "say which is positive"),
        ("sex", "f1", {"positive": "Mal"}, "no label 'Mal'; it has Female, Male"),
        ("sex", "acuracy", {}, "Did you mean 'accuracy'"),
        ("sex", "f-1", {"positive": "Male"}, "no metric 'f-1'"),
        ("sex", "fx", {"positive": "Male"}, "The metrics are"),
        ("age", "accuracy", {}, "decisions are between labels"),
        ("sex", {}, {}, "table of costs is empty"),
        ("sex", {"Male": {"Male": 0}}, {}, "does not say what 'Male' costs when 'Female'"),
        ("sex", {"Male": {"Mal": 0}}, {}, "has no label 'Mal'.*Did you mean 'Male'"),
        ("sex", {"Male": {"Male": 0, "Female": float("inf")}}, {}, "finite"),
    ],
)
def test_what_cannot_be_decided_is_refused(stacked, table, column, metric, options, words):
    with pytest.raises(QuestionError, match=words):
        stacked.decide(table, column, metric, **options)


def test_a_column_that_is_not_there_is_named(stacked, table):
    with pytest.raises(ColumnError, match="Did you mean 'sex'"):
        stacked.decide(table, "sexx")


def test_macro_f_expects_what_its_labels_have_and_more_than_the_likeliest(stacked, table):
    for column in ("sex", "country"):
        found = stacked.decide(table, column, "macro-f1")
        names, p = chances(stacked, table, column)
        made = np.array(labels_of(found, column))
        each = found.details["expected_by_label"]
        assert found.details["expected"] == pytest.approx(np.mean(list(each.values())))
        assert found.exact == (len(names) == 2)

        def expected(labels, names=names, p=p):
            rng, totals = np.random.default_rng(0), []
            for _ in range(200):
                truth = np.array(names)[(rng.random((len(p), 1)) > p.cumsum(1)).sum(1)]
                pairs = [((labels == n), (truth == n)) for n in names]
                totals.append(
                    np.mean([2 * (a & b).sum() / max(a.sum() + b.sum(), 1) for a, b in pairs])
                )
            return np.mean(totals)

        assert expected(made) == pytest.approx(found.details["expected"], abs=0.02)
        assert expected(made) >= expected(np.array(names)[p.argmax(1)]) - 0.005
