# %% press_quiet
from notes.press import ACCENT, ACCENT_2, FAINT, INK, axes, figure, tell

# %% disagree
import torch

from anypart.calculus.smoothing.metrics import accuracy, probabilities

target = torch.tensor([1, 1, 1])
for chances in ([0.51, 0.51, 0.51], [0.99, 0.99, 0.49]):
    p = torch.tensor(chances)
    entropy = torch.nn.functional.binary_cross_entropy(p, target.float())
    right = accuracy(probabilities(p), target, 0)
    print(f"{chances}: cross-entropy {entropy:.3f}, accuracy {right:.3f}")

# %% disagree_quiet
before, after = torch.tensor([0.51, 0.51, 0.51]), torch.tensor([0.99, 0.99, 0.49])
entropies = [float(-p.log().mean()) for p in (before, after)]
assert [round(e, 3) for e in entropies] == [0.673, 0.244]
rights = [float(accuracy(probabilities(p), target, 0)) for p in (before, after)]
assert rights[0] == 1.0
assert abs(rights[1] - 2 / 3) < 1e-6
tell(ce_before=entropies[0], ce_after=entropies[1], acc_after=rights[1])

# %% maximum
from anypart.calculus import smoothing

x = torch.tensor([2.0, 1, 4, 5, 3], dtype=torch.float64)
for t in (1, 0.5, 0.2, 0.1, 0):
    soft, bound = smoothing.max(x, t), smoothing.max.bound(x, t)
    print(f"t = {t:<3}  soft {soft:.6f}  error {soft - 5:.6f}  at most {bound:.4f}")

# %% maximum_quiet
softs = {t: float(smoothing.max(x, t)) for t in (1, 0.5, 0.2, 0.1)}
for t, known in {1: 5.4519, 0.5: 5.0727, 0.2: 5.00135, 0.1: 5.000005}.items():
    assert abs(softs[t] - known) < 5e-5
generator = torch.Generator().manual_seed(0)
for _ in range(300):
    n = int(torch.randint(2, 9, (), generator=generator))
    row = 3 * torch.randn(n, generator=generator, dtype=torch.float64)
    t = float(torch.rand((), generator=generator)) + 0.05
    gap = float(smoothing.max(row, t) - row.max())
    assert 0 <= gap <= t * torch.tensor(float(n)).log() + 1e-9
tied = torch.full((4,), 7.0, dtype=torch.float64)
assert torch.isclose(smoothing.max(tied, 0.3) - 7, smoothing.max.bound(tied, 0.3))

# %% gradient
x.requires_grad_()
(slope,) = torch.autograd.grad(smoothing.max(x, 0.5), x)
x = x.detach()
for name, row in {"gradient": slope, "softmax": torch.softmax(x / 0.5, 0)}.items():
    print(f"{name:9}", *(f"{value:.4f}" for value in row))

# %% gradient_quiet
assert torch.allclose(slope, torch.softmax(x / 0.5, 0))

# %% overflow
big = torch.tensor([1000.0, 999.0])
print("as the formula is written:", big.exp().sum().log().item())
print("shifted by the maximum:   ", smoothing.max(big, 1.0).item())

# %% overflow_quiet
assert big.exp().sum().log().isinf()
assert abs(float(smoothing.max(big, 1.0)) - 1000.3133) < 1e-3

# %% maximum_figure
fig, axs = axes(7, 3.2, columns=2)
line = torch.linspace(-3, 3, 241, dtype=torch.float64)
for t in (1.0, 0.5, 0.2):
    pair = torch.stack([line, torch.zeros_like(line)], 1)
    axs[0].plot(line, smoothing.max(pair, t), label=f"t = {t}")
    axs[1].plot(line, smoothing.step(line, t), label=f"t = {t}")
axs[0].plot(line, line.clamp(min=0), "--", color=INK, linewidth=1, label="max(x, 0)")
axs[1].plot(line, (line > 0).double(), "--", color=INK, linewidth=1, label="step")
axs[0].set_title("a kink")
axs[1].set_title("a jump")
for ax in axs:
    ax.set_xlabel("x")
    ax.legend()
figure("kink_and_jump", fig)

# %% family
points = torch.tensor([-0.2, 0.05, 1.3], dtype=torch.float64)
for name in ("abs", "step", "sign", "floor"):
    function = getattr(smoothing, name)
    hard, soft = function(points, 0).numpy(), function(points, 0.1).numpy()
    bound = function.bound(points, 0.1).numpy()
    print(f"{name:6} hard {hard}  soft {soft.round(3)}  within {bound.round(3)}")

# %% family_quiet
for name in ("abs", "step", "sign", "floor", "round"):
    function = getattr(smoothing, name)
    grid = torch.linspace(-2.3, 2.3, 461, dtype=torch.float64) + 0.001
    for t in (0.05, 0.3, 1.0):
        assert (
            (function(grid, t) - function(grid, 0)).abs() <= function.bound(grid, t) + 1e-9
        ).all()
grid = grid.clone().requires_grad_()
(slope,) = torch.autograd.grad(smoothing.abs(grid, 0.3).sum(), grid)
assert torch.allclose(slope, smoothing.sign(grid, 0.3))


# %% identity
def max_of_two(x, y):
    return (abs(x + y) + abs(x - y)) / 2


print(max_of_two(3, 5), max_of_two(-3, -5))
print((3 + 5 + abs(3 - 5)) / 2, (-3 - 5 + abs(-3 + 5)) / 2)

# %% identity_quiet
assert max_of_two(3, 5) == 5
assert max_of_two(-3, -5) == 5  # and the maximum is −3

# %% choice
for t in (1, 0.5, 0.2):
    shares, place = smoothing.one_hot_argmax(x, t), smoothing.argmax(x, t)
    print(f"t = {t:<3}  {shares.numpy().round(3)}  place {place:.3f}")
peaks = torch.tensor([5.0, 0, 0, 0, 5.0])
print("two peaks:", smoothing.argmax(peaks, 0.1).item())

# %% choice_quiet
places = [float(smoothing.argmax(x, t)) for t in (1, 0.5, 0.2)]
assert [round(p + 1, 3) for p in places] == [3.734, 3.892, 3.993]  # counted from 1
assert abs(float(smoothing.argmax(peaks, 0.1)) - 2) < 1e-6


# %% boltzmann
def boltzmann(x, t):
    return (x * smoothing.one_hot_argmax(x, t)).sum()


low, higher = torch.tensor([0.0, -3.0]), torch.tensor([0.0, -2.0])
for name, way in {"weighted mean": boltzmann, "log-sum-exp": smoothing.max}.items():
    print(f"{name:15}{way(low, 1.0):.4f} → {way(higher, 1.0):.4f}")
print(f"the most that the weighted mean can lose: {smoothing.regret(2, 1.0):.4f}")

# %% boltzmann_quiet
assert boltzmann(higher, 1.0) < boltzmann(low, 1.0)
assert smoothing.max(higher, 1.0) > smoothing.max(low, 1.0)
seconds = -torch.linspace(0, 6, 6001, dtype=torch.float64)
losses = torch.stack(
    [-boltzmann(torch.stack([torch.zeros_like(s), s]), 1.0) for s in seconds[::10]]
)
assert losses.max() <= smoothing.regret(2, 1.0) + 1e-12
assert losses.max() > smoothing.regret(2, 1.0) - 1e-4


# %% top_k_wrong
def added_softmaxes(x, k):
    x = x - x.amin(-1, keepdim=True)
    p = torch.zeros_like(x)
    for _ in range(k):
        p = p + torch.softmax((1 - p) * x, -1)
    return p


pair = torch.tensor([0.0, 2.0])
print("the 2 largest of [0, 2]:", added_softmaxes(pair, 2))
rows = torch.randn(20_000, 5, generator=torch.Generator().manual_seed(1))
above = (added_softmaxes(rows, 3) > 1).any(-1)
print(f"an entry above 1 in {above.float().mean():.1%} of the rows")

# %% top_k_right
print("the 2 largest of [0, 2]:", smoothing.top_k_mask(pair, 1.0, 2))
masks = smoothing.top_k_mask(rows, 1.0, 3)
print(f"least entry {masks.min():.4f}, greatest {masks.max():.4f}")
print(f"sums from {masks.sum(-1).min():.4f} to {masks.sum(-1).max():.4f}")


# %% top_k_limits
def weighted_softmaxes(x, k):
    p = torch.zeros_like(x)
    for _ in range(k):
        w = (1 - p) * torch.exp(x - x.max())
        p = p + w / w.sum()
    return p


x4 = torch.tensor([3.0, 2, 1, 4])
for t in (1, 0.1, 0.05):
    ways = {
        "softmaxes added": added_softmaxes(x4 / t, 2),
        "softmaxes weighted": weighted_softmaxes(x4 / t, 2),
        "weighted, double precision": weighted_softmaxes(x4.double() / t, 2),
        "top_k_mask": smoothing.top_k_mask(x4, t, 2),
    }
    print(f"t = {t}")
    for name, mask in ways.items():
        print(f"  {name:28}{mask.numpy().round(3)}")

# %% top_k_quiet
wrong = added_softmaxes(torch.tensor([0.0, 2.0]), 2)
assert [round(float(v), 2) for v in wrong] == [0.56, 1.44]
assert torch.allclose(weighted_softmaxes(x4 / 0.1, 2), torch.tensor([0.5, 0, 0, 1.5]), atol=1e-3)
assert torch.allclose(weighted_softmaxes(x4 / 0.05, 2), torch.tensor([1.0, 0, 0, 1]), atol=1e-3)
assert torch.allclose(
    weighted_softmaxes(x4.double() / 0.05, 2).float(), torch.tensor([0.5, 0, 0, 1.5]), atol=1e-3
)
assert torch.allclose(smoothing.top_k_mask(x4, 0.01, 2), torch.tensor([1.0, 0, 0, 1]), atol=1e-3)
assert above.float().mean() > 0.1
assert masks.min() >= 0
assert masks.max() <= 1
assert torch.allclose(masks.sum(-1), torch.tensor(3.0), atol=1e-4)
tell(above_one=float(above.float().mean()))

# %% orders
values = torch.tensor([2.9, 0.1, 1.2])
for t in (0, 1.0, 2.0):
    print(
        f"t = {t}  sort {smoothing.sort(values, t).numpy().round(3)}  "
        f"rank {smoothing.rank(values, t).numpy().round(3)}"
    )

# %% metrics
from anypart.calculus.smoothing.metrics import f1, logits

z = torch.tensor([2.0, 0.4, -1.0, -3.0])
y = torch.tensor([1, 0, 1, 0])
p = torch.sigmoid(z)
by_hand = 2 * (y * p).sum() / (y + p).sum()
print(f"smooth F1 {f1(logits(z), y):.4f}, by hand {by_hand:.4f}")
print(f"smooth accuracy {accuracy(logits(z), y):.4f}")
print(f"true F1 {f1(logits(z), y, 0):.4f}, accuracy {accuracy(logits(z), y, 0):.4f}")

# %% metrics_quiet
assert torch.isclose(f1(logits(z), y), by_hand)
assert torch.isclose(accuracy(logits(z), y), (y * p + (1 - y) * (1 - p)).mean())
draws = torch.bernoulli(p.expand(200_000, 4), generator=torch.Generator().manual_seed(2))
assert abs(float((draws == y).float().mean() - accuracy(logits(z), y))) < 2e-3

# %% confident
for score in (-0.5, -2.0, -8.0):
    z = torch.tensor([score], requires_grad=True)
    entropy = -torch.nn.functional.logsigmoid(z)
    loss = accuracy.loss(logits(z), torch.tensor([1]))
    slopes = [torch.autograd.grad(f, z)[0].item() for f in (entropy, loss)]
    print(f"{score:4}: cross-entropy {slopes[0]:.4f}, accuracy {slopes[1]:.4f}")

# %% confident_quiet
assert abs(slopes[0]) > 0.99
assert abs(slopes[1]) < 1e-3

# %% batches
generator = torch.Generator().manual_seed(3)
n = 20_000
y = (torch.rand(n, generator=generator) < 0.05).long()
z = 2.5 * y - 2.5 + torch.randn(n, generator=generator)


def mean_over_batches(metric, size):
    found = []
    for i in torch.randperm(n, generator=generator)[: n - n % size].split(size):
        found.append(metric(logits(z[i]), y[i]))
    return torch.stack(found).mean().item()


over_batches = {}
for size in (8, 32, 128, 1024, n):
    over_batches[size] = [mean_over_batches(m, size) for m in (f1, accuracy)]
    f, right = over_batches[size]
    print(f"{size:6} rows a batch: F1 {f:.3f}, accuracy {right:.3f}")

# %% batches_quiet
whole, right = over_batches[n]
assert over_batches[8][0] < 0.75 * whole
assert abs(over_batches[1024][0] - whole) < 0.02
assert all(abs(found[1] - right) < 0.005 for found in over_batches.values())
tell(f1_whole=whole, f1_eight=over_batches[8][0], no_positive=0.95**8)

# %% totals
from anypart.calculus.smoothing.metrics import Totals

shift = torch.zeros((), dtype=torch.float64, requires_grad=True)  # one number to learn


def slope_of(loss):
    return torch.autograd.grad(loss, shift)[0].item()


def mean(found):
    return sum(found) / len(found)


true_slope = slope_of(f1.loss(logits(z + shift), y))
kept = Totals(rate=0.01)
alone, moving = [], []
for step in range(1500):
    i = torch.randint(n, (8,), generator=generator)
    alone.append(slope_of(f1.loss(logits(z[i] + shift), y[i])))
    found = slope_of(f1.loss(logits(z[i] + shift), y[i], totals=kept))
    if step >= 300:  # the totals have to fill first
        moving.append(found)
print(f"slope of the loss on all rows          {true_slope:+.4f}")
print(f"mean slope over batches of 8           {mean(alone):+.4f}")
print(f"mean slope with moving totals          {mean(moving):+.4f}")

# %% totals_quiet
assert abs(mean(moving) - true_slope) < 0.25 * abs(mean(alone) - true_slope)

# %% contest
from copy import deepcopy

from anypart.calculus.gradients import ScoreFunction
from anypart.calculus.smoothing.metrics import as_reward
from anypart.optim.finisher import Labelled, finish


def cross_entropy(z, y):
    return torch.nn.functional.binary_cross_entropy_with_logits(z, y.float())


def train(model, rows, loss, steps=150, rate=0.1):
    model = deepcopy(model)
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    for _ in range(steps):
        optimiser.zero_grad()
        loss(model(rows.rows).squeeze(1), rows.labels).backward()
        optimiser.step()
    return model


def judge(model, rows, threshold=0.0):
    with torch.no_grad():
        z, y = model(rows.rows).squeeze(1) - threshold, rows.labels
    return [f1(logits(z), y, 0), accuracy(logits(z), y, 0), cross_entropy(z, y)]


def contest(rows, valid, test):
    start = torch.nn.Linear(rows.rows.shape[1], 1)
    by_entropy = train(start, rows, cross_entropy)
    drawn = ScoreFunction("leave_one_out", draws=4)
    by_f1 = train(start, rows, lambda z, y: f1.loss(logits(z), y))
    by_accuracy = train(start, rows, lambda z, y: accuracy.loss(logits(z), y))
    by_reward = train(by_entropy, rows, lambda z, y: -as_reward(f1, z, y, drawn), 100, 0.03)

    finished = finish(by_entropy, rows, valid, f1)
    found = {name: judge(m, test, cut) for name, (m, cut) in finished.candidates.items()}
    found["smooth F1 from the start"] = judge(by_f1, test)
    found["smooth accuracy from the start"] = judge(by_accuracy, test)
    found["F1 as a reward, from cross-entropy"] = judge(by_reward, test)
    return found, finished


# %% table_quiet
def show(contests):
    print(f"{'':36}   F1  accuracy  cross-entropy")
    for name in contests[0]:
        f, right, entropy = torch.tensor([found[name] for found in contests]).mean(0)
        print(f"{name:36}{f:5.3f}{right:10.3f}{entropy:15.3f}")


# %% clouds
def clouds(n, generator):
    shares = torch.tensor([0.9, 0.08, 0.02])  # no, yes, yes on the far side
    kind = torch.multinomial(shares, n, True, generator=generator)
    centre = torch.tensor([[0.0, 0.0], [2.5, 0.0], [-3.0, -2.0]])[kind]
    spread = torch.tensor([1.0, 0.7, 0.5])[kind, None]
    x = centre + spread * torch.randn(n, 2, generator=generator)
    return Labelled(x, (kind > 0).long())


torch.manual_seed(0)
generator = torch.Generator().manual_seed(4)
tables = [[clouds(n, generator) for n in (1000, 500, 3000)] for _ in range(2)]
contests = [contest(*table) for table in tables]
show([found for found, _ in contests])


# %% clouds_quiet
def mean_f1(contests, name):
    return sum(float(found[name][0]) for found in contests) / len(contests)


on_clouds = [found for found, _ in contests]
entropy_f1 = mean_f1(on_clouds, "cross-entropy at .5")
assert entropy_f1 < mean_f1(on_clouds, "tuned threshold") - 0.1
assert mean_f1(on_clouds, "tuned threshold") < mean_f1(on_clouds, "fine-tuned") - 0.03
lowest = min(on_clouds[0], key=lambda name: float(on_clouds[0][name][2]))
assert lowest == "cross-entropy at .5"
tell(
    clouds_entropy=entropy_f1,
    clouds_tuned=mean_f1(on_clouds, "tuned threshold"),
    clouds_fine=mean_f1(on_clouds, "fine-tuned"),
    clouds_reward=mean_f1(on_clouds, "F1 as a reward, from cross-entropy"),
)

# %% lines_figure
fig, ax = axes(6, 3.6)
test = tables[0][2]
rows, yes = test.rows[:500], test.labels[:500] > 0
ax.scatter(*rows[~yes].T, s=6, color=FAINT, alpha=0.5, linewidths=0, label="no")
ax.scatter(*rows[yes].T, s=12, marker="^", color=ACCENT, linewidths=0, label="yes")
ends = torch.tensor([-4.5, 4.5])
styles = {"tuned threshold": ":", "fine-tuned": "-"}
for name, style in styles.items():
    model, cut = contests[0][1].candidates[name]
    (a, b), c = model.weight.detach()[0], model.bias.detach()[0] - cut
    ax.plot(-(b * ends + c) / a, ends, style, color=ACCENT_2, label=name)
ax.set_xlim(-5, 5)
ax.set_ylim(-4.2, 3.5)
ax.legend(loc="upper left")
figure("lines", fig)

# %% digits
from sklearn.datasets import load_digits

digits = load_digits()
pixels = torch.tensor(digits.data, dtype=torch.float32) / 16
is_eight = torch.tensor(digits.target == 8).long()


def part(ix):
    return Labelled(pixels[ix], is_eight[ix])


on_digits = []
for seed in range(2):
    order = torch.randperm(len(pixels), generator=torch.Generator().manual_seed(seed))
    rows, valid, test = (part(ix) for ix in order.split([600, 400, len(pixels) - 1000]))
    on_digits.append(contest(rows, valid, test)[0])
show(on_digits)

# %% digits_quiet
plain, tuned = mean_f1(on_digits, "cross-entropy at .5"), mean_f1(on_digits, "fine-tuned")
assert abs(plain - tuned) < 0.05
assert mean_f1(on_digits, "smooth F1 from the start") < max(plain, tuned)
assert mean_f1(on_digits, "smooth accuracy from the start") < 0.2
tell(digits_entropy=plain, digits_fine=tuned)

# %% best_labels
import numpy as np

from anypart.calculus.smoothing.decisions import best_f_beta

chances = np.array([0.45, 0.4, 0.3, 0.3, 0.2, 0.1, 0.05, 0.05])
choice = best_f_beta(chances)
print("chosen:", chances[choice.chosen], " expected F1:", round(choice.value, 4))

# %% decide
from importlib.resources import files

import pyarrow.csv

import anypart as ap

penguins = pyarrow.csv.read_csv(files("anypart.data") / "penguins.csv")
order = np.random.default_rng(0).permutation(len(penguins))
fitted = ap.fit(penguins.take(order[:244]), minutes=0.1, purpose="fast")

test = penguins.take(order[244:])
seen = test.select(["body_mass_g", "bill_depth_mm"])
truth = np.array(test["species"].to_pylist())
named_for = {}
for metric, positive in (("accuracy", None), ("f1", "Chinstrap")):
    answer = fitted.decide(seen, "species", metric, positive=positive)
    labels = np.array(answer.value["species"].to_pylist())
    named, real = labels == "Chinstrap", truth == "Chinstrap"
    found = 2 * (named & real).sum() / (named.sum() + real.sum())
    right = (labels == truth).mean()
    named_for[metric] = named.sum(), found, right
    print(f"for {metric:8} named {named.sum():2} ({real.sum()} are), F1 {found:.3f}, ", end="")
    print(f"accuracy {right:.3f}")
print({name: round(answer.details[name], 3) for name in ("expected", "least_chosen")})

# %% decide_quiet
assert answer.exact
few, many = named_for["accuracy"], named_for["f1"]
assert few[0] < 8 < 20 < many[0]  # named
assert many[1] > few[1] + 0.15  # F1
assert few[2] > many[2]  # accuracy
assert abs(answer.details["least_chosen"] - answer.details["expected"] / 2) < 0.08
tell(expected_f1=answer.details["expected"], least_chosen=answer.details["least_chosen"])

# %% answers_quiet
import itertools
import math

# 1: the slope of step at distance 1, (1/t)·σ'(1/t), is greatest where u·tanh(u/2) = 1, u = 1/t.
ts = np.linspace(0.05, 5, 100_000)
u = 1 / ts
slopes = u * np.exp(-u) / (1 + np.exp(-u)) ** 2
best_t = float(ts[slopes.argmax()])
assert abs(best_t - 0.648) < 1e-3
assert abs((1 / best_t) * math.tanh(0.5 / best_t) - 1) < 1e-3
# 2: the temperature at which the smooth maximum of 1,000 numbers is right to 0.01.
need = 0.01 / math.log(1000)
assert smoothing.max.bound(torch.zeros(1000, dtype=torch.float64), need) <= 0.01 + 1e-12
# 3: the smooth minimum, and x = [2, 1, 4, 5, 3].
assert torch.isclose(smoothing.min(x, 1.0), -torch.logsumexp(-x, 0))
assert smoothing.min(x, 1.0) < 1


# 4: the best choice by brute force over all subsets.
def expected_f1(chosen, chances):
    total = 0.0
    for truth in itertools.product((0, 1), repeat=len(chances)):
        weight = math.prod(p if t else 1 - p for p, t in zip(chances, truth, strict=True))
        hits = sum(c and t for c, t in zip(chosen, truth, strict=True))
        below = sum(chosen) + sum(truth)
        total += weight * (2 * hits / below if below else 0.0)
    return total


three = (0.9, 0.45, 0.1)
values = {c: expected_f1(c, three) for c in itertools.product((0, 1), repeat=3)}
top = max(values, key=values.get)
assert top == (1, 1, 0)
assert best_f_beta(np.array(three)).chosen.tolist() == [True, True, False]
assert abs(best_f_beta(np.array(three)).value - values[top]) < 1e-12
tell(
    best_t=best_t,
    need_t=need,
    smooth_min=float(smoothing.min(x, 1.0)),
    three_best=values[top],
    three_one=values[1, 0, 0],
)
