import numpy as np
import pytest
import torch

from anypart.calculus.gradients import gumbel

LOGITS = ([0.0, 0, 0], [0.5, 0, -0.7], [30.0, -30, 2], np.log([0.2, 0.3, 0.5]).tolist())
CASES = [(logits, seed, t) for seed, logits in enumerate(LOGITS) for t in (0.01, 0.3, 1.0, 10.0)]


@pytest.fixture
def with_noise(monkeypatch):
    """The package's draws, of noise that is given."""

    def draw(function, logits, noise, *more):
        given = torch.tensor(noise, dtype=torch.float64)
        monkeypatch.setattr(gumbel, "gumbels", lambda like, generator=None: given)
        o = torch.tensor(logits, dtype=torch.float64).expand(given.shape)
        return getattr(gumbel, function)(o, *more).numpy()

    return draw


def agrees(module, with_noise):
    noises = module.call("gumbels", [[seed, 40] for _, seed, _ in CASES])
    drawn = module.call(
        "relaxed", [[o, noise, t] for (o, _, t), noise in zip(CASES, noises, strict=True)]
    )
    summaries = module.call("summary", [[rows] for rows in drawn])
    for (o, _, t), noise, rows, found in zip(CASES, noises, drawn, summaries, strict=True):
        soft = with_noise("gumbel_softmax", o, noise, t)
        assert np.array(rows) == pytest.approx(soft, rel=1e-9, abs=1e-12)
        assert found["mean"] == pytest.approx(soft.mean(0), abs=1e-12)
        hard = with_noise("gumbel_max", o, noise)
        assert found["largest"] == pytest.approx(hard.mean(0), abs=1e-12)
        assert found["hard"] == pytest.approx((soft.max(1) > 0.99).mean(), abs=1e-12)


def test_draws_of_the_same_noise_are_the_package_s(module, with_noise):
    agrees(module, with_noise)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("logits[i] + g), temperature)", "logits[i] + g))"),
        ("logits[i] + g", "Math.exp(logits[i]) + g"),
        ("y.indexOf(Math.max(...y))", "y.lastIndexOf(Math.min(...y))"),
        ("Math.max(...y) > 0.99", "Math.max(...y) > 0.9"),
    ],
)
def test_a_planted_bug_is_found(module, with_noise, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong), with_noise)


def test_the_noise_is_gumbel(module):
    """A Gumbel has the mean .5772 and the variance π²/6; 60,000 draws, six standard errors."""
    (noise,) = module.call("gumbels", [[5, 20_000]])
    noise = np.array(noise)
    assert noise.mean() == pytest.approx(0.57722, abs=6 * np.sqrt(np.pi**2 / 6 / noise.size))
    assert noise.var() == pytest.approx(np.pi**2 / 6, abs=6 * np.sqrt(11.9 / noise.size))
    assert abs(np.corrcoef(noise.T)[0, 1]) < 6 / np.sqrt(20_000)


def test_what_is_no_logit_is_said_in_both_languages(module):
    said = module.problems("readLogit", [[""], ["x"], ["31"], ["1 2"]])
    assert [en[:3] for en, _ in said] == ["A l", "“x”", "A l", "The"]
    assert all(any(letter >= "一" for letter in zh) for _, zh in said)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_sets_logits_and_temperature(opened, module, with_noise, language):
    page = opened(module, language)
    for box, text in zip(page.get_by_role("textbox").all(), ("1.5", "-1", "0.25"), strict=True):
        box.fill(text)
    heat = page.get_by_role("slider").first
    for _ in range(8):
        heat.press("ArrowLeft")
    page.get_by_role("button").click()
    (noise,) = module.call("gumbels", [[2, 500]])
    soft = with_noise("gumbel_softmax", [1.5, -1, 0.25], noise, 10**-0.4)
    hard = with_noise("gumbel_max", [1.5, -1, 0.25], noise)
    shares = torch.tensor([1.5, -1, 0.25]).softmax(0).numpy()
    wanted = np.stack([shares, soft.mean(0), hard.mean(0)], 1)
    shown = np.array(page.locator("td").all_inner_texts(), float).reshape(3, 3)
    assert shown == pytest.approx(wanted, abs=5.1e-4)
    assert f"{100 * (soft.max(1) > 0.99).mean():.1f} %" in page.locator(".said").inner_text()
    assert page.locator("svg .dot").count() == 500
    page.get_by_role("textbox").first.fill("no")
    assert page.locator(".problem").first.inner_text().startswith("“no”")
