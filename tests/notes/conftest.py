"""Chromium, and pages that must be quiet: no error, no request to anywhere but the disk."""

import os
import shutil
from pathlib import Path

import pytest

NO_BROWSER = (
    "The notes are tested in Chromium, and there is none here. Install it (Debian and Ubuntu: "
    "apt-get install chromium) and `pip install -e '.[browser]'`."
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path, NO_BROWSER
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def site():
    """The folder of the site, built from what is there, or the one that ANYPART_SITE names."""
    from notes.site.build import OUT, build

    if "ANYPART_SITE" in os.environ:
        return Path(os.environ["ANYPART_SITE"])
    build()
    return OUT


class Window:
    """A page of the browser, with what it complained of and asked for."""

    def __init__(self, page):
        self.page = page
        self.wrong = []
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.on("requestfailed", lambda asked: self.wrong.append(f"not loaded: {asked.url}"))

    def _heard(self, said):
        if said.type in ("error", "warning"):
            self.wrong.append(f"{said.type}: {said.text}")

    def _asked(self, asked):
        if not asked.url.startswith(("file:", "data:")):
            self.wrong.append(f"asked for {asked.url}")

    def open(self, file: Path, query=""):
        """Open a file of the site as a reader does, from the disk."""
        self.page.goto(file.as_uri() + query)
        return self.page


@pytest.fixture
def window(browser):
    """Make windows: window(color_scheme="dark") …; at the end none of them may complain."""
    made = []

    def make(**settings):
        context = browser.new_context(**settings)
        made.append((context, Window(context.new_page())))
        return made[-1][1]

    yield make
    wrong = [words for _, one in made for words in one.wrong]
    for context, _ in made:
        context.close()
    assert wrong == []
