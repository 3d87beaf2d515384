import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given

from anypart.base.errors import DataError
from anypart.data.runs import Run, find, longest_run, runs

from ..planted import planted
from .oracle import ENDS, SMALL, arrays, brute_force_longest, brute_force_runs, partition


@given(SMALL | ENDS)
@example([])
@example([-(2**63), 2**63 - 1])
def test_the_longest_run_is_the_one_that_walking_from_every_value_finds(values):
    assert longest_run(values).bounds == brute_force_longest(values)


@given(SMALL | ENDS)
def test_runs_partition_the_values_and_never_touch(values):
    assert partition(list(runs(values)), values)


@pytest.fixture
def compiled(monkeypatch):
    """Send arrays of any size the way of large ones."""
    monkeypatch.setattr(find, "SMALL", 0)


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 130, 1000, 20_000])
def test_large_arrays_of_every_make_agree_with_walking(n):
    rng = np.random.default_rng(n)
    for name, values in arrays(n, rng):
        expected = brute_force_runs(values.tolist())
        longest = brute_force_longest(values.tolist())
        for method in find.METHODS:
            assert longest_run(values, method=method).bounds == longest, (name, method)
            assert [r.bounds for r in runs(values, method=method)] == expected, (name, method)


@pytest.mark.usefixtures("compiled")
@given(SMALL | ENDS)
def test_large_arrays_agree_with_sorting_on_awkward_values(values):
    array = np.array(values, np.int64)
    assert longest_run(array) == longest_run(array, method="sort")
    assert list(runs(array)) == list(runs(array, method="sort"))


@pytest.mark.usefixtures("compiled")
def test_unsigned_integers_reach_to_their_end():
    top = np.uint64(2**64 - 1) - np.arange(70, dtype=np.uint64)
    for values in (top, np.concatenate([top, np.arange(3, dtype=np.uint64)])):
        assert longest_run(values) == Run(2**64 - 70, 2**64)
        assert runs(values)[-1] == Run(2**64 - 70, 2**64)


@pytest.mark.usefixtures("compiled")
def test_values_outside_the_guessed_range_are_found():
    # The range is guessed from a sample; these outliers stand where it does not look.
    values = np.random.default_rng(0).permutation(200_000)
    for outlier in (-(2**62), 2**62, 400_000, -300_000):
        values[7] = outlier
        assert longest_run(values).bounds == brute_force_longest(values.tolist())


@pytest.mark.usefixtures("compiled")
def test_a_run_over_many_blocks_is_one_run_whatever_the_phase():
    far = np.int64(2**61)
    values = np.concatenate([far + np.arange(1000), np.arange(999), [-far]])
    for _ in range(70):  # each call draws another phase
        assert longest_run(values) == Run(2**61, 2**61 + 1000)


def test_no_values_have_a_run_of_length_zero():
    assert longest_run([]) == Run(0, 0)
    assert longest_run(np.zeros(0, np.int32)).length == 0
    assert list(runs(pa.array([], pa.int64()))) == []


def test_the_first_of_two_equal_runs_wins():
    assert longest_run([10, 11, 1, 2]) == Run(1, 3)


def test_the_gaps_lie_between_the_runs():
    found = runs([-(2**63), 0, 1, 2**63 - 1])
    assert list(found.gaps) == [Run(-(2**63) + 1, 0), Run(2, 2**63 - 1)]
    assert found[1:].longest == Run(0, 2)
    assert found[-1].stop == 2**63


def test_an_unknown_method_is_named_with_the_known_ones():
    with pytest.raises(DataError, match="method='srot' is unknown; methods are linear, sort"):
        longest_run([1], method="srot")


BUGS = {
    "a gap of two counts as none": ("(ordered)) > 1)", "(ordered)) > 2)"),
    "the last value is lost": ("[len(ordered) - 1]", "[len(ordered) - 2]"),
    "the base is forgotten": ("low + int(start), int(length)", "int(start), int(length)"),
    "outliers are not looked for": ("if n_outside:", "if False:"),
}


@pytest.mark.parametrize("bug", BUGS)
def test_the_law_notices_a_bug_in_the_choice_of_the_way(bug):
    broken = planted(find, *BUGS[bug])
    small, dense = [1, 3, 4, 5], np.random.default_rng(0).permutation(200_000) + 5
    hidden = np.arange(200_000) + 10**6
    hidden[::195] = 3  # all that the guess of the range looks at
    makes = (small, dense, hidden)
    assert all(find.longest_run(v).bounds == brute_force_longest(list(v)) for v in makes)
    assert any(broken.longest_run(v).bounds != brute_force_longest(list(v)) for v in makes)
