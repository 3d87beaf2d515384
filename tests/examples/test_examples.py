"""The programs of `examples/` at a small size: they run, and they learn."""

import numpy as np
import pytest
import torch

from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.models.contract import Layout
from anypart.optim.catalogue import LEARNERS
from anypart.queries.fitted import Fitted
from examples import digits, policy, text_generator, vae


def test_a_policy_learns_to_balance():
    torch.manual_seed(0)
    fresh = policy.nn.Sequential(policy.nn.Linear(4, 32), policy.nn.Tanh(), policy.nn.Linear(32, 1))
    before = policy.evaluate(fresh, torch.Generator().manual_seed(0))
    result = policy.train(0, updates=30, episodes=16, rate=0.01)
    assert result.reward > 2 * before
    assert policy.THRESHOLD == 475


def test_the_rewards_still_to_come_are_those_of_the_living_steps():
    z = torch.zeros(1, 4, 6)
    z[0, :3, 5] = 1
    assert policy.reward_to_go(z).mul(-100).tolist() == [[3, 2, 1, 0]]


def test_the_log_probabilities_of_a_generator_sum_to_one_and_fit_its_draws():
    torch.manual_seed(0)
    model = text_generator.Generator(8)
    exact = text_generator.judge(model, text_generator.Source(1))
    drawn = model.sample(4_000, torch.Generator().manual_seed(1))
    levels = -text_generator.Source(1).log_prob(drawn)
    error = levels.std().item() / 4_000**0.5
    assert abs(levels.mean().item() - exact.under_source) < 5 * error
    codes = torch.cartesian_prod(*[torch.arange(4)] * 6)
    every = torch.nn.functional.one_hot(codes, 4).float()
    with torch.no_grad():
        assert model.log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert text_generator.Source(1).log_prob(every).exp().sum().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("route", ["likelihood", "gumbel", "reward"])
def test_a_generator_comes_nearer_to_its_source(route):
    source = text_generator.Source(100)
    start, _, _ = text_generator._start(0)
    before = text_generator.judge(start, source)
    if route == "likelihood":
        model = text_generator.likelihood(source, 0, 40)
    else:
        model = text_generator.adversarial(source, 0, 40, route)
    assert text_generator.judge(model, source).under_source < before.under_source - 0.1
    assert text_generator.entropy(source) < text_generator.judge(model, source).of_source


@pytest.mark.parametrize("name", vae.CHOSEN)
def test_an_autoencoder_learns_silhouettes_with_every_estimator(name):
    assert set(vae.CHOSEN) == set(vae.ESTIMATORS)
    rows, test = vae.silhouettes(300, 1, size=8), vae.silhouettes(60, 2, size=8)
    levels = [
        vae.compared(name, vae.CHOSEN[name], rows, test, 0, steps).level for steps in (0, 200)
    ]
    assert levels[1] > levels[0] + 0.5


def test_estimators_are_compared_at_equal_evaluations():
    p = vae.g.Bernoulli(torch.zeros(32))
    counts = {name: make(1.0).evaluations(p) for name, make in vae.ESTIMATORS.items()}
    assert set(counts.values()) == {2}


def test_a_binary_set_is_read_as_it_was_packed(tmp_path):
    rows = vae.silhouettes(10, 3)
    packed = np.packbits(rows.astype(np.uint8), axis=1)
    np.savez(tmp_path / "set.npz", cols=rows.shape[1], train=packed, test=packed[:4])
    train, test = vae.read(tmp_path / "set.npz")
    assert (train == rows).all()
    assert (test == rows[:4]).all()


@pytest.fixture(scope="module")
def pictures():
    """A page of completions from a small tree of a few images, and its parts."""
    images, names = digits.load()
    rows = digits.table(images[:400], names[:400])
    kinds = {name: "categorical" for name, column in rows.items() if len(set(column)) > 1}
    codec = Codec(infer_schema(read(rows), kinds))
    coded = codec.encode(next(read(rows).batches()))
    learner = LEARNERS["chow_liu"](Layout(codec.n_cats), coded.codes, coded.seen, {}, 0)
    return Fitted(codec.schema, learner.model()), images[1_700:1_760], names[1_700:1_760]


def test_a_page_of_digits_completes_any_part_with_its_exact_probability(pictures, tmp_path):
    fitted, images, names = pictures
    found = digits.write_page(fitted, images, names, [0, 1], tmp_path / "digits.html")
    text = (tmp_path / "digits.html").read_text()
    assert text.count('class="row"') == 2 * len(digits.parts())
    assert "://" not in text
    for name, given in digits.parts().items():
        for one in found[name]:
            assert (one.drawn[:, given] == one.truth[given]).all()
            assert f"{one.log_probs[0]:.1f} nats" in text


def test_the_probability_of_a_completion_is_the_product_of_its_cells(pictures):
    fitted, images, names = pictures
    truth = np.append(images[0], names[0])
    given = digits.parts()["The lower half from the upper"]
    one = digits.complete(fitted, truth, given, draws=1)
    seen, total = given.copy(), 0.0
    for at in np.flatnonzero(~given):
        column = [*digits.PIXELS, digits.DIGIT][at]
        if column in digits.modelled(fitted):
            rows = digits.table(truth[None, :-1], truth[-1:], seen[None])
            answer = fitted.ask(column, rows=rows).value
            total += np.log(answer[str(truth[at])][0].as_py())
        seen[at] = True
    assert one.log_probs[0] == pytest.approx(total, abs=1e-3)


def test_images_told_by_a_tree_are_told_better_than_by_chance(pictures):
    assert digits.told_digits(*pictures) > 0.4
