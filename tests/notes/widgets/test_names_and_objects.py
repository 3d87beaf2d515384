from dataclasses import asdict
from functools import cache

import numpy as np
import pytest

from anypart.lens.python import watch
from anypart.lens.python.classics import classic
from anypart.lens.python.text import change_text, object_text, step_end
from notes import widgets
from notes.widgets.names_and_objects import SHOWN, data

OTHERS = (
    "list-inside-itself", "send", "throw-and-close", "own-iterator", "dict-shared-value",
    "set-changes-frozenset-not", "frozen-dataclass", "remove-while-iterating", "named-tuple",
    "ends-with-an-error", "nonlocal-counter", "rows-of-one-list",
)  # fmt: skip
STATEMENTS = (
    "a = [{n}]", "b = a", "a.append({n})", "a += [{n}]", "a = a + [b, {n}]", "t = (a, {n})",
    "d['k'] = a", "d = {{'k': {n}, {n}: b}}", "b = t", "a[0] = d", "s = {{{n}, 'x'}}", "b = {n}",
    "a = list(range({n}))", "d.pop('k', 0)", "del b; b = [a]",
    "a.extend(range({n}))", "a.reverse()", "b = [*range(6)]; b.reverse()",
)  # fmt: skip


def random_snippet(seed):
    rng = np.random.default_rng(seed)
    lines = [STATEMENTS[i].format(n=rng.integers(9)) for i in rng.integers(len(STATEMENTS), size=9)]
    return "\n".join(["a, b, d, t = [1], [2], {}, ()", *lines])


@cache
def traces():
    known = [classic(name).source for name in (*SHOWN, *OTHERS)]
    known.append("a = [[[[[[1]]]]]]\nb = (a,)\nb[0].append({2: b})")
    return [watch(source) for source in known + [random_snippet(seed) for seed in range(10)]]


def all_steps(rest=()):
    return [[trace.to_json(), step.number, *rest] for trace in traces() for step in trace]


def agrees(module):
    for (_, number), state, step in zip(
        all_steps(),
        module.call("stateAt", all_steps()),
        (s for t in traces() for s in t),
        strict=True,
    ):
        assert number == step.number
        assert state["frames"] == [{**asdict(f), "names": dict(f.names)} for f in step.frames]
        assert {int(n) for n in state["things"]} == set(step.things)
        for n, thing in step.things.items():
            told = {**asdict(thing), "parts": [list(part) for part in thing.parts]}
            assert state["things"][str(n)] == told
    steps = [step for trace in traces() for step in trace]
    assert module.call("endText", all_steps(["en"])) == [step_end(step) for step in steps]
    says_changes(module)


def says_changes(module):
    cases, right = [], []
    for trace in traces():
        whole = trace.to_json()
        for step in trace:
            before = trace.steps[step.number - 1] if step.number else None
            for told, change in zip(
                whole["steps"][step.number]["changes"], step.changes, strict=True
            ):
                cases.append([whole, step.number, told, "en"])
                right.append(change_text(step, before, change))
    assert module.call("changeText", cases) == right
    assert len({text.split()[0] for text in right}) == 5  # every kind of change is there


def test_every_step_is_the_package_s(module):
    agrees(module)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("trace.steps.slice(0, step + 1)) {", "trace.steps.slice(0, step)) {"),
        ("Object.fromEntries(alive.map((id) => [id, known[id]]))", "known"),
        ("above.length > 3", "above.length > 2"),
        ("objectText(old, change.before, 40)", "objectText(old, change.before)"),
        ("at ? `${one.name}: ${name}` : name", "name"),
        ("change.parts.slice(0, 4)", "change.parts.slice(0, 1)"),
    ],
)
def test_a_planted_bug_is_found(module, right, wrong):
    with pytest.raises(AssertionError):
        agrees(module.planted(right, wrong))


def test_what_the_page_is_given_is_what_python_did_and_small():
    for one in data()["snippets"]:
        fresh = watch(classic(one["name"]).source)
        assert one["trace"]["source"] == fresh.source
        assert len(one["trace"]["steps"]) == len(fresh)
    assert len(str(data())) < 60_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_reader_steps_through_each_snippet(opened, module, language):
    page = opened(module, language)
    following = page.get_by_role("button", name={"en": "Next step", "zh": "下一步"}[language])
    for index, name in enumerate(SHOWN):
        trace = watch(classic(name).source)
        page.get_by_role("combobox").select_option(index=index)
        for step in trace:
            if step.number:
                following.click()
            assert (
                page.locator(".listing .now").inner_text()
                == trace.source.split("\n")[step.line - 1]
            )
            names = [name for frame in step.frames for name in frame.names]
            assert page.locator(".name").all_inner_texts() == names
            arrows_lead_where_names_do(page, step)
            assert page.locator(".changed").count() == len(step.of_kind("mutated", "advanced"))
            if language == "en":
                before = trace.steps[step.number - 1] if step.number else None
                said = page.locator(".said li").all_inner_texts()
                assert [change_text(step, before, c) for c in step.changes] == [
                    text
                    for text in said[1:]
                    if text not in ("", step_end(step)) and "nothing" not in text
                ]
        assert page.locator(".printed").inner_text().strip() == trace.output.strip()


def arrows_lead_where_names_do(page, step):
    """Every name's arrow ends at the left side of the box of its object."""
    ends = page.evaluate(
        """() => {
          const stage = document.querySelector(".stage").getBoundingClientRect();
          const boxes = [...document.querySelectorAll(".objects > .box")];
          return [...document.querySelectorAll(".arrow .head")].map((head) => {
            const [x, y] = head.getAttribute("d").match(/[\\d.]+/g).map(Number);
            const box = boxes.find((one) => {
              const b = one.getBoundingClientRect();
              const inside = y > b.top - stage.top && y < b.bottom - stage.top;
              const off = [b.left, b.right].map((side) => Math.abs(side - stage.left - x));
              return inside && Math.min(...off) < 1;
            });
            return box ? box.innerText : null;
          });
        }"""
    )
    wanted = [n for frame in step.frames for n in frame.names.values()]
    assert len(ends) >= len(wanted)
    assert None not in ends
    for text, number in zip(ends, wanted, strict=False):
        thing = step.things[number]
        start = thing.text if thing.kind == "atom" else f"{thing.type.rpartition('.')[2]} #{number}"
        assert text.startswith(start)


def test_it_works_by_keyboard(opened, module):
    page = opened(module)
    page.get_by_role("combobox").select_option(index=list(SHOWN).index("tuple-item-augmented"))
    page.get_by_role("slider").press("End")
    page.get_by_role("button", name="Step back").press("Enter")
    page.get_by_role("slider").press("Home")
    page.get_by_role("slider").press("ArrowRight")
    page.get_by_role("slider").press("ArrowRight")
    said = page.locator(".said").inner_text()
    assert "TypeError: 'tuple' object does not support item assignment" in said
    assert "mutated list #2 [1]" in said
    assert widgets.data("names_and_objects")["snippets"][0]["name"] == "one-list-two-names"


def test_objects_are_written_as_the_package_writes_them(module):
    last = [[trace.to_json(), len(trace) - 1] for trace in traces()]
    cases, right = [], []
    for trace, state in zip(traces(), module.call("stateAt", last), strict=True):
        things = trace.steps[-1].things
        cases += [[state["things"], number, 30] for number in things]
        right += [object_text(things, number, 30) for number in things]
    assert module.call("objectText", cases) == right
