"""Growth, costs, classification, operations and copies, held against slow and obvious ways."""

from __future__ import annotations

import array
import collections
import copy
import decimal
import dis
import enum
import io
import itertools
import random
import sys
import warnings
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import LensError
from anypart.lens.python import classify, copies, costs, growth, operations, recommend

from ...data.planted import planted


def capacities(n):
    """Room of a list as CPython's Objects/listobject.c, list_resize, grows it by append."""
    room, told = 0, [0]
    for size in range(1, n + 1):
        if size > room:
            room = (size + (size >> 3) + 6) & ~3
        told.append(room)
    return told


def test_a_list_grows_as_the_interpreters_source_says():
    found = growth("list", 3000)
    assert list(found.capacities) == capacities(3000)
    assert found.steps[:11] == (0, 4, 8, 16, 24, 32, 40, 52, 64, 76, 92)
    assert found.same


def test_sizes_are_what_sys_says_without_the_collectors_header():
    found = growth("list", 5)
    held = []
    for item in range(6):
        assert found.sizes[item] == sys.getsizeof(held) - 16
        held.append(item)
    assert [1, 2, 3].__sizeof__() == 72
    assert (1, 2, 3).__sizeof__() == 48


def test_append_is_amortised_and_a_tuple_is_not():
    assert growth("list", 4000).copies_per_item < 10
    assert growth("tuple", 400).copies_per_item > 100
    assert not growth("tuple", 4).same


@pytest.mark.parametrize("kind", ["list", "dict", "set", "bytearray"])
def test_what_grows_is_emptied_again(kind):
    found = growth(kind, 100)
    assert len(found.sizes) == len(found.shrinking) == 101
    assert found.sizes[-1] == found.shrinking[0]
    assert list(found.sizes) == sorted(found.sizes)


def test_growth_of_something_else_is_told():
    with pytest.raises(LensError, match="Did you mean 'list'"):
        growth("lists")
    with pytest.raises(LensError, match="growth of <class 'list'> is not known"):
        growth(list)
    for n in (0, 2.5, "3", None):
        with pytest.raises(LensError, match="1 to 1,000,000"):
            growth("list", n)


def test_an_object_that_answers_nothing_is_classified_too():
    class Mute:
        def __getattribute__(self, name):
            raise RuntimeError(name)

    found = classify(Mute())
    assert (found.type, found.generator, found.iterable, found.mutable) == (
        "Mute", False, False, None,
    )  # fmt: skip


FOUND = costs(0.05, 1000)


def test_constants_are_folded_and_variables_are_not():
    constants, variables = FOUND.of("x = (1, 2, 3)"), FOUND.of("x = (a, b, c)")
    assert "LOAD_CONST (1, 2, 3)" in constants.bytecode
    assert constants.reason == "built once by the compiler, only loaded here"
    assert any(one.startswith("BUILD_TUPLE") for one in variables.bytecode)
    assert "BUILD_TUPLE" in variables.reason


def test_the_bytecode_is_the_interpreters_own():
    def same(l):  # noqa: E741 - the name that the statement has
        x = l[1]  # noqa: F841

    wanted = [one.opname for one in dis.get_instructions(same)]
    told = [one.partition(" ")[0] for one in FOUND.of("x = l[1]").bytecode]
    assert [name for name in wanted if name in told][: len(told)] == told


def test_every_group_has_its_fastest_at_ratio_one():
    for group in {cost.group for cost in FOUND}:
        ratios = [cost.ratio for cost in FOUND if cost.group == group]
        assert min(ratios) == 1.0
        assert all(cost.nanoseconds > 0 for cost in FOUND)


def test_a_generator_stays_small_whatever_the_number():
    sizes = [stream.generator_bytes for stream in FOUND.streams]
    assert len(set(sizes)) == 1
    assert FOUND.streams[-1].list_peak > 10 * FOUND.streams[-1].generator_peak


@dataclass(frozen=True)
class Frozen:
    x: int


@dataclass
class Open:
    x: int


class Slots:
    __slots__ = ("a",)


class Colour(enum.Enum):
    RED = 1


def make():
    yield 1


KNOWN = [
    # value, mutable, hashable, deeply immutable, iterable, iterator, generator
    (1, False, True, True, False, False, False),
    (1.5, False, True, True, False, False, False),
    (True, False, True, True, False, False, False),
    ("text", False, True, True, True, False, False),
    (b"bytes", False, True, True, True, False, False),
    (None, False, True, True, False, False, False),
    ((), False, True, True, True, False, False),
    ((1, (2, "a")), False, True, True, True, False, False),
    ((1, [2]), False, False, False, True, False, False),
    (range(3), False, True, True, True, False, False),
    (frozenset((1, 2)), False, True, True, True, False, False),
    (frozenset(), False, True, True, True, False, False),
    ([], True, False, False, True, False, False),
    ([1], True, False, False, True, False, False),
    ({}, True, False, False, True, False, False),
    ({"a": 1}, True, False, False, True, False, False),
    (set(), True, False, False, True, False, False),
    ({1}, True, False, False, True, False, False),
    (bytearray(b"ab"), True, False, False, True, False, False),
    (collections.deque([1]), True, False, False, True, False, False),
    (collections.Counter("ab"), True, False, False, True, False, False),
    (array.array("i", [1]), True, False, False, True, False, False),
    (Frozen(1), False, True, True, False, False, False),
    (Open(1), True, False, False, False, False, False),
    (collections.namedtuple("P", "x")(1), False, True, True, True, False, False),
    (len, False, True, True, False, False, False),
    (object(), False, True, True, False, False, False),
    (iter([1]), True, True, False, True, True, False),
    (map(str, [1, 2]), True, True, False, True, True, False),
    (make(), None, True, None, True, True, True),
    (np.arange(3), True, False, False, True, False, False),
    (torch.zeros(2), True, True, False, True, False, False),
    (pa.array([1]), False, False, True, True, False, False),
    (io.BytesIO(b"ab"), True, True, False, True, True, False),
    (random.Random(0), True, True, False, False, False, False),
    (np.random.default_rng(0), True, True, False, False, False, False),
    (itertools.count(), True, True, False, True, True, False),
    (decimal.Decimal(1), False, True, True, False, False, False),
]
OF_C = (np.arange(3), np.random.default_rng(0))  # to others attributes can be added


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: type(known[0]).__name__)
def test_kinds_are_found_by_trying(known):
    found = classify(known[0])
    told = (found.mutable, found.hashable, found.deeply_immutable)
    assert told == known[1:4]
    assert (found.iterable, found.iterator, found.generator) == known[4:]


class Going:
    """Its copies are on their way out, as those of itertools are from 3.12 on."""

    def __deepcopy__(self, memo):
        warnings.warn("No copy in a later Python.", DeprecationWarning, stacklevel=2)
        return Going()


def test_an_object_whose_copies_warn_is_tried_all_the_same():
    assert classify(Going()).mutable


def test_warnings_that_stop_the_trying_are_found():
    module = sys.modules["anypart.lens.python.classify"]
    heeds = planted(module, 'simplefilter("ignore", Dep', 'simplefilter("error", Dep')
    assert heeds.classify(Going()).mutable is None


@pytest.mark.parametrize("value", OF_C, ids=lambda value: type(value).__name__)
def test_the_law_of_kinds_notices_that_memory_of_c_is_not_looked_at(value):
    module = sys.modules["anypart.lens.python.classify"]
    assert (
        planted(module, "return pickle.dumps(thing)", "return b''").classify(value).mutable is False
    )


def test_a_generator_can_be_tried_where_another_can_be_made():
    found = classify(make(), make)
    assert found.mutable
    assert "next(x)" in found.changed_by
    assert found.reusable is False


plain = st.recursive(
    st.one_of(st.integers(), st.text(max_size=3), st.none(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=2), inner, max_size=2),
    ),
    max_leaves=6,
)


@given(plain)
def test_to_classify_leaves_the_object_as_it_was(value):
    before, text = copy.deepcopy(value), repr(value)
    classify(value)
    assert value == before
    assert repr(value) == text


def deeply_immutable(value):
    """Say it by what the types are known to be."""
    if isinstance(value, tuple):
        return all(map(deeply_immutable, value))
    return not isinstance(value, (list, dict))


@given(plain)
def test_deep_immutability_is_hashability_of_plain_data(value):
    found = classify(value)
    assert found.deeply_immutable == found.hashable == deeply_immutable(value)


def test_an_iterator_is_not_read_by_looking_at_it():
    one = iter([1, 2])
    classify(one)
    assert list(one) == [1, 2]


def test_every_method_of_lists_and_tuples_is_run():
    codes = " ".join(row.code for row in operations())
    for name in {*dir(list), *dir(tuple)}:
        assert name.startswith("_") or f"x.{name}(" in codes


def test_operations_are_what_the_interpreter_does():
    table = operations()
    for make_one in (list, tuple):
        for row in table:
            x, y = make_one((3, 2, 3, 7, 8, 1)), make_one((5,))
            names = {"x": x, "y": y}
            outcome = row.outcomes[make_one.__name__]
            raised = ""
            try:
                exec(row.code, names)
            except Exception as error:
                raised = type(error).__name__
            assert outcome.worked == (not raised)
            assert outcome.result.startswith(raised)
            assert outcome.mutated == (x != make_one((3, 2, 3, 7, 8, 1)))
            assert outcome.rebound == (names["x"] is not x)


def test_what_differs_is_marked():
    table = operations()
    assert not table.of("x[0]").differs
    assert table.of("x[0] = 9").differs
    assert table.of("x += y").differs
    assert table.of("x is x[:]").differs
    assert table.of("x.count(3)").shared


def test_other_types_bring_their_own_methods():
    table = operations(set, frozenset)
    assert table.of("x.add(9)").outcomes["set"].mutated
    assert not table.of("x.add(9)").outcomes["frozenset"].worked


def test_a_type_that_takes_no_integers_is_told():
    with pytest.raises(LensError, match="made from an iterable of integers"):
        operations(int)


@pytest.mark.parametrize(
    ("needs", "type_name"),
    [
        (("append",), "list"),
        (("sort", "index"), "list"),
        (("key",), "tuple"),
        (("fixed", "walk"), "tuple"),
        (("index",), "tuple"),
        (("append", "key"), ""),
    ],
)
def test_the_recommendation_does_what_is_needed(needs, type_name):
    found = recommend(*needs)
    assert found.type == type_name
    assert found.reasons


def test_a_need_that_is_not_known_is_told():
    with pytest.raises(LensError, match="append, change"):
        recommend("speed")


def containers(value, path="a"):
    """Walk lists, tuples and dictionaries the plain way."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        if isinstance(part, (list, tuple, dict)):
            yield f"{path}[{key!r}]", part
            yield from containers(part, f"{path}[{key!r}]")


@given(st.lists(plain, max_size=3))
def test_what_copies_share_is_what_is_the_same_object(value):
    found = {one.code: one for one in copies(value)}
    assert found["b = a"].same
    shallow, deep = found["b = copy.copy(a)"], found["b = copy.deepcopy(a)"]
    assert not shallow.same
    assert not shallow.own
    paths = dict(containers(value))
    assert set(shallow.shared) <= set(paths)
    again = dict(containers(copy.deepcopy(value)))
    for path in deep.shared:
        assert deeply_immutable(paths[path])
    for path in deep.own:
        assert again[path] is not paths[path]


def test_a_copy_of_what_cannot_change_is_the_same_object():
    assert all(one.same for one in copies((1, (2, 3))))


def test_what_cannot_be_copied_says_why():
    found = {one.code: one for one in copies(make())}
    assert "TypeError" in found["b = copy.copy(a)"].error


def test_slots_are_seen_and_changed():
    thing = Slots()
    thing.a = 1
    assert classify(thing).changed_by == ("setattr(x, name, 'new')", "delattr(x, name)")
    assert classify(Colour.RED).hashable
