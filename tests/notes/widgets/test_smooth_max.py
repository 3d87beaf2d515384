import numpy as np
import pytest
import torch

from anypart.calculus import smoothing

CASES = [
    ([2.0, 1, 4, 5, 3], 1.0),
    ([2.0, 1, 4, 5, 3], 0.0),
    ([1.0, 1, 1], 0.5),
    ([3.0, 3, -2], 0.0),
    ([-7.0], 2.0),
    ([1e6, 1e6 - 1, 0], 0.01),
    *((np.random.default_rng(i).normal(0, 3, 1 + i % 9).tolist(), i / 20) for i in range(40)),
]


def right(values, temperature):
    x = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    soft = smoothing.max(x, temperature)
    (slope,) = torch.autograd.grad(soft, x)
    return soft.item(), smoothing.max.bound(x, temperature).item(), slope.tolist()


def agrees(module):
    cases = [[list(values), temperature] for values, temperature in CASES]
    functions = ("smoothMax", "bound", "gradient")
    found = [module.call(function, cases) for function in functions]
    for case, soft, bound, slope in zip(CASES, *found, strict=True):
        wanted = right(*case)
        assert soft == pytest.approx(wanted[0], rel=1e-12, abs=1e-12)
        assert bound == pytest.approx(wanted[1], rel=1e-12, abs=1e-12)
        assert slope == pytest.approx(wanted[2], rel=1e-10, abs=1e-12)


def test_value_bound_and_gradient_are_the_package_s(module):
    agrees(module)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return top + temperature * Math.log(total);", "return top + Math.log(total);"),
        ("temperature * Math.log(values.length)", "temperature * Math.log2(values.length)"),
        ("softmax(values, temperature)", "softmax(values)"),
        ("1 / ties", "1"),
        ("if (temperature === 0) return top;", ""),
    ],
)
def test_a_planted_bug_is_found(module, old, new):
    with pytest.raises(AssertionError):
        agrees(module.planted(old, new))


def test_what_cannot_be_read_is_said_in_both_languages(module):
    said = module.problems("readValues", [[""], ["1 x"], ["1 " * 13], ["1e999"]])
    assert [en.split()[0] for en, _ in said] == ["Write", "“x”", "These", "“1e999”"]
    assert [zh[:3] for _, zh in said] == ["请至少", "“x”", "这里有", "“1e"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_sets_values_and_temperature(opened, module, language):
    page = opened(module, language)
    page.get_by_role("textbox").fill("0.5, -1.25, 0.75")
    heat = page.get_by_role("slider")
    for _ in range(7):
        heat.press("ArrowRight")
    soft, bound, slope = right([0.5, -1.25, 0.75], 0.57)
    told = page.locator(".said").inner_text()
    for number in (f"{soft:.4f}", "0.7500", f"{soft - 0.75:.4f}", f"{bound:.4f}"):
        assert number in told
    assert page.locator("td").all_inner_texts() == [f"{part:.4f}" for part in slope]
    heat.press("Home")
    assert page.locator("td").all_inner_texts() == ["0.0000", "0.0000", "1.0000"]
    assert page.locator("svg .line").count() == 1


def test_a_planted_bug_in_what_is_shown_is_found(opened, module):
    page = opened(module.planted("temperature = t;", "temperature = 2 * t;"))
    soft, _, _ = right([2.0, 1, 4, 5, 3], 0.5)
    assert f"{soft:.4f}" not in page.locator(".said").inner_text()
