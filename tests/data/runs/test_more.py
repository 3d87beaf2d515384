"""Streams, groups, traces and schedules of runs."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.runs import Run, RunStream, groups, longest_runs, runs, stream, trace_run
from anypart.data.runs.schedule import schedule
from anypart.data.runs.trace import count_steps

from ..planted import planted
from .oracle import ENDS, SMALL, brute_force_longest, brute_force_runs

BATCHES = st.lists(SMALL | ENDS, max_size=6)


def streamed(module, batches, least=0):
    module._LEAST, kept = least, module._LEAST
    try:
        found = module.RunStream()
        for batch in batches:
            found.update(batch)
        return [r.bounds for r in found.runs]
    finally:
        module._LEAST = kept


@given(BATCHES, st.sampled_from([0, 5, 4096]))
def test_a_stream_holds_the_runs_of_all_that_came(batches, least):
    expected = brute_force_runs([v for batch in batches for v in batch])
    assert streamed(stream, batches, least) == expected


@given(BATCHES, BATCHES)
def test_streams_over_parts_join_to_the_stream_over_all(left, right):
    one, other = RunStream(), RunStream()
    for found, batches in ((one, left), (other, right)):
        for batch in batches:
            found.update(batch)
    before = list(other.runs)
    one.join(other)
    assert [r.bounds for r in one.runs] == brute_force_runs([v for b in left + right for v in b])
    assert list(other.runs) == before


def test_single_values_merge_runs_as_they_arrive():
    found = RunStream()
    lengths = []
    for value in (1, 3, 2, 9, 2):
        found.add(value)
        lengths.append(found.longest.length)
    assert lengths == [1, 1, 3, 3, 3]


def test_a_stream_of_one_kind_refuses_another():
    days = RunStream("day")
    days.update(np.array(["2024-01-01"], "M8[D]"))
    assert days.longest.length == 1
    numbers = RunStream()
    numbers.update([1])
    with pytest.raises(DataError, match="Make another stream"):
        numbers.update(np.array(["2024-01-01"], "M8[D]"))
    with pytest.raises(DataError, match="holds int64 integers"):
        numbers.update([2**63])


def test_the_law_of_streams_notices_runs_that_are_not_merged():
    batches = [[1, 2, 3, 9], [2], [4]]
    expected = brute_force_runs([1, 2, 3, 4, 9])
    assert streamed(stream, batches) == expected
    for old, new in (
        ("np.maximum.accumulate(np.concatenate([self._lasts, lasts])[order])",
         "np.concatenate([self._lasts, lasts])[order]"),
        ("view(np.uint64) > 1)", "view(np.uint64) > 0)"),
    ):  # fmt: skip
        assert streamed(planted(stream, old, new), batches) != expected


PAIRS = st.lists(st.tuples(st.sampled_from(["a", "b", None, "c"]), st.integers(-9, 9)), max_size=30)
FAR = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([-(2**63), -(2**63) + 1, 0, 1, 2**63 - 1])),
    max_size=12,
)


def by_hand(pairs):
    return {
        group: brute_force_longest([v for g, v in pairs if g == group])
        for group in dict.fromkeys(g for g, _ in pairs)
    }


def bounds_by_group(module, pairs):
    found = module.longest_runs([g for g, _ in pairs], [v for _, v in pairs])
    return {group: run.bounds for group, run in found.items()}


@given(PAIRS | FAR)
def test_the_longest_run_of_each_group_is_that_of_its_values(pairs):
    found = bounds_by_group(groups, pairs)
    assert found == by_hand(pairs)
    assert list(found) == list(by_hand(pairs))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("int(offsets.max()) + 2  # one", "int(offsets.max()) + 1  # one"),
        ("back[first[best]]", "first[best]"),
        (
            "np.minimum(np.diff(ordered), np.uint64(2))",
            "np.minimum(np.diff(ordered), np.uint64(1))",
        ),
    ],
)
def test_the_law_of_groups_notices_a_bug(old, new):
    near = [(0, 8), (1, 1), (0, 9), (1, 0), (0, 0), (1, 3)]
    far = [(g, v) for g in (0, 1) for v in (-(2**63), 0, 2, 3, 2**63 - 1)]
    broken = planted(groups, old, new)
    assert all(bounds_by_group(groups, p) == by_hand(p) for p in (near, far))
    assert any(bounds_by_group(broken, p) != by_hand(p) for p in (near, far))


def test_streaks_of_users_are_days_in_a_row():
    days = np.array(["2024-02-28", "2024-03-01", "2024-02-29", "2024-03-01"], "M8[D]")
    found = longest_runs(["ann", "bob", "ann", "ann"], days, step="day")
    assert {user: run.length for user, run in found.items()} == {"ann": 3, "bob": 1}


def test_groups_and_values_of_different_numbers_are_refused():
    with pytest.raises(DataError, match="2 groups and 1 values"):
        longest_runs(["a", "b"], [1])


class Other:
    """No column, but items that have a hash."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


GROUPS = {
    "integers": [2, 1, 2],
    "of two kinds": [1, "a", 1],
    "pairs": [("a", 1), ("b", 2), ("a", 1)],
    "beyond 64 bits": [2**70, 1, 2**70],
    "truths": [True, False, True],
    "with None": [None, "a", None],
}
HOLDERS = {
    "list": list,
    "iterator": iter,
    "any iterable": Other,
    "objects": lambda v: np.fromiter(v, object, len(v)),
    "pandas": lambda v: pd.Series(v, dtype=object),
}


#: Arrow, which pandas speaks, does not hold the others.
NOT_HELD = {("pandas", kind) for kind in ("of two kinds", "pairs", "beyond 64 bits")}


@pytest.mark.parametrize(
    ("holder", "groups_of"), sorted({(h, g) for h in HOLDERS for g in GROUPS} - NOT_HELD)
)
def test_groups_are_whatever_has_a_hash(holder, groups_of):
    a, b, _ = GROUPS[groups_of]
    assert longest_runs(HOLDERS[holder]([a, b, a]), [1, 2, 2]) == {a: Run(1, 3), b: Run(2, 3)}


def test_groups_are_read_from_tensors_and_categories():
    assert longest_runs(torch.tensor([5, 6, 5]), [1, 2, 2]) == {5: Run(1, 3), 6: Run(2, 3)}
    words = pl.Series(["a", "b", "a"], dtype=pl.Categorical)
    for held in (words, pd.Series(["a", "b", "a"]).astype("category"), np.array(["a", "b", "a"])):
        assert longest_runs(held, [1, 2, 2]) == {"a": Run(1, 3), "b": Run(2, 3)}


@pytest.mark.parametrize(("wrong", "said"), [(5, "5 is no list of groups"), ([[1]], "has a hash")])
def test_what_are_no_groups_is_refused(wrong, said):
    with pytest.raises(DataError, match=said):
        longest_runs(wrong, [1])


def test_the_runs_of_a_stream_cannot_be_changed_from_outside():
    kept = RunStream()
    kept.update([1, 2, 9])
    with pytest.raises(ValueError, match="read-only"):
        kept.runs.starts[0] = 5
    with pytest.raises(ValueError, match="read-only"):
        kept.runs[:1].lasts[0] = 5
    assert list(kept.runs) == [Run(1, 3), Run(9, 10)]


def test_runs_do_not_descend():
    with pytest.raises(DataError, match="Take reversed"):
        runs([1, 5])[::-1]
    assert list(reversed(runs([1, 5]))) == [Run(5, 6), Run(1, 2)]


def counted(values, guard, distinct):
    """Count by walking, as the steps are defined."""
    there, steps = set(values), 0
    for value in there if distinct else values:
        steps += 1
        if guard and value - 1 in there:
            continue
        while value + 1 in there:
            value, steps = value + 1, steps + 1
    return steps


@given(SMALL, st.booleans(), st.booleans())
def test_steps_are_counted_as_they_are_walked(values, guard, distinct):
    assert count_steps(values, guard=guard, distinct=distinct) == counted(values, guard, distinct)


def test_the_guard_and_the_set_save_what_they_are_known_to_save():
    assert count_steps(range(4000)) == 7_999
    assert count_steps(range(4000), guard=False) == 8_002_000
    repeated = [1] * 2001 + list(range(2, 2001))
    assert count_steps(repeated) == 3_999
    assert count_steps(repeated, distinct=False) == 4_003_999


@given(SMALL)
def test_a_trace_visits_every_value_once_and_finds_the_longest(values):
    found = trace_run(values)
    assert [v.value for v in found.visits] == list(dict.fromkeys(values))
    assert found.run.length == brute_force_longest(values)[1] - brute_force_longest(values)[0]
    assert found.steps == counted(values, guard=True, distinct=True)
    assert found.visits[-1].steps == found.steps if values else not found.visits
    for visit in found.visits:
        assert visit.starts == (visit.value - 1 not in values)
        assert all(v in values for v in visit.walked)


@given(SMALL)
def test_a_trace_of_days_is_that_of_their_numbers(numbers):
    found = trace_run(np.array(numbers, np.int64).view("M8[D]"))
    plain = trace_run(numbers)
    assert [v.steps for v in found.visits] == [v.steps for v in plain.visits]
    assert [len(v.walked) for v in found.visits] == [len(v.walked) for v in plain.visits]
    assert (found.steps, found.unguarded, found.repeated) == (
        plain.steps, plain.unguarded, plain.repeated
    )  # fmt: skip
    assert found.run.length == plain.run.length
    for day, number in zip(found.visits, plain.visits, strict=True):
        assert day.value.astype(int) == number.value
        assert day.best.length == number.best.length


def test_a_trace_of_times_names_them():
    times = [dt.datetime(2024, 1, 1, 0, 21), dt.datetime(2024, 1, 1, 0, 5)]
    found = trace_run(times, step="15 minutes")
    assert found.visits[1].said == (
        "2024-01-01T00:00 starts a run to 2024-01-01T00:15: 2023-12-31T23:45 is not there; length 2"
    )
    assert json.loads(json.dumps(found.to_json()))["run"]["stop"] == "2024-01-01T00:30"


def test_a_schedule_is_the_step_that_most_times_keep():
    hours = np.array([0, 1, 2, 3, 7, 8, 9, 9]) * 3600.0
    found = schedule(hours)
    assert (found.step, found.whole) == (3600, False)
    assert list(found.runs) == [Run(0, 4), Run(7, 10)]
    assert schedule(np.array([0.0, 5, 17, 100])) is None
    assert schedule(np.array([1.0, 2])) is None


def test_a_dense_run_makes_a_key_and_nothing_else_would(monkeypatch):
    ids = np.random.default_rng(0).permutation(30) + 1  # few, shuffled, with a plain name
    table = {"nr": ids.tolist(), "word": ["a", "b", "c"] * 10}
    assert infer_schema(read(table)).columns[0].kind == "key"
    monkeypatch.setattr("anypart.data.guess.longest_run", lambda values: Run(0, 0))
    assert infer_schema(read(table)).columns[0].kind == "count"
