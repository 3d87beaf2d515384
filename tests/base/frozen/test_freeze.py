"""Frozen values, and every operation that changes a value in Python tried on them."""

import array
import collections
import contextlib
import copy
import dataclasses
import datetime as dt
import io
import json
import operator
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anypart.base.errors import FreezeError
from anypart.base.frozen import FrozenDict, freeze, is_frozen, thaw
from anypart.data.files import read
from anypart.data.infer import infer_schema

from ...data.planted import planted


@dataclasses.dataclass(frozen=True)
class Settings:
    name: str
    sizes: object
    by: object


MUTABLE = {
    "list": [3, 1, [2]],
    "dict": {"a": [1], "b": {"c": {1, 2}}},
    "set": {1, 2},
    "bytes": bytearray(b"ab"),
    "array": np.arange(6.0),
    "settings": Settings("x", [1, 2], {"k": np.zeros(2)}),
}


def changing(name, act):
    return pytest.param(act, id=name)


def inplace(symbol, other):
    def act(v):
        getattr(operator, symbol)(v, other)

    return act


def call(method, *arguments, **named):
    return lambda v: getattr(v, method)(*arguments, **named)


OPERATIONS = {
    "set item 0": lambda v: operator.setitem(v, 0, 9),
    "set item 'a'": lambda v: operator.setitem(v, "a", 9),
    "set slice": lambda v: operator.setitem(v, slice(0, 1), [9]),
    "set everything": lambda v: operator.setitem(v, ..., 9),
    "delete item 0": lambda v: operator.delitem(v, 0),
    "delete item 'a'": lambda v: operator.delitem(v, "a"),
    "delete slice": lambda v: operator.delitem(v, slice(0, 1)),
    "set attribute": lambda v: setattr(v, "name", 9),
    "set new attribute": lambda v: setattr(v, "other", 9),
    "delete attribute": lambda v: delattr(v, "name"),
    "set class": lambda v: setattr(v, "__class__", list),
    "set dict": lambda v: setattr(v, "__dict__", {}),
    "object set new attribute": lambda v: object.__setattr__(v, "_held", {}),
    "object set shape": lambda v: object.__setattr__(v, "shape", (1, -1)),
    "object set dtype": lambda v: object.__setattr__(v, "dtype", np.dtype("i8")),
    "ndarray set strides": lambda v: np.ndarray.__setattr__(v, "strides", (0,)),
    "array state": lambda v: v.__setstate__((1, (2,), np.dtype("f8"), False, bytes(16))),
    "nditer": lambda v: [x.__setitem__(..., 9) for x in np.nditer(v, op_flags=["readwrite"])],
    "sort a view": lambda v: v[::-1].sort(),
    "read into": lambda v: io.BytesIO(b"x" * 99).readinto(v),
    "object set class": lambda v: object.__setattr__(v, "__class__", dict),
    **{f"{s} list": inplace(s, [9]) for s in ("iadd", "iconcat", "imul", "ior", "isub")},
    **{f"{s} dict": inplace(s, {"z": 1}) for s in ("ior", "iadd", "iand", "ixor")},
    **{f"{s} set": inplace(s, {9}) for s in ("ior", "iand", "isub", "ixor")},
    **{
        f"{s} number": inplace(s, 3)
        for s in ("iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "imatmul")
    },
    **{f"{s} integer": inplace(s, 1) for s in ("ilshift", "irshift", "iand", "ior", "ixor")},
    "append": call("append", 9), "appendleft": call("appendleft", 9),
    "extend": call("extend", [9]), "insert": call("insert", 0, 9), "pop": call("pop"),
    "pop 'a'": call("pop", "a"), "popitem": call("popitem"), "remove": call("remove", 1),
    "clear": call("clear"), "sort": call("sort"), "reverse": call("reverse"),
    "update": call("update", {"z": 1}), "setdefault": call("setdefault", "z", 1),
    "add": call("add", 9), "discard": call("discard", 1), "move_to_end": call("move_to_end", "a"),
    "difference_update": call("difference_update", {1}),
    "intersection_update": call("intersection_update", {1}),
    "symmetric_difference_update": call("symmetric_difference_update", {1}),
    "__setitem__": call("__setitem__", 0, 9), "__delitem__": call("__delitem__", 0),
    "__init__": call("__init__", [9]), "__setstate__": call("__setstate__", {"name": 9}),
    "__ior__": call("__ior__", {"z": 1}), "__iadd__": call("__iadd__", [9]),
    "fill": call("fill", 9), "itemset": call("itemset", 0, 9), "put": call("put", 0, 9),
    "resize": call("resize", 3), "partition": call("partition", 1),
    "byteswap": call("byteswap", inplace=True), "setflags": call("setflags", write=True),
    "setfield": call("setfield", 9, np.float64),
    "setflags and set": lambda v: (v.setflags(write=True), operator.setitem(v, 0, 9)),
    "writeable": lambda v: setattr(v.flags, "writeable", True),
    "shape": lambda v: setattr(v, "shape", (1, -1)), "dtype": lambda v: setattr(v, "dtype", "i8"),
    "strides": lambda v: setattr(v, "strides", (0,)),
    "real": lambda v: setattr(v, "real", 9), "flat": lambda v: setattr(v, "flat", 9),
    "flat item": lambda v: operator.setitem(v.flat, 0, 9),
    "base": lambda v: operator.setitem(np.asarray(v), 0, 9),
    "view": lambda v: operator.setitem(v.view(np.ndarray), 0, 9),
    "memoryview": lambda v: operator.setitem(memoryview(v), 0, 9),
    "np.copyto": lambda v: np.copyto(v, 9), "np.put": lambda v: np.put(v, 0, 9),
    "np.place": lambda v: np.place(v, v == v, [9]), "np.putmask": lambda v: np.putmask(v, [1], 9),
    "np.fill_diagonal": lambda v: np.fill_diagonal(v, 9), "add.at": lambda v: np.add.at(v, 0, 9),
    "out": lambda v: np.add(v, 1, out=v), "shuffle": lambda v: np.random.default_rng(0).shuffle(v),
    "unpickle over": lambda v: v.__init__(*pickle.loads(pickle.dumps(([9],)))),
    "vars": lambda v: vars(v).update(name=9), "fields": lambda v: v.__dict__.clear(),
    "dict.__setitem__": lambda v: dict.__setitem__(v, "a", 9),
    "dict.update": lambda v: dict.update(v, a=9), "list.append": lambda v: list.append(v, 9),
    "set.add": lambda v: set.add(v, 9), "inner": lambda v: v["a"].append(9),
    "inner set": lambda v: v["b"]["c"].add(9), "inner list": lambda v: v[2].append(9),
    "inner field": lambda v: v.sizes.append(9), "inner array": lambda v: v.by["k"].fill(9),
    "keys": lambda v: v.keys().clear(), "values": lambda v: v.values().append(1),
    "extend itself": lambda v: v.extend(v), "slice in place": lambda v: v[:].append(9),
}  # fmt: skip
AROUND = ("vars", "fields", "object set", "ndarray set")  # a frozen dataclass has a dict


def state(value):
    """What a change would change."""
    held = vars(value) if isinstance(value, Settings) else value
    own = {} if isinstance(value, Settings) else getattr(value, "__dict__", {})
    return repr(held), getattr(value, "shape", None), type(value), dict(own)


def test_more_than_sixty_operations_are_tried():
    assert len(OPERATIONS) > 80


def survives(operation, freeze=freeze, is_frozen=is_frozen):
    """Whether no frozen value is changed by an operation, nor stops being frozen."""
    for name, value in MUTABLE.items():
        if name == "settings" and operation.startswith(AROUND):
            continue
        frozen = freeze(value)
        before = state(frozen)
        with contextlib.suppress(Exception):
            OPERATIONS[operation](frozen)
        if state(frozen) != before or not is_frozen(frozen):
            return False
    return True


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("operation", OPERATIONS)
def test_frozen_values_survive_every_operation_that_changes_values(operation):
    assert survives(operation)


NUMPY = tuple(map(int, np.__version__.split(".")[:2]))
ARRAY = "np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape).view(FrozenArray)"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("operation", "old", "new"),
    [
        ("inner list", "return tuple(_freeze(v, within) for v in value)", "return tuple(value)"),
        ("inner", "_freeze(k, within): _freeze(v, within)", "k: v"),
        ("inner field", "field.name, _freeze(getattr(value, field.name), within)",
         "field.name, getattr(value, field.name)"),
        ("fill", ARRAY, "array.copy()"),
        pytest.param(
            "add.at", "if any(isinstance(array, FrozenArray) for array in written)", "if False",
            marks=pytest.mark.skipif(NUMPY >= (2, 5), reason="NumPy refuses it itself"),
        ),
        ("object set shape", "property(getattr(np.ndarray, _name).__get__)",
         "getattr(np.ndarray, _name)"),
        ("array state", "def __setstate__", "def _setstate"),
    ],
)  # fmt: skip
def test_the_law_of_frozen_values_notices_a_bug(operation, old, new):
    broken = planted(sys.modules["anypart.base.frozen.freeze"], old, new)
    assert survives(operation)
    # What is said of frozen values is asked of the right source: the bug is in the values.
    assert not survives(operation, broken.freeze, lambda value: True)


def test_a_frozen_mapping_keeps_nothing_of_the_one_it_was_made_of():
    given_away = {"a": 1}
    held = FrozenDict(given_away)
    given_away["a"] = 9
    assert held == {"a": 1}
    module = sys.modules["anypart.base.frozen.mapping"]
    broken = planted(module, "(MappingProxyType(dict(items or {})),)", "(items or {},)")
    held = broken.FrozenDict(given_away)
    given_away["a"] = 2
    assert held["a"] == 2


def test_a_deep_copy_of_a_mapping_of_what_can_change_is_one_of_its_own():
    one = FrozenDict({"a": [1]})
    other = copy.deepcopy(one)
    one["a"].append(2)
    assert (type(other), other["a"]) == (FrozenDict, [1])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_operations_do_change_what_is_not_frozen():
    """Most operations must change some value, or the test above could not fail."""
    changed = set()
    for operation, act in OPERATIONS.items():
        for value in [*MUTABLE.values(), np.arange(6), collections.deque([1, 2]), {1: 2, 0: 3}]:
            tried = copy.deepcopy(value)
            before = state(tried)
            with contextlib.suppress(Exception):
                act(tried)
            if state(tried) != before:
                changed.add(operation)
    assert len(changed) >= 60, sorted(set(OPERATIONS) - changed)


VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.none() | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=2), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def listed(value):
    if isinstance(value, dict):
        return {k: listed(v) for k, v in value.items()}
    return [listed(v) for v in value] if isinstance(value, list | tuple) else value


@given(VALUES)
def test_freezing_keeps_what_is_held_and_shares_nothing_that_changes(value):
    frozen = freeze(value)
    assert thaw(frozen) == listed(value)
    assert is_frozen(frozen)
    assert freeze(frozen) is frozen
    hash(frozen)
    assert pickle.loads(pickle.dumps(frozen)) == frozen
    assert copy.deepcopy(frozen) == frozen


def test_the_original_goes_its_own_way():
    value = {"a": [1], "b": np.zeros(2)}
    frozen = freeze(value)
    value["a"].append(2)
    value["b"][0] = 5
    assert frozen["a"] == (1,)
    assert frozen["b"].tolist() == [0, 0]
    assert type(frozen["b"] + 1) is np.ndarray
    assert is_frozen(frozen["b"][1:])


def test_a_frozen_mapping_is_a_mapping():
    one = FrozenDict({"a": 1, "b": 2})
    assert one == {"b": 2, "a": 1} == one
    assert one != {"a": 1}
    assert {one: 3}[FrozenDict({"b": 2, "a": 1})] == 3
    assert list(reversed(one)) == ["b", "a"]
    assert (len(one), "a" in one, one.get("z")) == (2, True, None)
    assert {**one} == dict(one)
    with pytest.raises(FreezeError, match=r"Make another without 'a'"):
        del one["a"]
    with pytest.raises(KeyError, match="z"):
        one["z"]


def test_what_compares_itself_with_a_frozen_mapping_gets_no_hold_of_it():
    class Thief:
        def __eq__(self, other):
            other["stolen"] = 1
            return True

        __hash__ = None

    frozen = FrozenDict({"a": 1})
    with pytest.raises(FreezeError, match="cannot be changed"):
        frozen == Thief()  # noqa: B015
    assert frozen == {"a": 1}


def test_knots_and_unknown_types_are_refused():
    knot = []
    knot.append(knot)
    with pytest.raises(FreezeError, match="contains itself"):
        freeze(knot)
    deep = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(FreezeError, match="this list nests too deep"):
        freeze(deep)
    with pytest.raises(FreezeError, match=r"array\.array cannot be frozen"):
        freeze([array.array("i", [1])])
    with pytest.raises(FreezeError, match="array of objects"):
        freeze(np.array([[]], object))
    with pytest.raises(FreezeError, match="named fields"):
        freeze(np.zeros(2, [("a", "i4")]))
    with pytest.raises(FreezeError, match="a mask"):
        freeze(np.ma.array([1, 2], mask=[0, 1]))


class Roomy(frozenset):
    __slots__ = ("note",)


def test_sets_with_room_for_attributes_and_types_with_names_are_not_frozen():
    assert not is_frozen(Roomy([1]))
    assert not is_frozen(np.dtype([("a", "i4")]))
    assert is_frozen(np.dtype("i4"))


@pytest.mark.parametrize("value", [[], {}, set(), bytearray(), np.zeros(1), ([],), object()])
def test_what_can_change_is_not_frozen(value):
    assert not is_frozen(value)


def test_a_read_only_view_of_memory_that_can_change_is_not_frozen():
    owner = np.zeros(3)
    view = owner[:]
    view.flags.writeable = False
    assert not is_frozen(view)
    assert is_frozen(freeze(view))


def test_schemas_are_frozen_to_their_leaves():
    table = {"n": list(range(40)), "w": ["a", "b"] * 20, "d": [dt.date(2024, 1, 1)] * 40}
    schema = infer_schema(read(table))
    assert is_frozen(schema)
    assert freeze(schema) is schema


def test_plans_and_what_was_wanted_are_frozen_to_their_leaves():
    from anypart.fitting import Wanted
    from anypart.optim.plan_file import Member, Plan, plan_from_json, plan_to_json

    settings = {"order": [1, 0], "policy": [{"share": 0.5}], "width": 8}
    member = Member("a", "made", settings, 0, 1, 1, 1, 1)
    plan = Plan(0, "any", 1.0, "", 0, (member,))
    assert is_frozen(plan)
    assert is_frozen(Wanted(1.0, 0, "any", {"a": "count"}, {"random": 1.0}))
    settings["policy"][0]["share"] = 0.9
    assert member.settings["policy"][0]["share"] == 0.5
    assert plan_from_json(plan_to_json(plan)) == plan
    assert plan_from_json(plan_to_json(plan)).members[0].mark == member.mark


def test_thawed_values_are_what_json_has():
    frozen = freeze({"a": {3, 1}, "b": np.arange(2), "c": [{"d": ()}]})
    assert json.dumps(thaw(frozen)) == '{"a": [1, 3], "b": [0, 1], "c": [{"d": []}]}'
