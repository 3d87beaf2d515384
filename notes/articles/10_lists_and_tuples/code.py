# %% press_quiet
import sys

from notes.press import ACCENT, ACCENT_2, axes, figure, tell

tell(python=sys.version.split()[0])

# %% operations
from anypart.lens.python import operations

table = operations(list, tuple)
shown = (
    "x[-1] | x[1:3] | 3 in x | x.count(3) | x.index(7) | x + y | sorted(x)"
    " | list(reversed(x)) | x[0] = 9 | x.append(9) | x.pop(0) | x.sort()"
    " | x += y | hash(x) | x is x[:]"
)
for code in shown.split(" | "):
    row = table.of(code)
    mark = "≠" if row.differs else " "
    # Of an error its name, without what it says.
    on_list, on_tuple = (str(o).split(":")[0] for o in row.outcomes.values())
    print(f"{mark} {code:18}{on_list:28.27}{on_tuple:.27}")

# %% operations_quiet
both = [row for row in table if row.shared and not row.differs]
changing = [row for row in table if row.outcomes["list"].mutated]
assert all(not row.outcomes["tuple"].mutated for row in table)
assert all(
    "TypeError" in table.of(code).outcomes["tuple"].result for code in ("x[0] = 9", "del x[0]")
)
assert table.of("x += y").outcomes["tuple"].rebound
assert not table.of("x += y").outcomes["list"].rebound
tell(n_operations=len(table.rows), n_alike=len(both), n_changing=len(changing))

# %% fixed
point = (2, 3)
longer = (*point, 5)
print(len(point), len(longer), longer is point)

# %% comma
for text in ("(1)", "(1,)", "()"):
    print(f"{text:5} is a {type(eval(text)).__name__}")

# %% comma_quiet
assert (len(point), len(longer)) == (2, 3)
assert [type(eval(text)) for text in ("(1)", "(1,)", "()")] == [int, tuple, tuple]

# %% sizes
a, b, c = 1, 2, 3
for name, made in {
    "()": (),
    "[]": [],
    "(1, 2, 3)": (1, 2, 3),
    "[a, b, c]": [a, b, c],
    "[1, 2, 3]": [1, 2, 3],
    "sys.getsizeof([])": None,
}.items():
    size = sys.getsizeof([]) if made is None else made.__sizeof__()
    print(f"{name:18} {size:3} bytes")

# %% sizes_quiet
assert ().__sizeof__() == 24
assert [].__sizeof__() == 40
assert (1, 2, 3).__sizeof__() == 48
assert [a, b, c].__sizeof__() == 64
assert sys.getsizeof([]) == [].__sizeof__() + 16
literal = [1, 2, 3].__sizeof__()
assert literal == 72 or sys.version_info[:2] not in ((3, 10), (3, 11), (3, 12), (3, 13))
tell(literal_bytes=literal)

# %% growth
from anypart.lens.python import growth

grown = growth("list", 92)
print(grown)

# %% growth_quiet
assert grown.steps == (0, 4, 8, 16, 24, 32, 40, 52, 64, 76, 92)
assert grown.same


# %% rule
def room(n):
    """How many places a list of n items gets when it has to grow."""
    return (n + n // 8 + 6) // 4 * 4


capacity, met = 0, [0]
for n in range(1, 93):
    if n > capacity:
        capacity = room(n)
        met.append(capacity)
print(met)
print("the same as measured:", tuple(met) == grown.steps)

# %% rule_quiet
assert tuple(met) == grown.steps

# %% amortised
for n in (100, 10_000, 100_000):
    print(f"{n:7,} appends: {growth('list', n).copies_per_item:5.2f} moved for each")
remade = growth("tuple", 1000).copies_per_item
print(f"  1,000 × t = (*t, item): {remade:.1f} moved for each")

# %% amortised_quiet
assert all(growth("list", n).copies_per_item < 9 for n in (10, 1000, 100_000))
assert growth("tuple", 1000).copies_per_item == 999 / 2

# %% growth_figure
fig, axs = axes(7, 3.1, columns=2)
items = range(93)
axs[0].step(items, grown.capacities, where="post", color=ACCENT, label="list, room")
axs[0].plot(items, items, color=ACCENT_2, label="items (tuple)")
axs[0].set_xlabel("items")
axs[0].set_ylabel("places")
axs[0].legend()
sizes = [10, 30, 100, 300, 1000, 3000]
lists = [growth("list", n).copies_per_item for n in sizes]
tuples = [growth("tuple", n).copies_per_item for n in sizes]
axs[1].loglog(sizes, tuples, "s-", color=ACCENT_2, markersize=4, label="t = (*t, item)")
axs[1].loglog(sizes, lists, "o-", color=ACCENT, markersize=4, label="append")
axs[1].set_xlabel("items added")
axs[1].set_ylabel("items moved for each")
axs[1].legend()
figure("growth", fig)

# %% shrinking
places = [(size - [].__sizeof__()) // 8 for size in grown.shrinking]
for n in range(92, -1, -1):
    if n == 92 or places[92 - n] != places[91 - n]:
        print(f"{n:3} items left: room for {places[92 - n]:2}")

# %% shrinking_quiet
assert places[0] == 92
assert places[-1] == 0
assert all(room_then < 4 + 2.3 * n for n, room_then in zip(range(92, 0, -1), places, strict=False))


# %% caching
def comes_back(make):
    first = make()
    address = id(first)
    del first
    return id(make()) == address


print("tuple:", comes_back(lambda: (a, b, c)))
print("list: ", comes_back(lambda: [a, b, c]))

# %% caching_quiet
assert comes_back(lambda: (a, b, c))
assert comes_back(lambda: [a, b, c])

# %% costs
from anypart.lens.python import costs

timed = costs(seconds=1.0, most=10)
for code in ("x = (1, 2, 3)", "x = [1, 2, 3]", "x = (a, b, c)", "x = [a, b, c]"):
    cost = timed.of(code)
    print(f"{code:16}{cost.ratio:4.1f}×  {cost.reason}")
    print(f"{'':22}{'; '.join(cost.bytecode[:-1])}")

# %% costs_quiet
assert timed.of("x = (1, 2, 3)").bytecode[0] == "LOAD_CONST (1, 2, 3)"
assert any("BUILD_TUPLE" in step for step in timed.of("x = (a, b, c)").bytecode)
assert any("BUILD_LIST" in step for step in timed.of("x = [a, b, c]").bytecode)
tell(
    constant_ratio=timed.of("x = [1, 2, 3]").ratio,
    variable_ratio=timed.of("x = [a, b, c]").ratio,
)

# %% more_costs
for group in (
    ["x = []", "x = list()"],
    ["x = t[1]", "x = l[1]"],
    ["l.append(0); l.pop()", "l.insert(0, 0); l.pop(0)", "d.appendleft(0); d.popleft()"],
    ["x = y in s", "x = y in l"],
):
    least = min(timed.of(code).nanoseconds for code in group)
    ratios = [f"{code} {timed.of(code).nanoseconds / least:.1f}×" for code in group]
    print("   ".join(ratios))

# %% recommend
from anypart.lens.python import recommend

print("longitude and latitude:", recommend("fixed", "index"))
print("what a user read this week:", recommend("append", "walk"))
print("a growing dictionary key:", recommend("append", "key"))

# %% recommend_quiet
assert recommend("fixed", "index").type == "tuple"
assert recommend("append", "walk").type == "list"
assert recommend("append", "key").type == ""

# %% contents
pair = ([1], "fixed")
try:
    pair[0] += [2]
except TypeError as error:
    print("TypeError:", error)
print(pair)
try:
    hash(pair)
except TypeError as error:
    print("TypeError:", error)

# %% rows
board = [[0] * 3] * 3
board[0][0] = 1
print(board)
board = [[0] * 3 for _ in range(3)]
board[0][0] = 1
print(board)

# %% contents_quiet
assert pair == ([1, 2], "fixed")
assert board == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
assert hash((1, (2, 3))) == hash((1, (2, 3)))

# %% table
from importlib.resources import files

import anypart as ap
from anypart.data import packed_costs

penguins = ap.read(files("anypart.data") / "penguins.csv")
n_rows, forms = packed_costs.costs(penguins)
for form in forms:
    print(f"{form.form:16}{form.row_bytes:6.0f} bytes a row")

# %% table_quiet
bytes_of = {form.form: form.row_bytes for form in forms}
assert bytes_of["list of dicts"] > bytes_of["list of tuples"] > bytes_of["Arrow"]
assert bytes_of["packed codes"] < bytes_of["Arrow"] / 10
tell(
    n_rows=n_rows,
    packed_bytes=bytes_of["packed codes"],
    dict_ratio=bytes_of["list of dicts"] / bytes_of["packed codes"],
)

# %% packed
from anypart.data.codec import Codec
from anypart.data.infer import infer_schema
from anypart.data.packed import pack

codec = Codec(infer_schema(penguins))
packed = pack(penguins, codec, "packed")
print("bits of each column:", packed.layout.widths)
print("bytes a row:", packed.layout.row_bytes)

# %% packed_quiet
assert sum(packed.layout.widths) <= 8 * packed.layout.row_bytes
codes, seen = packed.rows(slice(0, 5))
assert codes.shape == (5, 8)

# %% answers_quiet
# 1: a list made at once has no room to spare; the next append makes some.
five = [None] * 5
assert five.__sizeof__() == 40 + 5 * 8
five.append(None)
assert five.__sizeof__() == 40 + room(6) * 8 == 40 + 12 * 8
# 2: always four places more: 4 + 8 + … + 996 items are moved.
capacity = moved = 0
for n in range(1, 1001):
    if n > capacity:
        moved += n - 1
        capacity += 4
assert moved == 4 * 249 * 250 // 2 == 124_500
tell(
    moved_four=moved,
    moved_eighth=round(growth("list", 1000).copies_per_item * 1000),
)
# 3: a copy of what cannot change is the thing itself.
t = (3, 1, 2)
assert tuple(t) is t
assert t[:] is t
assert list(t) is not list(t)
# 4: a key must stay what it is, to the last item.
assert {(1, (2,)): 0}[1, (2,)] == 0
for bad in ((1, [2]), (1, {2})):
    try:
        hash(bad)
    except TypeError:
        continue
    raise AssertionError("a tuple with a list in it has no hash")
