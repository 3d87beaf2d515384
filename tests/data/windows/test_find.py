from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data import kernel as compiling
from anypart.data.windows import (
    Window,
    find,
    loops,
    minimal_windows,
    minimum_window_substring,
    shortest_window,
    stream,
)

from ..planted import planted

TEXT = st.text("abcd", max_size=14)
NEED = st.text("abce", max_size=4)
NUMBERS = st.lists(st.integers(-2, 3), max_size=14)
SOME = st.lists(st.integers(-2, 4), max_size=4)


def covers(items, required):
    return not Counter(required) - Counter(items)


def every_window(sequence, required):
    """All windows that cover, as (length, start, stop)."""
    return [
        (stop - start, start, stop)
        for start in range(len(sequence) + 1)
        for stop in range(start, len(sequence) + 1)
        if covers(sequence[start:stop], required)
    ]


def first_shortest(sequence, required):
    best = min(every_window(sequence, required), default=None)
    return None if best is None else Window(*best[1:])


def all_minimal(sequence, required):
    found = [(start, stop) for _, start, stop in every_window(sequence, required)]
    inside = {(a, b) for a, b in found}
    return [
        (a, b)
        for a, b in found
        if (a + 1, b) not in inside and (a, b - 1) not in inside and (required or (a, b) == (0, 0))
    ]


@pytest.fixture(params=["python", "compiled"])
def way(request, monkeypatch):
    """Take short sequences the way of long ones, too."""
    if request.param == "compiled":
        monkeypatch.setattr(find, "SMALL", 0)


@pytest.mark.usefixtures("way")
@given(TEXT, NEED)
@example("ADOBECODEBANC", "ABC")
@example("aa", "aa")
@example("", "")
@example("", "a")
def test_the_window_is_the_first_shortest_of_all_that_cover(sequence, required):
    expected = first_shortest(sequence, required)
    assert shortest_window(sequence, required) == expected
    substring = "" if expected is None else sequence[expected.start : expected.stop]
    assert minimum_window_substring(sequence, required) == substring


def test_the_three_known_answers():
    assert minimum_window_substring("ADOBECODEBANC", "ABC") == "BANC"
    assert minimum_window_substring("a", "a") == "a"
    assert minimum_window_substring("a", "aa") == ""


MAKERS = {
    "list": list,
    "iterator": iter,
    "int64": lambda v: np.array(v, np.int64),
    "int8": lambda v: np.array(v, np.int8),
    "strided": lambda v: np.repeat(np.array(v, np.int64), 2)[::2],
    "torch": lambda v: torch.tensor(v, dtype=torch.int32),
    "arrow": lambda v: pa.array(v, pa.int16()),
    "chunks": lambda v: pa.chunked_array([v[:5], v[5:]], pa.int64()),
    "dictionary": lambda v: pa.array(v, pa.int64()).dictionary_encode(),
    "floats": lambda v: np.array(v, np.float64),
}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("maker", MAKERS)
@settings(max_examples=25)
@given(sequence=NUMBERS, required=SOME)
def test_windows_are_of_whatever_holds_the_items(maker, sequence, required):
    make = MAKERS[maker]
    assert shortest_window(make(sequence), required) == first_shortest(sequence, required)
    if maker != "torch":
        assert shortest_window(sequence, make(required)) == first_shortest(sequence, required)


@pytest.mark.usefixtures("way")
def test_words_nulls_bytes_and_wide_integers_are_items():
    words = pa.array(["to", None, "be", "or", "to"])
    assert shortest_window(words, ["be", None]) == Window(1, 3)
    assert shortest_window(words, [7]) is None
    assert shortest_window(b"abcab", b"ca") == Window(2, 4)
    far = np.array([0, 2**63 - 1, -(2**63), 5], np.int64)
    assert shortest_window(far, [-(2**63), 2**63 - 1]) == Window(1, 3)
    assert shortest_window(far, [2**63]) is None
    top = np.array([1, 2**64 - 1, 2**64 - 2], np.uint64)
    assert shortest_window(top, [2**64 - 2, 2**64 - 1]) == Window(1, 3)
    assert shortest_window("añb𝒜c", "𝒜ñ") == Window(1, 4)
    assert shortest_window("ab", ["ab"]) is None
    assert shortest_window(np.array([True, False]), [False]) == Window(1, 2)


def test_an_array_with_two_axes_is_refused():
    with pytest.raises(DataError, match="along one axis; this array has 2"):
        shortest_window(np.zeros((2, 2), np.int64), [0])


@given(TEXT, NEED)
def test_the_stream_yields_the_minimal_windows_and_no_others(sequence, required):
    found = [(w.start, w.stop) for w in minimal_windows(iter(sequence), required)]
    assert found == all_minimal(sequence, required)


def test_a_stream_may_be_endless():
    def endless():
        while True:
            yield from "xxaxbxxab"

    windows = minimal_windows(endless(), "ab")
    assert [(w := next(windows)).length for _ in range(4)] == [3, 4, 2, 4]
    assert (w.start, w.stop) == (8, 12)


def test_the_stream_keeps_as_many_places_as_items_are_required():
    held = []

    def watched():
        for item in "ab" * 500:
            frame = windows.gi_frame
            held.append(len(frame.f_locals["kept"]) if "kept" in frame.f_locals else 0)
            yield item

    windows = minimal_windows(watched(), "aab")
    assert sum(1 for _ in windows) > 400
    assert max(held) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("gone == next(iter(kept))", "gone != next(iter(kept))"),
        ("< need[item]", "<= need[item]"),
        ("del kept[gone]", "pass"),
    ],
)
def test_the_law_of_the_stream_notices_a_bug(old, new):
    broken = planted(stream, old, new)

    def law(module):
        cases = ("abcab", "ab"), ("aabba", "aab"), ("xaxbxa", "ab")
        return all(
            [(w.start, w.stop) for w in module.minimal_windows(s, t)] == all_minimal(s, t)
            for s, t in cases
        )

    assert law(stream)
    assert not law(broken)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("elif gone == start:", "elif gone < start:"),
        ("if slot < first[target + 1] else first[target]", ""),
        ("< best:", "<= best:"),
        ("lacking -= gone < 0", "lacking -= 1"),
        ("ring[oldest[target]] == start:", "ring[oldest[target]] >= start:"),
    ],
)
def test_the_law_of_the_loop_notices_a_bug(old, new, monkeypatch):
    monkeypatch.setattr(compiling, "kernel", lambda loop: loop)  # plain Python cannot run astray
    broken = planted(loops, old, new)

    def law(module):
        rng = np.random.default_rng(0)
        for _ in range(60):
            symbols = rng.integers(0, 4, 30)
            required = rng.integers(0, 3, rng.integers(1, 5)).tolist()
            counts = Counter(required)
            table = np.array([list(counts).index(i) if i in counts else -1 for i in range(3)])
            need = np.array(list(counts.values()))
            try:
                start, length = module.shortest(symbols, 0, table, need)
            except IndexError:
                return False
            expected = first_shortest(symbols.tolist(), required)
            if (None if start < 0 else Window(int(start), int(start + length))) != expected:
                return False
        return True

    with np.errstate(over="ignore"):
        assert law(loops)
        assert not law(broken)
