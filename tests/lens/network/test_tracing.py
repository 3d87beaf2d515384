"""Traced intervals hold what brute force finds, and equal the formula of layer lists."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lens.network import oracle
from tests.lens.network.networks import networks
from tests.lens.network.suite import MODULES, build
from tests.lens.network.torch_nets import resnet50
from tests.models.planting import plant
from torch import nn

from anypart.base.errors import LensError
from anypart.lens.network import dependence, receptive_field, trace

LENS = "anypart.lens.network"
TOKENS = {"tokens", "a number that all rows share", "bags of tokens", "one hot"}
NAMED = {  # what intervals do not follow is said, with the operation or the reason
    "writes in place seen through a view": "written in place",
    "rows added to others": "aten.index_add",
    "rows put elsewhere": "aten.index_copy",
    "overwritten where it is positive": "aten.index_put_",
    "what a mask lets through, elsewhere": "aten.masked_scatter",
    "rows in the order of a column": "no single list of fixed numbers",
    "columns in an order of their own": "no single list of fixed numbers",
}
LARGER = {  # weights of 0 and masks inside kernels are not looked at, channels are one
    "MADE",
    "MADE with a leak",
    "masked convolutions",
    "masked convolutions with a leak",
    "causal dilated convolutions",  # padding of an inner layer is no input
    "causal dilated convolutions with a leak",
    "max pool, dilated, with a rim",  # taps are counted although they hang over the rim
    "dilated convolution",
    "bidirectional GRU",  # both directions lie in one position
    "batch norm with a weight of 0",
    "group norm",
    "depthwise convolution",
    "transposed, grouped, dilated",
    "pixel shuffle",
    "product with a constant 0",
    "writes in place",  # its boxes read rows and columns crosswise
    "gather at fixed places",  # another place in each row
    "patches",  # each element of a patch sees the patch
    "patches folded back",
    "weights of masked attention, averaged",  # those behind the mask are 0
    "sums at places",  # along their axis, places are one
    "largest at places, without what was there",
    "products at places",
    "a grid that is given",
    "or with a constant",
}
FOLLOWED = sorted(set(MODULES) - TOKENS - set(NAMED))


def found_and_right(name):
    """For every output and axis: (first, last) by tracing and by the index sets."""
    module, x = build(name)
    axes = tuple(range(1, x.dim()))
    top = trace(module, x.shape, axes=axes)[-1]
    reads = dependence(module, x)
    for out, position in enumerate(itertools.product(*map(range, top.shape))):
        for at, axis in enumerate(axes):
            low, high = top.interval(position, at)
            seen = [i for i in range(x.shape[axis]) if low <= i <= high]
            read = reads[out].reshape(x.shape).movedim(axis, 0).flatten(1).any(1)
            places = read.nonzero().flatten().tolist()
            yield (seen[:1], seen[-1:]), (places[:1], places[-1:])


def check(name):
    pairs = list(found_and_right(name))
    for (first, last), (low, high) in pairs:
        inside = not low or (first and first <= low and last >= high)
        assert inside, f"{name}: the interval misses what is read"
    if name not in LARGER:
        assert all(a == b for a, b in pairs), f"{name}: the interval is larger than what is read"


@pytest.mark.parametrize("name", FOLLOWED)
def test_intervals_are_the_ends_of_the_index_sets(name):
    check(name)


@pytest.mark.parametrize("name", NAMED)
def test_what_intervals_do_not_follow_is_named(name):
    module, x = build(name)
    with pytest.raises(LensError, match=NAMED[name]):
        trace(module, x.shape)


BUGS = {
    "mask": ("causal attention", "pointwise", "return x <= -ABSORBS if", "return None if"),
    "batch": ("instance norm", "groups", "if a != 1]) if training", "if a > 2]) if training"),
    "rim": ("reflected rim", "moves", "2 * (n - 1) - p", "2 * n - 1 - p"),
    "upsampling": ("bilinear", "windows", "floor(at) + around + 1)", "floor(at) + around)"),
    "fixed places": ("gather of the same places in each row", "lookups",
                     ".movedim(dim, 0).flatten(1)", ".movedim(dim, 0).flip(0).flatten(1)"),
    "patches": ("patches mixed and folded back", "patches",
                "f.spread(kernel, stride, padding, dilation)",
                "f.spread(kernel - 1, stride, padding, dilation)"),
    "windows": ("windows that are averaged", "patches", "f.window(size, call", "f.window(1, call"),
}  # fmt: skip


@pytest.mark.parametrize("bug", BUGS)
def test_index_sets_catch_a_planted_bug(bug, monkeypatch):
    name, module, right, wrong = BUGS[bug]
    plant(monkeypatch, f"{LENS}.sight_rules.{module}", right, wrong)
    import importlib

    from anypart.lens.network.sight_rules import RULES

    home = importlib.import_module(f"{LENS}.sight_rules.{module}")
    for operation, rule in list(RULES.items()):
        if rule.__module__ == home.__name__:
            monkeypatch.setitem(RULES, operation, getattr(home, rule.__name__))
    with pytest.raises(AssertionError, match="the interval"):
        check(name)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("place - piece.first[axis]] for", "0] for"),
        ("merged[axis][end][place] = hull((merged[axis][end][place], interval))",
         "merged[axis][end][place] = interval if place else merged[axis][end][place]"),
        ("tuple(a - b for a, b in", "tuple(a - b - (a > 0) for a, b in"),
    ],
)  # fmt: skip
def test_index_sets_catch_a_planted_bug_in_what_is_put_together(right, wrong, monkeypatch):
    plant(monkeypatch, f"{LENS}.pieces", right, wrong)
    with pytest.raises(AssertionError, match="the interval"):
        check("circular rims of two axes")


@pytest.mark.parametrize("name", ["circular rims of two axes", "built position by position"])
def test_a_tensor_put_together_from_parts_is_exact_where_its_parts_agree(name):
    module, x = build(name)
    assert trace(module, x.shape)[-1].exact


@settings(max_examples=60, deadline=None)
@given(networks, st.integers(8, 30))
def test_a_traced_network_is_its_formula(network, n):
    module = oracle.torch_of(network)
    try:
        n_out = module(torch.zeros(1, 1, n)).shape[-1]
    except RuntimeError:
        return
    (top,) = trace(module, (1, 1, n))[-1].axes
    right = receptive_field(oracle.spec_of(network))[0][-1]
    assert [top.field.at(o) for o in range(n_out)] == [right.field.at(o) for o in range(n_out)]
    assert top.jump == right.jump


@pytest.mark.parametrize(("stride_in", "size", "field"), [("first", 224, 427), ("last", 225, 483)])
def test_both_resnets_are_traced(stride_in, size, field):
    rows = trace(resnet50(8, stride_in), (1, 3, size, size))
    assert [(a.size, a.jump) for a in rows[-1].axes] == [(field, 32)] * 2
    assert {row.kind for row in rows} > {"Conv2d", "Bottleneck", "MaxPool2d"}
    assert trace(resnet50(8, head=True), (1, 3, 224, 224))[-1].axes[0].size == 224


def test_normalisation_in_training_sees_the_whole_batch():
    net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2))
    training, evaluation = (trace(net.train(t), (4, 1, 9))[-1] for t in (True, False))
    assert (training.whole_batch, training.axes[0].size) == (True, 9)
    assert (evaluation.whole_batch, evaluation.axes[0].size) == (False, 3)


def test_the_phases_of_a_transposed_convolution_are_told_apart():
    net = nn.Sequential(nn.Conv1d(1, 1, 3, padding=1), nn.ConvTranspose1d(1, 1, 3, 2, 1))
    top = trace(net, (1, 1, 9))[-1]
    assert [top.interval((0, 0, o)) for o in range(4)] == [(-1, 1), (-1, 2), (0, 2), (0, 3)]
    assert (top.axes[0].size, top.axes[0].jump) == (4, 0.5)


def test_a_module_is_left_as_it_was():
    net = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2))
    before = {k: v.clone() for k, v in net.state_dict().items()}
    trace(net, (2, 1, 9))
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


def test_axes_and_positions_that_are_not_there_are_refused():
    with pytest.raises(LensError, match="has no axes"):
        trace(nn.Identity(), (1, 2, 3), axes=(3,))
    with pytest.raises(LensError, match="is no position in it"):
        trace(nn.Identity(), (1, 2, 3))[-1].interval((0, 0, 3))
    with pytest.raises(LensError, match=r"No rule for aten.histc"):
        trace(lambda x: torch.histc(x, 4), (3, 3))
    with pytest.raises(LensError, match=r"In 0, .* shape \(1, 2, 3\): A kernel for 1 channels is"):
        trace(nn.Sequential(nn.Conv1d(1, 1, 3)), (1, 2, 3))
    with pytest.raises(LensError, match=r"The module does not run on an input of shape \(2, 3\)"):
        trace(lambda x: x + torch.zeros(2, 2), (2, 3))
    with pytest.raises(LensError, match="does not depend on its input"):
        trace(lambda x: torch.zeros(2), (3, 3))
