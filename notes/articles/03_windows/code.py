# %% press_quiet
from notes.press import ACCENT, ACCENT_2, axes, figure, tell


# %% every_start
from collections import Counter


def covers(part, required):
    return Counter(part) >= Counter(required)


def by_every_start(s, t):
    best = ""
    for start in range(len(s)):
        for stop in range(start, len(s) + 1):
            if covers(s[start:stop], t):
                if not best or stop - start < len(best):
                    best = s[start:stop]
                break  # a longer window from here is no shorter one
    return best


print(by_every_start("ADOBECODEBANC", "ABC"))


# %% two_ends
def by_two_ends(s, t):
    lacking = Counter(t)  # below zero: there are more than required
    missing = len(t)
    start, best = 0, None
    for stop, letter in enumerate(s, 1):
        if lacking[letter] > 0:
            missing -= 1
        lacking[letter] -= 1
        while missing == 0 and start < stop:
            if best is None or stop - start < best[1] - best[0]:
                best = start, stop
            lacking[s[start]] += 1
            if lacking[s[start]] > 0:
                missing += 1
            start += 1
    return "" if best is None else s[slice(*best)]


print(by_two_ends("ADOBECODEBANC", "ABC"))

# %% package
from anypart.data.windows import minimum_window_substring, shortest_window

for s, t in (("ADOBECODEBANC", "ABC"), ("a", "a"), ("a", "aa")):
    print(s, t, repr(minimum_window_substring(s, t)), shortest_window(s, t))

street = ["baker", "bank", "school", "chemist", "baker", "bank", "baker", "school"]
print(shortest_window(street, ["baker", "baker", "bank"]))

# %% package_quiet
assert minimum_window_substring("ADOBECODEBANC", "ABC") == "BANC"
assert minimum_window_substring("a", "a") == "a"
assert minimum_window_substring("a", "aa") == ""
assert shortest_window(street, ["baker", "baker", "bank"]).length == 3
assert shortest_window("abc", "").length == 0
assert shortest_window("aA", "A").start == 1

# %% agree
import random

draw = random.Random(76)
for _ in range(3000):
    s = "".join(draw.choices("abc", k=draw.randint(0, 14)))
    t = "".join(draw.choices("abcd", k=draw.randint(1, 4)))
    found = minimum_window_substring(s, t)
    assert found == by_two_ends(s, t) == by_every_start(s, t)

# %% trace
from anypart.data.windows import trace_window

trace = trace_window("ADOBECODEBANC", "ABC")
print(trace)

# %% trace_quiet
assert trace.steps <= 2 * 13
assert trace.shown(trace.window).startswith("BANC")
tell(moves=trace.steps, naive=trace.recounted)


# %% reach
def first_stop(s, t, start):
    stops = range(start, len(s) + 1)
    return next((stop for stop in stops if covers(s[start:stop], t)), None)


def reach(s, t):
    return [first_stop(s, t, start) for start in range(len(s))]


stops = reach("ADOBECODEBANC", "ABC")
print(stops)

# %% reach_quiet
for _ in range(300):
    s = "".join(draw.choices("abc", k=draw.randint(1, 14)))
    known = [stop for stop in reach(s, "aab") if stop is not None]
    assert known == sorted(known)
    assert len(known) == sum(stop is not None for stop in reach(s, "aab")[: len(known)])

# %% reach_figure
fig, ax = axes(6, 3.4)
text = "ADOBECODEBANC"
known = [(start, stop) for start, stop in enumerate(stops) if stop is not None]
ax.step(*zip(*known, strict=True), where="post", color=ACCENT_2)
ax.plot(*zip(*known, strict=True), "o", color=ACCENT_2, markersize=4)
start, stop = min(known, key=lambda pair: pair[1] - pair[0])
ax.plot([start, start], [start, stop], color=ACCENT, linewidth=3)
ax.plot([0, 13], [0, 13], "--", linewidth=1, color="#6a6b6d")
ax.annotate("BANC", (start, (start + stop) / 2), (8, -4), textcoords="offset points")
ax.set_xticks(range(13), text)
ax.set_yticks(range(1, 14), text)
ax.set_xlabel("start")
ax.set_ylabel("R(start): last letter taken")
figure("reach", fig)

# %% growth
for n in (100, 1000, 2000):
    far = trace_window("a" * (n - 1) + "b", "ab")
    print(f"{n:5} letters: {far.steps:5,} moves; from every start {far.recounted:9,} looks")

# %% growth_quiet
assert far.steps <= 2 * 2000
assert far.recounted == 2000 * 2001 // 2
tell(far_n=2000, far_moves=far.steps, far_naive=far.recounted)


# %% careless
def wrong_if(s, t, *, as_set=False, any_letter=False, late=False):
    lacking = Counter(set(t) if as_set else t)
    missing = sum(lacking.values())
    start, best = 0, None
    for stop, letter in enumerate(s, 1):
        if lacking[letter] > 0 or (any_letter and letter in t):
            missing -= 1  # any_letter: a surplus one counts as well
        lacking[letter] -= 1
        while missing <= 0 and start < stop:
            if best is None or stop - start < best[1] - best[0]:
                best = start, stop
            gone = s[start]
            if late and lacking[gone] > 0:
                missing += 1  # late: looks before it counts
            lacking[gone] += 1
            if not late and lacking[gone] > 0:
                missing += 1
            start += 1
    return "" if best is None else s[slice(*best)]


cases = []
for _ in range(2000):
    s = "".join(draw.choices("abc", k=draw.randint(1, 14)))
    cases.append((s, "".join(draw.choices("abc", k=draw.randint(1, 4)))))
for mistake in ("as_set", "any_letter", "late"):
    planted = {mistake: True}
    bad = sum(wrong_if(s, t, **planted) != by_every_start(s, t) for s, t in cases)
    print(
        f"{mistake:10} wrong in {bad / len(cases):.0%}; "
        f"on the first example {wrong_if('ADOBECODEBANC', 'ABC', **planted)!r}"
    )

# %% careless_quiet
assert all(wrong_if(s, t) == by_every_start(s, t) for s, t in cases)
rates = {
    mistake: sum(wrong_if(s, t, **{mistake: True}) != by_every_start(s, t) for s, t in cases)
    / len(cases)
    for mistake in ("as_set", "any_letter", "late")
}
assert min(rates.values()) > 0.1
tell(**{f"wrong_{name}": rate for name, rate in rates.items()})

# %% identity
for count in (256, 257):
    again = int(str(count))
    print(count, "equal:", count == again, " the same object:", count is again)

# %% identity_quiet
assert int("256") is int("256")
assert int("257") is not int("257")

# %% ties
print("two of length 2:", shortest_window("cabac", "ab"))
print("nothing required:", shortest_window("abc", ""))
print("not there:", shortest_window("abc", "z"))

# %% ties_quiet
assert shortest_window("cabac", "ab").start == 1
assert shortest_window("abc", "z") is None

# %% minimal
from anypart.data.windows import minimal_windows

s = "ADOBECODEBANC"
for window in minimal_windows(s, "ABC"):
    print(window, s[window.start : window.stop])


# %% minimal_quiet
def all_minimal(s, t):
    covering = [
        (a, b) for a in range(len(s)) for b in range(a + 1, len(s) + 1) if covers(s[a:b], t)
    ]
    return [
        (a, b)
        for a, b in covering
        if not any(a <= c and d <= b and (c, d) != (a, b) for c, d in covering)
    ]


for _ in range(300):
    text = "".join(draw.choices("abc", k=draw.randint(1, 12)))
    for wanted in ("ab", "aab", "abc"):
        found = [(w.start, w.stop) for w in minimal_windows(text, wanted)]
        assert found == all_minimal(text, wanted)

# %% stream
from itertools import islice


def dice(seed):
    rolls = random.Random(seed)
    while True:
        yield rolls.randint(1, 6)


for window in islice(minimal_windows(dice(1), range(1, 7)), 3):
    print(f"all six faces in {window.length} rolls, {window.start} to {window.stop - 1}")

# %% kinds
import numpy as np
import pyarrow as pa

rng = np.random.default_rng(3)
codes = rng.integers(0, 256, 100_000)
print(shortest_window(codes, [7, 7, 250]))
print(shortest_window(pa.array(["no", "yes", None, "no", "maybe"]), ["no", "maybe"]))

# %% speed
import time


def seconds(way, *given, times):
    start = time.process_time()
    for _ in range(times):
        way(*given)
    return (time.process_time() - start) / times


letters = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), 100_000))
wanted = "aabbccz"
assert minimum_window_substring(letters, wanted) == by_two_ends(letters, wanted)
loop = seconds(by_two_ends, letters, wanted, times=5)
package = seconds(minimum_window_substring, letters, wanted, times=200)
print(f"100,000 letters: the Python loop takes {loop / package:.0f} times as long")

# %% speed_quiet
tell(speed=loop / package)

# %% ranges
from anypart.data.windows import smallest_range

print(smallest_range([[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]]))

# %% ranges_quiet
found = smallest_range([[4, 10, 15, 24, 26], [0, 9, 12, 20], [5, 18, 22, 30]])
assert (found.low, found.high) == (20, 24)

# %% excerpt
from anypart.data.windows import excerpt

english = (
    "The window opens to the right. Once it covers the query, the left end follows. "
    "A search result shows the part of a page where the words of a query stand together."
)
print(excerpt(english, ["query", "page"], most=60).text)

chinese = "窗口先向右扩张，覆盖之后左端再跟上。搜索结果里显示的，是网页中集中出现查询词的那一段。"
print(excerpt(chinese, ["查询词", "网页"], most=20).text)

# %% excerpt_quiet
assert excerpt(english, ["query", "page"], most=60).found == {"query", "page"}
assert {"查", "询", "词", "网", "页"} == excerpt(chinese, ["查询词", "网页"], most=20).found

# %% engine
from importlib.resources import files

import anypart as ap
from anypart.data.infer import infer_schema
from anypart.data.profile import profile

table = ap.read(files("anypart.data") / "penguins.csv")
seen = profile(table, infer_schema(table))
found = seen.excerpt
print(f"{seen.n_rows} rows; rows {found.start} to {found.stop - 1} show every category")

# %% engine_quiet
import pyarrow.csv

penguins = pyarrow.csv.read_csv(files("anypart.data") / "penguins.csv")
part = penguins.slice(found.start, found.length)
for column in ("species", "island", "sex"):
    whole = set(penguins[column].drop_null().to_pylist())
    assert set(part[column].drop_null().to_pylist()) == whole
tell(penguin_rows=found.length, penguin_all=len(penguins))

# %% answers_quiet
# 1: the moves of the two ends for m letters.
for _ in range(500):
    s = "".join(draw.choices("abc", k=draw.randint(1, 14)))
    steps = trace_window(s, "ab").steps
    assert len(s) <= steps <= 2 * len(s)
assert trace_window("c" * 9, "ab").steps == 9
assert trace_window("ab" * 4, "a").steps == 8 + 7
assert trace_window("aaaa", "a").steps == 8
# 2: six faces take 6 · (1 + 1/2 + … + 1/6) rolls on average.
mean = sum(next(minimal_windows(dice(seed), range(1, 7))).stop for seed in range(4000)) / 4000
rolls = 6 * sum(1 / k for k in range(1, 7))
assert abs(mean - rolls) < 0.4
# 3: the least stretch of "abcabbca" with two a and a c.
assert minimum_window_substring("abcabbca", "aac") == "abca"


# 4: exactly the letters of t: a window of its length, and how many letters have the right number.
def exactly(s, t):
    need, held = Counter(t), Counter()
    right = 0
    for stop, letter in enumerate(s):
        for moved, by in ((letter, 1), (s[stop - len(t)] if stop >= len(t) else None, -1)):
            if moved in need:
                right -= held[moved] == need[moved]
                held[moved] += by
                right += held[moved] == need[moved]
        if right == len(need):
            return stop + 1 - len(t)
    return -1


for _ in range(500):
    s = "".join(draw.choices("abc", k=draw.randint(3, 12)))
    true = [i for i in range(len(s) - 2) if sorted(s[i : i + 3]) == ["a", "a", "b"]]
    assert exactly(s, "aab") == (true[0] if true else -1)


# 5: the two ends walk over the wanted letters only; lengths are measured in places.
def over_wanted(s, t):
    lacking, missing, best, start = Counter(t), len(t), None, 0
    kept = [(place, letter) for place, letter in enumerate(s) if letter in lacking]
    for stop, letter in kept:
        missing -= lacking[letter] > 0
        lacking[letter] -= 1
        while missing == 0:
            place, gone = kept[start]
            if best is None or stop + 1 - place < best[1] - best[0]:
                best = place, stop + 1
            lacking[gone] += 1
            missing += lacking[gone] > 0
            start += 1
    return "" if best is None else s[slice(*best)]


for s, t in cases:
    assert over_wanted(s, t) == by_every_start(s, t)
tell(kept=sum(letter in "ABC" for letter in "ADOBECODEBANC"))
tell(rolls_mean=mean, rolls_true=rolls)
