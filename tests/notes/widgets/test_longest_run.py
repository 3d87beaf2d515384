import json

import numpy as np
import pytest

from anypart.data.runs import trace_run

CASES = [
    [],
    [7],
    [5, 5, 5],
    [100, 4, 200, 1, 3, 2],
    [0, 3, 7, 2, 5, 8, 4, 6, 0, 1],
    [1, 0, 1, 2],
    [-3, -1, -2, 10**15, 10**15 - 1],
    *(np.random.default_rng(i).integers(-9, 10, i % 25).tolist() for i in range(60)),
]


def agrees(module):
    found = module.call("traceRun", [[values] for values in CASES])
    for values, trace in zip(CASES, found, strict=True):
        right = json.loads(json.dumps(trace_run(values).to_json()), object_hook=_without_step)
        assert {"values": values, **trace} == right
    visits = [visit for trace in found for visit in trace["visits"]]
    right = [visit.said for values in CASES for visit in trace_run(values).visits]
    said = module.call("said", [[visit, "en"] for visit in visits])
    assert [words.replace("−", "-") for words in said] == right


def _without_step(read):
    return {name: value for name, value in read.items() if name != "step"}  # 1 here, always


def test_the_trace_is_the_package_s(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("const starts = !there.has(value - 1);", "const starts = !there.has(value + 1);"),
        ("if (guard && there.has(value - 1)) continue;", "if (guard) continue;"),
        ("length > best.stop - best.start", "length >= best.stop - best.start"),
        ("number(value + walked.length)", "number(value + walked.length + 1)"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_numbers_are_read_between_spaces_and_commas(module):
    texts = [["1, 2;3 -4"], ["−5，6、+7"], [""], [" 8\n9 "]]
    assert module.call("readIntegers", texts) == [[1, 2, 3, -4], [-5, 6, 7], [], [8, 9]]


def test_what_cannot_be_read_is_said_in_both_languages(module):
    said = module.problems("readIntegers", [["1 two 3"], ["1.5"], ["1 " * 61], ["9" * 17]])
    assert [en[:14] for en, _ in said] == [
        "“two” is no nu",
        "1.5 is no whol",
        "These are 61 n",
        "10000000000000",
    ]
    assert [zh[:4] for _, zh in said] == ["“two", "1.5 ", "这里有 ", "1000"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_steps_through_own_numbers(opened, module, language):
    values = [9, 3, 8, 20, 7, 3, 21, 22, 10]
    trace = trace_run(values)
    page = opened(module, language)
    page.get_by_role("textbox").fill(" ".join(map(str, values)))
    following = page.get_by_role("button", name={"en": "Next step", "zh": "下一步"}[language])
    for visit in trace.visits:
        told = page.locator(".said").inner_text()
        if language == "en":
            assert told == f"{visit.said}."
        assert ("skipped" in told or "跳过" in told) == (not visit.starts)
        cells = page.locator(".cells li")
        assert cells.count() == len(trace.visits)
        walked = page.locator(".cells .within").all_inner_texts()
        assert {int(text.split()[0]) for text in walked} == set(visit.walked)
        assert page.locator("td").first.inner_text() == str(visit.steps)
        following.click()
    assert str(trace.run.length) in page.locator(".said").inner_text()
    totals = [page.locator("tbody tr").nth(i).locator("td").last.inner_text() for i in range(3)]
    assert list(map(int, totals)) == [trace.steps, trace.unguarded, trace.repeated]


def test_it_works_by_keyboard_and_says_what_is_wrong(opened, module):
    page = opened(module)
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    assert page.locator(".said").inner_text() == "The longest run goes from 1 to 4: length 4."
    page.keyboard.press("ArrowLeft")
    assert (
        page.locator(".said").inner_text()
        == f"{trace_run([100, 4, 200, 1, 3, 2]).visits[-1].said}."
    )
    page.get_by_role("textbox").fill("1 two")
    assert page.locator(".problem").inner_text().startswith("“two” is no number.")
    assert page.get_by_role("textbox").get_attribute("aria-invalid") == "true"
    page.get_by_role("button", name="1 0 1 2").click()
    assert page.locator(".problem").inner_text() == ""
    assert page.locator(".cells li").count() == 3
