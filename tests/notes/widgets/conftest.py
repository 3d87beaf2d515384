import json
from pathlib import Path

import pytest

from notes import widgets
from tests.notes.widgets.modules import Module

PAGE = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{name}</title>
<style>:root {{ --ink: #222; --paper: #fff; --faint: #666; --accent: #2457c5;
--accent-2: #b3471d; --line: #ddd; }}</style><main id="here"></main>
<script type="module">{source}
mount(document.getElementById("here"), {data}, "{language}");</script></html>"""


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def module(request, tmp_path):
    """The module of the widget that the test's file is named after."""
    return Module(request.path.stem.removeprefix("test_"), tmp_path)


@pytest.fixture
def opened(browser, tmp_path):
    """Open a widget's page from the disk: opened(module, language) → the page."""
    errors, pages = [], []

    def open_it(module, language="en"):
        page = browser.new_page()
        pages.append(page)
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
        page.on(
            "request", lambda asked: errors.append(asked.url) if "file:" not in asked.url else 0
        )
        data = json.dumps(widgets.data(module.name)).replace("</", "<\\/")
        source = module.path.read_text(encoding="utf-8")
        text = PAGE.format(name=module.name, language=language, source=source, data=data)
        file = tmp_path / f"{module.name}.{language}.html"
        file.write_text(text, encoding="utf-8")
        page.goto(file.as_uri())
        page.wait_for_selector(".live")
        return page

    yield open_it
    for page in pages:
        page.close()
    assert not errors, errors
