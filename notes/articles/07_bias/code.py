# %% setup
import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as log_loss

from anypart.lens.network import redundant_biases
from anypart.lens.network.perceptron import Perceptron, fires_above, learn, opposed

# %% press_quiet
from notes.press import ACCENT, ACCENT_2, FAINT, INK, axes, figure, tell

# %% gates
corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
nand = Perceptron(weights=np.array([-2.0, -2.0]), bias=3.0)
print("NAND:", nand.fires(corners).astype(int), "threshold", nand.threshold)

for threshold in (-0.5, 0.5, 1.5, 2.5):
    fires = fires_above(corners, np.array([1.0, 1.0]), threshold)
    moved = Perceptron(np.array([1.0, 1.0]), -threshold).fires(corners)
    assert (fires == moved).all()
    print(f"x1 + x2 > {threshold:4}:", fires.astype(int))

# %% gates_quiet
assert nand.fires(corners).tolist() == [True, True, True, False]
assert fires_above(corners, np.array([1.0, 1.0]), 1.5).tolist() == [False, False, False, True]

# %% origin
x = np.arange(1.0, 7.0)[:, None]
y = x[:, 0] > 3
with_bias, without = learn(x, y), learn(x, y, bias=False)
for made in (with_bias, without):
    print(f"w {made.weights}, b {made.bias:g}: {made.mistakes} mistakes")
print("rows that prove that it cannot:", opposed(x, y))

# %% plane
rng = np.random.default_rng(7)
points = rng.uniform(0, 6, (60, 2)).round(1)
points = points[abs(points.sum(1) - 6) > 0.8]
above = points.sum(1) > 6
unit, bare = learn(points, above), learn(points, above, bias=False)
print(f"with:    w {unit.weights.round(1)}, b {unit.bias:g}, no mistakes")
assert unit.mistakes == 0
wrong = (bare.fires(points) != above).sum()
print(f"without: w {bare.weights.round(1)}, {wrong} mistakes")
xor = learn(corners, corners.sum(1) == 1)
print(f"XOR with a bias: still {xor.mistakes} mistakes after {xor.passes} passes")

# %% plane_quiet
assert (with_bias.mistakes, unit.mistakes) == (0, 0)
assert without.mistakes > 0
assert (with_bias.weights.tolist(), with_bias.bias) == ([2.0], -7.0)
assert opposed(x, y) == (0, 3)
assert xor.mistakes > 0
tell(bare_mistakes=int((bare.fires(points) != above).sum()), points=len(points))

# %% plane_figure
fig, ax = axes(4.6, 3.4)
ax.plot(*points[above].T, "o", color=ACCENT, markersize=4, label="should fire")
ax.plot(
    *points[~above].T, "o", color=FAINT, markersize=4, markerfacecolor="none", label="should not"
)
ends = np.array([-0.5, 6.5])
(w1, w2), b = unit.weights, unit.bias
ax.plot(ends, -(w1 * ends + b) / w2, color=INK, label="with b")
angle = min(
    np.linspace(0, np.pi * 2, 721),
    key=lambda a: ((points @ [np.cos(a), np.sin(a)] > 0) != above).sum(),
)
best = np.array([np.cos(angle), np.sin(angle)])
ax.plot(ends, -best[0] * ends / best[1], "--", color=ACCENT_2, label="best without")
tell(best_without=int(((points @ best > 0) != above).sum()))
ax.set_xlim(-0.4, 6.4)
ax.set_ylim(-0.4, 6.4)
ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
figure("plane", fig)


# %% shift
def sigmoid(t):
    return 1 / (1 + np.exp(-t))


t = np.linspace(-8, 8, 1601)
for w, b in ((1, 0), (1, 2), (2, 2)):
    y = sigmoid(w * t + b)
    middle, steepest = t[abs(y - 0.5).argmin()], np.gradient(y, t).max()
    print(f"w {w}, b {b}: half at {middle:5.2f}, largest slope {steepest:.3f}")

z = np.random.default_rng(0).normal(size=100_000)
for b in (-2, -1, 0, 1, 2):
    print(f"ReLU(z + {b:2}): silent for {(z + b <= 0).mean():.1%} of inputs")

# %% shift_figure
from scipy.special import ndtr

fig, (left, right) = axes(6.4, 2.8, columns=2)
for b, color in ((-3, ACCENT_2), (0, INK), (3, ACCENT)):
    left.plot(t, sigmoid(t + b), color=color, label=f"b = {b}")
left.set_xlabel("w·x")
left.set_ylabel("sigmoid(w·x + b)")
left.legend(fontsize=8)
biases = np.linspace(-3, 3, 61)
right.plot(biases, ndtr(-biases), color=INK, label="Φ(−b)")
marks = np.arange(-3, 4)
right.plot(marks, [(z + b <= 0).mean() for b in marks], "o", color=ACCENT, label="100,000 draws")
right.set_xlabel("b")
right.set_ylabel("share of inputs with ReLU off")
right.legend(fontsize=8)
figure("shift", fig)
assert all(abs((z + b <= 0).mean() - ndtr(-b)) < 0.006 for b in marks)

# %% start
from sklearn.datasets import load_digits

pixels = torch.tensor(load_digits().images >= 8, dtype=torch.float32)
left, right = pixels[:, :, :4].flatten(1), pixels[:, :, 4:].flatten(1)
share = (right.sum(0) + 0.5) / (len(right) + 1)
log_odds = (share / (1 - share)).log()
independent = -(share * share.log() + (1 - share) * (1 - share).log()).sum()
print(f"all even {32 * np.log(2):.2f} nats, independent model {independent:.2f}")


def losses(output_bias, steps=360, batch=100):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32))
    with torch.no_grad():
        net[2].bias.copy_(output_bias)
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    found = []
    for _ in range(steps):
        rows = torch.randint(len(left), (batch,))
        logits = net(left[rows])
        loss = 32 * log_loss(logits, right[rows])  # a sum over pixels, a mean over rows
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return np.array(found)


zero, told = losses(torch.zeros(32)), losses(log_odds)
print(f"first loss: from 0 {zero[0]:.2f}, from the log-odds {told[0]:.2f}")
reached = int((zero <= independent.item()).argmax())
print(f"from 0, it takes {reached} steps to the independent model")

# %% start_figure
fig, ax = axes(6, 3)
ax.plot(zero, color=ACCENT_2, label="output biases from 0")
ax.plot(told, color=ACCENT, label="from the log-odds")
ax.axhline(independent, color=FAINT, linestyle=":", label="independent model")
ax.set_xlabel("step")
ax.set_ylabel("loss, nats per image half")
ax.legend(fontsize=9)
figure("start", fig)
assert abs(zero[0] - 32 * np.log(2)) < 1
assert abs(told[0] - independent) < 1
assert reached > 50
tell(
    even=32 * np.log(2),
    independent=independent,
    first_zero=zero[0],
    first_told=told[0],
    reached=reached,
    last_zero=zero[-50:].mean(),
    last_told=told[-50:].mean(),
)

# %% engine
from anypart.models.contract import Evidence, Layout
from anypart.optim.catalogue import LEARNERS

codes = (right.numpy() > 0).astype(np.int32)
seen = np.ones(codes.shape, bool)
for family in ("made", "nade", "order_agnostic"):
    learner = LEARNERS[family](Layout((2,) * 32), codes, seen, {"width": 64}, 0)
    untrained = learner.model().log_prob(Evidence(codes, seen)).mean()
    print(f"{family:15} {untrained:.2f} nats per row")

# %% engine_quiet
assert abs(untrained + independent) < 0.1


# %% decay
def settled(p, decay):
    """Where the slope σ(b) − p + decay · b is 0, by bisection: it only rises."""
    low, high = -20.0, 20.0
    for _ in range(60):
        b = (low + high) / 2
        low, high = (low, b) if sigmoid(b) - p + decay * b > 0 else (b, high)
    return b


for decay in (0, 0.001, 0.01, 0.1):
    b = settled(0.02, decay)
    print(f"decay {decay:<5}: b {b:5.2f}, says {sigmoid(b):4.1%}; 2.0% are ones")

# %% decay_quiet
assert np.isclose(settled(0.02, 0), np.log(0.02 / 0.98))
assert sigmoid(settled(0.02, 0.1)) > 0.1
tell(decayed=sigmoid(settled(0.02, 0.1)))

# %% cancels
torch.manual_seed(0)
images = torch.randn(64, 3, 8, 8, dtype=torch.float64)
conv = nn.Conv2d(3, 8, 3).double()
conv.bias.data = torch.randn(8, dtype=torch.float64) * 5
no_bias = nn.Conv2d(3, 8, 3, bias=False).double()
no_bias.weight = conv.weight


def largest_difference(*behind):
    tail = nn.Sequential(*behind).double()
    return (tail(conv(images)) - tail(no_bias(images))).abs().max().item()


print(f"batch norm           {largest_difference(nn.BatchNorm2d(8)):.0e}")
print(f"instance norm        {largest_difference(nn.InstanceNorm2d(8)):.0e}")
print(f"ReLU, batch norm     {largest_difference(nn.ReLU(), nn.BatchNorm2d(8)):.2f}")
print(f"layer norm           {largest_difference(nn.LayerNorm([8, 6, 6])):.2f}")
print(f"groups of 2 channels {largest_difference(nn.GroupNorm(4, 8)):.2f}")

# %% gradient
norm = nn.BatchNorm2d(8).double()
norm(conv(images)).pow(3).sum().backward()
print(f"gradient of the bias {conv.bias.grad.abs().max():.0e}")
print(f"of the weights       {conv.weight.grad.abs().max():.2f}")
size = conv.weight.grad.abs().max().item()
assert conv.bias.grad.abs().max() < 1e-9 * size

# %% evaluation
for n_batches in (0, 10, 100, 1000):
    norm = nn.BatchNorm2d(8).double()
    twin = nn.BatchNorm2d(8).double()
    for _ in range(n_batches):
        batch = torch.randn(16, 3, 8, 8, dtype=torch.float64)
        with torch.no_grad():
            norm(conv(batch))
            twin(no_bias(batch))
    with torch.no_grad():
        apart = norm.eval()(conv(images)) - twin.eval()(no_bias(images))
    apart = apart.abs().max()
    print(f"after {n_batches:4} batches of training: {apart:.0e}")

# %% evaluation_quiet
assert apart < 1e-9
assert largest_difference(nn.BatchNorm2d(8)) < 1e-12
assert largest_difference(nn.InstanceNorm2d(8)) < 1e-12
after_relu = largest_difference(nn.ReLU(), nn.BatchNorm2d(8))
layer, groups = largest_difference(nn.LayerNorm([8, 6, 6])), largest_difference(nn.GroupNorm(4, 8))
assert min(after_relu, layer, groups) > 0.1
tell(after_relu=after_relu, layer=layer, groups=groups)


# %% drift
def drift(optimizer_of, steps=500):
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3)
    net = nn.Sequential(conv, nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(288, 1))
    start = conv.bias.detach().clone()
    optimizer = optimizer_of(net.parameters())
    for _ in range(steps):
        inputs = torch.randn(32, 3, 8, 8)
        wanted = (inputs.mean((1, 2, 3)) > 0).float()
        loss = log_loss(net(inputs)[:, 0], wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (conv.bias - start).abs().max().item()


by_descent = drift(lambda parameters: torch.optim.SGD(parameters, 0.1))
by_adam = drift(lambda parameters: torch.optim.Adam(parameters, 0.01))
print(f"largest change in 500 steps: SGD {by_descent:.0e}, Adam {by_adam:.2f}")

# %% drift_quiet
assert by_descent < 1e-4
assert by_adam > 0.02
tell(by_adam=by_adam)


# %% which
def shuffle_branch(width):
    """The branch of a ShuffleNet V2 unit, with a bias in every convolution."""
    return nn.Sequential(
        nn.Conv2d(width, width, 1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        nn.Conv2d(width, width, 3, padding=1, groups=width),
        nn.BatchNorm2d(width),
        nn.Conv2d(width, width, 1),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


head = [nn.Conv2d(24, 10, 1), nn.ReLU(), nn.BatchNorm2d(10)]
net = nn.Sequential(shuffle_branch(24), *head)
found = redundant_biases(net, torch.randn(4, 24, 8, 8))
for bias in found.biases:
    print(f"{bias.name:8} {'can go' if bias.redundant else 'stays '}  {bias.why}")
print(f"{found.saved_parameters} parameters, {found.saved_bytes} bytes")

# %% rewritten
example = torch.randn(4, 24, 8, 8)
for mode in (True, False):
    with torch.no_grad():
        old, new = (one.train(mode)(example) for one in (net, found.rewritten))
    apart = (old - new).abs().max()
    print("training  " if mode else "evaluation", f"difference {apart:.0e}")
    assert apart < 1e-5
print("bias of the first layer:", found.rewritten[0][0].bias)

# %% cost
convolutions = [(3, 64, 7)]
inside = 64
for units, width in ((3, 64), (4, 128), (6, 256), (3, 512)):
    for unit in range(units):
        before = inside if unit == 0 else 4 * width
        convolutions += [(before, width, 1), (width, width, 3), (width, 4 * width, 1)]
        if unit == 0:
            convolutions.append((before, 4 * width, 1))
    inside = 4 * width
weights = sum(n_in * n_out * k * k for n_in, n_out, k in convolutions)
n_biases = sum(n_out for _, n_out, _ in convolutions)
print(f"ResNet-50: {len(convolutions)} convolutions with {weights:,} weights")
print(f"their biases: {n_biases:,} numbers, {4 * n_biases / 1000:.0f} kB")
print(f"share of the weights: {n_biases / weights:.2%}")

# %% cost_quiet
assert (len(convolutions), n_biases) == (53, 26_560)
tell(n_biases=n_biases, kilobytes=4 * n_biases / 1000, share=n_biases / weights)

# %% exercises_quiet
for threshold, fires in ((0.0, True), (0.5, True), (0.999, True), (1.0, False), (-0.01, False)):
    made = fires_above(corners, np.array([1.0, 1.0]), threshold)
    assert (made.tolist() == [False, True, True, True]) == fires
rare = 0.02
b = np.log(rare / (1 - rare))
entropy = -(rare * np.log(rare) + (1 - rare) * np.log(1 - rare))
tell(rare_bias=b, rare_loss=entropy)
chain = nn.Sequential(
    nn.Conv2d(3, 4, 3), nn.GroupNorm(4, 4), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.LayerNorm([4, 4, 4])
)
names = [bias.name for bias in redundant_biases(chain, torch.randn(2, 3, 8, 8)).redundant]
assert names == ["0.bias"]
