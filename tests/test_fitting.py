"""`fit` joins the parts: a saved fit, a fit that goes on, a folder that is not its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import anypart
from anypart import fitting
from anypart.base.errors import ColumnError, DataError, FitError
from anypart.models.contract import Evidence
from anypart.optim.events import Finished


def rows(n: int = 300, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    a = rng.integers(0, 2, n)
    b = np.where(rng.random(n) < 0.9, a, 1 - a)
    return pa.table({"a": a.astype(str), "b": b.astype(str), "c": rng.integers(0, 9, n)})


def fit(folder: Path | None, **more: Any) -> anypart.Fitted:
    settings = {"minutes": 0.02, "purpose": "fast", "seed": 3} | more
    return anypart.fit(settings.pop("table", rows()), folder=folder, **settings)


def answers(fitted: anypart.Fitted) -> list[float]:
    return np.asarray(fitted.log_prob(rows(20, 1)).value).tolist()


def test_a_fit_is_saved_whole_and_loads_to_the_same_answers(tmp_path: Path) -> None:
    events: list[Any] = []
    fitted = fit(tmp_path / "f", on_event=events.append)
    assert answers(anypart.load(tmp_path / "f")) == answers(fitted)
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
    assert isinstance(events[0], fitting.Prepared)
    assert set(events[0].members) >= {"independent", "chow_liu"}
    assert {"independent", "chow_liu", "together"} <= set(fitted.metadata["valid_log_lik"])


def test_an_interrupted_fit_goes_on_and_ends_with_the_same_bits(tmp_path: Path) -> None:
    kept: list[Any] = []

    def stop(event: Any) -> None:
        kept.append(event)
        if isinstance(event, Finished):
            raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        fit(tmp_path / "f", on_event=stop)
    assert not (tmp_path / "f").exists()
    work, other = fitting.unfinished(tmp_path / "f"), fitting.unfinished(tmp_path / "g")
    plan = (work / "plan.json").read_text()
    other.mkdir()
    for name in ("plan.json", "wanted.json"):
        shutil.copy(work / name, other / name)
    events: list[Any] = []
    fitted = fit(tmp_path / "f", on_event=events.append)
    assert events[0].resumed
    assert list(events[0].members) == [m["name"] for m in json.loads(plan)["members"]]
    assert not work.exists()
    assert answers(fitted) == answers(fit(tmp_path / "g"))


def test_a_plan_knows_which_columns_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []
    make = fitting.make_plan
    monkeypatch.setattr(
        fitting, "make_plan", lambda *rows, **how: told.append(how["ordered"]) or make(*rows, **how)
    )
    fit(None)
    assert told == [(2,)]  # a and b are words, c is a number


def test_a_fit_that_was_refused_is_no_unfinished_one(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="more than 0 minutes, -1 were given"):
        fit(tmp_path / "f", minutes=-1)
    assert not fitting.unfinished(tmp_path / "f").exists()
    with pytest.raises(ColumnError, match="no column 'agee'"):
        fit(tmp_path / "f", kinds={"agee": "count"})
    with pytest.raises(DataError, match=r"none of the . columns of the fit .* they have 'other'"):
        fit(tmp_path / "f", valid={"other": [1, 2]})
    assert answers(fit(tmp_path / "f"))


def test_another_question_does_not_go_on_with_an_unfinished_fit(tmp_path: Path) -> None:
    def stop(event: Any) -> None:
        raise KeyboardInterrupt("stopped")

    with pytest.raises(KeyboardInterrupt, match="stopped"):
        fit(tmp_path / "f", on_event=stop)
    with pytest.raises(FitError, match="unfinished fit with seed 3"):
        fit(tmp_path / "f", seed=4)
    with pytest.raises(FitError, match="unfinished fit of another table"):
        fit(tmp_path / "f", table=rows(200, 5))
    assert answers(fit(tmp_path / "f", seed=4, overwrite=True))


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(FitError, match="holds something else than a fit"):
        fit(tmp_path, overwrite=True)
    with pytest.raises(FitError, match="is a file"):
        fit(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_a_finished_fit_is_replaced_only_when_that_is_asked(tmp_path: Path) -> None:
    fit(tmp_path / "f")
    with pytest.raises(FitError, match=r"holds a fit\. Overwrite it"):
        fit(tmp_path / "f")
    fit(tmp_path / "f", overwrite=True)


def test_rows_to_validate_on_can_be_given(tmp_path: Path) -> None:
    assert answers(fit(None, valid=rows(50, 9)))


def test_a_fit_keeps_the_baselines_that_were_trained_on_its_table(tmp_path: Path) -> None:
    kept = fit(tmp_path / "f")
    again = anypart.load(tmp_path / "f")
    assert set(again.baselines) == {"independent", "chow_liu"}
    nothing = Evidence.nothing(1, 3)
    for name, model in kept.baselines.items():
        expected = model.conditional(nothing)
        np.testing.assert_array_equal(again.baselines[name].conditional(nothing), expected)
    independent = kept.baselines["independent"]
    share = np.exp(independent.conditional(nothing))[0, independent.layout.slices[0]]
    ones = np.mean(np.asarray(rows().column("a")) == "1")
    assert share[1] == pytest.approx(ones, abs=0.04)  # of nine tenths of the rows


def test_a_policy_needs_a_fit_for_questions(tmp_path: Path) -> None:
    with pytest.raises(FitError, match="purpose 'any' has no such network"):
        fit(tmp_path / "f", purpose="any", policy="spans")
