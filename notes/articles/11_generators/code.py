# %% setup
from anypart.lens.python import classify, costs, step_expression

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, FAINT, axes, figure, tell

# %% two_ways
import sys

whole = [x * x for x in range(1_000_000)]
lazy = (x * x for x in range(1_000_000))
print(f"list:      {sys.getsizeof(whole):,} bytes, without the numbers in it")
print(f"generator: {sys.getsizeof(lazy):,} bytes")
print("same sum: ", sum(whole) == sum(lazy))

# %% two_ways_quiet
tell(list_bytes=sys.getsizeof(whole), generator_bytes=sys.getsizeof(lazy))
assert sys.getsizeof(whole) > 8_000_000
assert sys.getsizeof(lazy) < 300
del whole

# %% measured
measured = costs(seconds=0.5, most=1_000_000)
print("items; peak bytes of list, generator; ns to the first item of each")
for one in measured.streams:
    print(
        f"{one.n:9,} {one.list_peak:12,} {one.generator_peak:5,} "
        f"{one.list_first:15,} {one.generator_first:8,}"
    )

# %% measured_quiet
largest = measured.streams[-1]
assert all(one.generator_peak < 1000 for one in measured.streams)
assert largest.list_peak > 1000 * largest.generator_peak
assert largest.list_first > 20 * largest.generator_first
in_list = measured.of("x = sum([y * y for y in r])").nanoseconds
in_generator = measured.of("x = sum(y * y for y in r)").nanoseconds
walk_list = measured.of("for x in l: pass").nanoseconds
walk_generator = measured.of("for x in (y for y in l): pass").nanoseconds
assert walk_generator > walk_list
tell(
    peak_list=largest.list_peak / 1e6,
    peak_generator=largest.generator_peak,
    slower=in_generator / in_list,
    walk_slower=walk_generator / walk_list,
)

# %% measured_figure
fig, (left, right) = axes(6.4, 2.8, columns=2)
sizes = [one.n for one in measured.streams]
left.loglog(sizes, [one.list_peak for one in measured.streams], "o-", color=ACCENT, label="list")
left.loglog(
    sizes, [one.generator_peak for one in measured.streams], "s-", color=ACCENT_2, label="generator"
)
left.set_ylabel("peak bytes")
right.loglog(
    sizes, [one.list_first / 1e3 for one in measured.streams], "o-", color=ACCENT, label="list"
)
right.loglog(
    sizes,
    [one.generator_first / 1e3 for one in measured.streams],
    "s-",
    color=ACCENT_2,
    label="generator",
)
right.set_ylabel("µs until the first item")
for ax in (left, right):
    ax.set_xlabel("items")
left.legend(fontsize=9)
figure("measured", fig)

# %% fibonacci
FIB = """\
def fib(most):
    n, a, b = 0, 0, 1
    while n < most:
        yield b
        a, b = b, a + b
        n += 1
    return "done"
"""
trace = step_expression(FIB, "fib(3)")
print(trace)

# %% fibonacci_quiet
assert [[line for _, line in step.lines] for step in trace] == [
    [2, 3, 4],
    [5, 6, 3, 4],
    [5, 6, 3, 4],
    [5, 6, 3, 7],
]
assert trace.values == ["1", "1", "2"]
assert (trace.steps[-1].outcome, trace.steps[-1].value) == ("returned", "'done'")
assert step_expression(FIB, "fib(10)").values[-1] == "55"


# %% by_hand
def fib(most):
    n, a, b = 0, 0, 1
    while n < most:
        yield b
        a, b = b, a + b
        n += 1
    return "done"


print(list(fib(6)))

numbers = iter(fib(2))  # what `for` does, written out
while True:
    try:
        number = next(numbers)
    except StopIteration as stop:
        print("the end; the function returned", stop.value)
        break
    print(number)

# %% kinds
from collections.abc import Iterable
from io import StringIO


class Countdown:
    """Its own iterator: it can be walked once."""

    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if self.left == 0:
            raise StopIteration
        self.left -= 1
        return self.left


class Squares:
    """Indexed from 0 on: Python walks it, though it has no __iter__."""

    def __getitem__(self, place):
        if place > 3:
            raise IndexError(place)
        return place * place


words = {True: "yes", False: "no", None: "–"}


def show(thing, found):
    told = (found.iterable, found.iterator, found.generator, found.reusable)
    cells = [words[one] for one in (*told, isinstance(thing, Iterable))]
    print(f"{found.type:15}" + "".join(f"{cell:10}" for cell in cells))


print("               iterable  iterator  generator again     isinstance")
things = ["tea", [1], {1: 2}, range(3), 5, iter([1]), map(str, [1])]
things += [StringIO("a file"), Countdown(2), Squares()]
for thing in things:
    show(thing, classify(thing))
show(fib(3), found := classify(fib(3), make=lambda: fib(3)))

# %% kinds_quiet
assert found.generator and found.iterator and not found.reusable
odd = classify(Squares())
assert odd.iterable and not isinstance(Squares(), Iterable) and list(Squares()) == [0, 1, 4, 9]
assert not classify(5).iterable and classify(5).reusable is None
assert classify(Countdown(2)).iterator and not classify(Countdown(2)).generator
assert list(Countdown(3)) == [2, 1, 0]

# %% moved
import collections

try:
    collections.Iterable
except AttributeError as error:
    print(error)

# %% once
squares = (n * n for n in range(4))
print(sum(squares), sum(squares))
print(next(fib(6)), next(fib(6)), next(fib(6)))

numbers = fib(6)
print(2 in numbers, list(numbers))

left, right = iter([1, 2, 3]), iter("xy")
print(list(zip(left, right, strict=False)), list(left))

# %% once_quiet
assert list(numbers) == []
assert list(left) == []

# %% when
items = [1, 2, 3]
factor = 10
g = (factor * x for x in items)
items = [7]
factor = 100
found = list(g)
print(found)
assert found == [100, 200, 300]

# %% pipeline
order = []


def numbers_up_to(most):
    for n in range(1, most + 1):
        order.append(("make", n))
        yield n


def even(items):
    for n in items:
        if n % 2 == 0:
            yield n


for n in even(numbers_up_to(4)):
    order.append(("use", n))
print(*(f"{what} {n}" for what, n in order), sep=", ")

# %% endless
from itertools import count, islice

print(list(islice(even(count(1)), 5)))

# %% pipeline_figure
assert order[:3] == [("make", 1), ("make", 2), ("use", 2)]
fig, panels = axes(6.4, 1.9, columns=2)
eager = [("make", n) for n in range(1, 5)] + [("use", n) for n in (2, 4)]
for ax, title, events in zip(panels, ("lists", "generators"), (eager, order), strict=True):
    for at, (what, n) in enumerate(events):
        y = what == "make"
        ax.plot(at, y, "o", color=ACCENT if y else ACCENT_2, markersize=13)
        ax.text(at, y, str(n), ha="center", va="center", fontsize=9, color="#fdfcfb")
    ax.plot(range(len(events)), [what == "make" for what, _ in events], color=FAINT, zorder=0)
    ax.set_yticks([0, 1], ["use", "make"])
    ax.set_ylim(-0.6, 1.6)
    ax.set_xticks([])
    ax.set_title(title)
    ax.set_xlabel("time")
figure("pipeline", fig)

# %% send
AVERAGE = """\
def averager():
    total, n, average = 0, 0, None
    while True:
        value = yield average
        total += value
        n += 1
        average = total / n
"""
actions = ["send 5", "next", "send 10", "send 30", "close"]
print(step_expression(AVERAGE, "averager()", actions))

# %% send_quiet
taken = step_expression(AVERAGE, "averager()", ["send 5", "next", "send 10", "send 30"]).steps
assert taken[0].raised.type == "TypeError" and taken[0].state == "not started"
assert [step.value for step in taken[2:]] == ["10.0", "20.0"]


# %% push
def collect(found):
    while True:
        found.append((yield))


def keep(wanted, *sinks):
    while True:
        item = yield
        for sink in sinks if wanted(item) else ():
            sink.send(item)


evens, large = [], []
sinks = [collect(evens), collect(large)]
big = keep(lambda n: n > 3, sinks[1])
source = keep(lambda n: n % 2 == 0, sinks[0], big)
for coroutine in (*sinks, big, source):
    next(coroutine)  # to its first yield
for n in range(1, 9):
    source.send(n)
print(evens, large)

# %% push_quiet
assert (evens, large) == ([2, 4, 6, 8], [4, 6, 8])

# %% careful
CAREFUL = """\
def careful():
    try:
        while True:
            try:
                yield "ready"
            except ValueError as error:
                yield f"caught {error}"
    finally:
        print("cleaned up")
"""
actions = ["next", "throw ValueError('x')", "next", "close"]
print(step_expression(CAREFUL, "careful()", actions))


# %% delegate
def inner():
    got = yield 1
    return got


def outer():
    result = yield from inner()
    yield result * 2


g = outer()
print(next(g), g.send(21))


def first(items):
    yield next(iter(items))


try:
    list(first([]))
except RuntimeError as error:
    print(type(error).__name__, "→", error)

# %% speed
for code in ("x = sum([y * y for y in r])", "x = sum(y * y for y in r)"):
    cost = measured.of(code)
    print(f"{cost.code:28} {cost.nanoseconds / 1000:6.1f} µs  {cost.reason}")

# %% frozen_in_time
import copy
import pickle

for attempt in (copy.copy, pickle.dumps):
    try:
        attempt(fib(3))
    except TypeError as error:
        print(error)

# %% stream
import json
from importlib import resources

import anypart as ap
from anypart.data.streams import Stream, table_rows

penguins = ap.read(str(resources.files("anypart.data") / "penguins.csv"))
gentoo = table_rows(penguins).filter(lambda row: row["species"] == "Gentoo")
batches = gentoo.shuffle(32, seed=1).batch(8)

cursor = batches.start()
for _ in range(3):
    next(cursor)
saved = json.dumps(cursor.state())
rest = list(cursor)
print(saved)
print("resumed at the same row:", list(batches.resume(json.loads(saved))) == rest)
try:
    Stream.of(n * n for n in range(4))
except ValueError as error:
    print(type(error).__name__, "→", error)

# %% stream_quiet
assert list(batches.resume(json.loads(saved))) == rest
assert len(rest) > 3
assert len(saved) < 400
tell(saved_bytes=len(saved))

# %% exercises_quiet
squares = (n * n for n in range(5))
assert max(squares) == 16
assert list(squares) == []
gens = [(i * n for n in range(2)) for i in range(3)]
assert [list(g) for g in gens] == [[0, 2], [0, 2], [0, 2]]


def windows(items, size):
    kept = collections.deque(maxlen=size)
    for item in items:
        kept.append(item)
        if len(kept) == size:
            yield tuple(kept)


assert list(windows(fib(5), 3)) == [(1, 1, 2), (1, 2, 3), (2, 3, 5)]
assert list(islice(windows(count(), 2), 2)) == [(0, 1), (1, 2)]
g = fib(3)
assert [next(g), g.send(None), next(g)] == [1, 1, 2]
