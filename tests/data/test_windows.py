from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from anypart.data import windows as shipped
from anypart.data.windows import Window, minimum_window_substring, shortest_window

from .planted import planted

TEXT = st.text("abcd", max_size=14)
NEED = st.text("abce", max_size=4)


def every_window(sequence, required):
    need = Counter(required)
    found = [
        (stop - start, start, stop)
        for start in range(len(sequence) + 1)
        for stop in range(start, len(sequence) + 1)
        if not need - Counter(sequence[start:stop])
    ]
    return min(found, default=None)


@given(TEXT, NEED)
@example("ADOBECODEBANC", "ABC")
@example("aa", "aa")
@example("", "")
def test_the_window_is_the_first_shortest_of_all_that_cover(sequence, required):
    best, found = every_window(sequence, required), shortest_window(sequence, required)
    assert found == (None if best is None else Window(*best[1:]))
    assert minimum_window_substring(sequence, required) == (
        "" if best is None else sequence[best[1] : best[2]]
    )


@given(st.lists(st.integers(0, 3), max_size=10), st.lists(st.integers(0, 4), max_size=3))
def test_windows_are_of_any_items_and_of_streams(sequence, required):
    best = every_window(sequence, required)
    assert shortest_window(iter(sequence), iter(required)) == (
        None if best is None else Window(*best[1:])
    )


def test_the_law_notices_a_left_end_that_stays_behind():
    broken = planted(shipped, "] < 0:  # there", "] < -1:  # there")
    assert broken.minimum_window_substring("aab", "ab") != "ab"
