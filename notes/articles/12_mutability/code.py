# %% setup
from anypart.lens.python import classify, copies, watch

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, FAINT, INK, axes, figure, tell

# %% surprise
a = [1, 2, 3]
b = a
b.append(4)
print("lists: ", a, b)

s = (1, 2, 3)
t = s
t = (*t, 4)
print("tuples:", s, t)

# %% surprise_figure


def scene(ax, title, names, objects, arrows):
    """Draw names at the left, objects at the right, and arrows between them."""
    ax.set_title(title, color=INK, fontsize=10)
    for name, y in names.items():
        ax.text(0.06, y, name, color=INK, family="monospace", va="center", fontsize=11)
    for text, x, y, strong in objects:
        box = {
            "boxstyle": "round,pad=0.35",
            "facecolor": "none",
            "edgecolor": ACCENT if strong else FAINT,
        }
        ax.text(x, y, text, color=INK, family="monospace", va="center", fontsize=10, bbox=box)
    for (x0, y0), (x1, y1), fresh in arrows:
        look = {"arrowstyle": "->", "color": ACCENT if fresh else ACCENT_2, "lw": 1.3}
        ax.annotate("", (x1, y1), (x0, y0), arrowprops=look)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.axis("off")


fig, (left, right) = axes(6, 1.9, columns=2)
scene(
    left,
    "b.append(4): mutated",
    {"a": 0.75, "b": 0.25},
    [("[1, 2, 3, 4]", 0.45, 0.5, True)],
    [((0.14, 0.75), (0.41, 0.53), False), ((0.14, 0.25), (0.41, 0.47), False)],
)
scene(
    right,
    "t = (*t, 4): rebound",
    {"s": 0.75, "t": 0.25},
    [("(1, 2, 3)", 0.45, 0.75, False), ("(1, 2, 3, 4)", 0.45, 0.25, True)],
    [((0.14, 0.75), (0.41, 0.75), False), ((0.14, 0.25), (0.41, 0.25), True)],
)
figure("surprise", fig)

# %% watched
trace = watch("""\
a = (1, 2, 3)
b = a
a = (4, 5, 6)
x = [1, 2, 3]
y = x
x[1] = 20
x = [1, 20, 3]
""")
print(trace)

# %% watched_quiet
kinds = [[change.what for change in step.changes] for step in trace]
assert kinds == [["bound"], ["bound"], ["rebound"], ["bound"], ["bound"], ["mutated"], ["rebound"]]
last = trace.steps[-1]
assert last.named("a").id != last.named("b").id and last.named("x").id != last.named("y").id
assert last.named("x").parts == last.named("y").parts

# %% types
from array import array
from collections import deque


class Point:
    def __init__(self, x):
        self.x = x


examples = [7, 1.5, True, "tea", b"tea", (1, 2), frozenset({1}), range(3)]
examples += [(1, [2]), [1], {1}, {1: 2}, bytearray(b"tea"), deque([1])]
examples += [array("i", [1]), Point(1)]
words = {True: "yes", False: "no"}
print("               changes  hashable  unchanging to the bottom")
for thing in examples:
    found = classify(thing)
    name = str(thing) if isinstance(thing, tuple) else found.type
    print(
        f"{name:14} {words[found.mutable]:8} {words[found.hashable]:9} "
        f"{words[found.deeply_immutable]}"
    )

# %% types_quiet
immutable = {"int", "float", "bool", "str", "bytes", "tuple", "frozenset", "range"}
for thing in examples:
    assert classify(thing).mutable == (type(thing).__name__ not in immutable)
pair = classify((1, [2]))
assert (pair.mutable, pair.hashable, pair.deeply_immutable) == (False, False, False)
assert classify(Point(1)).hashable

# %% why
found = classify({1: 2})
print(*found.changed_by[:5], sep="\n")
tests = classify((1, [2])).tests
refused = [test for test in tests if "TypeError" in test.outcome]
print(refused[0].code, "→", refused[0].outcome)

# %% identity
import sys

small = [n for n in range(-1000, 1000) if int(str(n)) is int(str(n))]
print("integers made once and shared:", small[0], "to", small[-1])
print("id of a list that is gone, given again:", id([1]) == id([2]))
tea = "tea"
word = "".join(["te", "a"])
print("text equal, identical:", tea == word, tea is word)
print("once interned:", tea is sys.intern(word))
one, other = [1], [1]
print("lists equal, identical:", one == other, one is other)

# %% identity_quiet
tell(smallest=small[0], largest=small[-1])
assert (small[0], small[-1]) == (-5, 256)

# %% augmented
trace = watch("""\
a = [1]
b = a
b += [2]
s = (1,)
t = s
t += (2,)
""")
print(trace)

# %% inside_tuple
trace = watch("""\
t = ([], 2)
try:
    t[0] += [1]
except TypeError as error:
    print("raised:", error)
print(t)
""")
print(trace)

# %% inside_tuple_quiet
failed = next(step for step in trace if step.event == "exception")
assert failed.raised.type == "TypeError" and [c.what for c in failed.changes] == ["mutated"]
assert trace.output.endswith("([1], 2)\n")

# %% arguments
trace = watch("""\
def change(items, number):
    items.append(4)
    number += 1
    items = [0]
    return number

a = [1]
n = 1
m = change(a, n)
""")
print(trace)

# %% arguments_quiet
end = trace.steps[-1]
assert [end.things[i].text for _, i in end.named("a").parts] == ["1", "4"]
assert (end.named("n").text, end.named("m").text) == ("1", "2")

# %% default


def add(item, to=[]):
    to.append(item)
    return to


print(add(1), add(2), add.__defaults__)


def add_safely(item, to=None):
    to = [] if to is None else to
    to.append(item)
    return to


print(add_safely(1), add_safely(2))
assert add.__defaults__ == ([1, 2],)

# %% one_row
grid = [[0] * 3] * 3
grid[0][0] = 1
print(grid)
grid = [[0] * 3 for _ in range(3)]
grid[0][0] = 1
print(grid)
empty = []
groups = dict.fromkeys("ab", empty)
groups["a"].append(1)
print(groups)

# %% copied
for way in copies([[1, 2], 3]):
    print(way)
print()
for way in copies((1, (2, 3))):
    print(way)

# %% copied_quiet
assert [way.same for way in copies((1, (2, 3)))] == [True] * 5
ways = {way.code: way for way in copies([[1, 2], 3])}
assert ways["b = copy.copy(a)"].shared == ("a[0]",)
assert ways["b = copy.deepcopy(a)"].shared == ()

# %% copied_figure
fig, panels = axes(6, 2.2, columns=3)
inner, outer = "[1, 2]", "[•, 3]"
scene(
    panels[0],
    "b = a",
    {"a": 0.8, "b": 0.5},
    [(outer, 0.4, 0.65, False), (inner, 0.42, 0.2, False)],
    [
        ((0.18, 0.8), (0.35, 0.68), False),
        ((0.18, 0.5), (0.35, 0.62), False),
        ((0.5, 0.56), (0.55, 0.3), False),
    ],
)
scene(
    panels[1],
    "copy.copy(a)",
    {"a": 0.8, "b": 0.5},
    [(outer, 0.32, 0.8, False), (outer, 0.32, 0.5, True), (inner, 0.66, 0.2, False)],
    [
        ((0.16, 0.8), (0.27, 0.8), False),
        ((0.16, 0.5), (0.27, 0.5), True),
        ((0.62, 0.78), (0.84, 0.3), False),
        ((0.5, 0.41), (0.7, 0.29), True),
    ],
)
scene(
    panels[2],
    "copy.deepcopy(a)",
    {"a": 0.8, "b": 0.3},
    [
        (outer, 0.26, 0.8, False),
        (inner, 0.73, 0.8, False),
        (outer, 0.26, 0.3, True),
        (inner, 0.73, 0.3, True),
    ],
    [
        ((0.13, 0.8), (0.22, 0.8), False),
        ((0.54, 0.8), (0.69, 0.8), False),
        ((0.13, 0.3), (0.22, 0.3), True),
        ((0.54, 0.3), (0.69, 0.3), True),
    ],
)
figure("copied", fig)

# %% frozen
from dataclasses import dataclass, field

from anypart.base.frozen import freeze, is_frozen, shared


@dataclass(frozen=True)
class Settings:
    steps: int = 10
    widths: list = field(default_factory=list)


settings = Settings()
settings.widths.append(64)
print(settings, is_frozen(settings))

raw = {"steps": 10, "widths": [64, 64], "tags": {"fast"}}
fixed = freeze(raw)
print(fixed, is_frozen(fixed))
try:
    fixed["steps"] = 20
except TypeError as error:
    print(type(error).__name__, "→", error)

# %% frozen_quiet
assert not is_frozen(settings)
assert is_frozen(fixed) and not is_frozen(raw)
assert shared(raw, fixed) == []

# %% shared
defaults = {"rate": 0.1, "layers": [64, 64]}
one, two = dict(defaults), dict(defaults)
print(shared(one, two))
one["layers"].append(32)
print(two)
print(shared(freeze(one), freeze(two)))

# %% engine
from importlib import resources

import numpy as np
import pyarrow as pa

import anypart as ap
from anypart.data.infer import infer_schema

numbers = np.arange(4.0)
arrow, table = pa.array(numbers), ap.read({"x": numbers})
numbers[0] = -5
print("Arrow sees ", arrow.to_pylist())
print("anypart has", table.to_arrow()["x"].to_pylist())

penguins = resources.files("anypart.data") / "penguins.csv"
schema = infer_schema(ap.read(str(penguins)))
print(f"{len(schema.columns)} columns, frozen to the leaves: {is_frozen(schema)}")
try:
    schema.columns[0].name = "kind"
except AttributeError as error:
    print(type(error).__name__, "→", error)

# %% engine_quiet
assert arrow[0].as_py() == -5
assert table.to_arrow()["x"][0].as_py() == 0
assert is_frozen(schema)

# %% exercises_quiet
a = [1]
b = a
a = [*a, 2]
assert (a, b) == ([1, 2], [1])
i, cells = 0, [0, 0]
i, cells[i] = 1, 9
assert cells == [0, 9]
x = [1]
x.append(x)
assert x[1] is x
grid = [(0,) * 2] * 2
assert is_frozen(tuple(grid))
numbers = [2, 4, 5, 6]
for n in numbers:
    if n % 2 == 0:
        numbers.remove(n)
assert numbers == [4, 5]
key = ("adult", frozenset({"age", "sex"}))
assert classify(key).hashable and classify(key).deeply_immutable
