import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from anypart.data import runs as shipped
from anypart.data.runs import Run, longest_run, runs

from .planted import planted

SMALL = st.lists(st.integers(-12, 12), max_size=25)
ENDS = st.lists(
    st.sampled_from([-(2**63), -(2**63) + 1, -1, 0, 1, 2**63 - 2, 2**63 - 1]), max_size=9
)


def brute_force_longest(values):
    best = 0
    for start in set(values):
        stop = start
        while stop in values:
            stop += 1
        best = max(best, stop - start)
    return best


@given(SMALL | ENDS)
@example([])
@example([-(2**63), 2**63 - 1])
def test_the_longest_run_is_the_one_that_walking_from_every_value_finds(values):
    found = longest_run(values)
    assert found.length == brute_force_longest(values)
    assert all(v in values for v in range(found.start, found.stop))


@given(SMALL | ENDS)
def test_runs_partition_the_values_and_never_touch(values):
    found = runs(values)
    assert sorted(v for r in found for v in range(r.start, r.stop)) == sorted(set(values))
    assert all(a.stop < b.start for a, b in itertools.pairwise(found))


def test_no_values_have_a_run_of_length_zero():
    assert longest_run([]) == Run(0, 0)
    assert longest_run(np.zeros(0, np.int32)).length == 0
    assert runs(pa.array([], pa.int64())) == []


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
def test_runs_take_numpy_and_arrow_of_any_width(kind):
    values = np.array([3, 1, 2, 9], kind)
    assert longest_run(values) == longest_run(pa.array(values)) == Run(1, 4)


def test_the_first_of_two_equal_runs_wins():
    assert longest_run([10, 11, 1, 2]) == Run(1, 3)


def test_runs_of_fractions_are_refused():
    with pytest.raises(TypeError, match="runs are of integers"):
        runs([1.5, 2.5])


def test_the_law_notices_an_off_by_one_in_the_shipped_source():
    broken = planted(shipped, "Run(a, b + 1) for", "Run(a, b) for")
    assert broken.longest_run([1, 2, 3]).length != brute_force_longest([1, 2, 3])
