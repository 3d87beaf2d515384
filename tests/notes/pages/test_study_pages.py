"""Pages of the study tools on a phone: nothing is wider than the window."""

import pytest

from anypart.data.runs import trace_run
from anypart.data.windows import trace_window
from anypart.lens.python import watch
from anypart.studio.python_trace import trace_page
from anypart.studio.traces import run_page, window_page

PAGES = {
    "python": lambda: trace_page(watch("a = [1]\nb = a\nb.append(2)"), "a.py"),
    "runs": lambda: run_page(trace_run([100, 4, 200, 1, 3, 2])),
    "window": lambda: window_page(trace_window("ADOBECODEBANC", "ABC")),
}


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_with_a_slider_fits_a_phone(window, tmp_path, name, scheme):
    path = tmp_path / f"{name}.html"
    path.write_text(PAGES[name](), encoding="utf-8")
    page = window(viewport={"width": 360, "height": 740}, color_scheme=scheme).open(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("button[data-do=play]").click(trial=True)


def test_the_letters_of_a_drawing_stay_large_enough_on_a_phone(window, tmp_path):
    snippet = "a = [[1, [2, [3]]], {'key': ('value', [4])}]\ndef f(x):\n    return x\nf(a)"
    path = tmp_path / "drawing.html"
    path.write_text(trace_page(watch(snippet), "a.py"), encoding="utf-8")
    page = window(viewport={"width": 360, "height": 740}).open(path, "#4")
    high = page.locator(".panel:not([hidden]) svg.objects").evaluate(
        "svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width * 12"
    )
    assert high >= 8.9
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
