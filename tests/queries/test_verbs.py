import datetime as dt
from collections.abc import Iterator

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from anypart.base.errors import ColumnError, QuestionError
from anypart.data.codec import Codec
from anypart.data.files import Table, read
from anypart.data.infer import infer_schema
from anypart.models.contract import Ability, Layout
from anypart.models.hidden_tree import HiddenTree
from anypart.models.latent_tree.model import TreeParts
from anypart.models.latent_tree.shape import Shape
from anypart.queries import Fitted, auditing, completing, drawing
from anypart.queries import fitted as fitted_module


def test_tables_come_back_as_the_kind_they_came_in(stacked, table) -> None:
    some = table.slice(0, 30)
    for rows, kind in [
        (some, pa.Table),
        (some.to_pandas(), pd.DataFrame),
        (pl.from_arrow(some), pl.DataFrame),
        (some.to_pylist(), pa.Table),
    ]:
        assert isinstance(stacked.complete(rows).value, kind)
        assert isinstance(stacked.audit(rows, top=3).value, kind)
        assert isinstance(stacked.ask("sex", rows=rows).value, kind)


def test_a_row_of_nothing_has_log_prob_zero_and_bits_are_nats_over_ln_two(fitted, table) -> None:
    assert fitted.log_prob({"sex": [None]}).value[0] == pytest.approx(0)
    nats = fitted.log_prob(table)
    assert np.allclose(np.asarray(fitted.log_prob(table, bits=True)) * np.log(2), nats)
    assert nats.exact


def test_the_density_of_a_number_integrates_to_the_probability_of_its_range(fitted) -> None:
    low, high = 3.0, 6.0
    x = np.linspace(low, high, 20_001)
    x = ((x[1:] + x[:-1]) / 2).round(6)
    mass = np.exp(fitted.log_prob({"gain": x}).value).mean() * (high - low)
    asked = fitted.probability("3 <= gain < 6").value
    assert mass == pytest.approx(asked, rel=1e-3)


def test_values_without_a_code_are_counted_and_stay(fitted) -> None:
    rows = {"sex": ["Other", "Male"], "age": [30, 31], "country": [None, "Peru"], "gain": [0, 0]}
    assert fitted.log_prob(rows).details["unknown"] == {"sex": 1}
    assert fitted.complete(rows).value["sex"].to_pylist() == ["Other", "Male"]


def test_blocks_do_not_change_answers(stacked, table, monkeypatch) -> None:
    want = stacked.log_prob(table).value, stacked.audit(table, top=7).value
    monkeypatch.setattr(fitted_module, "BLOCK", 37)
    assert np.allclose(stacked.log_prob(table).value, want[0], atol=1e-5)
    assert stacked.audit(table, top=7).value["row"] == want[1]["row"]
    scores = pa.Table.from_batches(list(stacked.score_batches(table)))
    assert np.allclose(scores["log_prob"], want[0], atol=1e-5)
    assert scores["row"].to_pylist() == list(range(table.num_rows))


def test_blocks_together_are_the_whole_answer(stacked, table, monkeypatch) -> None:
    monkeypatch.setattr(completing, "BLOCK", 37)
    monkeypatch.setattr(drawing, "BLOCK", 50)
    done = list(stacked.complete_blocks(table, draws=2, seed=5))
    whole = stacked.complete(table, draws=2, seed=5)
    assert len(done) > 30
    assert pa.concat_tables([d.table for d in done]).equals(whole.value)
    assert pa.concat_tables([d.cells for d in done]).equals(whole.details["cells"])
    drawn = list(stacked.sample_blocks(120, given="age > 43", seed=3))
    assert [d.num_rows for d in drawn] == [50, 50, 20]
    assert pa.concat_tables(drawn).equals(stacked.sample(120, given="age > 43", seed=3).value)


def test_a_block_is_made_when_it_is_asked_for(stacked, table, monkeypatch) -> None:
    monkeypatch.setattr(completing, "BLOCK", 37)
    pulled: list[int] = []

    def stream(size: int) -> Iterator[pa.RecordBatch]:
        for batch in table.to_batches(max_chunksize=size):
            pulled.append(batch.num_rows)
            yield batch

    blocks = stacked.complete_blocks(Table("t", table.schema, stream))
    assert not pulled
    next(blocks)
    next(blocks)
    assert sum(pulled) <= 3 * 37


def test_blocks_of_categories_have_one_schema(stacked, table, monkeypatch) -> None:
    monkeypatch.setattr(completing, "BLOCK", 10)
    words = pa.array(["Peru"] * 10 + [None] * 10 + ["Chile"] * 10).dictionary_encode()
    rows = table.slice(0, 30).select(["sex"]).append_column("country", words)
    done = stacked.complete(rows).value
    assert done["country"].null_count == 0
    assert done["country"].to_pylist()[:10] == ["Peru"] * 10


def test_several_draws_differ_and_are_told_apart(stacked, table) -> None:
    done = stacked.complete(table.slice(0, 50), draws=3, seed=1).value
    assert done.column_names[0] == "draw"
    parts = [done.filter(pc.field("draw") == d).drop_columns(["draw"]) for d in range(3)]
    assert [p.num_rows for p in parts] == [50] * 3
    assert not parts[0].equals(parts[1])
    with pytest.raises(QuestionError, match="how='draw'"):
        stacked.complete(table, how="mode", draws=2)
    with pytest.raises(QuestionError, match="The ways are"):
        stacked.complete(table, how="guess")


def test_asking_for_rows_uses_each_row_but_not_the_asked_cell(stacked, table) -> None:
    rows = table.slice(0, 3)
    answer = stacked.ask("country", rows=rows).value
    hidden = rows.set_column(3, "country", pa.nulls(3, pa.string()))
    assert stacked.ask("country", rows=hidden).value.equals(answer)
    row = rows.to_pylist()[1]
    given = {k: v for k, v in row.items() if v is not None and k != "country"}
    alone = stacked.ask("country", given=given).value["probability"].to_pylist()
    assert list(answer.to_pylist()[1].values()) == pytest.approx(alone, abs=1e-6)


def test_means_and_quantiles_agree_with_samples(fitted) -> None:
    for name, given in [("age", "sex=Male and age > 33"), ("gain", "gain > 1")]:
        details = fitted.ask(name, given=given).details
        x = np.asarray(fitted.sample(8000, given=given, seed=2).value[name], float)
        error = x.std() / np.sqrt(len(x))
        assert abs(details["mean"] - x.mean()) < 5 * error + 0.02 * x.std()
        assert details["sd"] == pytest.approx(x.std(), rel=0.1)
        below = (x < details["q05"]).mean(), (x <= details["q05"]).mean()
        assert below[0] - 0.03 <= 0.05 <= below[1] + 0.03


def test_a_planted_wrong_cell_is_first_in_the_audit_with_what_was_expected(fitted, table) -> None:
    rows = table.slice(0, 50).to_pylist()
    quiet = fitted.audit(rows, top=1).value["surprise"][0].as_py()
    rows[17] |= {"age": 18, "country": "Peru"}
    rows[23]["gain"] = 1e7
    found = fitted.audit(rows, top=200).value.to_pylist()
    assert (found[0]["row"], found[0]["column"]) == (23, "gain")
    assert found[0]["beyond"] == "above"
    assert found[0]["surprise"] > quiet
    assert found[0]["probability"] <= 1 / table.num_rows  # not that of the edge's cell
    surprises = [c["surprise"] for c in found]
    assert surprises == sorted(surprises, reverse=True)
    expected = [c["expected_probability"] >= c["probability"] for c in found]
    assert all(expected)


def test_the_audit_says_on_which_side_a_value_lies(fitted, table) -> None:
    rows = table.slice(0, 4).to_pylist()
    ages = [c for c in table.column("age").to_pylist() if c is not None]
    for row, age in zip(rows, (min(ages) - 40, max(ages) + 40, min(ages), None), strict=True):
        row["age"] = age
    found = fitted.audit(rows, top=100).value.to_pylist()
    sides = {c["row"]: c["beyond"] for c in found if c["column"] == "age"}
    assert sides == {0: "below", 1: "above", 2: None}
    assert {c["beyond"] for c in found if c["column"] == "sex"} == {None}


def test_the_surprise_of_a_draw_is_nought_on_average() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(6) * 0.5)
    logs = np.tile(np.log(p), (6, 1))
    codes = np.arange(6, dtype=np.int32)
    assert p @ auditing.surprise_of(logs, codes) == pytest.approx(0, abs=1e-9)
    fine = np.sort(rng.dirichlet(np.ones(3000)))
    one = auditing.tail_surprise(
        np.log(fine)[None].repeat(3000, 0), np.arange(3000, dtype=np.int32)
    )
    assert fine @ one == pytest.approx(0, abs=0.02)


def test_a_row_is_most_similar_to_itself(stacked, table) -> None:
    found = stacked.similar(table.slice(4, 2), table.slice(0, 60), k=3).value
    assert found.num_rows == 6
    assert found["similarity"].to_pylist()[0] == pytest.approx(1, abs=1e-5)
    nearest = found.filter(pc.field("query") == 0)
    assert stacked.represent(table.slice(0, 5)).shape[0] == 5
    assert nearest["similarity"].to_pylist() == sorted(nearest["similarity"].to_pylist())[::-1]
    with pytest.raises(QuestionError, match="at least 1"):
        stacked.similar(table, table, k=0)


def test_gaps_are_drawn_as_often_as_the_table_has_them(fitted, table) -> None:
    made = fitted.sample(4000, with_missing=True, seed=1).value
    for name in table.column_names:
        want = table[name].null_count / table.num_rows
        assert made[name].null_count / 4000 == pytest.approx(want, abs=0.03)
    shown = fitted.sample(500, given="age > 43", with_missing=True).value
    assert shown["age"].null_count == 0
    assert fitted.sample(100).value["age"].null_count == 0


def test_a_fit_that_knows_no_gaps_says_so(one_value_fitted) -> None:
    with pytest.raises(QuestionError, match="Sample without with_missing"):
        one_value_fitted.sample(3, with_missing=True)


def test_questions_without_an_answer_are_refused(fitted) -> None:
    with pytest.raises(QuestionError, match="No column is asked"):
        fitted.ask()
    with pytest.raises(QuestionError, match="asked twice"):
        fitted.ask("age", "age")
    with pytest.raises(ColumnError, match="Did you mean 'country'"):
        fitted.ask("contry")
    with pytest.raises(QuestionError, match="one column is asked"):
        fitted.ask("age", "sex", rows={"age": [3]})
    with pytest.raises(QuestionError, match="No event"):
        fitted.probability(None)
    with pytest.raises(QuestionError, match="cannot be drawn"):
        fitted.sample(-1)


def test_a_joint_of_too_many_combinations_is_refused_with_its_size(fitted, monkeypatch) -> None:
    monkeypatch.setattr("anypart.queries.asking.MOST_COMBINATIONS", 20)
    with pytest.raises(QuestionError, match=r"2 x 22 = 44 combinations"):
        fitted.ask("sex", "age")


def test_no_rows_give_answers_of_no_rows(stacked, table) -> None:
    none = table.slice(0, 0)
    assert len(stacked.log_prob(none)) == 0
    assert stacked.complete(none).value.num_rows == 0
    assert stacked.audit(none).value.num_rows == 0
    assert stacked.sample(0).value.num_rows == 0
    assert len(stacked.represent(none)) == 0


@pytest.fixture(scope="module")
def dated() -> Fitted:
    day = dt.date(2019, 1, 1)
    rng = np.random.default_rng(0)
    rows = {
        "seen": [day + dt.timedelta(days=int(d)) for d in rng.integers(0, 700, 900)],
        "at": [
            dt.datetime(2020, 1, 1) + dt.timedelta(seconds=int(s) * 7)
            for s in rng.integers(0, 90000, 900)
        ],
        "price": np.exp(rng.normal(3, 1, 900)),
        "id": [f"k{i}" for i in range(900)],
    }
    schema = infer_schema(read(pa.table(rows)))
    layout = Layout(Codec(schema).n_cats)
    tables = [rng.dirichlet(np.ones(n), 3).astype(np.float32) for n in layout.n_cats]
    start = rng.dirichlet(np.ones(3), 1).astype(np.float32)
    shape = Shape((-1,), (3,), (0,) * layout.n_cols)
    return Fitted(schema, HiddenTree(layout, TreeParts(shape, (start,), tuple(tables))))


def test_dates_and_times_are_asked_and_answered_as_dates_and_times(dated) -> None:
    made = dated.sample(
        300, given="2019-05-03 <= seen < 2019-06-11 and at > 2020-01-03T12:00"
    ).value
    assert dt.date(2019, 5, 3) <= pc.min(made["seen"]).as_py()
    assert pc.max(made["seen"]).as_py() < dt.date(2019, 6, 11)
    assert pc.min(made["at"]).as_py() > dt.datetime(2020, 1, 3, 12)
    details = dated.ask("seen", given="seen >= 2020-02-01").details
    assert dt.date(2020, 2, 1) <= dt.date.fromisoformat(details["mean"]) < dt.date(2020, 12, 31)
    done = dated.complete({"price": [3.0]}, how="median").value
    assert isinstance(done["seen"][0].as_py(), dt.date)
    assert "id" not in done.column_names


def test_one_value_of_a_continuous_column_has_a_density_and_no_probability(dated) -> None:
    with pytest.raises(QuestionError, match="whose probability is 0"):
        dated.probability("price = 20.123")
    assert dated.ask("price", given="price = 20.123").details["mean"] == pytest.approx(20.123)
    made = dated.sample(5, given="price in (20.123, 31.5)").value["price"].to_pylist()
    assert set(made) <= {20.123, 31.5}
    narrow = dated.ask("seen", given="20.122 < price < 20.124").value["probability"]
    exact = dated.ask("seen", given={"price": 20.123}).value["probability"]
    assert np.allclose(narrow, exact, atol=1e-6)


def test_conditions_the_fit_calls_impossible_are_refused(fitted) -> None:
    model = fitted.model
    p = model.p.copy()
    p[0, :, :, 0] = 0
    impossible = Fitted(fitted.schema, type(model)(model.layout.n_cats, p))
    given = {c.name: c.categories[0] for c in fitted.schema.modelled if c.categories}
    for ask in (
        lambda: impossible.ask("age", given=given),
        lambda: impossible.ask("age", "gain", given=given),
        lambda: impossible.sample(3, given=given),
        lambda: impossible.probability("age > 30", given=given),
    ):
        with pytest.raises(QuestionError, match="has probability 0"), np.errstate(all="ignore"):
            ask()


def test_a_model_that_does_not_sum_cells_out_never_answers_as_exact(fitted, table) -> None:
    model = type(fitted.model)(fitted.model.layout.n_cats, fitted.model.p, weighted=False)
    model.ability = Ability(any_part=False, weighted=False)
    loose = Fitted(fitted.schema, model)
    for answer in (
        loose.ask("age"),
        loose.ask("age", "sex"),
        loose.probability("age > 43"),
        loose.log_prob(table.slice(0, 2)),
        loose.complete(table.slice(0, 2)),
        loose.audit(table.slice(0, 2)),
        loose.dependence(),
        loose.sample(2, given="age > 43"),
    ):
        assert not answer.exact
        assert "differ a little" in answer.reason
    assert loose.sample(2).exact  # whole rows are drawn as the model has them
