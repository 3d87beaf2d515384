"""Threshold and bias decide the same; a bias goes only where nothing changes without it."""

import copy
import inspect

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.models.planting import plant
from torch import nn
from torch.nn import functional

from anypart.base.errors import LensError
from anypart.lens.network import bias_uses, biases
from anypart.lens.network.perceptron import Perceptron, fires_above, learn, opposed

CORNERS = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-9, 9), min_size=2, max_size=2), st.integers(-9, 9), st.integers(0, 99))
def test_a_threshold_and_its_bias_decide_the_same(weights, threshold, seed):
    x = np.random.default_rng(seed).integers(-5, 6, (40, 2)).astype(float)
    unit = Perceptron(np.array(weights, float), -float(threshold))
    assert np.array_equal(unit.fires(x), fires_above(x, unit.weights, unit.threshold))


@pytest.mark.parametrize("name", ["and", "or", "nand", "nor"])
def test_the_rule_learns_gates_and_their_threshold(name):
    both, any_ = CORNERS.all(1), CORNERS.any(1)
    y = {"and": both, "or": any_, "nand": ~both, "nor": ~any_}[name]
    unit = learn(CORNERS, y)
    assert unit.mistakes == 0
    assert np.array_equal(unit.fires(CORNERS), y)
    assert np.array_equal(fires_above(CORNERS, unit.weights, unit.threshold), y)


def test_no_unit_learns_exclusive_or():
    assert learn(CORNERS, CORNERS.sum(1) == 1, passes=200).mistakes > 0


def test_nielsen_s_nand():
    assert Perceptron(np.array([-2.0, -2.0]), 3.0).fires(CORNERS).tolist() == [True] * 3 + [False]


def test_data_that_only_a_bias_separates():
    x = np.stack([np.arange(1.0, 7.0), np.arange(1.0, 7.0) * 2], 1)
    y = x[:, 0] > 3
    assert learn(x, y).mistakes == 0
    assert opposed(x, y) == (0, 3)
    angles = np.linspace(0, 2 * np.pi, 3600)
    through_zero = np.stack([np.cos(angles), np.sin(angles)])
    assert not ((x @ through_zero > 0) == y[:, None]).all(0).any()
    assert opposed(CORNERS, CORNERS.all(1)) is None


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(LensError, match="Give x as"):
        learn(np.zeros(3), np.zeros(3, bool))


class Wrapped:
    def __init__(self, found):
        self.found = found


class Of(nn.Module):
    def __init__(self, run, *parts):
        super().__init__()
        self.run, self.parts = run, nn.ModuleList(parts)

    def forward(self, x):
        return self.run(x, *self.parts)


def conv():
    return nn.Conv2d(2, 4, 3)


def shared_layer(x, layer, first, second):
    return first(layer(x)) + second(layer(x * 2))


def shared_leak(x, layer, first):
    return first(layer(x)) + layer(x)


def one_norm_for_two(x, one, other, norm):
    return norm(one(x)) + norm(other(x))


class Frozen(nn.BatchNorm2d):
    def train(self, mode=True):
        return super().train(False)


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = conv(), nn.BatchNorm2d(4)

    def forward(self, x):
        return self.norm(self.layer(x)) * self.layer.bias.mean()


class Renamed(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = conv()
        self.register_buffer("middle", torch.zeros(4))
        self.register_buffer("width", torch.ones(4))

    def forward(self, x):
        return functional.batch_norm(
            self.layer(x), self.middle, self.width, None, None, self.training
        )


class Tied(nn.Module):
    def __init__(self, *, bare):
        super().__init__()
        self.one, self.other = conv(), conv()
        self.other.bias = self.one.bias
        self.first, self.second = nn.BatchNorm2d(4), nn.Identity() if bare else nn.BatchNorm2d(4)

    def forward(self, x):
        return self.first(self.one(x)) + self.second(self.other(x))


CASES = {  # name → module, biases that can go
    "convolution, batch norm": (nn.Sequential(conv(), nn.BatchNorm2d(4), nn.ReLU()), {"0.bias"}),
    "transposed": (
        nn.Sequential(nn.ConvTranspose2d(2, 4, 3), nn.BatchNorm2d(4)),
        {"0.bias"},
    ),
    "two batch norms": (
        nn.Sequential(conv(), nn.BatchNorm2d(4), nn.BatchNorm2d(4)),
        {"0.bias", "1.bias"},
    ),
    "linear": (
        nn.Sequential(nn.Flatten(), nn.Linear(128, 4), nn.BatchNorm1d(4)),
        {"1.bias"},
    ),
    "without running statistics": (
        nn.Sequential(conv(), nn.BatchNorm2d(4, track_running_stats=False)),
        {"0.bias"},
    ),
    "instance norm": (nn.Sequential(conv(), nn.InstanceNorm2d(4)), {"0.bias"}),
    "instance norm with running statistics": (
        nn.Sequential(conv(), nn.InstanceNorm2d(4, track_running_stats=True)),
        set(),
    ),
    "a group for each channel": (nn.Sequential(conv(), nn.GroupNorm(4, 4)), {"0.bias"}),
    "groups of two": (nn.Sequential(conv(), nn.GroupNorm(2, 4)), set()),
    "ReLU between": (nn.Sequential(conv(), nn.ReLU(), nn.BatchNorm2d(4)), set()),
    "ReLU in place between": (nn.Sequential(conv(), nn.ReLU(True), nn.BatchNorm2d(4)), set()),
    "dropout between": (nn.Sequential(conv(), nn.Dropout(0.5), nn.BatchNorm2d(4)), set()),
    "layer norm": (nn.Sequential(conv(), nn.LayerNorm([4, 6, 6])), set()),
    "nothing behind": (conv(), set()),
    "a layer used twice": (
        Of(shared_layer, conv(), nn.BatchNorm2d(4), nn.BatchNorm2d(4)),
        {"parts.0.bias"},
    ),
    "a layer used twice, once bare": (Of(shared_leak, conv(), nn.BatchNorm2d(4)), set()),
    "one norm behind two layers": (
        Of(one_norm_for_two, conv(), conv(), nn.BatchNorm2d(4)),
        set(),
    ),
    "one norm behind one layer and itself": (
        nn.Sequential(nn.Conv2d(2, 2, 1), *[nn.BatchNorm2d(2)] * 2),
        set(),
    ),
    "a view between": (
        Of(lambda x, layer, norm: norm(layer(x).flatten(2)), conv(), nn.BatchNorm1d(4)),
        set(),
    ),
    "a norm that is frozen": (nn.Sequential(conv(), Frozen(4)), set()),
    "a bias that is read elsewhere": (Twice(), set()),
    "running statistics under other names": (Renamed(), {"layer.bias"}),
    "one bias in two layers, one of them bare": (Tied(bare=True), set()),
    "one bias in two layers": (Tied(bare=False), {"one.bias"}),
    "functional": (
        Of(lambda x, layer: functional.batch_norm(layer(x), None, None, training=True), conv()),
        {"parts.0.bias"},
    ),
}


def prepared(name):
    torch.manual_seed(1)
    module = copy.deepcopy(CASES[name][0])
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape))
        for b in module.buffers():
            if b.is_floating_point():
                b.copy_(torch.rand(b.shape) + 0.5)
    return module, torch.randn(3, 2, 8, 8)


def run(module, x, training):
    """Outputs and gradients after a step's worth of running means, in one mode."""
    module = copy.deepcopy(module).train(training)
    torch.manual_seed(5)
    y = module(x)
    (y * torch.linspace(-1, 1, y.numel()).reshape(y.shape)).sum().backward()
    again = module.eval()(x)
    return y, again, {n: p.grad for n, p in module.named_parameters()}


def check(name):
    module, x = prepared(name)
    found = biases.redundant_biases(module, x)
    assert {b.name for b in found.redundant} == CASES[name][1], "other biases were found"
    for training in (True, False):
        before, after = (run(m, x, training) for m in (module, found.rewritten))
        assert torch.allclose(before[0], after[0], atol=1e-4), "outputs change"
        assert torch.allclose(before[1], after[1], atol=1e-4), "outputs change after training"
        for n, gradient in after[2].items():
            assert torch.allclose(before[2][n], gradient, rtol=1e-3, atol=1e-3), "gradients change"


@pytest.mark.parametrize("name", CASES)
def test_a_network_without_its_redundant_biases_is_the_same(name):
    check(name)


@pytest.mark.parametrize("name", [n for n, (_, go) in CASES.items() if go])
def test_a_redundant_bias_has_no_gradient_in_training(name):
    module, x = prepared(name)
    _, _, gradients = run(module, x, training=True)
    for bias in CASES[name][1]:
        assert gradients[bias].abs().max() < 1e-3


@pytest.mark.parametrize("name", [n for n, (_, go) in CASES.items() if not go])
def test_a_bias_that_is_kept_changes_something(name):
    module, x = prepared(name)
    changed = copy.deepcopy(module)
    with torch.no_grad():
        for n, p in changed.named_parameters():
            if n.endswith("bias"):
                p.zero_()
    pairs = [zip(run(module, x, t)[:2], run(changed, x, t)[:2], strict=True) for t in (True, False)]
    assert not all(torch.allclose(a, b, atol=1e-4) for pair in pairs for a, b in pair)


def test_in_evaluation_it_only_goes_into_the_running_mean():
    module, x = prepared("convolution, batch norm")
    rewritten = biases.redundant_biases(module, x).rewritten
    bare = copy.deepcopy(module)
    bare[0].bias = None
    assert not torch.allclose(bare.eval()(x), module.eval()(x), atol=1e-2)
    assert torch.allclose(rewritten.eval()(x), module.eval()(x), atol=1e-5)
    assert torch.allclose(rewritten[1].running_mean, module[1].running_mean - module[0].bias)


@pytest.mark.parametrize(
    ("case", "right", "wrong"),
    [
        ("groups of two", "if args[6] == shape[1]:", "if args[6] <= shape[1]:"),
        ("ReLU in place between", "if carried is None or (views and", "if carried is None or ("),
        ("one norm behind two layers", "if others:", "if not others:"),
        ("convolution, batch norm", "means[mean].sub_(bias)", "means[mean].add_(bias)"),
        ("a bias that is read elsewhere", "if bias in self._read:", "if not bias:"),
        ("a norm that is frozen", "if learning and not training:", "if learning and training:"),
        ("dropout between", "for training in (True, False)]", "for training in (False,)]"),
    ],
)
def test_the_outputs_catch_a_planted_bug(case, right, wrong, monkeypatch):
    home = next(m for m in (biases, bias_uses) if right in inspect.getsource(m))
    plant(monkeypatch, home.__name__, right, wrong)
    with pytest.raises(AssertionError, match=r"other biases|change"):
        check(case)


def test_what_is_saved_is_counted():
    module, x = prepared("two batch norms")
    found = biases.redundant_biases(module, x)
    assert (found.saved_parameters, found.saved_bytes) == (8, 32)
    assert "1" in found.redundant[0].why
    kept = [b for b in found.biases if not b.redundant]
    assert [b.why for b in kept] == ["it is part of the output"]


def test_a_module_is_left_as_it_was_and_a_wrong_example_refused():
    module, x = prepared("convolution, batch norm")
    module.train()
    module[1].eval()
    before = copy.deepcopy(module.state_dict())
    biases.redundant_biases(module, x)
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert [m.training for m in module.modules()] == [True, True, False, True]
    with pytest.raises(LensError, match="returns Wrapped, in which tensors cannot be found"):
        biases.redundant_biases(Of(lambda x, layer: Wrapped(layer(x)), conv()), x)
    with pytest.raises(LensError, match="does not run on the example in training"):
        biases.redundant_biases(module, torch.zeros(1, 5))
