import json
from dataclasses import asdict

import numpy as np
import pytest

from anypart.lens.python import step_generator
from notes import widgets
from notes.widgets.generator_steps import DEEPEST, EXAMPLES

DATA = widgets.data("generator_steps")


def random_paths(example, n=40):
    rng = np.random.default_rng(len(example.call))
    return [rng.integers(len(example.actions), size=DEEPEST).tolist() for _ in range(n)]


def agrees(module):
    steps, lines = [], []
    for example, one in zip(EXAMPLES, DATA["generators"], strict=True):
        paths = random_paths(example)
        found = module.call("walk", [[one["moves"], path] for path in paths])
        for path, walked in zip(paths, found, strict=True):
            trace = step_generator(example.maker()(), [example.actions[i] for i in path])
            right = json.loads(json.dumps([asdict(step) for step in trace]))
            assert [{k: v for k, v in s.items() if k != "to"} for s in walked["steps"]] == right
            assert (walked["state"] == -1) == (trace.steps[-1].state == "finished")
            steps += [[step, "en"] for step in walked["steps"]]
            lines += [str(step).split("\n")[0] for step in trace]
    assert module.call("said", steps) == lines


def test_every_path_is_what_the_package_sees(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("state = step.to;", "state = Math.max(step.to, 0);"),
        ("if (!step) break;", "if (!step || steps.length > 2) break;"),
        ("yields ${step.value}", "yields ${step.given}"),
        ("its value is ${step.value}", "its value is ${step.state}"),
        ("`raises ${error}`", "`raises ${step.raised}`"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_the_moves_of_all_generators_are_small():
    assert len(json.dumps(DATA)) < 60_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_takes_actions(opened, module, language):
    page = opened(module, language)
    for index, example in enumerate(EXAMPLES):
        page.get_by_role("combobox").select_option(index=index)
        path = random_paths(example)[index]
        trace = step_generator(example.maker()(), [example.actions[i] for i in path])
        for step, action in zip(trace, path, strict=False):
            page.locator(".live > .row button").nth(action).click()
            if language == "en":
                assert page.locator(".said").inner_text().startswith(str(step).split("\n")[0])
            rows = page.locator("tbody tr").evaluate_all(
                "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
            )
            held = {name: value for name, value in rows if value}
            assert held == step.locals
            now = page.locator(".listing .now")
            assert now.count() == (step.line is not None and step.state != "not started")
            if now.count():
                assert now.inner_text() == example.source.split("\n")[step.line - 1]
            ran = page.locator(".listing li").evaluate_all(
                "lines => lines.flatMap((li, i) => li.classList.contains('ran') ? [i + 1] : [])"
            )
            assert ran == sorted({line for _, line in step.lines})
        assert page.locator(".log li").count() == len(trace)
        ended = trace.steps[-1].state == "finished"
        disabled = page.locator(".live > .row button").first.get_attribute("aria-disabled")
        assert disabled == str(ended or len(trace) == DEEPEST).lower()


def test_undo_and_the_limit_by_keyboard(opened, module):
    page = opened(module)
    page.get_by_role("combobox").select_option(index=2)
    page.get_by_role("button", name="next()").press("Enter")
    for _ in range(DEEPEST + 2):
        page.get_by_role("button", name="send(30)").press("Enter")
    assert page.locator(".log li").count() == DEEPEST
    assert f"This page knows {DEEPEST} actions" in page.locator(".said").inner_text()
    page.get_by_role("button", name="Undo").press("Enter")
    assert page.locator(".log li").count() == DEEPEST - 1
    page.get_by_role("button", name="Start again").press("Enter")
    assert page.locator(".log li").count() == 0
    page.get_by_role("button", name="send(10)").press("Enter")
    assert "TypeError: can't send non-None value" in page.locator(".said").inner_text()
