"""The variational autoencoder against enumeration and quadrature of its latent vector."""

import itertools

import numpy as np
import pytest
from tests.models.planting import plant

from anypart.base.errors import QuestionError
from anypart.models.catalogue import load_model
from anypart.models.contract import Evidence, Layout
from anypart.models.vae import VAE

LAYOUT = Layout((2, 3, 4, 2))
KINDS = {"bernoulli": (4, 1), "categorical": (2, 3), "gaussian": (1, 1)}


def wild(latent, draws=256, seed=0, sharpness=1.5):
    """A network with every parameter at random, its encoder as wrong as its decoder."""
    rng = np.random.default_rng(seed)
    dims, cats = KINDS[latent]
    n = dims * cats
    described = 2 * n if latent == "gaussian" else n
    shapes = {
        "embed": (LAYOUT.total + 4, 8),
        "encode_bias": (8,),
        "latent_weight": (8, described),
        "latent_bias": (described,),
        "decode_weight": (n, 8),
        "decode_bias": (8,),
        "out_weight": (8, LAYOUT.total),
        "out_bias": (LAYOUT.total,),
    }
    arrays = {k: rng.normal(size=s).astype(np.float32) for k, s in shapes.items()}
    arrays["out_weight"] *= sharpness
    arrays["latent_weight"] *= 0.3
    return VAE(LAYOUT, arrays, latent, cats, (draws, seed))


def every_latent(model):
    """All latent vectors and their prior probabilities; for a Gaussian a fine grid."""
    if model.latent == "gaussian":
        z = np.linspace(-8, 8, 4_001)
        density = np.exp(-z * z / 2)
        return z[:, None].astype(np.float32), density / density.sum()
    if model.latent == "bernoulli":
        z = np.array(list(itertools.product((0, 1), repeat=model.dims)), np.float32)
    else:
        codes = list(itertools.product(range(model.cats), repeat=model.dims))
        z = np.eye(model.cats, dtype=np.float32)[np.array(codes)].reshape(len(codes), -1)
    return z, np.full(len(z), 1 / len(z))


def truth(model, codes, seen):
    """p(seen cells) of each row, the latent vector summed out."""
    z, prior = every_latent(model)
    tables = np.exp(model.decode(z).astype(np.float64))
    found = np.zeros(len(codes))
    for row, (code, there) in enumerate(zip(codes, seen, strict=True)):
        each = prior.copy()
        for col, place in enumerate(LAYOUT.slices):
            if there[col]:
                each = each * tables[:, place.start + code[col]]
        found[row] = each.sum()
    return found


def all_rows():
    codes = np.array(list(itertools.product(*map(range, LAYOUT.n_cats))), np.int32)
    return codes, np.ones(codes.shape, bool)


def parts(seed=0):
    codes, _ = all_rows()
    return codes, np.random.default_rng(seed).random(codes.shape) < 0.6


@pytest.mark.parametrize("latent", KINDS)
def test_the_interval_covers_the_exact_likelihood(latent):
    covered = []
    for seed in range(24):
        model = wild(latent, draws=128, seed=seed)
        for codes, seen in (all_rows(), parts(seed)):
            estimate, low, high = model.interval(Evidence(codes, seen))
            exact = np.log(truth(model, codes, seen))
            assert (low <= estimate).all()
            assert (estimate <= high).all()
            covered.append((low - 1e-9 <= exact) & (exact <= high + 1e-9))
    assert np.concatenate(covered).mean() > 0.95


@pytest.mark.parametrize("latent", KINDS)
def test_the_mean_of_the_weights_is_unbiased_and_not_the_bound(latent):
    codes, seen = all_rows()
    models = [wild(latent, draws=64, seed=s) for s in range(2)]
    means = []
    for noise in range(200):
        model = VAE(LAYOUT, models[0]._arrays, latent, KINDS[latent][1], (64, noise))
        means.append(np.exp(model.log_prob(Evidence(codes, seen))))
    exact = truth(models[0], codes, seen)
    error = np.std(means, axis=0) / len(means) ** 0.5
    assert (np.abs(np.mean(means, 0) - exact) / error).max() < 5.5
    many = VAE(LAYOUT, models[0]._arrays, latent, KINDS[latent][1], (8_192, 1))
    np.testing.assert_allclose(many.log_prob(Evidence(codes, seen)), np.log(exact), atol=0.12)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("return z, log_p - np.logaddexp(", "return z, 0 * log_p - np.logaddexp("),
        ("mean = w.mean(1)", "mean = np.exp(log_w.mean(1) - top[:, 0])"),  # the bound
        ("np.logaddexp(math.log(share) + log_p,", "np.logaddexp(log_p,"),
    ],
)
def test_planted_bugs_leave_the_interval(right, wrong, monkeypatch):
    plant(monkeypatch, "anypart.models.vae", right, wrong)
    covered = []
    for seed in range(12):
        model = wild("bernoulli", seed=seed)
        codes, seen = all_rows()
        _, low, high = model.interval(Evidence(codes, seen))
        exact = np.log(truth(model, codes, seen))
        covered.append((low <= exact) & (exact <= high))
    assert np.concatenate(covered).mean() < 0.9


@pytest.mark.parametrize("latent", KINDS)
def test_conditionals_and_leave_one_out_are_near_the_exact_ones(latent):
    model = wild(latent, draws=4_096)
    codes, seen = parts(3)
    codes, seen = codes[:12], seen[:12]
    found = model.conditional(Evidence(codes, seen))
    others = model.leave_one_out(codes, np.ones_like(seen))
    for col, place in enumerate(LAYOUT.slices):
        for cat in range(LAYOUT.n_cats[col]):
            given, whole = codes.copy(), codes.copy()
            given[:, col] = whole[:, col] = cat
            with_it = seen.copy()
            with_it[:, col] = True
            ratio = truth(model, given, with_it) / truth(model, codes, seen)
            hidden = ~seen[:, col]
            np.testing.assert_allclose(
                np.exp(found[hidden, place.start + cat]), ratio[hidden], atol=0.05
            )
            rest = np.ones_like(seen)
            rest[:, col] = False
            alone = truth(model, whole, np.ones_like(seen)) / truth(model, codes, rest)
            np.testing.assert_allclose(np.exp(others[:, place.start + cat]), alone, atol=0.08)
        rows = np.flatnonzero(seen[:, col])
        assert (found[rows, codes[rows, col] + place.start] == 0).all()


@pytest.mark.parametrize("latent", KINDS)
def test_samples_agree_with_the_exact_probabilities(latent):
    model, rng = wild(latent, draws=64), np.random.default_rng(1)
    codes, seen = all_rows()
    nothing = Evidence.nothing(2_000, 4)
    drawn = model.sample(nothing, rng)
    exact = truth(model, codes, seen)
    counts = np.array([(drawn == code).all(1).sum() for code in codes])
    error = np.sqrt(exact * (1 - exact) * 2_000)
    often = exact > 0.003  # where a count is nearly normal
    assert (np.abs(counts - 2_000 * exact) / error)[often].max() < 5
    given = Evidence(np.zeros((300, 4), np.int32), np.tile([True, False, False, False], (300, 1)))
    assert (model.sample(given, rng)[:, 0] == 0).all()


def test_the_same_question_has_the_same_answer_whatever_is_asked_beside_it():
    model = wild("gaussian")
    codes, seen = all_rows()
    together = model.log_prob(Evidence(codes, seen))
    alone = model.log_prob(Evidence(codes[5:6], seen[5:6]))
    np.testing.assert_allclose(alone, together[5:6], rtol=1e-5)
    assert model.log_prob(Evidence.nothing(2, 4)).tolist() == [0, 0]


@pytest.mark.parametrize("latent", KINDS)
def test_a_saved_model_answers_the_same(latent):
    model = wild(latent)
    codes, seen = all_rows()
    again = load_model("vae", *model.state())
    np.testing.assert_array_equal(
        again.log_prob(Evidence(codes, seen)), model.log_prob(Evidence(codes, seen))
    )
    assert again.represent(Evidence(codes, seen)).shape[0] == len(codes)


def test_a_weight_per_category_is_refused():
    weights = {1: np.zeros((1, 3))}
    nothing = Evidence.nothing(1, 4)
    with pytest.raises(QuestionError, match="a column has a weight per category"):
        wild("gaussian").log_prob(Evidence(nothing.codes, nothing.seen, weights))
