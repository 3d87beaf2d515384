import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given

from anypart.base.errors import DataError
from anypart.data import cores
from anypart.data.runs import Run, dense, few, find, halves, longest_run, runs

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
@pytest.mark.parametrize("n_cores", [1, 2, 3])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 130, 1000, 20_000])
def test_large_arrays_of_every_make_agree_with_walking(n, n_cores, monkeypatch):
    monkeypatch.setattr(cores, "cores", lambda: n_cores)
    monkeypatch.setattr(cores, "LEAST", 1)
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


@pytest.mark.usefixtures("compiled")
def test_sparse_values_are_not_sorted_whole(monkeypatch):
    sorted_bytes = list[int]()
    order = halves.ordered
    monkeypatch.setattr(
        halves, "ordered", lambda v, **own: sorted_bytes.append(v.itemsize) or order(v, **own)
    )
    sparse = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 20_000)
    for values, expected in (
        (sparse, [4]),  # the upper halves, of which hardly any are near another
        (np.concatenate([sparse, sparse + 1]), [8]),  # a sample tells that most have a neighbour
    ):
        sorted_bytes.clear()
        assert longest_run(values, method="sort") == longest_run(values)
        assert sorted_bytes == expected


BUGS = {
    "a gap of two counts as none": (find, "(rising.view(U)) > 1)", "(rising.view(U)) > 2)"),
    "the last value is lost": (find, "[len(rising) - 1]", "[len(rising) - 2]"),
    "the base is forgotten": (find, "found[1] + int(start)", "int(start)"),
    "outliers are not looked for": (dense, "if n_outside:", "if False:"),
    "one core's bits are lost": (dense, "bits |= other", "pass"),
    "few: the run before the first hole": (few, "prepend=-1", "prepend=0"),
    "few: repeated values count": (few, "+ 1] - firsts", "+ 1] - firsts + np.uint64(1)"),
    "few: neighbours are not told apart": (few, "np.diff(near) > 1)", "np.diff(near) > 2)"),
}  # fmt: skip


def ways_agree():
    """Whether every way finds what walking finds: few values and many, on one core and two."""
    rng = np.random.default_rng(0)
    dense_values, hidden = rng.permutation(2000) + 5, np.arange(20_000) + 10**6
    hidden[::19] = 3  # all that the guess of the range looks at
    wide = np.concatenate([rng.integers(-(2**62), 2**62, 900), 2**61 + np.arange(90) // 2])
    makes = [np.array(v) for v in ([1, 3, 4, 5], [9, 9, 9], [7, 8, 2**40, 2**40, 2**40 + 2])]
    for values in (*makes, dense_values, hidden, rng.permutation(wide)):
        expected = brute_force_runs(values.tolist())
        longest = brute_force_longest(values.tolist())
        for method in find.METHODS:
            if find.longest_run(values, method=method).bounds != longest:
                return False
            if [r.bounds for r in find.runs(values, method=method)] != expected:
                return False
    return True


@pytest.mark.parametrize("many", [False, True])
def test_every_way_agrees_with_walking_on_two_cores(two_cores, monkeypatch, many):
    monkeypatch.setattr(find, "SMALL", 0 if many else 10**6)
    assert ways_agree()


@pytest.mark.parametrize("bug", BUGS)
def test_the_law_notices_a_bug_in_the_choice_of_the_way(two_cores, monkeypatch, bug):
    module, old, new = BUGS[bug]
    broken = planted(module, old, new)
    for name in ("longest_run", "runs", "marked", "longest_of_few"):
        if hasattr(broken, name):
            monkeypatch.setattr(find, name, getattr(broken, name))
    found = list[bool]()
    for many in (0, 10**6):
        monkeypatch.setattr(broken if module is find else find, "SMALL", many)
        found.append(ways_agree())
    assert not all(found)
