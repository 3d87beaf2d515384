"""A table whose law is known, a fit of it, and fits with a fault that each score must notice."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tests.models.one_order_makers import ONE_ORDER
from tests.models.planting import plant

from anypart.base.errors import DataError, QuestionError
from anypart.data.codec import Codec
from anypart.data.schema import Cell, Column, Kind, Schema
from anypart.models.contract import Evidence, Layout
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.queries import events
from anypart.scores import evaluate, likelihood
from anypart.scores.consistency import score_consistency
from anypart.scores.figures import ANSWERS, DRAWN, HIDDEN, STATED, figures
from anypart.scores.imputation import guess
from anypart.scores.rows import code_rows, hide
from anypart.terminal.show_scores import show_scores

N_ROWS = 2_000


def make_table(n: int, seed: int) -> pa.Table:
    """`code` decides `word`; `size` grows with it; `loose` has to do with nothing."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, 4, n)
    size = code * 2.0 + rng.exponential(1.0, n)
    zero = rng.random(n) < 0.2
    return pa.table(
        {
            "code": pa.array([f"c{c}" for c in code], mask=rng.random(n) < 0.1),
            "word": [("even", "odd")[c % 2] for c in code],
            "size": np.where(zero, 0.0, size),
            "loose": rng.integers(0, 3, n),
        }
    )


def make_schema() -> Schema:
    edges = np.concatenate([[1e-9], np.quantile(make_sizes(), np.arange(1, 40) / 40), [17.0]])
    cells = (Cell(0.0, 0.0), *(Cell(*map(float, p)) for p in pairwise(edges)))
    columns = (
        Column("code", Kind.CATEGORICAL, "", ("c0", "c1", "c2", "c3")),
        Column("word", Kind.BINARY, "", ("even", "odd")),
        Column("size", Kind.CONTINUOUS, "", cells=cells, arrow_type="double"),
        Column("loose", Kind.CATEGORICAL, "", ("0", "1", "2"), arrow_type="int64"),
    )
    return Schema(columns, N_ROWS)


def make_sizes() -> np.ndarray:
    sizes = make_table(20_000, 99)["size"].to_numpy()
    return sizes[sizes > 0]


class Fit:
    """As little of a fit as scores need."""

    def __init__(self, model: Any, schema: Schema) -> None:
        self.model, self.schema, self.codec = model, schema, Codec(schema)

    def sample(self, n: int, with_missing: bool = False, seed: int = 0) -> pa.Table:
        rng = np.random.default_rng(seed)
        codes = self.model.sample(Evidence.nothing(n, 4), rng)
        return self.codec.decode(codes, None, rng)

    def ask(self, *columns: str, given: Any) -> Any:
        if "size" in columns:
            raise QuestionError("this fit does not answer questions about size")
        return SimpleNamespace(exact=len(columns) == 1)


class Faulty:
    """A model with one verb replaced."""

    def __init__(self, model: Any, **verbs: Any) -> None:
        self._model = model
        self.__dict__.update(verbs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


@pytest.fixture(scope="module")
def fit() -> Fit:
    schema = make_schema()
    coded = Codec(schema).encode(make_table(N_ROWS, 1))
    layout = Layout(Codec(schema).n_cats)
    # The columns hang together as a tree does, so this family can have them right.
    learner = LEARNERS["chow_liu"](layout, coded.codes, coded.seen, {}, 0)
    return Fit(learner.model(), schema)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return make_table(N_ROWS, 2)


@pytest.fixture(scope="module")
def scores(fit: Fit, table: pa.Table) -> Any:
    return evaluate(fit, table)


def faulty(fit: Fit, **verbs: Any) -> Fit:
    return Fit(Faulty(fit.model, **verbs), fit.schema)


def test_scores_of_a_good_fit_are_good(scores: Any) -> None:
    assert scores.n_rows == N_ROWS
    assert scores.likelihood.impossible == 0
    assert scores.likelihood.baselines["independent"].gain > 0.5
    assert scores.calibration.reliability.error < 2 * scores.calibration.reliability.perfect_most
    for one in (*scores.calibration.sets, *scores.calibration.intervals):
        assert abs(one.met - one.level) < 5 * one.error + 0.01
    assert scores.consistency.order_mean < 1e-4
    assert scores.consistency.ratio_max < 1e-4
    assert scores.fidelity.shapes > 0.95
    assert scores.fidelity.trends > 0.9
    assert scores.fidelity.detection.auc < 0.6  # this fit knows nothing of the gaps
    assert scores.fidelity.utility.drawn > scores.fidelity.utility.real - 0.05
    assert scores.privacy is None


def test_likelihood_is_the_mean_of_the_rows_log_densities(
    fit: Fit, table: pa.Table, scores: Any
) -> None:
    coded = fit.codec.encode(table)
    logs = fit.model.log_prob(Evidence(coded.codes, coded.seen)) + coded.log_measure
    assert scores.likelihood.fit.mean == pytest.approx(logs.mean())
    assert scores.likelihood.fit.standard_error == pytest.approx(logs.std(ddof=1) / np.sqrt(N_ROWS))


def test_accuracy_is_that_of_a_row_by_row_loop(fit: Fit, table: pa.Table, scores: Any) -> None:
    rows = code_rows(fit, table)
    hidden = hide(rows.seen, 0.2, 0)
    hits, word = [], fit.model.layout.slices[1]
    for row in np.flatnonzero(hidden[:, 1])[:50]:
        seen = rows.seen[row] & ~hidden[row]
        logs = fit.model.conditional(Evidence(rows.codes[[row]], seen[None]))[0, word]
        hits.append(logs.argmax() == rows.codes[row, 1])
    from anypart.scores.imputation import guess

    found = next(g for g in guess(fit, rows, hidden) if g.column_ix == 1)
    assert (found.probs.argmax(1) == found.truth)[:50].tolist() == hits
    assert scores.imputation.hidden == hidden.sum()


def test_the_same_seed_gives_the_same_scores(fit: Fit, table: pa.Table, scores: Any) -> None:
    assert evaluate(fit, table).to_json() == scores.to_json()


def test_scores_are_json_without_numbers_that_json_does_not_have(scores: Any) -> None:
    found = json.loads(scores.to_json())
    assert found["likelihood"]["fit"]["mean"] == scores.likelihood.fit.mean
    broken = dataclasses.replace(
        scores, imputation=dataclasses.replace(scores.imputation, rmse=float("nan"))
    )
    assert json.loads(broken.to_json())["imputation"]["rmse"] is None


def test_a_table_without_rows_is_refused(fit: Fit, table: pa.Table) -> None:
    with pytest.raises(DataError, match="without rows"):
        evaluate(fit, table.slice(0, 0))


def test_shares_of_exact_estimated_and_refused_answers_are_counted(scores: Any) -> None:
    found = scores.consistency
    assert min(found.exact, found.estimated, found.refused) > 0
    assert found.exact + found.estimated + found.refused == pytest.approx(1)


def test_a_fit_that_kept_its_baselines_is_compared_with_them(fit: Fit, table: pa.Table) -> None:
    kept = Fit(fit.model, fit.schema)
    kept.baselines = {"independent": fit.model, "chow_liu": fit.model}
    assert evaluate(kept, table).likelihood.baselines["independent"].gain == 0


def test_overconfident_conditionals_are_noticed(fit: Fit, table: pa.Table, scores: Any) -> None:
    def overconfident(evidence: Evidence) -> np.ndarray:
        logs = 10 * np.maximum(fit.model.conditional(evidence), -50)
        for place in fit.model.layout.slices:
            logs[:, place] -= np.logaddexp.reduce(logs[:, place], axis=1, keepdims=True)
        return logs

    found = evaluate(faulty(fit, conditional=overconfident), table)
    top = found.calibration.reliability
    assert top.error > max(scores.calibration.reliability.error, top.perfect_most) + 0.05
    for one in (*found.calibration.sets, *found.calibration.intervals):
        assert one.met < one.level - 3 * one.error
    assert found.imputation.log_loss > scores.imputation.log_loss


def test_conditionals_that_ignore_what_is_given_are_noticed(
    fit: Fit, table: pa.Table, scores: Any
) -> None:
    def deaf(evidence: Evidence) -> np.ndarray:
        return fit.model.conditional(Evidence.nothing(evidence.n_rows, 4))

    found = evaluate(faulty(fit, conditional=deaf), table)
    assert found.imputation.accuracy < scores.imputation.accuracy - 0.1
    assert found.imputation.rmse > scores.imputation.rmse + 0.1
    assert found.consistency.ratio_max > 0.1


def test_answers_that_depend_on_the_order_of_columns_are_noticed(fit: Fit, table: pa.Table) -> None:
    def one_way(evidence: Evidence) -> np.ndarray:
        """Column 0 does not listen to the others, but they listen to it."""
        logs = fit.model.conditional(evidence)
        first = fit.model.layout.slices[0]
        logs[:, first] = fit.model.conditional(Evidence.nothing(1, 4))[:, first]
        return logs

    found = evaluate(faulty(fit, conditional=one_way), table).consistency
    assert found.order_mean > 0.02
    assert found.order_p99 > 0.2


def test_log_probs_that_are_not_marginals_are_noticed(fit: Fit, table: pa.Table) -> None:
    def bound(evidence: Evidence) -> np.ndarray:
        return fit.model.log_prob(evidence) - 0.3 * evidence.seen.sum(axis=1)

    assert evaluate(faulty(fit, log_prob=bound), table).consistency.ratio_mean > 0.01


def test_rows_drawn_column_by_column_are_noticed(fit: Fit, table: pa.Table, scores: Any) -> None:
    def shuffled(evidence: Evidence, rng: np.random.Generator) -> np.ndarray:
        codes = fit.model.sample(evidence, rng)
        return np.stack([rng.permutation(c) for c in codes.T], axis=1)

    found = evaluate(faulty(fit, sample=shuffled), table).fidelity
    assert scores.fidelity.rules["code → word"] > 0.9
    assert found.rules["code → word"] < 0.6
    assert found.trends < scores.fidelity.trends - 0.05
    assert found.detection.auc > 0.8
    assert found.detection.jensen_shannon > 0.1
    assert found.mmd.p_value < 0.01
    assert found.utility.drawn < 0.6 < scores.fidelity.utility.drawn
    assert found.shapes > 0.95


def test_rows_of_one_kind_are_noticed(fit: Fit, table: pa.Table, scores: Any) -> None:
    def collapsed(evidence: Evidence, rng: np.random.Generator) -> np.ndarray:
        return np.repeat(fit.model.sample(evidence, rng)[:1], evidence.n_rows, axis=0)

    assert evaluate(faulty(fit, sample=collapsed), table).fidelity.shapes < 0.7


class Remembering(Fit):
    """A fit that hands out the rows that it was fitted on."""

    def sample(self, n: int, with_missing: bool = False, seed: int = 0) -> pa.Table:
        return make_table(N_ROWS, 1).slice(0, n)


def test_a_fit_that_gives_its_rows_away_is_noticed(fit: Fit, table: pa.Table) -> None:
    few, fitted_on = table.slice(0, 1_000), make_table(N_ROWS, 1).slice(0, 1_000)
    honest = evaluate(fit, few, fitted_on=fitted_on).privacy
    assert abs(honest.nearer - 0.5) < 4 * honest.error
    found = evaluate(Remembering(fit.model, fit.schema), few, fitted_on=fitted_on).privacy
    assert found.copies == 1
    assert found.held_out_copies < 0.5
    assert found.nearer > 0.5 + 5 * found.error
    assert found.to_fitted < found.to_held_out


def mixed(fit: Fit) -> Fit:
    """A fit with a member along one order: answers about parts are estimated."""
    member = ONE_ORDER["fvsbn"](np.random.default_rng(0), fit.codec.n_cats)
    member.arrays["weight"] *= 0.3
    return Fit(Stack([fit.model, member], np.log([0.5, 0.5])), fit.schema)


def check_answers_that_are_given(fit: Fit, table: pa.Table) -> None:
    """What is scored is what `ask` and `log_prob` answer, also where these are estimated."""
    other = mixed(fit)
    rows = code_rows(other, table.slice(0, 60))
    hidden = hide(rows.seen, 0.5, 0)
    right = events.conditional(other.model, Evidence(rows.codes, rows.seen & ~hidden)).value
    for one in guess(other, rows, hidden):
        place = other.model.layout.slices[one.column_ix]
        np.testing.assert_allclose(one.probs, np.exp(right[one.row_ix, place]))
    coded = other.codec.encode(table.slice(0, 60))
    logs = events.log_prob(other.model, Evidence(coded.codes, coded.seen)).value + coded.log_measure
    batches = table.slice(0, 60).to_batches()
    assert likelihood.score_likelihood(other, iter(batches), {}).fit.mean == pytest.approx(
        logs.mean()
    )
    found = score_consistency(other, rows, 0)
    assert found.questions <= 32
    assert found.order_mean < 0.03
    assert found.ratio_mean < 0.002


def test_answers_are_scored_as_they_are_given(fit: Fit, table: pa.Table) -> None:
    check_answers_that_are_given(fit, table)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("rows", "events.conditional(model, Evidence(codes[block], seen[block])).value",
            "model.conditional(Evidence(codes[block], seen[block]))"),
        ("likelihood", "events.log_prob(model, evidence).value", "model.log_prob(evidence)"),
        ("consistency", "events.conditional(model, evidence).value",
            "np.asarray(model.conditional(evidence), float)"),
        ("consistency", "events.log_prob(model, evidence).value - below",
            "model.log_prob(evidence) - below"),
    ],
)  # fmt: skip
def test_a_way_around_the_answers_is_noticed(
    fit: Fit, table: pa.Table, module: str, right: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, f"anypart.scores.{module}", right, wrong)
    with pytest.raises(AssertionError, match=r"^(?!.*times)"):
        check_answers_that_are_given(fit, table)


def test_every_figure_is_a_line_that_people_read(scores: Any) -> None:
    found = figures(scores)
    assert {one.group for one in found} == {HIDDEN, STATED, ANSWERS, DRAWN}
    assert all(one.found and one.best and len(one.name) < 60 for one in found)
    by_name = {one.name: one for one in found}
    top = scores.calibration.reliability
    line = by_name["calibration error, likeliest category"]
    assert (line.found, line.best) == (f"{top.error:.4f}", f"{top.perfect:.4f} by chance")
    shares = by_name["random questions"].found
    assert "exact" in shares
    assert "estimated" in shares
    assert "refused" in shares


def test_the_shell_shows_every_figure(scores: Any, capsys: pytest.CaptureFixture[str]) -> None:
    show_scores(scores, as_json=False)
    shown = capsys.readouterr().out
    assert all(one.name in shown and one.found in shown for one in figures(scores))
    assert "--fitted-on" in shown
