"""Ranges over lists, excerpts, traces, and the profile's covering slice."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import DataError
from anypart.data.windows import (
    Range,
    excerpt,
    minimal_windows,
    ranges,
    shortest_window,
    smallest_range,
    trace_window,
)

from ..planted import planted

LISTS = st.lists(st.lists(st.integers(-20, 20), max_size=5), min_size=1, max_size=4)


def by_choice(lists):
    """Choose a value of every list, in every way."""
    spans = [(max(c) - min(c), min(c), max(c)) for c in itertools.product(*lists)]
    return Range(*min(spans)[1:]) if spans else None


@given(LISTS)
def test_the_smallest_range_is_the_least_over_all_choices(lists):
    assert smallest_range(lists) == by_choice(lists)


def test_the_law_of_ranges_notices_a_bug():
    lists = [[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]]
    broken = planted(ranges, "_value(values[w.stop - 1]) - _value(values[w.start])", "w.length")
    assert smallest_range(lists) == by_choice(lists)
    assert broken.smallest_range(lists).high != by_choice(lists).high


def test_ranges_of_no_lists_are_refused():
    with pytest.raises(DataError, match="There are no lists"):
        smallest_range([])


def test_lists_may_come_from_an_iterator():
    assert smallest_range(iter([[1, 5], iter([4, 9])])) == Range(4, 5)


STORY = "It was the best of times, it was the worst of times, it was the age of wisdom."


def test_an_excerpt_is_the_shortest_part_with_all_the_words():
    found = excerpt(STORY, ["times", "AGE"], most=30)
    assert found.text == "… of times, it was the age of …"
    assert [found.text[a:b] for a, b in found.marks] == ["times", "age"]
    assert found.found == {"times", "age"}


def test_the_words_of_an_excerpt_may_be_a_text():
    assert excerpt(STORY, "times AGE", most=30) == excerpt(STORY, ["times", "AGE"], most=30)


def test_an_excerpt_shows_the_words_that_are_there():
    assert excerpt(STORY, ["wisdom", "folly"], most=10).found == {"wisdom"}
    assert excerpt(STORY, ["folly"]) is None
    assert excerpt("", ["folly"]) is None


def test_an_excerpt_of_chinese_is_found_by_characters():
    found = excerpt("给定一个字符串,找出最小覆盖子串。返回长度。", ["覆盖"], most=6)
    assert "覆盖" in found.text
    assert [found.text[a:b] for a, b in found.marks] == ["覆", "盖"]


def test_a_latin_word_in_chinese_is_one_word():
    found = excerpt("用Python写一个生成器。", ["python"], most=6)
    assert [found.text[a:b] for a, b in found.marks] == ["Python"]


@given(st.text("ab c", max_size=40), st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3))
def test_the_marks_of_an_excerpt_are_its_words(text, words):
    found = excerpt(text, words, most=12)
    if found is not None:
        assert {found.text[a:b] for a, b in found.marks} == found.found <= set(words)


TEXT = st.text("abcd", max_size=14)
NEED = st.text("abce", max_size=4)


@given(TEXT, NEED)
def test_a_trace_moves_each_end_at_most_once_an_item_and_ends_at_the_answer(items, required):
    found = trace_window(items, required)
    assert found.window == shortest_window(items, required)
    assert found.steps <= 2 * len(items)
    assert [m.place for m in found.moves if m.end == "right"] == list(range(len(items)))[
        : len(items) if required else 0
    ]
    for move in found.moves:
        inside = Counter(items[move.window.start : move.window.stop])
        assert dict(move.lacking) == dict(Counter(required) - inside)
        assert found.said(move)


def test_a_trace_keeps_what_is_required_in_its_order_and_reads_it_once():
    assert trace_window("xyxxy", iter("yxy")).required == ("y", "x", "y")
    assert trace_window("xyxxy", {"y": 2, "x": 1}).required == ("y", "y", "x")


def test_the_naive_way_looks_at_more():
    found = trace_window("ab" * 50 + "c", "abc")
    assert found.recounted == sum(range(101, 1, -1)) + 1
    assert found.steps <= 202


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: shortest_window(5, [1]), "5 is no sequence"),
        (lambda: shortest_window([1], None), "None is no list of items to cover"),
        (lambda: shortest_window({1, 2}, [1]), "A set has no order"),
        (lambda: list(minimal_windows({1, 2}, [1])), "A set has no order"),
        (lambda: shortest_window("aa", {"a": 1.5}), "1.5 is no number of times"),
        (lambda: trace_window("aa", {"a": "x"}), "'x' is no number of times"),
        (lambda: shortest_window([1], [[1]]), "Make it one that can, such as a tuple"),
        (lambda: shortest_window([1, [2]], [2]), "Item 1 of the sequence"),
        (lambda: smallest_range([["a"], ["b"]]), "no list of numbers or dates"),
        (lambda: smallest_range([1, 2]), "1 is no list of numbers or dates"),
        (lambda: smallest_range([[[1, 2], [3]], [4]]), "is no list of numbers or dates"),
        (lambda: smallest_range(None), "None is no list of lists"),
    ],
)
def test_what_has_no_hash_or_no_differences_is_refused(ask, message):
    with pytest.raises(DataError, match=message):
        ask()
