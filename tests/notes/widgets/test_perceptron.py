import numpy as np
import pytest

from anypart.lens.network import perceptron
from notes import widgets

SETS = [one["points"] for one in widgets.data("perceptron")["sets"]]


def random_points(seed):
    """Points on a grid of halves, so that sums are exact in any order."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-6, 7, (1 + seed % 12, 2)) / 2
    side = rng.integers(-3, 4, 2)
    y = rng.random(len(x)) < 0.5 if seed % 3 == 0 else x @ side > seed % 4 - 1
    return x, y


def from_text(text):
    words = [line.split() for line in text.split("\n")]
    return np.array([w[:2] for w in words], float), np.array([w[2] == "+" for w in words])


CASES = [*map(from_text, SETS), *map(random_points, range(60))]


def points(x, y):
    return [{"x": row, "fires": fires} for row, fires in zip(x.tolist(), y.tolist(), strict=True)]


def agrees(module):
    for bias in (True, False):
        found = module.call("learn", [[points(x, y), bias, 20] for x, y in CASES])
        for (x, y), unit in zip(CASES, found, strict=True):
            right = perceptron.learn(x, y, bias=bias, passes=20)
            assert unit["weights"] == right.weights.tolist()
            assert (unit["bias"], unit["mistakes"]) == (right.bias, right.mistakes)
            assert unit["passes"] == right.passes
            last = [u for u in unit["updates"] if u["pass"] == right.passes]
            assert len(last) == right.mistakes
    pairs = module.call("opposed", [[points(x, y)] for x, y in CASES])
    right = [perceptron.opposed(x, y) for x, y in CASES]
    assert pairs == [None if pair is None else list(pair) for pair in right]
    assert None in pairs
    assert len({str(pair) for pair in pairs}) > 3


def decides_the_same(module):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-9, 10, (300, 2)) / 4, rng.integers(-9, 10, (300, 2)) / 2
    thresholds = rng.integers(-9, 10, 300) / 8
    cases = list(zip(x.tolist(), w.tolist(), thresholds.tolist(), strict=True))
    above = module.call("firesAbove", cases)
    biased = module.call("fires", [[one, weights, -t] for one, weights, t in cases])
    for at, (one, weights, t) in enumerate(zip(x, w, thresholds, strict=True)):
        right = perceptron.fires_above(one[None], weights, t).item()
        unit = perceptron.Perceptron(weights, -t)
        assert above[at] == biased[at] == right == unit.fires(one[None]).item()
    assert 0 < sum(above) < len(above)


def test_learning_is_the_package_s(module):
    agrees(module)


def test_threshold_and_bias_decide_as_the_package_does(module):
    decides_the_same(module)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (agrees, "w + sign * point.x[i]", "w + point.x[i]"),
        (agrees, "if (withBias) bias += sign;", "bias += sign;"),
        (agrees, "<= 1e-12", "<= 0.2"),
        (decides_the_same, "dot(x, weights) > threshold", "dot(x, weights) >= threshold"),
        (decides_the_same, "dot(x, weights) + bias > 0", "dot(x, weights) - bias > 0"),
    ],
)
def test_a_planted_bug_is_found(module, check, right, wrong):
    with pytest.raises(AssertionError):
        check(module.planted(right, wrong))


def test_what_is_no_point_is_said_in_both_languages(module):
    said = module.problems(
        "readPoints", [[""], ["1 2 +\n3 4"], ["1 2 3 +"], ["x 1 +"], ["1 9999 -"]]
    )
    assert [en[:8] for en, _ in said] == [
        "These ar",
        "Line 2 i",
        "These ar",
        "“x” is n",
        "Line 1 i",
    ]
    assert [zh[:2] for _, zh in said] == ["这里", "第 ", "这里", "“x", "第 "]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_learns_from_own_points(opened, module, language):
    text = "1 0.5 -\n2 1 +\n3 -1 -\n0 2 -\n3 4 +"
    x, y = from_text(text)
    page = opened(module, language)
    page.get_by_role("textbox").fill(text)
    for index, bias in ((1, True), (2, False)):
        page.get_by_role("combobox").nth(1).select_option(index=index)
        page.get_by_role("slider").focus()
        page.keyboard.press("End")
        unit = perceptron.learn(x, y, bias=bias, passes=50)
        told = page.locator(".said").inner_text().replace("−", "-")
        w = ", ".join(f"{v:g}" for v in unit.weights)
        assert f"w = ({w}), T = {-unit.bias + 0:g}, b = -T = {unit.bias:g}" in told
        rows = page.locator("tbody tr").evaluate_all(
            "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
        )
        fires = {"en": "fires", "zh": "激活"}[language]
        assert [row[3] == fires for row in rows] == [row[5] == fires for row in rows]
        assert [row[5] == fires for row in rows] == unit.fires(x).tolist()
        wrong = (unit.fires(x) != y).sum()
        assert page.locator("svg .wrong").count() == page.locator("tbody .now").count() == wrong
    pair = [place + 1 for place in perceptron.opposed(x, y)]
    shown = page.locator(".live > p").nth(1).inner_text()
    assert all(str(place) in shown for place in pair)


def test_weights_and_threshold_are_set_by_keyboard(opened, module):
    page = opened(module)
    sliders = page.locator(".three").get_by_role("slider")
    sliders.nth(0).press("ArrowLeft")
    sliders.nth(2).press("ArrowRight")
    x, _ = from_text(SETS[0])
    right = perceptron.fires_above(x, np.array([0.5, 1]), 2.0)
    shown = page.locator("tbody tr td:nth-child(4)").all_inner_texts()
    assert [text == "fires" for text in shown] == right.tolist()
    assert "T = 2, b = −T = −2" in page.locator(".said").inner_text()
    page.get_by_role("textbox").fill("1 2")
    assert page.locator(".problem").inner_text().startswith("Line 1 is no point.")


def test_the_boundary_lies_where_the_decision_turns(opened, module):
    page = opened(module)
    page.get_by_role("textbox").fill("4 1 +\n1 1 -")
    page.get_by_role("combobox").nth(1).select_option(index=1)
    page.get_by_role("slider").press("End")
    path = page.locator("svg .line").get_attribute("d")
    ends = np.array([pair.split(",") for pair in path[1:].split("L")], float)
    x, y = from_text("4 1 +\n1 1 -")
    unit = perceptron.learn(x, y)
    width, side = page.locator("svg").evaluate(
        "s => [s.viewBox.baseVal.width, s.viewBox.baseVal.height]"
    )
    most = 4 * 1.25
    plane = (ends - [width / 2, side / 2]) / (side / 2 - 2) * most * [1, -1]
    assert plane @ unit.weights + unit.bias == pytest.approx([0, 0], abs=0.1)
