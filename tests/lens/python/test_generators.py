"""Generators stepped: held against what the generator does when nobody looks."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import LensError
from anypart.lens.python import Limits, step_expression, step_generator
from anypart.lens.python.inside import stepping


def echo():
    got = "first"
    total = 0
    while got is not None:
        try:
            got = yield got
            total += 1
        except ValueError as error:
            got = f"caught {error}"
    return total


def outer():
    try:
        result = yield from echo()
        yield result * 10
    finally:
        result = None


ACTIONS = st.lists(
    st.one_of(
        st.just("next"),
        st.tuples(st.just("send"), st.sampled_from(["a", None, 3])),
        st.tuples(st.just("throw"), st.sampled_from([ValueError("v"), KeyError("k")])),
        st.just("close"),
    ),
    min_size=1,
    max_size=8,
)


def by_hand(generator, actions):
    """Drive a generator and write down what it did, until it is finished."""
    told = []
    for action in actions:
        name, value = (action, None) if isinstance(action, str) else action
        try:
            if name == "next":
                told.append(("yielded", repr(next(generator))))
            elif name == "send":
                told.append(("yielded", repr(generator.send(value))))
            elif name == "throw":
                told.append(("yielded", repr(generator.throw(value))))
            else:
                generator.close()
                told.append(("closed", "None"))
        except StopIteration as stop:
            told.append(("returned", repr(stop.value)))
        except Exception as error:
            told.append(("raised", type(error).__name__))
        if generator.gi_frame is None:
            break
    return told


@given(ACTIONS, st.sampled_from([echo, outer]))
def test_stepping_changes_nothing_of_what_a_generator_does(actions, make):
    trace = step_generator(make(), actions)
    seen = [(s.outcome, s.raised.type if s.raised else s.value) for s in trace]
    assert seen == by_hand(make(), actions)


def test_the_law_bites(monkeypatch):
    take = stepping._take

    def forgetful(generator, name, given, lines):
        return take(generator, "next" if name == "send" else name, None, lines)

    monkeypatch.setattr(stepping, "_take", forgetful)
    actions = ["next", ("send", "a")]
    trace = step_generator(echo(), actions)
    assert [(s.outcome, s.value) for s in trace] != by_hand(echo(), actions)


def test_lines_locals_and_the_place_of_rest_are_told():
    first = echo.__code__.co_firstlineno
    trace = step_generator(echo(), ["next", ("send", "hi")])
    assert [line - first for _, line in trace.steps[0].lines] == [1, 2, 3, 4, 5]
    assert [line - first for _, line in trace.steps[1].lines] == [6, 3, 4, 5]
    assert trace.steps[1].locals == {"got": "'hi'", "total": "1"}
    assert trace.steps[1].line == first + 5
    assert trace.first_line == first
    assert trace.source.splitlines()[0] == "def echo():"


def test_a_generator_that_hands_over_says_to_whom():
    step = step_generator(outer(), ["next"]).steps[0]
    assert step.inner is not None
    assert step.inner.startswith("echo at line")


def test_without_actions_it_is_asked_until_stop_iteration():
    def three():
        yield from range(3)
        return "done"

    trace = step_generator(three())
    assert trace.values == ["0", "1", "2"]
    assert (trace.steps[-1].outcome, trace.steps[-1].value) == ("returned", "'done'")
    assert trace.steps[-1].line is None


def test_a_stream_without_an_end_is_asked_a_hundred_times():
    def naturals():
        n = 0
        while True:
            yield n
            n += 1

    assert len(step_generator(naturals())) == 100


def test_a_trace_function_that_was_there_is_there_afterwards():
    before = sys.gettrace()
    step_generator(echo())
    assert sys.gettrace() is before


@pytest.mark.parametrize("wrong", ["send", ("next", 1), "jump", ("close", 2), ("send",), 3])
def test_an_action_that_is_none_is_told(wrong):
    with pytest.raises(LensError, match="is no action"):
        step_generator(echo(), [wrong])


@pytest.mark.parametrize("wrong", ["next", 5])
def test_actions_that_are_no_list_are_told(wrong):
    with pytest.raises(LensError, match="is no list of actions"):
        step_generator(echo(), wrong)
    with pytest.raises(LensError, match="is no list of actions"):
        step_expression(SOURCE, "f(1)", wrong)


SOURCE = "def f(n):\n    got = yield n\n    print('got', got)\n    return got\n"


def test_an_expression_is_stepped_in_a_process_of_its_own():
    trace = step_expression(SOURCE, "f(3)", ["next", "send 'hi'"])
    assert [(s.outcome, s.value) for s in trace] == [("yielded", "3"), ("returned", "'hi'")]
    assert trace.output == "got hi\n"
    assert trace.source == SOURCE
    assert [line for _, line in trace.steps[0].lines] == [2]


@pytest.mark.parametrize(
    ("source", "expression", "words"),
    [
        (SOURCE, "[1]", "it is a list"),
        ("x = = 1", "f(3)", "SyntaxError"),
        (SOURCE, "g(3)", "NameError"),
        ("open('/etc/passwd')", "f(3)", "the lens does not let"),
    ],
)
def test_what_gives_no_generator_is_told(source, expression, words):
    with pytest.raises(LensError, match=words):
        step_expression(source, expression)


def test_a_source_that_does_not_end_is_ended():
    with pytest.raises(LensError, match="did not end"):
        step_expression("while True: pass", "f()", limits=Limits(seconds=1.0))


@pytest.mark.parametrize("wrong", ["send", "next 3", "jump", 3])
def test_an_action_in_words_that_is_none_is_told(wrong):
    with pytest.raises(LensError, match="is no action"):
        step_expression(SOURCE, "f(1)", [wrong])
