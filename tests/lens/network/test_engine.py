"""Every network of the catalogue hears only what it may, on trained weights."""

import numpy as np
import pytest

from anypart.models.catalogue import CATALOGUE
from anypart.models.contract import Evidence, Layout
from anypart.models.settled import Settled
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.scores.autoregression import prove, score_autoregression
from anypart.scores.components import prove_components, score_components

LAYOUT = Layout((2, 3, 2, 4, 2))
NETWORKS = {  # family → settings of a small model
    "fvsbn": {},
    "separate_networks": {"width": 6},
    "nade": {"width": 6},
    "eonade": {"width": 6, "orders": 2},
    "made": {"width": 12, "orders": 2},
    "rnade": {"width": 6, "mixes": 2},
    "order_agnostic": {"width": 8, "blocks": 1, "orders": 2},
}
CHAINS = [*NETWORKS, "boosted_trees", "conditional_table"]
LATENT = {
    "continuous_mixture": {"dims": 2, "width": 8, "points": 32},
    "vae": {"dims": 2, "width": 8},
}
TREES = {
    "independent",
    "chow_liu",
    "tree_mixture",
    "hidden_tree",
    "latent_classes",
}  # sums over latent states
SETTINGS = NETWORKS | LATENT


def trained(family, steps=6):
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, n, 120) for n in LAYOUT.n_cats], 1).astype(np.int32)
    codes[:, 2] = np.where(rng.random(120) < 0.9, codes[:, 0], codes[:, 2])
    seen = np.ones(codes.shape, bool)
    learner = LEARNERS[family](LAYOUT, codes, seen, SETTINGS.get(family, {}), 0)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    return learner.model()


def test_every_family_of_the_catalogue_is_accounted_for():
    assert set(CATALOGUE) == {*CHAINS, *LATENT, *TREES, "settled", "stack", "stated_questions"}


@pytest.mark.parametrize("family", CHAINS)
def test_every_trained_chain_is_proved_autoregressive(family):
    found = list(prove(trained(family)))
    assert found
    assert all(p.proved for p in found), found
    assert not list(prove_components(trained(family)))


@pytest.mark.parametrize("family", LATENT)
def test_the_components_of_every_latent_mixture_are_proved_products(family):
    model = trained(family)
    assert [p.proved for p in prove_components(model)] == [True]
    assert not list(prove(model))
    scores = score_components(Stack([model, trained("fvsbn")], np.zeros(2)))
    assert (scores.mixtures, scores.proved, scores.notes) == (1, 1, ())


def test_a_mixture_that_columns_hang_on_is_proved_too():
    model = trained("continuous_mixture")
    layout = Layout((*model.layout.n_cats, 2))
    table = np.full((model.layout.n_cats[0], 2), np.log(0.5), np.float32)
    hung = Settled(layout, model, {len(layout.n_cats) - 1: 0}, {len(layout.n_cats) - 1: table})
    assert [p.proved for p in prove_components(hung)] == [True]


def first_and_independent(family):
    """Nats per row of a network before its first step, and of the independent model."""
    rng = np.random.default_rng(1)
    shares = [rng.dirichlet(np.full(n, 0.5)) for n in LAYOUT.n_cats]
    codes = np.stack([rng.choice(len(p), 2_000, p=p) for p in shares], 1).astype(np.int32)
    seen = np.ones(codes.shape, bool)
    start = LEARNERS[family](LAYOUT, codes, seen, SETTINGS.get(family, {}), 0).model()
    counts = [
        np.bincount(column, minlength=n) for column, n in zip(codes.T, LAYOUT.n_cats, strict=True)
    ]
    levels = [k[k > 0] / k.sum() for k in counts]
    independent = sum(float((p * np.log(p)).sum()) for p in levels)
    return start.log_prob(Evidence(codes, seen)).mean(), independent


@pytest.mark.parametrize("family", [*CHAINS, *LATENT])
def test_training_starts_at_the_independent_model(family):
    start, independent = first_and_independent(family)
    even = -sum(np.log(LAYOUT.n_cats))
    assert abs(start - independent) < 0.01 * (independent - even)


@pytest.mark.parametrize("family", ["made", "nade"])
def test_a_start_at_0_is_told_from_the_independent_model(family, monkeypatch):
    from tests.models.planting import plant

    plant(monkeypatch, "anypart.models.places", "found = np.log(margins)", "found = 0 * margins")
    start, independent = first_and_independent(family)
    assert start < independent - 0.1


def test_a_leak_in_trained_weights_is_found_and_named():
    model = trained("fvsbn")
    first, last = model.order[0], model.order[-1]
    weight = np.array(model.arrays["weight"])
    weight[-1, 0] = 1e-30  # however small
    model.arrays["weight"] = weight
    (proof,) = prove(model)
    assert proof.leaks == ((first, last),)
    scores = score_autoregression(Stack([model, trained("nade")], np.zeros(2)))
    assert (scores.chains, scores.proved) == (2, 1)
    assert scores.notes == (f"fvsbn: column {first} depends on column {last}",)


def test_a_mask_that_lets_a_column_hear_itself_is_found(monkeypatch):
    from tests.models.planting import plant

    plant(
        monkeypatch,
        "anypart.models.made",
        "position[:, None] < position",
        "position[:, None] <= position",
    )
    assert not all(p.proved for p in prove(trained("made")))


def test_weights_that_are_not_what_answers_prove_nothing(monkeypatch):
    model = trained("nade")
    monkeypatch.setattr(type(model), "_logits", lambda self, x: np.ones_like(x))
    (proof,) = prove(model)
    assert (proof.proved, proof.why) == (False, "its logits are not those of its weights")
    assert score_autoregression(trained("order_agnostic")).proved == 2


def test_a_tree_that_asks_about_its_own_column_is_found_and_named():
    model = trained("boosted_trees")
    model.arrays["tests"][0, 2, 0] = model.places.starts[3]
    (proof,) = prove(model)
    assert proof.leaks == ((model.order[2], model.order[3]),)
    model = trained("boosted_trees")
    model.arrays["weight"][-1, 0] = 1e-30
    (proof,) = prove(model)
    assert proof.leaks == ((model.order[0], model.order[-1]),)


def test_a_density_of_real_numbers_that_hears_itself_is_found(monkeypatch):
    from tests.models.planting import plant

    plant(
        monkeypatch, "anypart.optim.chain_real", "added.cumsum(1)[:, :-1]", "added.cumsum(1)[:, 1:]"
    )
    (proof,) = prove(trained("rnade"))
    assert proof.why == "its logits are not those of its weights"
    plant(
        monkeypatch,
        "anypart.models.rnade",
        "hidden = np.maximum(arrays[",
        "hidden = 0 * np.maximum(arrays[",
    )
    (proof,) = prove(trained("rnade"))
    assert not proof.proved


def test_a_table_with_an_axis_too_many_is_found():
    model = trained("conditional_table")
    model.tables[0] = np.full((2, 3), 0.5)
    (proof,) = prove(model)
    assert "other axes" in proof.why


@pytest.mark.parametrize(
    ("family", "module", "right", "wrong", "why"),
    [
        ("vae", "optim.variational", "torch.log_softmax(part, -1)", "torch.log_softmax(part, 0)",
         "decoder"),
        ("vae", "models.vae", "return found * seen[:, None]", "return found", "decoder"),
        ("continuous_mixture", "models.continuous_mixture", "hot[rows, codes[rows, cols] + ",
         "hot[rows, codes[rows, cols] * 0 + ", "decoder"),
        ("continuous_mixture", "models.continuous_mixture",
         "joint -= top\n            with", "joint -= 2 * top\n            with", "decoder"),
    ],
)  # fmt: skip
def test_a_latent_mixture_that_is_no_product_is_found(
    monkeypatch, family, module, right, wrong, why
):
    from tests.models.planting import plant

    plant(monkeypatch, f"anypart.{module}", right, wrong)
    (proof,) = prove_components(trained(family))
    assert not proof.proved
    assert why in proof.why


@pytest.mark.parametrize("family", LATENT)
def test_factors_that_hear_other_cells_and_that_do_not_sum_to_1_are_found(monkeypatch, family):
    from anypart.scores import components

    shipped = components._judged

    def crossed(model, decode, n_latent):
        return shipped(model, lambda z: decode(z).flip(1) * decode(z), n_latent)

    def heard(model, decode, n_latent):
        class Moved:
            layout = Layout((4, 1, 2, 4, 2))
            family = model.family

        return shipped(Moved, decode, n_latent)

    monkeypatch.setattr(components, "_judged", crossed)
    (proof,) = prove_components(trained(family))
    assert "sum to 1" in proof.why
    monkeypatch.setattr(components, "_judged", heard)
    (proof,) = prove_components(trained(family))
    assert not proof.proved
