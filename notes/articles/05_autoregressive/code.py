# %% setup
import itertools
import math
import time

import numpy as np
from sklearn.datasets import load_digits, make_moons

from anypart.data.streams import code_batches
from anypart.models import fvsbn, nade, separate_networks
from anypart.models.conditional_table import ConditionalTable, conditionals_of
from anypart.models.conditional_table import n_parameters as table_parameters
from anypart.models.contract import Evidence, Layout
from anypart.models.made import masks, spread_degrees
from anypart.models.places import Places
from anypart.models.stack import Stack
from anypart.optim.catalogue import start_learner
from anypart.optim.distances import entropy, forward_kl
from anypart.optim.distances.models import all_rows, log_probs
from anypart.optim.rows import Rows
from anypart.scores.autoregression import prove

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, axes, figure, tell

# %% chain
rng = np.random.default_rng(0)
joint = rng.dirichlet(np.ones(16)).reshape(2, 2, 2, 2)  # any p(x1, x2, x3, x4)
tables = conditionals_of(joint)
for i, table in enumerate(tables, 1):
    print(f"p(x{i} | all before): {table[..., 1].size} free numbers")

rebuilt = ConditionalTable(Layout((2, 2, 2, 2)), tables)
again = np.exp(log_probs(rebuilt, all_rows((2, 2, 2, 2))))
assert np.allclose(again, joint.ravel())
assert [table[..., 1].size for table in tables] == [2**i for i in range(4)]
assert table_parameters(Layout((2,) * 4)) == 1 + 2 + 4 + 8 == 2**4 - 1

# %% counts
print(f"{'n, d':>8} {'last table':>11} {'FVSBN':>8} {'networks':>12} {'NADE':>8}")
for n, d in [(4, 3), (8, 16), (784, 500)]:
    columns = Layout((2,) * n)
    found = (
        fvsbn.n_parameters(columns),
        separate_networks.n_parameters(columns, d),
        nade.n_parameters(columns, d),
    )
    assert found[0] == n * (n + 1) // 2
    assert found[1] == d * n * (n - 1) // 2 + 2 * d * n + n
    assert found[2] == 2 * n * d + d + n
    line = f"{found[0]:>8,} {found[1]:>12,} {found[2]:>8,}"
    print(f"{f'{n}, {d}':>8} {f'2^{n - 1}':>11} {line}")

# %% counts_quiet
assert found == (307_720, 154_252_784, 785_284)
tell(count_fvsbn=found[0], count_networks=found[1], count_nade=found[2])


# %% train
class Held:
    """Binary rows in memory, in the form that the learners read."""

    def __init__(self, codes):
        self.codes, self.n_rows = codes, len(codes)
        self.n_cats = (2,) * codes.shape[1]

    def rows(self, index):
        return self.codes[index], np.ones(self.codes[index].shape, bool)


def train(family, settings, source, valid, steps, every=25):
    """Climb the likelihood; keep the snapshot that validation rows like best."""
    rows = Rows(source, np.empty(0, np.int64))
    learner = start_learner(family, settings, 0, rows)
    batches = code_batches(rows, 100, 0).start(epochs=None)
    best, curve = (-math.inf, None), []
    for step, (codes, seen) in zip(range(steps), batches, strict=False):
        learner.step(codes, seen, step / steps)
        if (step + 1) % every == 0:
            snapshot = learner.model()
            level = log_probs(snapshot, valid).mean()
            on_fit = log_probs(snapshot, source.codes).mean()
            curve.append((step + 1, on_fit, level))
            best = max(best, (level, snapshot), key=lambda pair: pair[0])
    return best[1], curve


# %% xor
pairs = all_rows((2, 2))
xor = np.column_stack([pairs, pairs[:, 0] ^ pairs[:, 1]])
straight, _ = train("fvsbn", {}, Held(xor), xor, steps=25, every=1)
models = {"FVSBN": straight}
for width in (2, 4, 8):
    settings = {"width": width, "rate": 0.1, "decay": 0.0}
    best, _ = train("nade", settings, Held(xor), xor, steps=400)
    models[f"NADE, d = {width}"] = best
print("−log p, nats:", *("".join(map(str, row)) for row in xor), sep="    ")
for name, m in models.items():
    print(f"{name:12}", *(f"{nats:6.3f}" for nats in -log_probs(m, xor)))

assert np.allclose(-log_probs(straight, xor), 3 * math.log(2))
assert np.allclose(straight.arrays["weight"], 0)  # nothing helps

# %% xor_quiet
for name in ("NADE, d = 2", "NADE, d = 8"):
    assert np.allclose(-log_probs(models[name], xor), 2 * math.log(2), atol=0.02)
assert -log_probs(models["NADE, d = 4"], xor).mean() > 1.8  # a hill not the highest
tell(two_bits=2 * math.log(2), three_bits=3 * math.log(2), one_bit=math.log(2))
tell(xor_stuck=-log_probs(models["NADE, d = 4"], xor).mean())

# %% order
a, b = pairs.T
four = np.column_stack([a, b, a & b, a ^ b]).repeat(250, axis=0)
lost = {}
for order in itertools.permutations(range(4)):
    settings = {"order": list(order)}
    m, _ = train("fvsbn", settings, Held(four), four, steps=25, every=1)
    name = "".join("abcd"[i] for i in order)
    lost[name] = -log_probs(m, four).mean() - 2 * math.log(2)  # beyond 2 coins
poor = [name for name, nats in lost.items() if nats > 0.1]
print("orders that lose more than 0.1 nats:")
print(*(f"{order} {lost[order]:.3f}" for order in poor), sep=", ")

assert sorted(poor) == sorted(name for name in lost if name.endswith("c"))
assert np.allclose([lost[name] for name in poor], math.log(2), atol=0.01)

# %% order_quiet
tell(order_poor=len(poor), order_all=len(lost))
tell(order_good=max(nats for name, nats in lost.items() if name not in poor))

# %% recursion
rng = np.random.default_rng(1)
n, d, rows = 784, 100, 100
W, V = rng.normal(size=(n, d)) / 28, rng.normal(size=(n, d)) / 10
c, b = rng.normal(size=d), rng.normal(size=n)
x = rng.integers(0, 2, (rows, n)).astype(np.float64)


def units(t):
    return 1 / (1 + np.exp(-t))


def from_scratch(x):
    hidden = (units(c + x[:, :i] @ W[:i]) for i in range(n))
    return np.stack([b[i] + h @ V[i] for i, h in enumerate(hidden)], axis=1)


def recursive(x):
    logits, total = np.empty((rows, n)), np.tile(c, (rows, 1))
    for i in range(n):
        logits[:, i] = b[i] + units(total) @ V[i]
        total += x[:, i : i + 1] * W[i]  # the only news is column i
    return logits


logits = recursive(x)
assert np.allclose(from_scratch(x), logits, atol=1e-9)
products = d * n * (n - 1) // 2, d * n
print("products of the hidden layers, a row: {:,} against {:,}".format(*products))

# %% recursion_shipped
names = {"weight": W, "bias": c, "out_weight": V, "out_bias": b}
arrays = {name: array.astype(np.float32) for name, array in names.items()}
shipped = nade.NADE(Layout((2,) * n), np.arange(n), np.full(n, 0.5), arrays)
by_hand = -np.logaddexp(0, np.where(x == 1, -logits, logits)).sum(axis=1)
assert np.allclose(log_probs(shipped, x.astype(np.int32)), by_hand, rtol=1e-5)


# %% recursion_quiet
def seconds(function, *given):
    best = math.inf
    for _ in range(3):
        began = time.perf_counter()
        function(*given)
        best = min(best, time.perf_counter() - began)
    return best


tell(recursion_ratio=seconds(from_scratch, x) / seconds(recursive, x))
tell(recursion_counted=(n - 1) / 2)

# %% masks
columns, width = Places(Layout((2,) * 5)), 8
rng = np.random.default_rng(0)
degrees = spread_degrees(columns.layout, (width,), 1, rng)[0][0]
(first,), out, direct = masks(columns, np.arange(5), [degrees])
paths = first.astype(int) @ out.astype(int)  # ways from x_j to the logit of x_i
print(paths)
assert not np.tril(paths).any()  # none to itself or to an earlier column
assert (paths[np.triu_indices(5, 1)] > 0).all()

# %% masks_figure
SIZE = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" text-anchor="middle"'


def squares(bits, left=0, top=0):
    """Draw the true cells of a matrix as one path, a unit a cell."""
    cells = "".join(f"M{left + c} {top + r}h1v1h-1z" for r, c in np.argwhere(bits))
    return f'<path d="{cells}" fill="var(--ink)"/>'


def text(x, y, words, size=0.7):
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="var(--ink)">{words}</text>'


def frame(left, top, width, height):
    lines = "".join(f"M{left} {top + r}h{width}" for r in range(height + 1))
    lines += "".join(f"M{left + c} {top}v{height}" for c in range(width + 1))
    return f'<path d="{lines}" stroke="var(--line)" stroke-width=".06" fill="none"/>'


names = [f"x{i}" for i in range(1, 6)]
panels = [
    (1.5, first, "inputs → units", names, degrees),
    (12, out, "units → logits", degrees, names),
    (19.5, paths > 0, "inputs → logits", names, names),
]
parts = []
for left, mask, title, ins, outs in panels:
    height, wide = mask.shape
    parts += [squares(mask, left, 2.5), frame(left, 2.5, wide, height)]
    parts.append(text(left + wide / 2, 0.8, title, 0.9))
    parts += [text(left + c + 0.5, 2.1, label) for c, label in enumerate(outs)]
    parts += [text(left - 0.6, r + 3.25, label) for r, label in enumerate(ins)]
figure(
    "masks", f'<svg {SIZE} viewBox="0 -.3 25 11.2" width="575" height="258">{"".join(parts)}</svg>'
)

# %% digits
# 1,797 digits of 8 × 8 pixels, each inked or not
pictures = (load_digits().data > 7).astype(np.int32)
pictures = pictures[np.random.default_rng(0).permutation(len(pictures))]
fit, valid, test = np.split(pictures, [1097, 1397])

recipes = {  # family: settings, steps, steps between two looks at validation rows
    "independent": ({}, 2, 1),
    "fvsbn": ({}, 25, 1),
    "separate_networks": ({"width": 8, "rate": 0.02}, 300, 25),
    "nade": ({"width": 32, "rate": 0.02}, 500, 25),
    "made": ({"width": 128, "orders": 1, "rate": 0.01}, 600, 25),
}
fitted, curves = {}, {}
print(f"{'family':18} {'parameters':>10} {'test, nats a picture':>21}")
for family, (settings, steps, every) in recipes.items():
    best, curves[family] = train(family, settings, Held(fit), valid, steps, every)
    count = 64 if family == "independent" else best.n_parameters()
    print(f"{family:18} {count:>10,} {log_probs(best, test).mean():>21.2f}")
    fitted[family] = best

# %% digits_quiet
levels = {family: log_probs(m, test) for family, m in fitted.items()}
gain = levels["made"] - levels["fvsbn"]
gain_error = gain.std(ddof=1) / math.sqrt(len(gain))
assert levels["fvsbn"].mean() > levels["independent"].mean() + 5
assert levels["separate_networks"].mean() < levels["fvsbn"].mean()
assert gain.mean() > 3 * gain_error  # on the same pictures
tell(digits_independent=-levels["independent"].mean())
tell(fvsbn_gain=(levels["fvsbn"] - levels["independent"]).mean())
tell(more=fitted["separate_networks"].n_parameters() / fitted["fvsbn"].n_parameters())
tell(gain=gain.mean(), gain_error=gain_error, n_fit=len(fit))
point, last = max(curves["fvsbn"], key=lambda row: row[2]), curves["fvsbn"][-1]
assert last[1] > point[1]
assert last[2] < point[2]
tell(path_best=point[2], path_last=last[2], path_train_best=point[1], path_train_last=last[1])

# %% curves_figure
fig, grid = axes(6.4, 2.8, columns=2, sharey=True)
titles = {"fvsbn": "FVSBN: penalty falls →", "nade": "NADE: step →"}
for ax, (family, title) in zip(grid, titles.items(), strict=True):
    steps, on_fit, on_valid = np.array(curves[family]).T
    ax.plot(steps, on_fit, label="training rows", color=ACCENT_2)
    ax.plot(steps, on_valid, label="validation rows", color=ACCENT)
    ax.plot(steps[on_valid.argmax()], on_valid.max(), "o", color=ACCENT)
    ax.set_xlabel(title)
grid[0].set_ylim(-24, -15)
grid[0].set_ylabel("log p, nats per picture")
grid[1].legend(loc="lower right")
figure("curves", fig)

# %% draws
rng = np.random.default_rng(2)
ten = Evidence.nothing(10, 64)  # ten rows of 64 columns, nothing seen
drawn = {}
for family in ("independent", "fvsbn", "made"):
    drawn[family] = fitted[family].sample(ten, rng)

# %% draws_figure
lines = {"real": test[:10], "one by one": drawn["independent"]}
lines |= {"FVSBN": drawn["fvsbn"], "MADE": drawn["made"]}
parts = []
for y, (name, shown) in enumerate(lines.items()):
    parts.append(text(7, 10 * y + 5, name, 3))
    for at, picture in enumerate(shown):
        left, top = 18 + 10 * at, 10 * y
        edge = f'x="{left}" y="{top}" width="8" height="8" fill="none" stroke="var(--line)"'
        parts += [squares(picture.reshape(8, 8), left, top), f'<rect {edge} stroke-width=".2"/>']
figure(
    "draws", f'<svg {SIZE} viewBox="-1 -1 119 40" width="570" height="192">{"".join(parts)}</svg>'
)

# %% sums
# Two lines of five pixels, and all the 1,024 rows that they could be.
ten = pictures.reshape(-1, 8, 8)[:, 3:5, 1:6].reshape(-1, 10)
everything = all_rows((2,) * 10)
cells = np.ravel_multi_index(tuple(ten.T), (2,) * 10)
data = np.bincount(cells, minlength=1024) / len(ten)  # p_data
small = {}
print(f"{'family':18} {'sum of p':>9} {'KL':>8} {'NLL − entropy':>14}")
for family, (settings, steps, every) in recipes.items():
    small[family], _ = train(family, settings, Held(ten), ten, min(steps, 100), every)
    p = np.exp(log_probs(small[family], everything))
    kl = forward_kl(data, p / p.sum())
    nll = -log_probs(small[family], ten).mean()
    print(f"{family:18} {p.sum():9.5f} {kl:8.4f} {nll - entropy(data):14.4f}")
    assert abs(p.sum() - 1) < 1e-5
    assert np.isclose(kl, nll - entropy(data), atol=1e-4)

# %% frequencies
rng = np.random.default_rng(3)
few = small["made"].sample(Evidence.nothing(100_000, 10), rng)
drawn_cells = np.ravel_multi_index(tuple(few.T), (2,) * 10)
counts = np.bincount(drawn_cells, minlength=1024)
expected = np.exp(log_probs(small["made"], everything)) * len(few)
often = expected > 5
chi = ((counts - expected)[often] ** 2 / expected[often]).sum() / often.sum()
print(f"{often.sum()} rows that should occur more than five times;")
print(f"mean of (counted − expected)²/expected: {chi:.2f}")
assert abs(chi - 1) < 4 * math.sqrt(2 / often.sum())

# %% infinite
halves = np.split(cells[:1796], 2)
one, two = (np.bincount(half, minlength=1024) / len(half) for half in halves)
print("KL(second half ‖ table of the first) =", forward_kl(two, one))
assert np.isinf(forward_kl(two, one))

# %% infinite_quiet
tell(unseen=int(((two > 0) & (one == 0)).sum()))

# %% mixture
models = [fitted["fvsbn"]]
for order in ("given", "reversed"):
    models.append(train("fvsbn", {"order": order}, Held(fit), valid, 25, 1)[0])
alone = [log_probs(m, test).mean() for m in models]
# The log of the mean of three probabilities.
mixed = log_probs(Stack(models, np.zeros(3)), test).mean()
print("one order each:", np.round(alone, 2), " their equal mixture:", mixed.round(2))
assert mixed > max(alone)

# %% leak
good = small["fvsbn"]
arrays = {
    "weight": good.arrays["weight"] + 8 * np.eye(10, dtype=np.float32),
    "bias": good.arrays["bias"] - 4,
}
leaky = fvsbn.FVSBN(good.layout, good.order, good.means, arrays)
for name, m in [("FVSBN", good), ("leaky", leaky)]:
    total = np.exp(log_probs(m, everything)).sum()
    proof = next(prove(m))
    print(f"{name}: {log_probs(m, ten).mean():.2f} nats a row; sum of p {total:.2f};")
    print(f"  proved autoregressive: {proof.proved}, {len(proof.leaks)} leaks")

# %% leak_quiet
assert np.exp(log_probs(leaky, everything)).sum() > 100
assert [next(prove(m)).proved for m in (good, leaky)] == [True, False]
assert all(p.proved for p in prove(fitted["made"]))
tell(leak_sum=np.exp(log_probs(leaky, everything)).sum())

# %% gap
last = np.zeros((1, 10), bool)
last[0, good.order[-1]] = True  # only the last column of the order is seen
ones = np.ones((1, 10), np.int32)
chained = np.exp(good.log_prob(Evidence(ones, last)))[0]
p = np.exp(log_probs(good, everything))
summed = p[everything[:, good.order[-1]] == 1].sum()
print(f"chain with gaps {chained:.4f}, sum over 512 rows {summed:.4f}")
print("any part exactly?", good.ability.any_part)
assert abs(chained - summed) > 0.01

# %% gap_quiet
tell(gap_chained=chained, gap_summed=summed)
pace = Evidence.nothing(1000, 64), np.random.default_rng(0)
dense = seconds(log_probs, fitted["made"], pictures[:1000])
tell(sequence_ratio=seconds(fitted["made"].sample, *pace) / dense)

# %% moons
moons, _ = make_moons(3000, noise=0.08, random_state=0)
codes = np.column_stack([np.argsort(np.argsort(m)) * 32 // 3000 for m in moons.T])
source = Held(codes[:2500].astype(np.int32))
source.n_cats = (32, 32)  # each coordinate cut into 32 pieces of equal probability
real, _ = train("rnade", {"width": 32, "rate": 0.03}, source, codes[2500:], steps=200)

side = np.linspace(-4, 4, 81)
points = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 2)
density = np.exp(real.log_density(points))
print(f"integral of the density: {density.sum() * (side[1] - side[0]) ** 2:.4f}")
assert abs(density.sum() * (side[1] - side[0]) ** 2 - 1) < 0.01

# %% moons_figure
fig, (left, right) = axes(6.4, 3, columns=2, sharey=True)
left.contour(side, side, density.reshape(81, 81).T, levels=5, colors=ACCENT, linewidths=1)
right.plot(*real.sample_values(300, np.random.default_rng(0)).T, ".", ms=3, color=ACCENT_2)
for ax, title in [(left, "density"), (right, "300 draws")]:
    ax.set_title(title)
    ax.set_aspect("equal")
    ax.set_xlim(-3.2, 3.2)
    ax.set_ylim(-3.5, 3.5)
figure("moons", fig)

# %% answer_counts_quiet
hundred = Layout((2,) * 100)
assert fvsbn.n_parameters(hundred) == 5_050
assert next(d for d in range(1, 99) if nade.n_parameters(hundred, d) > 5_050) == 25
tell(nade_24=nade.n_parameters(hundred, 24), nade_25=nade.n_parameters(hundred, 25))

# %% answer_one_unit_quiet
# One unit is monotone along one direction, so at best it names one of the four corners, and
# the three others, two of them 1, share the probability 2/3.
best_of_one = 2 * math.log(2) + 3 / 4 * float(entropy([1 / 3, 2 / 3]))
single = {"width": 1, "rate": 0.1, "decay": 0.0}
stuck, _ = train("nade", single, Held(xor), xor, steps=400)
assert best_of_one - 1e-4 <= -log_probs(stuck, xor).mean() < best_of_one + 0.02
tell(best_of_one=best_of_one)

# %% answer_noise_quiet
noise = 0.1
loss = math.log(2) - entropy([noise, 1 - noise])
rows = np.repeat(np.column_stack([pairs, pairs[:, 0] ^ pairs[:, 1]]), 1000, axis=0)
rows[::10, 2] ^= 1
flat, _ = train("fvsbn", {}, Held(rows), rows, steps=25, every=1)
truth = 2 * math.log(2) + entropy([noise, 1 - noise])
assert np.isclose(-log_probs(flat, rows).mean() - truth, loss, atol=1e-3)
tell(noisy_loss=float(loss))
