# %% setup
import numpy as np
import torch
from torch import nn

from anypart.lens.network import (
    dependence,
    effective_field,
    parse,
    receptive_field,
    trace,
    uniform_spread,
    which_inputs,
)
from anypart.lens.network.top_down import top_down

# %% press_quiet
from notes.press import axes, figure, tell


# %% by_hand
def from_the_top(layers):
    field = [1]
    for kernel, stride in reversed(layers):
        field.append((field[-1] - 1) * stride + kernel)
    return field


print(from_the_top([(3, 2), (3, 2), (3, 1)]))
print(from_the_top([(5, 2), (3, 1)]))

# %% cone_figure
fig, ax = axes(6, 3)
widths, centres = [15, 7, 3, 1], [0, 3, 1, 0]
places = [np.arange(15.0), 1 + 2.0 * np.arange(7), 3 + 4.0 * np.arange(3), np.array([7.0])]
for level, xs in enumerate(places):
    ax.plot(xs, np.full(len(xs), level), "o", color="C0", markersize=7)
    if level:
        below, step = places[level - 1], 2 if level < 3 else 1
        for i, x in enumerate(xs):
            for tap in range(3):
                ax.plot([x, below[step * i + tap]], [level, level - 1], color="C1", linewidth=0.8)
for level, (n, words) in enumerate(
    zip(widths, ["input", "conv 3, stride 2", "conv 3, stride 2", "conv 3"], strict=True)
):
    ax.text(15.2, level, f"{n}  {words}", va="center", fontsize=9)
ax.set_xlim(-0.5, 20)
ax.axis("off")
figure("cone", fig)

# %% both_ways
spec = "conv 3 s2, conv 3 s2, conv 3"
for seen in receptive_field(spec, size=31)[0]:
    print(f"{seen.name:10} n {seen.n_out:2}, jump {seen.jump}, field {seen.size:2}")
below = top_down(spec)
print("first and last position seen, from the input up:", below)
assert [last - first + 1 for first, last in below] == [15, 7, 3, 1]

# %% two_meanings
other = "conv 5 s2, conv 3"
up = [seen.size for seen in receptive_field(other)[0]]
down = [last - first + 1 for first, last in top_down(other)]
print("pixels seen after layer 1, 2:      ", up)
print("positions seen in layer 1, input:  ", down[1::-1])
assert (up, down) == ([5, 9], [9, 3, 1])

# %% alexnet
ALEXNET = (
    "conv1: conv 11 s4, pool1: pool 3 s2, conv2: conv 5 p2, pool2: pool 3 s2, "
    "conv3: conv 3 p1, conv4: conv 3 p1, conv5: conv 3 p1, pool5: pool 3 s2"
)
print("layer    n  jump  field  first centre")
for s in receptive_field(ALEXNET, size=224)[0]:
    print(f"{s.name:6} {s.n_out:3} {s.jump:5} {s.size:6} {s.center:8}")

# %% alexnet_quiet
centre = 0.0
for layer, above in zip(parse(ALEXNET), [1, 4, 8, 8, 16, 16, 16, 16], strict=True):
    centre += ((layer.kernel - 1) / 2 - layer.padding) * above
assert centre == receptive_field(ALEXNET)[0][-1].center
sizes = [s.size for s in receptive_field(ALEXNET)[0]]
assert sizes == [11, 19, 51, 67, 99, 131, 163, 195]
tell(alexnet_top=sizes[-1])


# %% brute_force
def read(layers, position):
    """Positions of the input that one output reads, tap by tap."""
    found = {position}
    for kernel, stride, padding, dilation in reversed(layers):
        taps = [dilation * t - padding for t in range(kernel)]
        found = {stride * p + tap for p in found for tap in taps}
    return found


rng = np.random.default_rng(0)
for _ in range(2000):
    layers = rng.integers((1, 1, 0, 1), (6, 4, 4, 4), size=(4, 4)).tolist()
    spec = ", ".join("conv {} s{} p{} d{}".format(*layer) for layer in layers)
    top = receptive_field(spec)[0][-1]
    for position in (0, 1, 7):
        taps = read(layers, position)
        assert top.field.at(position) == (min(taps), max(taps))
        assert top_down(spec, position=position)[0] == (min(taps), max(taps))
print("2000 networks, three outputs each: up, down and brute force agree")

# %% padding
padded = receptive_field("conv 3 s2 p1, conv 3 s2 p1", size=5)[0]
for seen in padded:
    fields = [seen.field.at(o) for o in range(seen.n_out)]
    print(f"{seen.n_out} outputs, field {seen.size}: {fields}")
bare = receptive_field("conv 3 s2, conv 3 s2")[0]
assert [s.size for s in padded] == [s.size for s in bare] == [3, 7]

# %% knobs
depth = 8
ways = {
    "3-wide": f"{depth} * conv 3",
    "5-wide": f"{depth} * conv 5",
    "3-wide, every second one with stride 2": f"{depth // 2} * (conv 3, conv 3 s2)",
    "3-wide, pool 2 after every second": f"{depth // 2} * (2 * conv 3, pool 2)",
    "3-wide, dilation 1, 2, 4, …": ", ".join(f"conv 3 d{2**i}" for i in range(depth)),
}
for name, spec in ways.items():
    print(f"{receptive_field(spec)[0][-1].size:4}  {name}")
print(f"two 3×3: field 5, {2 * 9} weights; one 5×5: {5 * 5}")
print(f"three 3×3: field 7, {3 * 9} weights; one 7×7: {7 * 7}")
assert [s.size for s in receptive_field("3 * conv 3")[0]] == [3, 5, 7]

# %% knobs_figure
assert [receptive_field(spec)[0][-1].size for spec in ways.values()] == [17, 33, 61, 76, 511]
fig, ax = axes(6, 3.2)
labels = {
    "k = 3": "8 * conv 3",
    "k = 5": "8 * conv 5",
    "k = 3, stride 2 every 2nd": "4 * (conv 3, conv 3 s2)",
    "k = 3, dilation 1, 2, 4, …": ", ".join(f"conv 3 d{2**i}" for i in range(8)),
}
marks = ["o", "s", "^", "D"]
for mark, (label, spec) in zip(marks, labels.items(), strict=True):
    grown = [1] + [s.size for s in receptive_field(spec)[0]]
    ax.plot(range(9), grown, marker=mark, markersize=4, label=label)
ax.set_yscale("log", base=2)
ax.set_xlabel("layers")
ax.set_ylabel("receptive field")
ax.legend(frameon=False, fontsize=9)
figure("knobs", fig)
dilated = [s.size for s in receptive_field(labels["k = 3, dilation 1, 2, 4, …"])[0]]
assert dilated[:5] == [3, 7, 15, 31, 63]
tell(plain_8=receptive_field("8 * conv 3")[0][-1].size, dilated_8=dilated[-1])

# %% holes
twice = nn.Sequential(
    nn.Conv1d(1, 1, 3, padding=2, dilation=2), nn.Conv1d(1, 1, 3, padding=2, dilation=2)
)
print(receptive_field("2 * conv 3 p2 d2")[0][-1].size)
mask = which_inputs(twice, torch.zeros(1, 1, 13), (0, 0, 6))
print(mask.int().flatten().tolist())
assert int(mask.sum()) == 5

# %% holes_quiet
assert receptive_field("2 * conv 3 p2 d2")[0][-1].size == 9

# %% transposed
decoder = receptive_field("deconv 3 s2 p1", size=8)[0][-1]
print(decoder.n_out, [decoder.field.at(o) for o in range(5)])
assert [decoder.field.at(o) for o in (2, 3)] == [(1, 1), (1, 2)]


# %% resnet
def resnet50(strided):
    blocks = ["conv 7 s2 p3, pool 3 s2 p1"]
    for at, units in enumerate((3, 4, 6, 3)):
        s = 2 if at else 1
        one, three = (s, 1) if strided == "1×1" else (1, s)
        blocks.append(f"[conv 1 s{s} | conv 1 s{one}, conv 3 s{three} p1, conv 1]")
        blocks.append(f"{units - 1} * [ | conv 1, conv 3 p1, conv 1]")
    return ", ".join(blocks)


for strided in ("1×1", "3×3"):
    top = receptive_field(resnet50(strided), size=224)[0][-1]
    print(f"stride in the {strided}: field {top.size}, jump {top.jump}")

# %% resnet_quiet
first, torchvision = (receptive_field(resnet50(s))[0][-1].size for s in ("1×1", "3×3"))
assert (first, torchvision) == (483, 427)
tell(resnet_first=first, resnet_torchvision=torchvision)


# %% traced
class Squeeze(nn.Module):
    """Scale the channels by numbers that come from the whole picture."""

    def __init__(self, width):
        super().__init__()
        self.gate = nn.Linear(width, width)

    def forward(self, x):
        return x * torch.sigmoid(self.gate(x.mean((2, 3))))[:, :, None, None]


conv = nn.Conv2d(3, 8, 5, stride=2)
for net in (conv, nn.Sequential(conv, nn.ReLU(), Squeeze(8))):
    top = trace(net, (1, 3, 65, 65))[-1]
    print([axis.size for axis in top.axes], top.interval((0, 0, 10, 10)))
assert top.axes[0].size == 65

# %% effective
for depth in (5, 10, 20, 40):
    width = 2 * uniform_spread(f"{depth} * conv 3")
    theory = receptive_field(f"{depth} * conv 3")[0][-1].size
    print(f"depth {depth:2}: field {theory:2}, 2σ {width:5.2f}, share {width / theory:.2f}")

VGG16 = ", ".join(f"{n} * conv 3 p1, pool 2" for n in (2, 2, 3, 3, 3))
top = receptive_field(VGG16, size=256)[0][-1]
print(f"VGG-16: field {top.size}, σ = {uniform_spread(VGG16):.2f} pixels")

# %% effective_quiet
shares = [
    2 * uniform_spread(f"{d} * conv 3") / receptive_field(f"{d} * conv 3")[0][-1].size
    for d in (5, 10, 20, 40)
]
assert np.allclose(shares, [0.33, 0.25, 0.18, 0.13], atol=0.005)
assert (top.size, round(uniform_spread(VGG16), 2)) == (212, 27.64)
tell(
    share_5=shares[0],
    share_40=shares[-1],
    vgg_field=top.size,
    vgg_spread=uniform_spread(VGG16),
    vgg_share=2 * uniform_spread(VGG16) / top.size,
)


# %% measured
def averaging(depth, channels=1, *, equal=True):
    torch.manual_seed(0)
    layers = [nn.Conv1d(channels, channels, 3, bias=False) for _ in range(depth)]
    if equal:
        for layer in layers:
            nn.init.constant_(layer.weight, 1 / 3)
    return nn.Sequential(*layers)


shape = (1, 1, 41)
equal = effective_field(averaging(20), shape)
random = effective_field(averaging(20, 16, equal=False), (1, 16, 41), draws=32)
print(f"closed form      σ = {uniform_spread('20 * conv 3'):.3f}")
print(f"equal weights    σ = {equal.spread[0]:.3f}")
print(f"random weights   σ = {random.spread[0]:.3f}")
first, last = equal.seen[0]
print("moves the output at all:", last - first + 1, "positions")
assert abs(equal.spread[0] - uniform_spread("20 * conv 3")) < 1e-3
assert (first, last) == (0, 40)
assert 1.25 < random.spread[0] / equal.spread[0] < 2**0.5

# %% measured_figure
fig, ax = axes(6, 3.2)
place = np.arange(41) - 20
spread = uniform_spread("20 * conv 3")
ax.plot(place, equal.weight, color="C0", label="20 layers, equal weights")
ax.plot(place, random.weight, color="C1", label="20 layers, random weights")
gauss = np.exp(-((place / spread) ** 2) / 2) / (spread * np.sqrt(2 * np.pi))
ax.plot(place, gauss, ".", color="C2", markersize=4, label="Gaussian, closed-form σ")
ax.axhline(1 / 41, linestyle=":", color="C3", label="if all 41 counted alike")
ax.set_xlabel("input position from the centre")
ax.set_ylabel("share of the gradient")
ax.legend(frameon=False, fontsize=9)
figure("effective", fig)
middle = np.abs(place) <= 2 * spread
tell(
    inside=float(equal.weight[middle].sum()),
    random_spread=random.spread[0],
    widened=2**0.5 * equal.spread[0],
    middle=int(middle.sum()),
)


# %% mistakes
def field(spec):
    return receptive_field(spec)[0][-1].size


strided, true = [(3, 2), (3, 2), (3, 1)], field("conv 3 s2, conv 3 s2, conv 3")
grown = 1 + sum(k - 1 for k, _ in strided)
own_stride, jump = 1, 1
for k, s in strided:
    jump *= s
    own_stride += (k - 1) * jump
rows = receptive_field(VGG16, size=256)[0]
for what, wrong, right in [
    ("(k − 1)/2 on each side, strides forgotten", grown, true),
    ("a layer's own stride counted for itself", own_stride, true),
    ("VGG-16 without its pools", field("13 * conv 3"), field(VGG16)),
    ("a 1×1 with stride 2 left out", field("2 * conv 3"), field("conv 3, conv 1 s2, conv 3")),
    ("dilation 4 read as 1", field("conv 3"), field("conv 3 d4")),
    ("VGG-16's output size, last layer not run", rows[-2].n_out, rows[-1].n_out),
]:
    print(f"{what:42} {wrong:5g}, true {right}")

# %% mistakes_quiet
assert (grown, own_stride, field("13 * conv 3")) == (7, 21, 27)
assert (rows[-2].n_out, rows[-1].n_out, rows[-1].size) == (16, 8, 212)
tell(no_pools=field("13 * conv 3"), short_size=rows[-2].n_out, true_size=rows[-1].n_out)

# %% probes
mask = torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]])
torch.manual_seed(1)
weight = torch.randn(3, 3)
nets = {
    "masked linear": lambda x: x @ (weight * mask).T,
    "largest of three": lambda x: x.amax(1, keepdim=True),
    "a ReLU that is off": lambda x: torch.relu(x - 5),
}


def by_nan(net, x):
    rows = []
    for i in range(x.shape[1]):
        poisoned = x.clone()
        poisoned[0, i] = torch.nan
        rows.append(net(poisoned).isnan().flatten())
    return torch.stack(rows, 1)


def by_gradient(net, x):
    return torch.autograd.functional.jacobian(net, x)[0, :, 0] != 0


x = torch.tensor([[0.3, -0.2, 0.9]])
for name, net in nets.items():
    true = dependence(net, x)
    for how, way in (("NaN", by_nan), ("gradient", by_gradient)):
        found = way(net, x)
        accused, missed = int((found & ~true).sum()), int((true & ~found).sum())
        print(f"{name:18} {how:8} accuses {accused} wrongly, misses {missed}")

# %% proof
from anypart.models.contract import Layout
from anypart.optim.catalogue import LEARNERS
from anypart.scores.autoregression import prove

layout = Layout((2, 2, 2, 2, 2))
codes = rng.integers(0, 2, (400, 5)).astype(np.int32)
codes[:, 4] = codes[:, 1]
all_seen = np.ones(codes.shape, bool)
learner = LEARNERS["fvsbn"](layout, codes, all_seen, {}, 0)
for step in range(20):
    learner.step(codes, all_seen, step / 20)
model = learner.model()
print("proved" if all(p.proved for p in prove(model)) else "not proved")

leaking = np.array(model.arrays["weight"])
leaking[-1, 0] = 1e-30
model.arrays["weight"] = leaking
(found,) = prove(model)
print("one weight of 1e-30: column, and column it must not hear:", *found.leaks)
assert len(found.leaks) == 1

# %% exercises_quiet
chain = receptive_field("conv 3, pool 2, conv 3, pool 2, 2 * conv 3, pool 2")[0]
assert [s.size for s in chain] == [3, 4, 8, 10, 18, 26, 30]
plain = next(n for n in range(1, 300) if field(f"{n} * conv 3") >= 224)
doubled = next(
    n for n in range(1, 20) if field(", ".join(f"conv 3 d{2**i}" for i in range(n))) >= 224
)
tenth = next(n for n in range(1, 300) if 2 * uniform_spread(f"{n} * conv 3") < 0.1 * (2 * n + 1))
tell(plain=plain, doubled=doubled, tenth=tenth)
assert (plain, doubled) == (112, 7)
assert which_inputs(
    nn.Sequential(*(nn.Conv1d(1, 1, 3, dilation=d) for d in (1, 2, 4))),
    torch.zeros(1, 1, 15),
    (0, 0, 0),
).all()
