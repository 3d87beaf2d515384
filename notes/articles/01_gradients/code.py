# %% setup
import math

import numpy as np
import torch

from anypart.calculus.gradients import (
    Annealed,
    Bernoulli,
    Categorical,
    DisARM,
    Enumeration,
    GradientError,
    Normal,
    Pathwise,
    ScoreFunction,
    choose,
    exact_value,
    find_estimator,
    find_problem,
    gumbel_max,
    gumbel_softmax,
    gumbel_top_k,
    gumbels,
    measure,
)

torch.set_default_dtype(torch.float64)

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, axes, figure, tell

# %% exact
logits = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log().requires_grad_()
prize = torch.tensor([1.0, 5.0, 2.0, 0.0])


def f(z):  # z is one-hot: (draws, 1 choice, 4 categories)
    return (z * prize).sum((-2, -1))


value = exact_value(f, Categorical(logits))
value.backward()
print(f"L = {value.item():.3f}, gradient {logits.grad.numpy().round(3)}")

try:
    Enumeration()(lambda z: z.sum(-1), Bernoulli(torch.zeros(100)))
except GradientError as error:
    print(error)

p = logits.detach().exp()[0]
assert np.isclose(value.item(), (p * prize).sum())
assert np.allclose(logits.grad[0], p * (prize - value.item()))

# %% path
mean = torch.tensor([1.0], requires_grad=True)
spread = torch.tensor([1.0], requires_grad=True)
noise = torch.Generator().manual_seed(0)
estimate = Pathwise(draws=1000)
estimate(lambda z: z.square().sum(-1), Normal(mean, spread), noise).backward()
found = mean.grad.item(), spread.grad.item()
print("estimates of dL/dμ and dL/dσ: {:.2f}, {:.2f}; exactly 2, 2".format(*found))
assert abs(mean.grad.item() - 2) < 5 * math.sqrt(4 / 1000)

# %% variances
x, weight = np.polynomial.hermite_e.hermegauss(200)  # E over N(0, 1), exact for polynomials
weight = weight / weight.sum()


def spread_of(estimates):
    """Variance of an estimator, from its value at every ε."""
    return weight @ estimates**2 - (weight @ estimates) ** 2


def both(f, slope, b=0.0):
    """Variances of the score function with baseline b, and of the path, at N(1, 1)."""
    z = 1 + x
    return spread_of((f(z) - b) * x), spread_of(slope(z))


square = (lambda z: z**2), (lambda z: 2 * z)
b_best = (weight @ ((1 + x) ** 2 * x**2)) / (weight @ x**2)
print(f"f = z²: score function {both(*square)[0]:.0f}", end=", ")
print(f"with b = E f = 2: {both(*square, b=2.0)[0]:.0f}", end=", ")
print(f"with b = {b_best:.0f}: {both(*square, b=b_best)[0]:.0f}", end=", ")
print(f"path {both(*square)[1]:.0f}")
wave = both(lambda z: np.sin(10 * z), lambda z: 10 * np.cos(10 * z))
print(f"f = sin 10z: score function {wave[0]:.2f}, path {wave[1]:.0f}")

# %% variances_quiet
assert np.allclose([both(*square)[0], both(*square, b=2.0)[0], both(*square)[1]], [30, 18, 4])
assert np.isclose(b_best, 4)
assert np.isclose(both(*square, b=4.0)[0], 14)
sigma_score = spread_of((1 + x) ** 2 * (x**2 - 1))
sigma_path = spread_of(2 * (1 + x) * x)
assert np.allclose([sigma_score, sigma_path], [136, 12])
assert np.allclose(wave, [0.5, 50], atol=0.01)
tell(both_score=30 + sigma_score)
tell(sigma_score=sigma_score, sigma_path=sigma_path, pick_near=np.var([4, 5, 6]))
tell(pick_far=np.var([0, 5, 10]))
flat = both(np.tanh, lambda z: 1 / np.cosh(z) ** 2)
tell(tanh_score=flat[0], tanh_path=flat[1])

# %% measured
for name in ("score", "score-mean", "score-optimal", "pathwise"):
    problem = find_problem("square")
    found = measure(name, find_estimator(name, problem.p), problem, n=150_000)
    print(f"{name:14} variance {found.variance:6.1f}, biased: {found.biased}")

# %% step
step = find_problem("step")
print("exact gradient by μ:", round(step.gradient()[0].item(), 4))
found = measure("score", find_estimator("score", step.p), step, n=40_000)
print(f"score function: bias {found.bias:.3f} ± {found.bias_high - found.bias:.3f} of it")
try:
    Pathwise()(step.f, step.p)
except GradientError as error:
    print(error)

assert abs(step.gradient()[0].item() - math.exp(-0.5) / math.sqrt(2 * math.pi)) < 1e-9
assert not found.biased

# %% gumbel
p = torch.tensor([0.1, 0.2, 0.3, 0.4])
noise = torch.Generator().manual_seed(1)
draws = gumbel_max(p.log().expand(400_000, 4), noise)
print("frequencies of Gumbel-Max", draws.mean(0).numpy().round(4))
top = (p.log() + gumbels(draws, noise)).amax(-1)
print(f"mean of the maximum {top.mean():.3f}, log Σ exp(o) + 0.5772 = {0.5772:.3f}")
wrong = (p + gumbels(draws, noise)).argmax(-1).bincount() / len(draws)
print("noise on probabilities    ", wrong.numpy().round(4))

assert torch.allclose(draws.mean(0), p, atol=4 * math.sqrt(0.25 / 400_000))
assert abs(top.mean() - 0.5772) < 4 * math.pi / math.sqrt(6 * 400_000)
assert (wrong - p).abs().max() > 0.05

# %% proof
k, e1 = 2, 0.6  # the category that is to win (p = .3), and its uniform number
others = [i for i in range(4) if i != k]
e = np.random.default_rng(0).random((400_000, 4))
e[:, k] = e1
score = np.log(p.numpy()) - np.log(-np.log(e))
wins = score[:, [k]] > score[:, others]  # (a) three events, independent given ε_k
each = e1 ** (p[others] / p[k]).numpy()  # (b) each is ε_i < ε_k^(p_i/p_k)
together = e1 ** (1 / p[k].item() - 1)  # (c) their product
print("(b)", wins.mean(0).round(3), each.round(3))
print("(c)", wins.all(1).mean().round(3), round(together, 3))
grid = (np.arange(100_000) + 0.5) / 100_000
print("(d)", (grid ** (1 / p[k].item() - 1)).mean().round(6), p[k].item())

assert np.allclose(wins.mean(0), each, atol=0.004)
assert np.isclose(each.prod(), together)
assert np.isclose((grid ** (1 / p[k].item() - 1)).mean(), p[k].item(), atol=1e-6)

# %% temperature
noise = torch.Generator().manual_seed(2)
rows = p.log().expand(200_000, 4)
print("    τ  mean of the draws        > .99   median |∂y/∂o|, mean square")
found = {}
for tau in (5.0, 1.0, 0.5, 0.1, 0.01):
    y = gumbel_softmax(rows, tau, generator=noise)
    slope = y * (1 - y) / tau  # ∂y_i/∂o_i of the softmax
    sharp = (y.amax(-1) > 0.99).double().mean()
    found[tau] = y.mean(0), slope.median(), slope.square().mean()
    numbers = " ".join(f"{m:.3f}" for m in found[tau][0])
    print(f"{tau:5}  {numbers}  {sharp:6.1%}  {found[tau][1]:10.1e} {found[tau][2]:15.3f}")

# %% temperature_quiet
assert torch.allclose(found[1.0][0], torch.tensor([0.133, 0.2195, 0.2917, 0.356]), atol=2e-3)
assert torch.allclose(found[0.1][0], torch.tensor([0.1005, 0.200, 0.300, 0.399]), atol=4e-3)
assert abs(found[1.0][0][0] - 0.1) > 0.02
assert found[0.1][1] < 1e-4 < found[1.0][1]
assert found[0.1][2] > 5 * found[1.0][2]
tell(one_mean_first=found[1.0][0][0], one_mean_last=found[1.0][0][3])
tell(median_one=found[1.0][1], power_one=found[1.0][2], power_hundredth=found[0.01][2])

# %% plain
y = (p.log() / 0.01).softmax(-1)
cold = gumbel_softmax(rows, 0.01, generator=noise)
print("softmax, τ = 0.01:       ", y.numpy().round(3))
print("Gumbel-Softmax, six draws:", cold[:6].argmax(-1).tolist())
print("share of each category:  ", cold.mean(0).numpy().round(3))
schedule = Annealed(start=1.0, end=0.01, keep=0.999)
falling = [round(schedule(step), 3) for step in (0, 1000, 5000)]
print("temperature at steps 0, 1,000, 5,000:", falling)
assert y[3] > 1 - 1e-9
assert torch.allclose(cold.mean(0), p, atol=0.005)

# %% guards
u = torch.tensor([0.0, 0.5, 1.0])
print("Gumbels of 0, 1/2, 1:", (-(-u.log()).log()).numpy().round(3))
print("softmax of (0, ∞):   ", torch.tensor([0.0, math.inf]).softmax(0).numpy())


# %% soft_test
def mixed(z):  # 0 at every corner
    return (z * (1 - z)).sum(-1)


soft, hard = gumbel_softmax(rows, 1.0, generator=noise), gumbel_max(rows, noise)
print(f"mean over soft draws {mixed(soft).mean():.3f}, over hard ones {mixed(hard).mean():.3f}")

# %% soft_test_quiet
assert mixed(hard).abs().max() == 0
assert mixed(soft).mean() > 0.2
assert gumbels(torch.zeros(1_000_000, dtype=torch.float32), noise).isfinite().all()
tell(kl_constant=32 * math.log(10))

# %% kl
relaxed = gumbel_softmax(rows, 1.0, generator=noise)
plug_in = (relaxed * (4 * relaxed).log()).sum(-1).mean()
true = (p * (4 * p).log()).sum()
print(f"KL of the categorical from uniform: {true:.4f}")
print(f"the same formula on relaxed draws:  {plug_in:.4f}")
assert plug_in > 3 * true

# %% detach
logits = p.log().requires_grad_()
soft = gumbel_softmax(logits, 1.0, generator=torch.Generator().manual_seed(3))
hard = torch.zeros(4).scatter(0, soft.argmax(), 1.0)
forms = {
    "hard + soft − soft.detach()": hard + soft - soft.detach(),
    "hard − soft + soft.detach()": hard - soft + soft.detach(),
    "hard": hard,
}
slopes = []
for name, z in forms.items():
    loss = (z * prize).sum()
    found = "none"
    if z.requires_grad:
        slopes.append(torch.autograd.grad(loss, logits, retain_graph=True)[0])
        found = slopes[-1].numpy().round(2)
    print(f"{name:28} value {loss.item():.0f}, gradient {found}")
assert torch.allclose(slopes[0], -slopes[1])

# %% discrete
bits = find_problem("bits")
print(f"{'estimator':25} {'evaluations':>11} {'bias':>6} {'error':>6}")
results = {}
for name in (
    "score", "leave-one-out", "disarm", "local-expectation",
    "straight-through", "straight-through-gumbel", "gumbel-rao", "reinmax",
):  # fmt: skip
    r = measure(name, find_estimator(name, bits.p), bits, n=20_000)
    results[name] = r
    bias = f"{r.bias:6.3f}" if r.biased else "     0"
    print(f"{name:25} {r.evaluations:>11.0f} {bias} {r.error:6.2f}")

# %% discrete_quiet
unbiased = ("score", "leave-one-out", "disarm", "local-expectation")
assert not any(results[name].biased for name in unbiased)
assert all(results[n].biased for n in results if n not in unbiased)
assert results["disarm"].error < results["score"].error
assert results["gumbel-rao"].error < results["straight-through-gumbel"].error
tell(n_measured=results["score"].samples)
tell(score_error=results["score"].error, disarm_error=results["disarm"].error)

# %% advice
print(choose("bits", differentiable=False, evaluations=2).code)
print(choose("categories", differentiable=True, evaluations=1).code)
print(choose("real", differentiable=True, evaluations=1).code)


# %% toy
def descend(estimate, steps=400, copies=32):
    """Minimise E[(b − 0.499)²] over the probability of a bit, in independent copies."""
    torch.manual_seed(0)
    theta = torch.zeros(copies, 1, requires_grad=True)
    optimizer = torch.optim.Adam([theta], lr=0.05)
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        estimate(lambda b: (b - 0.499).square().sum(-1), Bernoulli(theta)).sum().backward()
        optimizer.step()
        path.append(theta.detach().sigmoid().flatten().numpy())
    return np.array(path)  # (steps, copies)


paths = {"score function": descend(ScoreFunction()), "DisARM": descend(DisARM())}
for name, path in paths.items():
    there = (path[-1] < 0.05).sum()
    print(f"{name:15} P(b = 1) is below 0.05 in {there} of 32 copies")

# %% toy_figure
fig, grid = axes(6.4, 2.6, columns=2, sharey=True)
for ax, (name, path) in zip(grid, paths.items(), strict=True):
    ax.plot(path[::8, :12], color=ACCENT_2 if name == "DisARM" else ACCENT, lw=0.8)
    ax.set_xticks([0, 25, 50], ["0", "200", "400"])
    ax.set_title(name)
    ax.set_xlabel("step")
grid[0].set_ylabel("P(b = 1)")
figure("toy", fig)

# %% toy_quiet
assert (paths["DisARM"][-1] < 0.05).all()
assert (paths["score function"][-1] < 0.05).sum() < 32
tell(toy_score=int((paths["score function"][-1] < 0.05).sum()), toy_gap=0.501**2 - 0.499**2)
# At P = 1/2 the score is ±1/2, so an estimate is 0.501²/2 or −0.499²/2.
estimates = np.array([0.501**2 / 2, -(0.499**2) / 2])
tell(toy_ratio=estimates.std() / estimates.mean())

# %% waves_figure
frequencies = np.linspace(0.2, 6, 60)
pairs = [both(lambda z, k=k: np.sin(k * z), lambda z, k=k: k * np.cos(k * z)) for k in frequencies]
fig, ax = axes(5.4, 2.6)
ax.semilogy(frequencies, np.array(pairs)[:, 0], label="score function", color=ACCENT)
ax.semilogy(frequencies, np.array(pairs)[:, 1], label="path", color=ACCENT_2)
ax.set_xlabel("k in f = sin kz")
ax.set_ylabel("variance of dL/dμ")
ax.legend()
figure("waves", fig)


# %% answer_waves_quiet
def gap(k):
    score, path = both(lambda z: np.sin(k * z), lambda z: k * np.cos(k * z))
    return path - score


low, high = 0.2, 3.0
assert gap(low) < 0 < gap(high)
for _ in range(60):
    middle = (low + high) / 2
    low, high = (middle, high) if gap(middle) < 0 else (low, middle)
tell(crossing=low)

# %% answer_top_quiet
noise = torch.Generator().manual_seed(4)
two = gumbel_top_k(p.log().expand(100_000, 4), 2, noise)
both_ways = ((two.sort(-1).values == torch.tensor([2, 3])).all(-1)).double().mean().item()
exactly = 0.4 * 0.3 / 0.6 + 0.3 * 0.4 / 0.7
assert abs(both_ways - exactly) < 4 * math.sqrt(0.25 / 100_000)
tell(top_two=exactly, top_counted=both_ways)

# %% answer_sigma_quiet
assert np.isclose(weight @ ((1 + x) ** 4 * x**2) - 2**2, 30)
