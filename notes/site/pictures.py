"""The pictures of the README: the built site in a browser, at its best size."""

from __future__ import annotations

import shutil
from pathlib import Path

from notes.site.running import ROOT, NoteError

PICTURES = ROOT / "notes" / "pictures"
_SHOTS = {  # picture → page, light or dark, what it is about
    "front": ("index.html", "light", "h1"),
    "note": ("zh/09-receptive-field.html", "dark", ".formula"),
    "widget": ("06-self-supervision.html", "light", ".widget"),
}
_SIZE = {"width": 1180, "height": 700}
_PATIENCE = 120_000  # milliseconds, on a busy machine
_COLOURS = 128  # a page of text needs no more


def take(site: Path, out: Path = PICTURES) -> list[Path]:
    """Photograph the built site.

    Args:
        site: its folder.
        out: where the pictures go.

    Raises:
        NoteError: there is no browser, or the site is not built.

    """
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise NoteError("Pictures need Chromium (Debian and Ubuntu: apt-get install chromium).")
    from playwright.sync_api import sync_playwright

    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (file, scheme, part) in _SHOTS.items():
            if not (site / file).exists():
                raise NoteError(f"{site / file} is not there. Run `make notes` first.")
            page = browser.new_page(viewport=_SIZE, color_scheme=scheme, reduced_motion="reduce")
            page.set_default_timeout(_PATIENCE)
            page.goto((site / file).as_uri())
            page.wait_for_function("document.fonts.status === 'loaded'")
            page.locator(part).first.evaluate("it => it.scrollIntoView({block: 'center'})")
            page.screenshot(path=out / f"{name}.png")
        browser.close()
    return [_small(out / f"{name}.png") for name in _SHOTS]


def _small(file: Path) -> Path:
    from PIL import Image  # comes with matplotlib

    with Image.open(file) as picture:
        few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)
    return file
