# %% setup
import math

import numpy as np
import torch
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression

from anypart.models.contract import Evidence, Layout
from anypart.optim.catalogue import LEARNERS
from anypart.optim.policies import KINDS, corrupt, read_policy

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, axes, figure, tell

# %% fit
digits = load_digits()
order = np.random.default_rng(0).permutation(len(digits.data))
pictures = (digits.data[order] > 7).astype(np.int32)  # 8 × 8 pixels, ink or none
labels = digits.target[order].astype(np.int32)
n_fit = 1300


def learn(codes, n_cats, steps=600, batch=100):
    """Train a tree of hidden states, which sums any part exactly."""
    rng, seen = np.random.default_rng(0), np.ones((batch, len(n_cats)), bool)
    start = np.ones(codes.shape, bool)
    learner = LEARNERS["hidden_tree"](Layout(n_cats), codes, start, {"n_states": 16}, 0)
    for step in range(steps):
        rows = rng.choice(len(codes), batch, replace=False)
        learner.step(codes[rows], seen, step / steps)
    return learner.model()


table = np.column_stack([pictures, labels])  # the label is one more column
model = learn(table[:n_fit], (2,) * 64 + (10,))
test = table[n_fit:]

# %% any_part
PIXELS, LABEL = np.arange(64), np.array([64])
TOP, BOTTOM = PIXELS[:32], PIXELS[32:]


def given(*columns):
    seen = np.zeros(test.shape, bool)
    seen[:, np.concatenate(columns)] = True
    return Evidence(test, seen)


for name, evidence in [("all pixels", given(PIXELS)), ("the upper half", given(TOP))]:
    guess = model.conditional(evidence)[:, -10:].argmax(axis=1)
    print(f"label given {name:14} {np.mean(guess == test[:, 64]):.3f} right")
logs = model.conditional(given(TOP, LABEL))[:, :128].reshape(-1, 64, 2)
guess = logs[:, 32:].argmax(axis=2)
right = np.mean(guess == test[:, 32:64])
print(f"lower half given the upper and the label: {right:.3f} of pixels right")

# %% ratio
both, upper = model.log_prob(given(TOP, LABEL)), model.log_prob(given(TOP))
ratio = both - upper  # log p(label | upper half), as a ratio of two probabilities
asked = model.conditional(given(TOP))[:, -10:]
direct = asked[np.arange(len(test)), test[:, 64]]
print(f"ratio and answer differ by {np.abs(ratio - direct).max():.1e} at most")
assert np.allclose(ratio, direct, atol=1e-3)
every = np.tile(test[:1], (10, 1))
every[:, 64] = np.arange(10)
seen = np.tile(given(TOP, LABEL).seen[:1], (10, 1))
total = np.exp(model.log_prob(Evidence(every, seen)) - upper[0]).sum()
assert np.isclose(total, 1, atol=1e-3)

# %% from_label
nothing_but_label = Evidence(
    np.column_stack([np.zeros((10, 64)), np.arange(10)]).astype(np.int32),
    np.tile(np.arange(65) == 64, (10, 1)),
)
mean_pictures = np.exp(model.conditional(nothing_but_label)[:, 1:128:2])
drawn = model.sample(nothing_but_label, np.random.default_rng(4))[:, :64]

# %% from_label_figure
SIZE = 'xmlns="http://www.w3.org/2000/svg" font-family="sans-serif" text-anchor="middle"'
parts = []
for y, (name, rows) in enumerate([("p(pixel | label)", mean_pictures), ("drawn", drawn)]):
    parts.append(f'<text x="11" y="{10 * y + 5}" font-size="2.6" fill="var(--ink)">{name}</text>')
    for at, picture in enumerate(rows):
        left, top = 24 + 10 * at, 10 * y
        for shade in range(1, 5):  # four shades, one on the other
            dots = np.argwhere(picture.reshape(8, 8) > (shade - 0.5) / 4)
            cells = "".join(f"M{left + c} {top + r}h1v1h-1z" for r, c in dots)
            fill = 'fill="var(--ink)" fill-opacity=".3"'
            parts.append(f'<path d="{cells}" {fill}/>')
        edge = f'x="{left}" y="{top}" width="8" height="8" fill="none" stroke="var(--line)"'
        parts.append(f'<rect {edge} stroke-width=".2"/>')
svg = f'<svg {SIZE} viewBox="-1 -1 125 20" width="575" height="92">{"".join(parts)}</svg>'
figure("from_label", svg)


# %% pretext
def rotated(pictures, rng):
    """Labels from nowhere: turn each picture by a quarter turn or more, and ask how far."""
    turns = rng.integers(0, 4, len(pictures))
    grid = pictures.reshape(-1, 8, 8)
    return np.array([np.rot90(g, k) for g, k in zip(grid, turns, strict=True)]), turns


def ordered(pictures, rng):
    """Cut pictures in two and hand over the halves in some order; ask which is the upper."""
    swapped = rng.integers(0, 2, len(pictures))
    halves = np.stack([pictures[:, :32], pictures[:, 32:]], axis=1)
    return np.where(swapped[:, None, None] == 1, halves[:, ::-1], halves), swapped


def masked(pictures, rng):
    """Hide one pixel of each picture; ask whether it is inked."""
    hidden = np.full(len(pictures), 27)
    answer = pictures[np.arange(len(pictures)), hidden]
    shown = pictures.copy()
    shown[np.arange(len(pictures)), hidden] = 0
    return shown, answer


rng = np.random.default_rng(1)
for task in (rotated, ordered, masked):
    rows, answers = task(pictures, rng)
    flat = rows.reshape(len(rows), -1)
    probe = LogisticRegression(max_iter=300).fit(flat[:n_fit], answers[:n_fit])
    level = probe.score(flat[n_fit:], answers[n_fit:])
    often = np.bincount(answers[n_fit:]).max() / len(answers[n_fit:])
    print(f"{task.__name__:8} {level:.3f} right; always the most frequent answer: {often:.3f}")

# %% shortcut
rng = np.random.default_rng(2)
turned, turns = rotated(pictures, rng)
marked = pictures.reshape(-1, 8, 8).copy()
marked[:, 0, 0] = 1  # a camera that leaves a mark in a corner
marked = np.array([np.rot90(g, k) for g, k in zip(marked, turns, strict=True)])
corners = marked[:, [0, 0, 7, 7], [0, 7, 0, 7]]
cheat = LogisticRegression().fit(corners[:n_fit], turns[:n_fit])
cheated = cheat.score(corners[n_fit:], turns[n_fit:])
print(f"rotation from the four corner pixels alone: {cheated:.3f} right")
assert cheated > 0.95

# %% policies
row_seen = np.ones((1, 12), bool)
rng = np.random.default_rng(0)
for written in ("one order", "orders", "subsets 25%", "spans 25%", "corruption"):
    (policy,) = read_policy(written, [f"c{i}" for i in range(12)])
    question = KINDS[policy.kind](policy, row_seen, rng)
    changed = question.replaced if question.replaced is not None else question.asked
    cells = "".join("?" if ask else "·" for ask in changed[0])
    along = (
        "  along " + " ".join(f"{int(r)}" for r in question.ranks[0].argsort())
        if (question.fixed or written == "orders")
        else ""
    )
    print(f"{written:12} {cells}{along}")

# %% together
upper, rng = given(TOP), np.random.default_rng(7)
single = model.conditional(upper)[:, 64:128]  # each hidden pixel by itself
drawn = model.sample(upper, rng)  # all hidden cells together
whole = Evidence(drawn, given(PIXELS).seen)
joint = model.log_prob(whole) - model.log_prob(upper)
places = 2 * np.arange(32) + drawn[:, BOTTOM]
lost = joint - np.take_along_axis(single, places, axis=1).sum(axis=1)
error = lost.std(ddof=1) / math.sqrt(len(lost))
print(f"lost by filling pixels one by one: {lost.mean():.2f} ± {error:.2f} nats")
apart = (rng.random((len(test), 32)) < np.exp(single[:, 1::2])).astype(np.int32)
assert lost.mean() > 5 * error

# %% together_figure
parts = []
one_by_one = np.column_stack([test[:, :32], apart])
for y, (name, rows) in enumerate([("together", drawn), ("one by one", one_by_one)]):
    parts.append(f'<text x="8" y="{10 * y + 5}" font-size="2.8" fill="var(--ink)">{name}</text>')
    for at, picture in enumerate(rows[:10, :64]):
        left, top = 19 + 10 * at, 10 * y
        for start, colour in [(0, "var(--ink)"), (32, "var(--accent)")]:
            dots = np.argwhere(picture[start : start + 32].reshape(4, 8))
            cells = "".join(f"M{left + c} {top + start // 8 + r}h1v1h-1z" for r, c in dots)
            parts.append(f'<path d="{cells}" fill="{colour}"/>')
        edge = f'x="{left}" y="{top}" width="8" height="8" fill="none" stroke="var(--line)"'
        parts.append(f'<rect {edge} stroke-width=".2"/>')
svg = f'<svg {SIZE} viewBox="-1 -1 120 20" width="575" height="96">{"".join(parts)}</svg>'
figure("together", svg)

# %% signs
logs = np.log([0.5, 0.25, 0.1])
print(f"sum of the logs {logs.sum():.2f}; its exponential {np.exp(logs.sum()):.4f}")
assert np.isclose(np.exp(logs.sum()), 0.5 * 0.25 * 0.1)

# %% probes
unlabelled = learn(pictures[:n_fit], (2,) * 64)
projection = np.random.default_rng(3).normal(size=(64, 256)) / 8
inputs = {
    "pixels": pictures,
    "random features": np.tanh(pictures @ projection),
    "principal components": PCA(16).fit(pictures[:n_fit]).transform(pictures),
    "hidden tree": unlabelled.represent(Evidence(pictures, np.ones(pictures.shape, bool))),
}


def probe(x, n):
    """Share right of a linear classifier trained on n labels, mean over five choices."""
    starts = (0,) if n == n_fit else range(0, 1000, 200)
    rights = []
    for start in starts:
        rows = slice(start, start + n)
        line = LogisticRegression(max_iter=200).fit(x[rows], labels[rows])
        rights.append(line.score(x[n_fit:], labels[n_fit:]))
    return np.mean(rights)


counts, rights = (20, 50, 100, n_fit), {}
print(f"{'labels:':20}", *(f"{n:7}" for n in counts))
for name, x in inputs.items():
    rights[name] = [probe(x, n) for n in counts]
    print(f"{name:20}", *(f"{r:7.3f}" for r in rights[name]))

# %% probes_quiet
for short, name in zip(("pixels", "random", "pca", "tree"), inputs, strict=True):
    tell(**{f"{short}_{n}": r for n, r in zip(counts, rights[name], strict=True)})

# %% clusters
clusters = KMeans(10, n_init=4, random_state=0).fit(pictures[:n_fit])
members = [labels[:n_fit][clusters.labels_ == k] for k in range(10)]
names = np.array([np.bincount(some).argmax() for some in members])
found = names[clusters.predict(pictures[n_fit:])]
right = np.mean(found == labels[n_fit:])
print(f"ten clusters, named by their most frequent digits: {right:.3f}")


# %% nt_xent
def nt_xent(u, v, temperature=0.5):
    """Normalised temperature-scaled cross-entropy of pairs (u_i, v_i), mean over 2N rows."""
    z = torch.nn.functional.normalize(torch.cat([u, v]), dim=1)
    similar = z @ z.T / temperature  # cosines
    similar = similar.masked_fill(torch.eye(len(z), dtype=torch.bool), -math.inf)
    n = len(u)
    partner = torch.cat([torch.arange(n) + n, torch.arange(n)])
    return torch.nn.functional.cross_entropy(similar, partner, reduction="none")


same = torch.ones(4, 3)
print(f"N = 4 pairs, all alike: {nt_xent(same, same).mean():.4f}; ln 7 = {math.log(7):.4f}")
noise = torch.Generator().manual_seed(0)
u, v = torch.randn(4, 3, generator=noise), torch.randn(4, 3, generator=noise)
losses = nt_xent(u, v)
print(f"ℓ(1, 2) = {losses[0]:.3f}, ℓ(2, 1) = {losses[4]:.3f}")
print(f"a vector and itself: sine {math.sin(0.0)}, cosine {math.cos(0.0)}")
assert np.isclose(nt_xent(same, same).mean(), math.log(7))
assert abs(losses[0] - losses[4]) > 0.01

# %% bound
rng = np.random.default_rng(5)
classes, negatives = 1000, 7
x = rng.integers(0, classes, 20_000)  # y = x: the mutual information is ln 1000
others = rng.integers(0, classes, (20_000, negatives))
critic = 20.0  # a score of 20 for equal, 0 for unequal
worth = np.exp(critic) + np.where(others == x[:, None], np.exp(critic), 1.0).sum(axis=1)
info_nce = -(critic - np.log(worth)).mean()
information, most = math.log(classes), math.log(negatives + 1)
print(f"information {information:.3f} nats, bound {most - info_nce:.3f}")
assert most - info_nce <= most < information


# %% contrast
def encoder():
    torch.manual_seed(0)
    wide, narrow = torch.nn.Linear(64, 128), torch.nn.Linear(128, 64)
    return torch.nn.Sequential(
        wide, torch.nn.ReLU(), narrow, torch.nn.ReLU(), torch.nn.Linear(64, 32)
    )


def pull_only(u, v):
    """Bring partners together; say nothing of the others."""
    return 1 - torch.cosine_similarity(u, v)


def embed(net):
    """Representations of all pictures, each of length 3."""
    with torch.no_grad():
        z = net(torch.from_numpy(pictures).float())
    return 3 * torch.nn.functional.normalize(z, dim=1).numpy()


def contrast(loss, steps=300, batch=128):
    """Train on two views of each picture: a fifth of the pixels are another picture's."""
    net, rng = encoder(), np.random.default_rng(6)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    every = np.ones((batch, 64), bool)
    for _ in range(steps):
        codes = pictures[rng.integers(0, n_fit, batch)]
        views = [corrupt(codes, every, rng.random(every.shape) < 0.2, rng) for _ in range(2)]
        u, v = (net(torch.from_numpy(view).float()) for view in views)
        optimizer.zero_grad()
        loss(u, v).mean().backward()
        optimizer.step()
    return embed(net)


embedded = {"pull and push": contrast(nt_xent), "pull only": contrast(pull_only)}
embedded["untrained"] = embed(encoder())
cosines, found = {}, {}
print("                mean cosine    20 labels    50    100")
for name, z in embedded.items():
    cosines[name] = (z[:n_fit] @ z[n_fit:].T).ravel() / 9
    found[name] = [probe(z, n) for n in (20, 50, 100)]
    levels = " ".join(f"{r:6.3f}" for r in found[name])
    print(f"{name:14} {cosines[name].mean():12.3f}       {levels}")

# %% contrast_quiet
assert cosines["pull only"].mean() > 0.95
assert cosines["pull and push"].mean() < 0.4
assert found["pull and push"][0] > rights["pixels"][0] + 0.05
assert found["pull only"][2] < rights["pixels"][2] - 0.2
tell(push_20=found["pull and push"][0], push_100=found["pull and push"][2])
tell(pull_100=found["pull only"][2])

# %% contrast_figure
fig, ax = axes(5.6, 2.4)
for name, colour in [("pull and push", ACCENT_2), ("pull only", ACCENT)]:
    ax.hist(
        cosines[name],
        np.linspace(-1, 1, 41),
        density=True,
        histtype="step",
        label=name,
        color=colour,
    )
ax.set_xlabel("cosine of two different pictures")
ax.set_yticks([])
ax.legend(loc="upper left")
figure("contrast", fig)

# %% answer_quiet
alike = torch.ones(256, 3)
assert np.isclose(nt_xent(alike, alike).mean(), math.log(511), atol=1e-4)
tell(alike_256=math.log(511), lost_mean=lost.mean())
pair = np.array([[0.5, 0.0], [0.0, 0.5]])  # two hidden pixels, always equal
apart = np.outer(pair.sum(1), pair.sum(0))
tell(equal_pair=(pair[pair > 0] * np.log(pair[pair > 0] / apart[pair > 0])).sum())

# %% answer_shortcut_quiet
fair = turned.copy()
fair[:, 0, 0] = 1  # the mark comes after turning
corners = fair[:, [0, 0, 7, 7], [0, 7, 0, 7]]
honest = LogisticRegression().fit(corners[:n_fit], turns[:n_fit])
fair_score = honest.score(corners[n_fit:], turns[n_fit:])
assert fair_score < 0.5
tell(fair_score=fair_score)
