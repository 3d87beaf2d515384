"""The effective field: gradients meet the closed form, and lie inside the theoretical one."""

import numpy as np
import pytest
import torch
from tests.lens.network.architectures import VGG_16
from tests.lens.network.suite import spread_weights
from tests.models.planting import plant
from torch import nn

from anypart.base.errors import LensError
from anypart.lens.network import effective, trace
from anypart.lens.network.effective import effective_field

# kernel, stride, dilation
STACK = [(3, 1, 1), (2, 2, 1), (3, 1, 2), (5, 1, 1), (2, 2, 1), (3, 1, 1)]
SPEC = ", ".join(f"conv {k} s{s} d{d}" for k, s, d in STACK)


def equal_weights():
    layers = [nn.Conv1d(1, 1, k, s, dilation=d, bias=False) for k, s, d in STACK]
    for layer in layers:
        nn.init.constant_(layer.weight, 0.1)
    return nn.Sequential(*layers)


def check_closed_form():
    measured = effective_field(equal_weights(), (1, 1, 60), draws=1)
    assert measured.spread[0] == pytest.approx(effective.uniform_spread(SPEC), rel=1e-5)


def test_equal_weights_have_the_spread_of_the_closed_form():
    check_closed_form()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("jump *= stride", "jump += stride"), ("(kernel**2 - 1) / 12", "kernel**2 / 12")],
)
def test_the_gradient_catches_a_planted_bug(right, wrong, monkeypatch):
    check_closed_form()
    plant(monkeypatch, "anypart.lens.network.effective", right, wrong)
    with pytest.raises(AssertionError, match="comparison failed"):
        check_closed_form()


def test_vgg_16_has_the_spread_that_was_measured():
    assert effective.uniform_spread(VGG_16) == pytest.approx(27.64, abs=0.005)


def test_the_effective_field_is_inside_the_theoretical_one():
    torch.manual_seed(0)
    net = spread_weights(
        nn.Sequential(nn.Conv2d(2, 3, 3, 2), nn.Softplus(), nn.Conv2d(3, 2, (3, 1), dilation=2))
    )
    shape = (1, 2, 16, 12)
    found = effective_field(net, shape, (1, 2))
    top = trace(net, shape)[-1]
    assert list(found.seen) == [top.interval((0, 0, 1, 2), axis) for axis in (0, 1)]
    assert found.weight.sum() == pytest.approx(1)


def test_the_share_of_the_field_that_counts_shrinks_with_depth():
    shares = []
    for depth in (5, 10, 20, 40):
        spec = f"{depth} * conv 3"
        shares.append(round(2 * effective.uniform_spread(spec) / (2 * depth + 1), 2))
    assert shares == [0.33, 0.25, 0.18, 0.13]  # two standard deviations over the width


def test_a_constant_output_weighs_nothing():
    found = effective_field(lambda x: x * 0, (1, 1, 5))
    assert (found.weight.sum(), found.seen) == (0, ((0, -1),))


def test_what_has_no_closed_form_or_no_place_is_refused():
    with pytest.raises(LensError, match="one after another"):
        effective.uniform_spread("[ | conv 3 same]")
    with pytest.raises(LensError, match=r"The output has the shape \(1, 2\)"):
        effective_field(nn.Flatten(), (1, 1, 2))
    with pytest.raises(LensError, match=r"position \(9,\)"):
        effective_field(nn.Identity(), (1, 1, 4), (9,))


def test_the_picture_frames_the_theoretical_field():
    from anypart.studio.field_picture import field_picture

    weight = np.zeros((8, 10))
    weight[3, 4] = 1.0
    svg = field_picture(weight, [(2, 4), (3, 5)], "a <field>", (1.0, 1.0))
    assert svg.count('class="heat"') == 1
    assert 'x="108.0" y="72.0" width="108.0" height="108.0" class="model-line"' in svg
    assert "a &lt;field&gt;" in svg
    assert field_picture(np.ones(300), [(-9, 9)], "long").count('class="heat"') == 60


def test_the_layers_of_a_plain_chain_are_read_off_the_module():
    net = nn.Sequential(equal_weights(), nn.ReLU(), nn.Sequential(nn.MaxPool1d(2), nn.Dropout()))
    assert [str(layer) for layer in effective.chain_of(net)] == [
        *(str(layer) for layer in effective.parse(SPEC)),
        "pool 2 s2",
    ]
    for part in (
        nn.ConvTranspose1d(1, 1, 3),
        nn.Linear(2, 2),
        nn.Conv1d(1, 1, 3, padding_mode="circular", padding=1),
    ):
        assert effective.chain_of(nn.Sequential(nn.Conv1d(1, 1, 3), part)) is None
