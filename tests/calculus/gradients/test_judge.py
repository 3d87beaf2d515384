import json
import math

import pytest
import torch

from anypart.calculus import gradients as g
from anypart.calculus.gradients import judge, problems
from anypart.terminal.main import main

from . import oracle
from .planted import planted


@pytest.mark.parametrize("name", ["bits", "choices"])
def test_the_truth_of_a_named_problem_is_the_sum_over_states(name):
    posed = g.find_problem(name)
    exact = oracle.bernoulli_gradient if name == "bits" else oracle.categorical_gradient
    torch.testing.assert_close(posed.gradient(), exact(posed.p.logits, posed.f)[1].flatten())


def test_the_truth_of_a_continuous_problem_is_the_closed_form():
    torch.testing.assert_close(
        g.find_problem("square").gradient(), torch.tensor([2.0, 2.0], dtype=torch.float64)
    )
    step = g.find_problem("step").gradient()
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    torch.testing.assert_close(step, torch.tensor([density, -density], dtype=torch.float64))


def test_an_unbiased_estimator_passes_and_a_biased_one_is_found_out():
    posed = g.find_problem("choices")
    good = g.measure("loo", g.ScoreFunction("leave_one_out", draws=4), posed, 4_000)
    assert not good.biased
    assert good.bias_low == 0 < good.bias < good.bias_high
    assert (good.evaluations, good.samples) == (4, 4_000)
    bad = g.measure("st", g.StraightThrough(), posed, 4_000)
    assert bad.biased
    assert 0.1 < bad.bias_low < bad.bias < bad.bias_high
    assert bad.variance < good.variance


def test_the_numbers_are_those_of_independent_estimates():
    posed = g.find_problem("bits")
    found = g.measure("disarm", g.DisARM(), posed, 2_000, seed=3)
    theta = posed.p.logits.expand(2_000, 10).clone().requires_grad_()
    g.DisARM()(posed.f, g.Bernoulli(theta), torch.Generator().manual_seed(9)).sum().backward()
    truth = posed.gradient()
    error = (theta.grad - truth).square().sum(1).mean().sqrt() / truth.norm()
    assert found.error == pytest.approx(error.item(), rel=0.06)
    assert found.variance == pytest.approx(theta.grad.var(0).sum().item(), rel=0.12)
    cosine = torch.nn.functional.cosine_similarity(theta.grad, truth, dim=1).mean()
    assert found.cosine == pytest.approx(cosine.item(), abs=0.05)


def test_an_exact_estimator_has_no_error():
    found = g.measure("enumeration", g.Enumeration(), g.find_problem("bits"), 1_000)
    assert found.error < 1e-6
    assert not found.biased


def test_the_interval_covers_the_bias_as_often_as_it_says():
    posed = g.find_problem("toy")
    covered = [
        g.measure("score", g.ScoreFunction(0.25), posed, 200, seed).bias_low == 0
        for seed in range(60)
    ]
    assert sum(covered) >= 52  # 95 % of 60 is 57; below 52 once in 100


def test_a_judge_that_forgets_the_truth_passes_the_biased():
    blind = planted(
        judge, "estimates.double() - self.truth", "estimates.double() - estimates.mean(0)"
    )
    found = blind.measure("st", g.StraightThrough(), g.find_problem("choices"), 4_000)
    assert not found.biased  # so the truth is what finds it out


def test_measuring_leaves_the_estimator_as_it_was():
    estimator = g.REBAR()
    before = estimator.log_temperature.item()
    g.measure("rebar", estimator, g.find_problem("toy"), 50)
    assert estimator.log_temperature.item() == before
    assert estimator.training


def test_a_problem_of_ones_own_is_a_python_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        '"""Two bits."""\nimport torch\nfrom anypart.calculus.gradients import Bernoulli\n'
        "p = Bernoulli(torch.tensor([0.2, -1.0], dtype=torch.float64))\n"
        "def f(z):\n    return z.prod(-1)\n"
    )
    posed = g.find_problem(str(path))
    assert (posed.name, posed.about) == ("mine", "Two bits.")
    assert not g.measure("loo", g.find_estimator("leave-one-out", posed.p), posed, 1_000).biased


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("p = 3\ndef f(z): return z", "p is int"),
        ("f = 3", "p is NoneType"),
        (
            "import torch\nfrom anypart.calculus.gradients import Bernoulli\n"
            "p = Bernoulli(torch.zeros(2, 3))\ndef f(z): return z.sum(-1)",
            "has a batch",
        ),
    ],
)
def test_a_file_that_is_no_problem_is_refused(tmp_path, text, words):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(g.GradientError, match=words):
        problems.find_problem(str(path))


def test_the_command_prints_json_and_writes_a_page(tmp_path, capsys):
    page = tmp_path / "page.html"
    words = "study gradients toy -e disarm -e straight-through -e pathwise --samples 500 --json"
    assert main([*words.split(), "-o", str(page)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {m["estimator"] for m in found["measured"]} == {"disarm", "straight-through"}
    assert "Continuous" in found["refused"]["pathwise"]
    markup = page.read_text()
    assert "<svg" in markup
    assert "disarm: error" in markup


def test_the_command_shows_a_table(capsys):
    assert main(["study", "gradients", "square", "--samples", "300"]) == 0
    shown = capsys.readouterr().out
    assert "pathwise" in shown
    assert "quadrature" in shown
    assert "disarm" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("study gradients bitz", "Did you mean 'bits'"),
        ("study gradients bits -e disarn", "Did you mean 'disarm'"),
        ("study gradients bits -e pathwise", "None can be measured"),
        ("study gradients none.py", "There is no file"),
        ("study gradients bits --samples 1", "at least 2 estimates"),
        ("study gradients bits -o page.png", "the page is HTML"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(words, said, capsys):
    assert main(words.split()) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("z", ["bits", "categories", "real"])
@pytest.mark.parametrize("differentiable", [True, False])
@pytest.mark.parametrize("evaluations", [1, 2, 3, 8])
def test_the_advice_is_code_that_runs_within_its_budget(z, differentiable, evaluations):
    advice = g.choose(z, differentiable=differentiable, evaluations=evaluations)
    estimator = eval(advice.code, vars(g))
    p = {
        "bits": g.Bernoulli(torch.zeros(3, 2, requires_grad=True)),
        "categories": g.Categorical(torch.zeros(3, 2, 4, requires_grad=True)),
        "real": g.Normal(torch.zeros(3, 2, requires_grad=True), torch.ones(3, 2)),
    }[z]
    event = tuple(range(-p.event_dims, 0))
    f = (
        (lambda x: x.sin().sum(event))
        if differentiable
        else (lambda x: (x > 0.5).sum(event).float())
    )
    estimator(f, p).sum().backward()
    assert estimator.evaluations(p) <= evaluations
    assert estimator.claim.unbiased == advice.unbiased
