"""Index sets equal brute-force perturbation on the whole suite and on random networks."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lens.network import oracle
from tests.lens.network.networks import networks, plain_networks
from tests.lens.network.perturb import brute_force
from tests.lens.network.suite import MODULES, POINTS, build
from tests.models.planting import plant
from torch import nn

from anypart.base.errors import LensError
from anypart.lens.network import dependence, which_inputs


def check(name):
    module, example = build(name)
    right = brute_force(module, example, POINTS.get(name, 3))
    found = dependence(module, example)
    assert int((right & ~found).sum()) == 0, f"{name}: a dependence is missed"
    assert int((found & ~right).sum()) == 0, f"{name}: a dependence that is not there"


def test_the_suite_has_at_least_forty_modules():
    assert len(MODULES) >= 40


@pytest.mark.parametrize("name", MODULES)
def test_index_sets_are_brute_force(name):
    check(name)


LENS = "anypart.lens.network"
BUGS = {
    "a kernel's zeros are read": (
        "masked convolutions",
        f"{LENS}.rules.contractions",
        "kernel = nonzero_of(weight).float()",
        "kernel = torch.ones_like(weight)",
    ),
    "masked weights are read": (
        "MADE",
        f"{LENS}.rules.contractions",
        "found.append((count @ b[1].mT > 0)",
        "found.append((count @ torch.ones_like(b[1].mT) > 0)",
    ),
    "a mask before the softmax is not seen": (
        "causal attention",
        f"{LENS}.rules.pointwise",
        'if call.name in ("add", "sub"):',
        'if call.name in ("sub",):',
    ),
    "the softmax forgets its sum": (
        "attention masked after the softmax",
        f"{LENS}.rules.groups",
        "return (_any_over(mask, [d + 1 for d in axes]).expand(-1, *node.shape),)",
        "return (mask,)",
    ),
    "only the largest of a window is read": (
        "max pool",
        f"{LENS}.rules.windows",
        "taps = torch.ones(1, 1, *kernel)",
        "taps = torch.zeros(1, 1, *kernel); taps[..., 0] = 1",
    ),
    "a write through a view is lost": (
        "writes in place seen through a view",
        f"{LENS}.sets",
        "return kept, mask[:, places]",
        "return kept, None",
    ),
    "what was overwritten is still read": (
        "writes in place",
        f"{LENS}.sets",
        "kept[:, places.reshape(-1)] = False",
        "kept[:, places.reshape(-1)] = kept[:, places.reshape(-1)]",
    ),
    "the batch is forgotten in training": (
        "batch norm in training",
        f"{LENS}.rules.groups",
        "for d in range(len(shape)) if d != 1]",
        "for d in range(len(shape)) if d > 1]",
    ),
    "a mask that is added to a product is not seen": (
        "weights of masked attention, averaged",
        f"{LENS}.rules.contractions",
        "varies = varies & ~shut",
        "varies = varies | shut",
    ),
    "only the last that is written to a place is read": (
        "sums at places",
        f"{LENS}.rules.writes",
        "read = mask.flatten(1)[:, spots]",
        "read = mask.flatten(1)[:, spots] & (spots != 0)",
    ),
    "what was there before counts": (
        "largest at places, without what was there",
        f"{LENS}.rules.writes",
        "kept[spots] = False",
        "kept[spots] = True",
    ),
    "a place that depends is not looked at": (
        "the largest one switched on",
        f"{LENS}.rules.writes",
        "found.append(line.expand(-1, *places.shape))",
        "found.append(torch.zeros(len(mask), *places.shape, dtype=torch.bool))",
    ),
    "an index that depends chooses nothing": (
        "rows in the order of a column",
        f"{LENS}.rules.lookups",
        "found.append(read.expand(-1, *data.shape))",
        "found.append(torch.zeros(len(mask), *data.shape, dtype=torch.bool))",
    ),
    "a kernel that depends is a constant": (
        "a kernel that depends",
        f"{LENS}.rules.contractions",
        "found.append(torch.stack(reads))",
        "found.append(torch.zeros(queries, *weight.shape, dtype=torch.bool))",
    ),
    "matrices of other examples are read": (
        "an inverse",
        f"{LENS}.rules.matrices",
        "read = sum_to(asked, node.shape[:n])",
        "read = sum_to(asked, node.shape[:n]).flip(-1)",
    ),
    "a running sum runs backwards": (
        "running sum",
        f"{LENS}.rules.groups",
        "ahead = mask.flip(axis + 1).cumsum(axis + 1).flip(axis + 1)",
        "ahead = mask.cumsum(axis + 1)",
    ),
    "moved elements are mixed up": (
        "shifted windows",
        f"{LENS}.rules.moves",
        "source = torch.where(found > 0, found - 1, -1).long()",
        "source = torch.where(found > 0, found.flip(-1) - 1, -1).long()",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_brute_force_catches_a_planted_bug(bug, monkeypatch):
    name, *planted = BUGS[bug]
    plant(monkeypatch, *planted)
    monkeypatch.setattr(f"{LENS}.rules.RULES", replanted(planted[0]))
    with pytest.raises(AssertionError, match="a dependence"):
        check(name)


def replanted(module):
    """The table of rules with the functions that are now in the module."""
    import importlib

    from anypart.lens.network.rules import RULES

    home = importlib.import_module(module)
    return {
        name: getattr(home, rule.__name__) if rule.__module__ == module else rule
        for name, rule in RULES.items()
    }


@settings(max_examples=40, deadline=None)
@given(networks, plain_networks, st.integers(6, 14), st.integers(0, 3))
def test_a_random_network_reads_what_its_formula_says(network, valid, n, pick):
    valid = [(kind, kernel, stride, 0, dilation) for kind, kernel, stride, _, dilation in valid]
    for layers in (network, valid):
        module, x = oracle.torch_of(layers), torch.zeros(1, 1, n)
        try:
            n_out = module(x).shape[-1]
        except RuntimeError:
            continue  # the input is too small for this network
        mask = which_inputs(module, x, (0, 0, pick % n_out))
        found = {*mask.flatten().nonzero().flatten().tolist()}
        read = {i for i in oracle.read_set(layers, pick % n_out) if 0 <= i < n}
        # Near a rim an inner layer reads padding of its own, which is no input.
        assert found == read if layers is valid else found <= read


@settings(max_examples=25, deadline=None)
@given(networks, st.integers(6, 10))
def test_a_random_network_reads_what_perturbing_it_shows(network, n):
    module = oracle.torch_of(network).double()
    x = torch.zeros(1, 1, n, dtype=torch.double)
    try:
        module(x)
    except RuntimeError:
        return
    with torch.no_grad():  # positive weights: no two paths cancel
        base = module(x).flatten()
        right = torch.stack(
            [(module(x + torch.eye(n)[i].double()).flatten() != base) for i in range(n)], 1
        )
    assert torch.equal(dependence(module, x), right)


def test_a_batch_of_outputs_is_the_union():
    module, x = build("causal attention")
    one, two = (which_inputs(module, x, (0, i, 0)) for i in (1, 2))
    asked = torch.zeros(1, 4, 3, dtype=torch.bool)
    asked[0, 1:3, 0] = True
    assert torch.equal(which_inputs(module, x, asked), one | two)
    assert torch.equal(which_inputs(module, x, (0, slice(1, 3), 0)), one | two)


def test_several_inputs_get_a_mask_each():
    attend = nn.MultiheadAttention(4, 1, batch_first=True)
    query, memory = torch.randn(1, 2, 4), torch.randn(1, 3, 4)
    masks = which_inputs(lambda q, m: attend(q, m, m), (query, memory), (0, 1, 2))
    assert masks[0].any(-1).tolist() == [[False, True]]
    assert masks[1].all()


def test_a_module_is_left_as_it_was():
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout(0.5))
    before = {k: v.clone() for k, v in module.state_dict().items()}
    x = torch.randn(4, 2)
    torch.manual_seed(3)
    dependence(module, x)
    after = torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(1))
    assert all(torch.equal(before[k], v) for k, v in module.state_dict().items())
    assert module.training
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_constant_output_depends_on_nothing():
    assert not which_inputs(lambda x: x * 0, torch.ones(3), 1).any()
    assert not dependence(lambda x: torch.zeros(2), torch.ones(3)).any()


def test_many_outputs_are_asked_about_in_parts(monkeypatch):
    module, x = build("linear attention")
    whole = dependence(module, x)
    monkeypatch.setattr(f"{LENS}.asking.MASK_BYTES", 4 * 12 * 5)
    assert torch.equal(dependence(module, x), whole)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (lambda x: torch.histc(x, 4), "No rule for aten.histc"),
        (torch.unique, "looks at a value that depends on its input"),
        (lambda x: x if x.sum() > 0 else -x, "looks at a value that depends on its input"),
        (lambda x: 3, "returned no tensor"),
        (lambda x: x[x > 0], "No rule for|looks at a value"),
    ],
)
def test_what_cannot_be_followed_is_named(module, message):
    with pytest.raises(LensError, match=message):
        which_inputs(module, torch.eye(3), (0, 0))


def test_the_place_of_an_unknown_operation_is_named():
    class Odd(nn.Module):
        def forward(self, x):
            return torch.histc(x, 4)

    with pytest.raises(LensError, match=r"\(in 1\.0\)"):
        which_inputs(nn.Sequential(nn.ReLU(), nn.Sequential(Odd())), torch.eye(3), (0, 0))


def test_an_index_that_is_not_there_is_refused():
    with pytest.raises(LensError, match=r"The output has the shape \(2, 3\)"):
        which_inputs(nn.Identity(), torch.zeros(2, 3), (2, 0))
    with pytest.raises(LensError, match="holds no tensor"):
        which_inputs(nn.Identity(), (), 0)
