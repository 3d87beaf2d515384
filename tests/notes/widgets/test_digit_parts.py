import json
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from anypart.models.contract import Evidence
from notes import widgets
from notes.widgets import digit_parts

N_COLS = digit_parts.LAYOUT.n_cols


@cache
def tree():
    return digit_parts.sent_model(digit_parts.fitted())[0]


@cache
def data():
    return json.loads(json.dumps(widgets.data("digit_parts")))


@cache
def questions():
    """Nothing, everything, and parts of held-out rows, with the digit and without it."""
    _, held_out = digit_parts.rows()
    rng = np.random.default_rng(3)
    shown = rng.random((28, N_COLS)) < np.linspace(0, 1, 28)[:, None]
    return held_out[:28], shown


def asked(codes, seen):
    cells = np.where(seen, codes, -1).tolist()
    return [[None if code < 0 else code for code in row] for row in cells]


ASK = """
export function answers(data, rows) {
  const model = readModel(data);
  return rows.map((row) => [logProb(model, row), conditional(model, row)]);
}
export function draws(data, row, seed, times) {
  return samples(readModel(data), row, seed, times);
}
"""


@pytest.fixture
def exact(module):
    """The module with a way to ask many questions of one model."""
    return with_questions(module)


def with_questions(module):
    module.path.write_text(module.path.read_text("utf-8") + ASK, encoding="utf-8")
    return module


def agrees(module):
    codes, seen = questions()
    evidence = Evidence(codes, seen)
    (answers,) = module.call("answers", [[data(), asked(codes, seen)]])
    right = tree().log_prob(evidence)
    assert [log for log, _ in answers] == pytest.approx(right, abs=1e-4)
    shares = np.exp(tree().conditional(evidence))
    for row, (_, found) in zip(shares, answers, strict=True):
        wanted = [row[place] for place in digit_parts.LAYOUT.slices]
        for one, two in zip(found, wanted, strict=True):
            assert one == pytest.approx(two, abs=1e-5)


def test_log_probabilities_and_conditionals_are_the_package_s(exact):
    agrees(exact)


def draws_agree(module):
    """Shares of 4,000 joint draws, of one cell and of two, within five standard errors."""
    codes, seen = questions()
    part = (codes[12:13], seen[12:13])
    (rows,) = module.call("draws", [[data(), asked(*part)[0], 7, 4_000]])
    rows = np.array(rows)
    assert (rows[:, part[1][0]] == part[0][0, part[1][0]]).all()
    free = np.flatnonzero(~part[1][0])
    free = free[free < N_COLS - 1]
    given = tree().log_prob(Evidence(*part))[0]
    for a, b in [*pairwise(free), *zip(free, free, strict=True)]:
        more = (part[0].copy(), part[1].copy())
        more[0][0, [a, b]], more[1][0, [a, b]] = 1, True
        p = np.exp(tree().log_prob(Evidence(*more))[0] - given)
        spread = np.sqrt(max(p * (1 - p), 1e-3) / len(rows))
        assert (rows[:, a] & rows[:, b]).mean() == pytest.approx(p, abs=5 * spread)


def test_draws_are_from_the_joint_distribution(exact):
    draws_agree(exact)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (agrees, "byte ** 2", "byte"),
        (agrees, "logProb += log;", "logProb += 0.999 * log;"),
        (agrees, "x / above[child][state]);", "x);"),
        (agrees, "evidence[column] === null\n", "evidence[column] !== null\n"),
        (draws_agree, "p * below[node][state]", "p"),
        (draws_agree, "to[parents[node] < 0 ? 0 : states[parents[node]]]", "to[0]"),
    ],
)
def test_a_planted_bug_is_found(module, check, right, wrong):
    with pytest.raises(AssertionError):
        check(with_questions(module.planted(right, wrong)))


def test_the_tree_is_small_and_its_bytes_cost_little():
    assert len(json.dumps(data())) < 150_000
    train, held_out = digit_parts.rows()
    fitted, sent = (digit_parts.mean_log_prob(m, held_out) for m in (digit_parts.fitted(), tree()))
    assert data()["log_prob"] == pytest.approx(sent, abs=1e-4)
    assert data()["before_bytes"] == pytest.approx(fitted, abs=1e-4)
    assert abs(fitted - sent) < 0.01
    shares = np.stack([train.mean(0), 1 - train.mean(0)])[:, :-1].clip(1e-3)
    alone = np.log(np.where(held_out[:, :-1] == 1, shares[0], shares[1])).sum(1).mean()
    assert sent > alone - np.log(10) + 8  # nats better than pixels without each other


def shown(page):
    digits = page.locator("tbody .part").all_inner_texts()
    pixels = page.locator(".pixel").evaluate_all(
        "cells => cells.map((cell) => parseFloat(cell.style.getPropertyValue('--on')) / 100)"
    )
    return np.array(digits, float), np.array(pixels)


def right(cells):
    codes = np.array([[-1 if code is None else code for code in cells]], np.int32)
    evidence = Evidence(np.maximum(codes, 0), codes >= 0)
    shares = np.exp(tree().conditional(evidence))[0]
    return tree().log_prob(evidence)[0], shares[-10:], shares[1:-10:2]


def compare(page, cells):
    log, digits, pixels = right(cells)
    on_page = shown(page)
    assert on_page[0] == pytest.approx(digits, abs=6e-4)
    assert on_page[1] == pytest.approx(pixels, abs=6e-4)
    told = page.locator(".said").inner_text().replace("−", "-")
    assert any(f"{log + off:.3f}" in told for off in (0, 5e-4, -5e-4))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_sets_pixels_and_the_digit(opened, module, language):
    page = opened(module, language)
    boxes = page.get_by_role("combobox")
    boxes.nth(0).select_option(index=3)
    half = [int(bit) for bit in data()["digits"][3][:32]] + [None] * 33
    compare(page, half)
    page.locator(".pixel").nth(60).click()  # unknown → on
    page.locator(".pixel").nth(63).click()
    page.locator(".pixel").nth(63).click()  # on → off
    page.locator(".pixel").nth(0).click()
    was = half[0]
    half[60], half[63], half[0] = 1, 0, {1: 0, 0: None}[was]
    compare(page, half)
    boxes.nth(2).select_option(index=9)
    half[64] = 8
    compare(page, half)
    page.get_by_role("button", name={"en": "Forget all", "zh": "全部设为未知"}[language]).click()
    compare(page, [None] * 65)


def test_it_works_by_keyboard_and_draws(opened, module):
    page = opened(module)
    page.get_by_role("combobox").nth(1).select_option(index=4)
    first = page.locator(".pixel").first
    first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "Enter", "ArrowLeft", "Enter", "Enter"):
        page.keyboard.press(key)
    cells = [None] * 65
    cells[10], cells[9] = 1, 0
    compare(page, cells)
    name = page.locator(".pixel").nth(10).get_attribute("aria-label")
    assert name == "row 2, column 3: on"
    page.get_by_role("button", name="Draw the rest").press("Enter")
    figures = page.locator(".drawn figure")
    assert figures.count() == 6
    for figure in figures.all():
        dots = figure.locator("rect").evaluate_all(
            "rects => rects.map((r) => r.x.baseVal.value + 8 * r.y.baseVal.value)"
        )
        digit, log = figure.locator("figcaption").inner_text().split(", log p −")
        whole = [int(at in dots) for at in range(64)] + [int(digit)]
        assert whole[10] == 1
        assert whole[9] == 0
        assert -float(log) == pytest.approx(right(whole)[0], abs=0.006)
