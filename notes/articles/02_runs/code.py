# %% press_quiet
from notes.press import axes, figure, tell


# %% by_sorting
def longest_by_sorting(values):
    best = length = 0
    before = None
    for value in sorted(set(values)):  # a repeated value would break the run
        length = length + 1 if before is not None and value == before + 1 else 1
        best = max(best, length)
        before = value
    return best


print(longest_by_sorting([100, 4, 200, 1, 3, 2]))


# %% by_starts
def longest_by_starts(values):
    there = set(values)
    best = 0
    for value in there:
        if value - 1 in there:
            continue  # a run goes through here, and is counted from its start
        stop = value + 1
        while stop in there:
            stop += 1
        best = max(best, stop - value)
    return best


print(longest_by_starts([100, 4, 200, 1, 3, 2]))

# %% package
from anypart.data.runs import longest_run

lists = [100, 4, 200, 1, 3, 2], [0, 3, 7, 2, 5, 8, 4, 6, 0, 1], [1, 0, 1, 2], []
for values in lists:
    run = longest_run(values)
    print(values, "→", run, "length", run.length)

# %% package_quiet
assert longest_run([100, 4, 200, 1, 3, 2]).length == 4
assert longest_run([0, 3, 7, 2, 5, 8, 4, 6, 0, 1]).length == 9
assert longest_run([1, 0, 1, 2]).length == 3
assert longest_run([]).length == 0
assert longest_run([7, 7, 7]).length == 1
assert longest_run([-2, 0, -1, 5]).length == 3

# %% agree
import numpy as np

rng = np.random.default_rng(128)
for _ in range(2000):
    values = rng.integers(-20, 20, rng.integers(0, 30)).tolist()
    found = longest_run(values).length
    assert found == longest_by_starts(values) == longest_by_sorting(values)

# %% trace
from anypart.data.runs import trace_run

trace = trace_run([100, 4, 200, 1, 3, 2])
print(trace)

# %% trace_quiet
assert (trace.steps, trace.unguarded) == (9, 12)
tell(first_steps=trace.steps, first_unguarded=trace.unguarded)

# %% law
from anypart.data.runs import count_steps, runs

for _ in range(500):
    values = rng.integers(-30, 30, rng.integers(1, 60)).tolist()
    m, found = len(set(values)), runs(values)
    assert count_steps(values) == 2 * m - len(found)
    lengths = [run.length for run in found]
    walks = sum(n * (n - 1) // 2 for n in lengths)
    assert count_steps(values, guard=False) == m + walks
    walked = sum(values.count(run.start) * (run.length - 1) for run in found)
    assert count_steps(values, distinct=False) == len(values) + walked

# %% traps
one_run = range(4000)
repeated = [0] * 2000 + list(range(2000))

print(f"one run of 4,000, with the guard    {count_steps(one_run):>10,}")
print(f"one run of 4,000, without           {count_steps(one_run, guard=False):>10,}")
print(f"0 two thousand times more, the set  {count_steps(repeated):>10,}")
print(f"0 two thousand times more, the list {count_steps(repeated, distinct=False):>10,}")

# %% traps_quiet
assert count_steps(one_run) == 7_999
assert count_steps(one_run, guard=False) == 8_002_000
assert count_steps(repeated) == 3_999
assert count_steps(repeated, distinct=False) == 4_003_999
tell(
    guarded=count_steps(one_run),
    unguarded=count_steps(one_run, guard=False),
    over_set=count_steps(repeated),
    over_list=count_steps(repeated, distinct=False),
)

# %% steps_figure
sizes = np.unique(np.logspace(1, 4, 16).astype(int))
ways = {
    "start guard, set": [count_steps(range(n)) for n in sizes],
    "guard, list, half repeats": [
        count_steps([0] * (n // 2) + list(range(n - n // 2)), distinct=False) for n in sizes
    ],
    "no guard": [count_steps(range(n), guard=False) for n in sizes],
}
fig, ax = axes(6, 3.4)
for (name, steps), mark in zip(ways.items(), "osD", strict=True):
    ax.loglog(sizes, steps, marker=mark, markersize=4, label=name)
ax.set_xlabel("values n")
ax.set_ylabel("steps")
ax.legend()
figure("steps", fig)


# %% same_hash
class Counted(int):
    """An integer that counts how often it is compared."""

    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


def comparisons(values):
    Counted.compared = 0
    set(map(Counted, values))
    return Counted.compared


n = 1000
crafted = [k * (2**61 - 1) for k in range(n)]
print("hashes of the crafted values:", {hash(value) for value in crafted})
print("comparisons to make a set of", n)
print("    0, 1, 2, …       ", comparisons(range(n)))
print("    crafted values   ", f"{comparisons(crafted):,}")

# %% same_hash_quiet
assert {hash(value) for value in crafted} == {0}
assert comparisons(range(n)) == 0
assert comparisons(crafted) >= n * (n - 1) // 2
tell(
    crafted_n=n,
    crafted_comparisons=comparisons(crafted),
    crafted_ratio=comparisons(crafted[:800]) / comparisons(crafted[:400]),
)

# %% wrap
ends = np.array([-(2**63), 2**63 - 1])  # as far apart as int64 allows
print("max + 1 =", ends[1] + np.array(1))

with np.errstate(over="ignore"):
    print("the set of int64 scalars:", longest_by_starts(ends))
print("anypart:", longest_run(ends).length)

# %% wrap_quiet
with np.errstate(over="ignore"):
    assert longest_by_starts(ends) == 2
assert [run.length for run in runs(ends)] == [1, 1]
assert longest_run([2**63 - 1, 2**63 - 2]).stop == 2**63

# %% islands
values = [12, 3, 4, 3, 5, 11, 20]
ordered = np.unique(values)  # sorted, each once
island = ordered - np.arange(len(ordered))
print("value   ", ordered)
print("− place ", island)

found = runs(values)
print("runs:", list(found))
print("gaps:", list(found.gaps))

# %% islands_quiet
assert [ordered[island == name].tolist() for name in np.unique(island)] == [
    list(range(*run.bounds)) for run in found
]
assert sum(found.lengths.tolist()) == len(ordered)
assert [gap.bounds for gap in found.gaps] == [(6, 11), (13, 20)]

# %% days
import datetime as dt

days = [dt.date(2024, month, day) for month, day in ((2, 28), (3, 1), (2, 29), (3, 5))]
streak = longest_run(days)
print(streak.start, "to", streak.stop - 1, "is", streak.length, "days")

times = np.array(["2026-11-01T10:02", "2026-11-01T10:44", "2026-11-01T10:17"], "M8[m]")
busy = longest_run(times, step="15 minutes")
print(busy.length, "quarters of an hour without a gap")

# %% days_quiet
assert streak.length == 3
assert longest_run(times, step="15 minutes").length == 3

# %% groups
from anypart.data.runs import longest_runs

who = ["ann", "bob", "ann", "ann", "bob", "bob"]
day = [3, 7, 1, 2, 9, 20]
print(longest_runs(who, day))

# %% stream
from anypart.data.runs import RunStream

stream = RunStream()
for batch in ([1, 2, 5], [9, 8], [4, 3]):
    stream.update(batch)
    print(batch, "→", stream.longest, "of", len(stream.runs), "runs")

# %% stream_quiet
assert {name: run.length for name, run in longest_runs(who, day).items()} == {"ann": 3, "bob": 1}
assert stream.longest.bounds == (1, 6)
assert len(stream.runs) == 2


# %% bitmap
def longest_ones(word):
    length = 0
    while word:
        word &= word >> 1  # a one stays only where a one is to its left
        length += 1
    return length


values = [100, 4, 200, 1, 3, 2]
word = sum(1 << value for value in values)
print(longest_ones(word))

# %% bitmap_quiet
assert longest_ones(word) == 4
for _ in range(300):
    values = set(rng.integers(0, 60, rng.integers(0, 40)).tolist())
    assert longest_ones(sum(1 << value for value in values)) == longest_run(values).length

# %% speed
import time

n = 200_000
inputs = {
    "dense": rng.integers(0, n, n),
    "sparse": rng.integers(-(2**63), 2**63, n),
    "crafted": rng.permutation(n) << 43,
}
for values in inputs.values():
    longest_run(values)  # the loops are compiled at the first call


def seconds(way, values, times):
    start = time.process_time()
    for _ in range(times):
        way(values)
    return (time.process_time() - start) / times


ratios = {}
for name, values in inputs.items():
    assert longest_run(values).length == longest_by_sorting(values.tolist())
    python = seconds(lambda v: longest_by_starts(v.tolist()), values, times=2)
    ratios[name] = python / seconds(longest_run, values, times=300)
    print(f"{name:8} the Python set takes {ratios[name]:6,.0f} times as long")

# %% speed_quiet
tell(speed_n=n, **{f"speed_{name}": ratio for name, ratio in ratios.items()})

# %% engine
import anypart as ap
from anypart.data.infer import infer_schema
from anypart.data.profile import profile

rows = 60
number = rng.permutation(np.arange(5001, 5001 + rows))
day = [dt.date(2026, 1, 1) + dt.timedelta(i + 4 * (i >= 30)) for i in range(rows)]
litres = rng.normal(20, 3, rows).round(1)
table = ap.read({"number": number, "day": day, "litres": litres})

found = profile(table, infer_schema(table))
for column in found.columns:
    print(f"{column.name:7} {column.kind:8} {column.reason}")
    for warning in column.warnings:
        print("       ", warning)

# %% engine_quiet
kinds = {column.name: column for column in found.columns}
assert kinds["number"].kind == "key"
assert "one run of integers" in kinds["number"].reason
assert "1 gap of 4 from 2026-01-31" in kinds["day"].warnings[0]
spread = ap.read({"number": number * 7, "day": day, "litres": np.zeros(rows)})
assert infer_schema(spread).columns[0].kind != "key"

# %% answers_quiet
import itertools

# 1: at most one step a value less than two; least when all is one run, most when none is.
for values in itertools.product(range(8), repeat=4):
    m = len(set(values))
    assert m <= count_steps(values) <= 2 * m - 1
assert count_steps(range(0, 20, 2)) == 10
assert count_steps(range(10)) == 19
# 2: the answer in the text.
assert longest_ones(0b1101110111) == 3
# 3: two missing days make three runs.
year = [dt.date(2026, 1, 1) + dt.timedelta(i) for i in range(365)]
kept = [d for d in year if d not in (dt.date(2026, 3, 1), dt.date(2026, 9, 1))]
parts = runs(kept)
assert parts.lengths.tolist() == [59, 183, 121]
# 4: turned round, the same runs are walked downwards, in as many steps.
for values in itertools.product(range(8), repeat=4):
    mirrored = [-value for value in values]
    assert count_steps(mirrored) == count_steps(values)


# 5: the length of each run is kept at both its ends.
def longest_so_far(values):
    length, best = {}, 0
    for value in values:
        if value not in length:
            left, right = length.get(value - 1, 0), length.get(value + 1, 0)
            whole = left + 1 + right
            length[value] = length[value - left] = length[value + right] = whole
            best = max(best, whole)
        yield best


for _ in range(500):
    values = rng.integers(-20, 20, rng.integers(1, 30)).tolist()
    known = [longest_run(values[: i + 1]).length for i in range(len(values))]
    assert list(longest_so_far(values)) == known
tell(year_longest=parts.longest.length)
