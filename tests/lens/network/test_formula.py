"""Layer lists: the published table, both directions, brute force, and torch's sizes."""

import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lens.network import oracle
from tests.lens.network.architectures import ALEXNET_V2, PUBLISHED, VGG_A
from tests.lens.network.networks import networks, plain_networks
from tests.models.planting import plant

from anypart.base.errors import LensError
from anypart.lens.network import Layer, parse, receptive_field
from anypart.lens.network.top_down import top_down

FORMULA = "anypart.lens.network.formula"


def hull(positions):
    return (min(positions), max(positions)) if positions else (float("inf"), -float("inf"))


@pytest.mark.parametrize(("name", "size"), list(itertools.product(PUBLISHED, (224, 321))))
def test_the_published_table_is_reproduced(name, size):
    spec, field, stride, *paddings = PUBLISHED[name]
    padding = paddings[size == 321]
    if padding is None:
        padding = paddings[0] + (2 if "v1" in name else 0)  # the strided pool pads 1, not 0
    axes = receptive_field(spec, size)
    for axis, rows in enumerate(axes):
        top = rows[-1]
        assert (top.size, top.jump, top.padding) == (field, stride, padding)
        assert top.aligned
        assert top_down(spec, size, axis=axis)[0] == (top.low, top.high)


def test_alexnet_layer_by_layer():
    rows = {seen.name: seen for seen in receptive_field(ALEXNET_V2, 224)[0]}
    names = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool5"]
    assert [rows[n].size for n in names] == [11, 19, 51, 67, 99, 131, 163, 195]
    assert [rows[n].jump for n in names] == [4, 8, 8, 16, 16, 16, 16, 32]


def test_vgg_a_pool_by_pool():
    rows = receptive_field(VGG_A, 224)[0]
    pools = [seen.size for seen in rows if seen.name.startswith("pool")]
    assert pools == [4, 10, 30, 70, 150]


def test_the_article_s_examples():
    assert [s.size for s in receptive_field("conv 3 s2, conv 3 s2, conv 3")[0]] == [3, 7, 15]
    dilated = receptive_field(", ".join(f"conv 3 d{2**i}" for i in range(5)))[0]
    assert [seen.size for seen in dilated] == [3, 7, 15, 31, 63]
    twice = receptive_field("conv 3 s2 p1, conv 3 s2 p1", 5)[0]
    assert [(seen.n_out, seen.size) for seen in twice] == [(3, 3), (2, 7)]


def check_against_brute_force(network):
    spec = oracle.spec_of(network)
    top = receptive_field(spec)[0][-1]
    for position in range(-3, 7):
        right = hull(oracle.read_set(network, position))
        assert top.field.at(position) == right
        assert top_down(spec, position=position)[0] == right


@settings(max_examples=150, deadline=None)
@given(networks)
def test_bottom_up_is_top_down_is_brute_force(network):
    check_against_brute_force(network)


BUGS = {
    "formula: padding forgotten at the end": (
        FORMULA,
        "high += (reach - padding) * step",
        "high += reach * step",
    ),
    "formula: the layer's own stride used": (
        FORMULA,
        "low -= padding * step\n",
        "low -= padding * step * stride\n",
    ),
    "top down: dilation forgotten": (
        "anypart.lens.network.top_down",
        "(len(top) - 1) * stride + dilation * (kernel - 1) + 1",
        "(len(top) - 1) * stride + kernel",
    ),
    "field: phases swapped": (
        "anypart.lens.network.field",
        "(o + padding - dilation * tap for tap",
        "(o - padding + dilation * tap for tap",
    ),
    "field: paths meet in the first one": (
        "anypart.lens.network.field",
        "hull((self.at(o), other.at(o)))",
        "hull((self.at(o), self.at(o)))",
    ),
}
CASES = [
    [("conv", 3, 2, 1, 2), ("conv", 2, 1, 0, 3)],
    [("conv", 3, 1, 1, 1), ("deconv", 3, 2, 0, 1), ("conv", 2, 1, 0, 2)],
    [("paths", [[], [("conv", 3, 1, 1, 1)]]), ("conv", 3, 2, 0, 1)],
]


def check_cases():
    for network in CASES:
        check_against_brute_force(network)


@pytest.mark.parametrize("bug", BUGS)
def test_brute_force_catches_a_planted_bug(bug, monkeypatch):
    check_cases()
    plant(monkeypatch, *BUGS[bug])
    with pytest.raises(AssertionError, match="=="):
        check_cases()


@settings(max_examples=60, deadline=None)
@given(plain_networks, st.integers(20, 40), st.booleans())
def test_sizes_are_torch_s(network, n, ceil):
    pool = torch.nn.MaxPool1d(3, 2, padding=1, ceil_mode=ceil)
    x = torch.zeros(1, 1, n)
    try:
        right = torch.nn.Sequential(oracle.torch_of(network), pool)(x).shape[-1]
    except RuntimeError:
        with pytest.raises(LensError, match="more than there are"):
            receptive_field(oracle.spec_of(network) + ", pool 3 s2 p1", n)
        return
    spec = oracle.spec_of(network) + ", pool 3 s2 p1" + " ceil" * ceil
    assert receptive_field(spec, n)[0][-1].n_out == right


def test_a_deconv_s_size_and_phases():
    top = receptive_field("deconv 4 s2 p1 e1", 8)[0][-1]
    made = torch.nn.ConvTranspose1d(1, 1, 4, 2, 1, output_padding=1)(torch.zeros(1, 1, 8))
    assert top.n_out == made.shape[-1] == 17
    assert (top.jump, top.size) == (0.5, 2)
    assert [top.field.at(o) for o in range(4)] == [(-1, 0), (0, 1), (0, 1), (1, 2)]


def test_paths_that_disagree_are_said_to_be_misaligned():
    assert receptive_field("[conv 3 p1 | conv 5 p2]")[0][-1].aligned
    assert not receptive_field("[conv 3 p1 | conv 3 p2]")[0][-1].aligned
    rows = receptive_field("[conv 1 | conv 4 p1]")[0]
    assert not rows[-1].aligned
    assert (rows[-1].low, rows[-1].high) == (-1, 2)


def test_axes_are_told_apart():
    axes = receptive_field("conv 1x7 s1x2, conv 3x1", (5, 20))
    assert [[(s.n_out, s.size, s.jump) for s in rows] for rows in axes] == [
        [(5, 1, 1), (3, 3, 1)],
        [(7, 7, 2), (7, 7, 2)],
    ]


def test_a_written_layer_reads_as_itself():
    spec = "conv 3x5 s2 p1x2, pool 2 s2, deconv 4 s2 p1 e1, conv 3 d4 same, pool 3 s2 ceil"
    assert parse(", ".join(map(str, parse(spec)))) == parse(spec)


@pytest.mark.parametrize(
    ("spec", "size", "message"),
    [
        ("conf 3", None, "'conf' in the spec is no kind of layer"),
        ("conv", None, "has no kernel"),
        ("conv 0", None, "'0' in 'conv 0' is no size"),
        ("conv 3 z2", None, "'z2' in 'conv 3 z2' is no option"),
        ("conv 3, [conv 3", None, "'[' in the spec (character 9) is never closed"),
        ("conv 3)", None, "')' in the spec (character 7) does not close anything"),
        ("conv 3, (conv 3]", None, "stands where ')' is expected"),
        ("", None, "The spec has no layers"),
        ("4 *", None, "ends before the layer"),
        ("conv 3x3, conv 1x2x3", None, "Layers have 2 and 3 axes"),
        ("conv 3x3", (1, 2, 3), "The size has 3 axes"),
        ("conv 3 s2 same", None, "depends on the size of its input"),
        ("conv 9", 5, "conv 9 reads 4 positions more than there are"),
        ("deconv 3 same", None, "A deconv takes a number"),
        ("[conv 3 | conv 5]", 9, "paths end with 5, 7 positions"),
    ],
)
def test_what_cannot_be_followed_is_said(spec, size, message):
    with pytest.raises(LensError, match=re.escape(message)):
        receptive_field(spec, size)


def test_layers_can_be_given_without_a_spec():
    layers = [Layer(3, stride=2), Layer(2, stride=2, kind="pool"), Layer(3, dilation=2)]
    assert (
        receptive_field(layers)[0][-1].size
        == receptive_field("conv 3 s2, pool 2, conv 3 d2")[0][-1].size
        == 21
    )
