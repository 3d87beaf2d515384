import json

import numpy as np
import pytest

from anypart.data.windows import trace_window

LETTERS = "aAb'\\ é水"


def random_case(seed):
    rng = np.random.default_rng(seed)
    draw = lambda n: "".join(rng.choice(list(LETTERS[: 2 + seed % 7]), n))  # noqa: E731
    return [draw(seed % 23), draw(rng.integers(0, 4))]


CASES = [
    ["ADOBECODEBANC", "ABC"],
    ["a", "a"],
    ["a", "aa"],
    ["", "a"],
    ["abc", ""],
    ["上海自来水来自海上", "水海"],
    ["😀a😀b", "b😀"],
    *map(random_case, range(80)),
]


def agrees(module):
    found = module.call("traceWindow", [[list(s), list(t)] for s, t in CASES])
    moves, right_words = [], []
    for (s, t), trace in zip(CASES, found, strict=True):
        right = trace_window(s, t)
        assert {"items": list(s), "required": list(t), **trace} == json.loads(
            json.dumps(right.to_json())
        )
        moves += [[move, list(s), "en"] for move in trace["moves"]]
        right_words += [right.said(move) for move in right.moves]
    assert module.call("said", moves) == right_words


def test_the_trace_is_the_package_s(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("right + 1 - left < best.stop - best.start", "right + 1 - left <= best.stop - best.start"),
        ("filter(([, n]) => n > 0)", "filter(([, n]) => n !== 0)"),
        ("need.splice(found, 1)", "need.splice(0, 1)"),
        ("while (!missing().length)", "if (!missing().length)"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_a_text_too_long_is_said_in_both_languages(module):
    ((en, zh),) = module.problems("readItems", [["x" * 81]])
    assert en.startswith("These are 81 characters")
    assert zh.startswith("这里有 81 个字符")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_steps_through_own_texts(opened, module, language):
    page = opened(module, language)
    boxes = page.get_by_role("textbox")
    boxes.nth(0).fill("xbaybbcabx")
    boxes.nth(1).fill("abb")
    trace = trace_window("xbaybbcabx", "abb")
    following = page.get_by_role("button", name={"en": "Next step", "zh": "下一步"}[language])
    for move in trace.moves:
        inside = page.locator(".cells li").evaluate_all(
            "cells => cells.flatMap((cell, i) => cell.classList.contains('within') ? [i] : [])"
        )
        assert inside == list(range(move.window.start, move.window.stop))
        lacking = page.locator("tbody tr").evaluate_all(
            "rows => rows.map((row) => [row.cells[0].textContent, +row.cells[3].textContent])"
        )
        assert {k: n for k, n in lacking if n} == {f"'{item}'": n for item, n in move.lacking}
        if language == "en":
            said = trace.said(move)
            assert page.locator(".said").inner_text() == f"{said[0].upper()}{said[1:]}."
        following.click()
    window = trace.window
    assert "xbaybbcabx"[window.start : window.stop] in page.locator(".said").inner_text()
    assert f"{trace.steps}" in page.locator(".live > p").last.inner_text()
    assert f"{trace.recounted}" in page.locator(".live > p").last.inner_text()


def test_it_works_by_keyboard(opened, module):
    page = opened(module)
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert "BANC (places 9 to 12)" in page.locator(".said").inner_text()
    page.get_by_role("button", name="Step back").focus()
    page.keyboard.press("Enter")
    assert page.locator(".said").inner_text().startswith("The left end lets")
    page.get_by_role("textbox").first.fill("")
    assert page.locator(".said").inner_text() == "No window covers all."
    page.get_by_role("textbox").last.fill("")
    assert page.locator(".said").inner_text().startswith("Nothing is asked for")
