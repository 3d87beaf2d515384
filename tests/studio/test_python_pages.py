"""Pages of traces and of what was measured: nothing from outside, one script, every step."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from anypart.lens.python import (
    classify,
    copies,
    costs,
    growth,
    operations,
    step_generator,
    watch,
)
from anypart.studio import objects_svg, python_tables, python_trace, stepper
from anypart.studio.python_trace import trace_page
from anypart.studio.stepper import Panel

EVIL = '</script><script src="https://example.org/x.js">alert(1)</script><img onerror="x">'
SOURCE = f"""
def f(items, more=[]):
    more.append(items)
    return more
a = [1, 2]
a.append(a)
evil = {{{EVIL!r}: {EVIL!r}}}
print({EVIL!r})
b = f(a)
t = ((), {{1}}, f, iter(a), (n for n in a))
raise ValueError({EVIL!r})
"""


def talk():
    got = yield EVIL
    return got


TRACE = watch(SOURCE)
PAGES = {
    "trace": lambda: trace_page(TRACE, EVIL),
    "syntax": lambda: trace_page(watch("a = = 1")),
    "generator": lambda: python_tables.generator_page(
        step_generator(talk(), ["next", ("send", EVIL)])
    ),
    "growth": lambda: python_tables.growth_page(growth("list", 50)),
    "growth in bytes": lambda: python_tables.growth_page(growth("dict", 50)),
    "costs": lambda: python_tables.costs_page(costs(0.01, 10)),
    "operations": lambda: python_tables.operations_page(operations()),
    "object": lambda: python_tables.classified_page(classify([EVIL])),
    "copies": lambda: python_tables.copies_page(copies({EVIL: [1]})),
}


class Reader(HTMLParser):
    """Collects tags, and checks that each that is opened is closed."""

    VOID = ("meta", "rect", "path", "circle", "input", "br")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


def check_alone(text: str) -> None:
    """Assert that a page asks for nothing, and that only its own script can run."""
    tags = parsed(text).tags
    names = {name for _, attrs in tags for name in attrs}
    assert not {n for n in names if n.startswith("on")}
    assert not names & {"src", "srcset", "action", "data", "xlink:href"}
    assert all(str(attrs["href"]).startswith("#") for _, attrs in tags if "href" in attrs)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.S)
    assert [tag for tag, _ in tags].count("script") == len(scripts) <= 1
    policy = next(str(a["content"]) for t, a in tags if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    for script in scripts:
        digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"script-src 'sha256-{digest}'" in policy
    assert bool(scripts) == ("script-src" in policy)
    style = re.search(r"<style>(.*?)</style>", text, re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("make", PAGES.values(), ids=PAGES)
def test_a_page_asks_nothing_of_the_network_whatever_a_snippet_holds(make) -> None:
    check_alone(make())


def test_the_law_bites_when_text_is_not_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (stepper, objects_svg, python_trace):
        monkeypatch.setattr(module, "escape", lambda words: words)
    with pytest.raises(AssertionError):
        check_alone(trace_page(TRACE))


def test_there_is_a_panel_for_each_step_and_one_for_the_end() -> None:
    tags = parsed(trace_page(TRACE)).tags
    panels = [a for t, a in tags if t == "article"]
    assert len(panels) == len(TRACE) + 1
    assert [int(str(p["data-line"])) for p in panels[:-1]] == [step.line for step in TRACE]
    slider = next(a for t, a in tags if t == "input")
    assert slider["max"] == str(len(TRACE))
    assert slider["aria-label"] == "Step"


def test_a_call_and_a_resumption_are_said_in_whole_words() -> None:
    text = trace_page(watch("def g():\n    yield 1\n    yield 2\na = g()\nnext(a)\nnext(a)"))
    assert ">call</span>calls g<" in text
    assert ">resume</span>resumes g<" in text


def test_all_lines_of_the_source_are_there() -> None:
    text = trace_page(TRACE)
    lines = re.search(r'<ol class="lines".*?</ol>', text, re.S)
    assert lines
    assert lines[0].count("<li>") == len(SOURCE.splitlines())


def test_every_drawing_has_words_for_those_who_do_not_see_it() -> None:
    drawings = [a for t, a in parsed(trace_page(TRACE)).tags if t == "svg"]
    assert len(drawings) == len(TRACE)
    assert all(d["role"] == "img" and d["aria-label"] for d in drawings)


def boxes(drawing: str) -> list[tuple[float, float]]:
    """Return the upper left corners of the rectangles."""
    found = [a for t, a in parsed(drawing).tags if t == "rect"]
    return [(float(str(a["x"])), float(str(a["y"]))) for a in found]


def test_every_arrow_ends_at_the_box_of_its_object() -> None:
    for step in TRACE:
        drawing = objects_svg.draw_objects(step)
        corners = boxes(drawing)
        heads = re.findall(r'<path d="M([\d.]+) ([\d.]+)l-8 -4v8z"', drawing)
        assert all((float(x), float(y) - 8) in corners for x, y in heads)


def test_two_names_of_one_object_share_its_box_and_equal_objects_do_not() -> None:
    one = objects_svg.draw_objects(watch("a = [1]\nb = a").steps[-1])
    two = objects_svg.draw_objects(watch("a = [1]\nb = [1]").steps[-1])
    assert (one.count("list #"), two.count("list #")) == (1 + 2, 2 + 2)  # drawn, and in words
    assert one.count("v8z") == two.count("v8z") == 2


def test_a_mutated_object_is_marked_and_others_are_not() -> None:
    trace = watch("a = [1]\nb = [2]\na.append(3)")
    drawings = [objects_svg.draw_objects(step).count("changed") for step in trace]
    assert drawings == [0, 0, 1]


def test_no_title_runs_into_the_next_one() -> None:
    step = watch("def f(some, long, signature, of_names=[[1], {}]):\n    pass").steps[-1]
    drawing = objects_svg.draw_objects(step)
    titles = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="label"[^>]*>([^<]+)', drawing)
    for y in {y for _, y, _ in titles}:
        row = sorted((float(x), words) for x, at, words in titles if at == y)
        assert all(x + 6 * len(words) < other for (x, words), (other, _) in pairwise(row)), row


def test_deep_and_circular_objects_are_drawn() -> None:
    source = (
        "a = []\na.append(a)\nb = []\nfor n in range(60):\n    b = [b, n]\nc = list(range(500))"
    )
    for step in watch(source).steps[-3:]:
        parsed(objects_svg.draw_objects(step))


def test_steps_without_code_have_no_list_of_lines() -> None:
    text = stepper.stepper([Panel("one", "<p>1</p>"), Panel("two", "<p>2</p>")])
    assert 'class="lines"' not in text
    assert text.count("<article") == 2


def test_output_is_shown_from_its_step_on() -> None:
    text = stepper.stepper([Panel("a", "", 1), Panel("b", "", 2, "out\n")], "x\ny")
    assert '<span data-from="1">out\n</span>' in text


def test_pages_have_both_colour_schemes_and_fit_a_phone() -> None:
    text = trace_page(TRACE)
    assert "prefers-color-scheme: dark" in text
    assert 'name="viewport"' in text
    assert "max-width: 760px" in text
