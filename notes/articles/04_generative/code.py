# %% setup
import itertools
import math

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB

from anypart.models.contract import Evidence, Layout
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.optim.distances import (
    between_models,
    entropy,
    forward_kl,
    jensen_shannon,
    line_wasserstein,
    log10_states,
    mmd,
    reverse_kl,
    total_variation,
)
from anypart.optim.distances.counts import measure_counts
from anypart.optim.distances.models import all_rows, log_probs

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, ACCENT_3, FAINT, axes, figure, tell

# %% count
exponent = log10_states(itertools.repeat(256, 700 * 1400 * 3))
print(f"pictures: 10^{exponent:,.1f}; in ImageNet: about 10^{math.log10(15e6):.1f}")
assert int(exponent) == 7_080_225

# %% direction
p, q = [0.5, 0.5, 0.0], [0.4, 0.4, 0.2]
print("KL(p‖q) =", forward_kl(p, q).round(4), " KL(q‖p) =", forward_kl(q, p))
assert np.isclose(forward_kl(p, q), 0.5 * math.log(0.5 / 0.4) * 2)
assert np.isinf(reverse_kl(p, q))

# %% choices
line = np.arange(41.0)


def bell(mean, sd):
    far = (line - np.asarray(mean)[..., None]) / np.asarray(sd)[..., None]
    p = np.exp(-(far**2) / 2)
    return p / p.sum(axis=-1, keepdims=True)


p_data = 0.6 * bell(10.0, 2.0) + 0.4 * bell(30.0, 2.0)
grid = np.arange(0, 40.01, 0.5), np.arange(1, 20.01, 0.5)
means, sds = np.meshgrid(*grid, indexing="ij")
family = bell(means, sds)  # M: every bell of this grid, (means, sds, cells)
near = np.exp(-((line[:, None] - line) ** 2) / (2 * 2.0**2))  # a kernel: 1 here, 0 far off
distances = {
    "forward KL": forward_kl,
    "reverse KL": reverse_kl,
    "Jensen-Shannon": jensen_shannon,
    "total variation": total_variation,
    "Wasserstein": lambda p, q: line_wasserstein(p, q, line),
    "MMD": lambda p, q: mmd(p, q, near),
}
chosen = {}
for name, distance in distances.items():
    every = distance(p_data, family)
    at = np.unravel_index(every.argmin(), every.shape)
    chosen[name] = family[at]
    print(f"{name:16} mean {means[at]:4.1f}, sd {sds[at]:4.1f}, gap {every[at]:.3f}")

# %% choices_quiet
mean_of = p_data @ line
sd_of = math.sqrt(p_data @ (line - mean_of) ** 2)
at = np.unravel_index(forward_kl(p_data, family).argmin(), means.shape)
reverse_at = np.unravel_index(reverse_kl(p_data, family).argmin(), means.shape)
assert (means[reverse_at], sds[reverse_at]) == (10, 2)
tell(mean_of=mean_of, sd_of=sd_of, forward_mean=means[at], forward_sd=sds[at])
tell(forward_gap=forward_kl(p_data, family).min(), reverse_gap=reverse_kl(p_data, family).min())
wide = np.exp(-((line[:, None] - line) ** 2) / (2 * 6.0**2))
spreads = [sds.ravel()[mmd(p_data, family, k).argmin()] for k in (near, wide)]
assert spreads[0] < 5 < 15 < spreads[1]
tell(minus_log=-math.log(0.6))
assert np.isclose(reverse_kl(p_data, family).min(), -math.log(0.6), atol=1e-3)

# %% choices_figure
fig, ax = axes(6, 2.7)
ax.fill_between(line, p_data, color=FAINT, alpha=0.3, lw=0, label="p_data")
for name, colour in [("forward KL", ACCENT), ("reverse KL", ACCENT_2), ("Wasserstein", ACCENT_3)]:
    ax.plot(line, chosen[name], label=name, color=colour)
ax.legend()
ax.set_yticks([])
figure("choices", fig)

# %% judge
q = chosen["forward KL"]
judge = p_data / (p_data + q)  # the best possible answer to "is it real?"
score = p_data @ np.log(judge) + q @ np.log(1 - judge)
print(f"score of the best judge {score:.4f}, 2 JS − 2 ln 2 = ", end="")
print(f"{2 * jensen_shannon(p_data, q) - 2 * math.log(2):.4f}")
assert np.isclose(score, 2 * jensen_shannon(p_data, q) - 2 * math.log(2))

# %% apart
for gap in (1, 5, 20):
    one, other = np.eye(41)[10], np.eye(41)[10 + gap]
    print(
        f"{gap:2} apart: forward KL {forward_kl(one, other)}, "
        f"Jensen-Shannon {jensen_shannon(one, other):.3f}, "
        f"Wasserstein {line_wasserstein(one, other, line):2.0f}, MMD {mmd(one, other, near):.3f}"
    )
    assert np.isclose(jensen_shannon(one, other), math.log(2))


# %% learn
def learn(family, codes, settings=None, steps=2, batch=None):
    """Train a family; each step takes all rows, or a random batch of them."""
    rng, seen = np.random.default_rng(0), np.ones(codes.shape, bool)
    layout = Layout((2,) * codes.shape[1])
    learner = LEARNERS[family](layout, codes, seen, settings or {}, 0)
    for step in range(steps):
        rows = slice(None) if batch is None else rng.choice(len(codes), batch, replace=False)
        learner.step(codes[rows], seen[rows], step / steps)
    return learner.model()


# %% truths
columns, rng = 10, np.random.default_rng(0)
states = all_rows((2,) * columns)
# Each column copies the one before, but for one time in five.
flip = np.where(states[:, 1:] == states[:, :-1], 0.8, 0.2)
chain = 0.5 * flip.prod(axis=1)
odd = states[:, 0] ^ states[:, 5]  # here the last column is an exclusive or, nearly
exclusive = 0.5 * flip[:, :-1].prod(axis=1) * np.where(states[:, -1] == odd, 0.9, 0.1)
levels = {}
for name, truth in [("chain", chain), ("exclusive or", exclusive)]:
    for n in (100, 1_000, 10_000, 100_000):
        counts = rng.multinomial(n, truth)
        fitted = learn("chow_liu", states.repeat(counts, axis=0))
        tree = np.exp(log_probs(fitted, states))
        table = (counts + 0.5) / (n + 0.5 * len(states))
        levels[name, n] = forward_kl(truth, tree / tree.sum()), forward_kl(truth, table)
        found = "tree {:.4f}, histogram {:.4f}".format(*levels[name, n])
        print(f"{name:12} {n:7,} rows: KL of the {found}")

# %% truths_quiet
ones = exclusive[states[:, -1] == 1].sum()
best = entropy([ones, 1 - ones]) - entropy([0.1, 0.9])  # what no tree knows of the last column
tell(ones=ones)
assert np.isclose(levels["exclusive or", 100_000][0], best, atol=1e-3)
assert levels["chain", 1_000][0] < levels["chain", 1_000][1] / 5
assert levels["exclusive or", 100_000][1] < 0.01
tell(floor=float(best), chain_tree=levels["chain", 1_000][0], chain_table=levels["chain", 1_000][1])
tell(table_numbers=2**columns - 1, tree_numbers=2 * columns - 1)


# %% dimension
def kernel(counts, columns):
    """Let each row speak for its neighbours, so widely that left-out rows are likeliest."""
    n, tried = counts.sum(), []
    for width in np.linspace(0.01, 0.5, 50):
        p = counts.reshape((2,) * columns) / n
        for axis in range(columns):  # each bit turns over with chance `width`
            p = (1 - width) * p + width * np.flip(p, axis)
        p = p.ravel()
        left_out = (n * p - (1 - width) ** columns) / (n - 1)
        tried.append((counts[counts > 0] @ np.log(left_out[counts > 0]), p))
    return max(tried, key=lambda pair: pair[0])[1]


gaps = {}
print("KL of models from 1,000 rows of a chain")
for columns_now in (4, 8, 12):
    cells = all_rows((2,) * columns_now)
    same = (cells[:, 1:] == cells[:, :-1]).sum(axis=1)
    truth = 0.5 * 0.8**same * 0.2 ** (columns_now - 1 - same)
    counts = np.random.default_rng(1).multinomial(1000, truth)
    tree = np.exp(log_probs(learn("chow_liu", cells.repeat(counts, axis=0)), cells))
    table = (counts + 0.5) / (1000 + 0.5 * len(cells))
    every = tree / tree.sum(), kernel(counts, columns_now), table
    gaps[columns_now] = [float(forward_kl(truth, p)) for p in every]
    found = "tree {:.3f}, kernel {:.3f}, histogram {:.3f}".format(*gaps[columns_now])
    print(f"{columns_now:2} columns: {found}")

# %% dimension_quiet
assert gaps[12][0] < gaps[12][1] < gaps[12][2]
assert gaps[12][1] > 3 * gaps[12][0]
assert gaps[12][2] > 5 * gaps[4][2]

# %% digits
digits = load_digits()
mixed = np.random.default_rng(0).permutation(len(digits.data))
pictures, labels = (digits.data[mixed] > 7).astype(np.int32), digits.target[mixed]
fit, test = pictures[:1300], pictures[1300:]
model = learn("hidden_tree", fit, {"n_states": 16}, steps=600, batch=100)

# %% density
rng = np.random.default_rng(1)
shuffled = rng.permuted(test, axis=1)
noise = rng.integers(0, 2, test.shape, np.int32)
for name, rows in [("digits", test), ("their pixels shuffled", shuffled), ("noise", noise)]:
    print(f"mean log p of {name:22} {log_probs(model, rows).mean():8.1f}")

# %% sampling
drawn = model.sample(Evidence.nothing(10, 64), np.random.default_rng(2))
half = np.zeros((5, 64), bool)
half[:, :32] = True
completed = model.sample(Evidence(test[:5], half), np.random.default_rng(3))

# %% sampling_figure
SIZE = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" text-anchor="middle"'


def squares(picture, left, top, colour="var(--ink)", start=0):
    """Draw the inked pixels of rows of a picture from a start as one path."""
    at = np.argwhere(picture.reshape(-1, 8))
    cells = "".join(f"M{left + c} {top + start + r}h1v1h-1z" for r, c in at)
    return f'<path d="{cells}" fill="{colour}"/>'


parts = []
for y, (name, rows) in enumerate([("drawn", drawn), ("completed", [*test[:5], *completed])]):
    parts.append(f'<text x="7" y="{10 * y + 5}" font-size="3" fill="var(--ink)">{name}</text>')
    for at, picture in enumerate(rows):
        left, top = 18 + 10 * at, 10 * y
        lower = "var(--accent)" if y and at >= 5 else "var(--ink)"
        parts.append(squares(picture[:32], left, top))
        parts.append(squares(picture[32:], left, top, lower, 4))
        edge = f'x="{left}" y="{top}" width="8" height="8" fill="none" stroke="var(--line)"'
        parts.append(f'<rect {edge} stroke-width=".2"/>')
svg = f'<svg {SIZE} viewBox="-1 -1 119 20" width="570" height="96">{"".join(parts)}</svg>'
figure("sampling", svg)

# %% representation
vectors = model.represent(Evidence(pictures, np.ones(pictures.shape, bool)))
rights = {}
for name, inputs in [("pixels", pictures), ("representation", vectors)]:
    probe = LogisticRegression(max_iter=300).fit(inputs[:100], labels[:100])
    rights[name] = probe.score(inputs[1300:], labels[1300:])
    print(f"{name:15} {inputs.shape[1]:4} numbers: {rights[name]:.3f} right, from 100 labels")

# %% representation_quiet
assert rights["pixels"] > rights["representation"]
tell(right_pixels=rights["pixels"], right_vectors=rights["representation"])

# %% abilities
rough = learn("independent", fit)
straight = learn("fvsbn", fit, steps=13)
for name, m in [("hidden tree", model), ("FVSBN", straight)]:
    print(f"{name:12} any part exactly: {m.ability.any_part}")
found = between_models(model, rough, np.random.default_rng(0), draws=2_000)
print(f"forward KL {found['forward_kl'].value:.1f} ± {found['forward_kl'].error:.1f}")
print("Wasserstein:", found["wasserstein"].reason)

# %% abilities_quiet
assert model.ability.any_part
assert not straight.ability.any_part
assert found["wasserstein"].value is None

# %% noisy
blurred = Stack([model, learn("independent", noise)], np.log([0.01, 0.99]))
loss = log_probs(model, test).mean() - log_probs(blurred, test).mean()
print(f"99 of 100 draws are noise; log p falls by {loss:.2f} nats")
assert loss < math.log(100) + 1e-6

# %% same_source
ten = pictures.reshape(-1, 8, 8)[:, 3:5, 1:6].reshape(-1, 10)  # ten pixels in the middle
cells = np.ravel_multi_index(tuple(ten.T), (2,) * 10)
splits = {"at random": np.arange(len(cells)) % 2 == 0, "digits 0 to 4, 5 to 9": labels < 5}
drifts = {}
for name, first in splits.items():
    one, other = (np.bincount(cells[half], minlength=1024) for half in (first, ~first))
    used = (one + other) > 0
    drifts[name] = measure_counts(one[used], other[used], np.random.default_rng(0))
    tv = drifts[name]["total_variation"]
    print(f"{name}: total variation {tv.value:.3f},", end=" ")
    print(f"by chance below {tv.noise:.3f}, p = {tv.p_value:.4f}")
print("forward KL:", drifts["at random"]["forward_kl"].reason)

# %% same_source_quiet
assert drifts["at random"]["total_variation"].p_value > 0.05
assert drifts["digits 0 to 4, 5 to 9"]["total_variation"].p_value < 0.01

# %% two_ways
print("rows   naive Bayes   logistic regression   (share right)")
rights = {}
for n in (20, 50, 100, 300, 1300):
    scores = []
    for start in (0,) if n == 1300 else range(0, 1000, 100):
        rows = slice(start, start + n)
        fits = [
            m.fit(pictures[rows], labels[rows])
            for m in (BernoulliNB(), LogisticRegression(max_iter=300))
        ]
        scores.append([m.score(test, labels[1300:]) for m in fits])
    rights[n] = np.mean(scores, axis=0)
    print(f"{n:5}{rights[n][0]:13.3f}{rights[n][1]:16.3f}")

# %% half_missing
bayes, straight = fits  # of 1,300 rows
ink, blank = bayes.feature_log_prob_, np.log1p(-np.exp(bayes.feature_log_prob_))
upper = test[:, :32]  # the lower half is not seen: its factors are left out
joint = bayes.class_log_prior_ + upper @ ink[:, :32].T + (1 - upper) @ blank[:, :32].T
summed = np.mean(joint.argmax(axis=1) == labels[1300:])
zeroed = straight.score(np.where(np.arange(64) < 32, test, 0), labels[1300:])
print(f"naive Bayes, upper half only:                 {summed:.3f}")
print(f"logistic regression, lower half set to zero:  {zeroed:.3f}")

# %% two_ways_quiet
tell(few_bayes=rights[50][0], few_straight=rights[50][1])
tell(all_bayes=rights[1300][0], all_straight=rights[1300][1])
assert rights[1300][1] > rights[1300][0] + 0.02
assert summed > zeroed

# %% answer_quiet
tell(both_infinite=jensen_shannon([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]))
assert np.isinf(forward_kl([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]))
assert np.isinf(reverse_kl([0.5, 0.5, 0.0], [0.0, 0.5, 0.5]))
tell(half_half=np.logaddexp(-20, -25) - math.log(2))
