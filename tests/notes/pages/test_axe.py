"""Every page without a violation that axe can see, in light and in dark.

The reference is the same in both languages but for its headings: of the Chinese one, the front
and the commands are looked at.
"""

import pytest

from notes.site.reference import COMMANDS


def pages(site, language):
    files = sorted(site.rglob("*.html"))
    if language == "en":
        return [file for file in files if site / "zh" not in file.parents]
    manual = [site / "zh" / "reference" / name for name in ("index.html", f"{COMMANDS}.html")]
    return [file for file in files if file.parent == site / "zh"] + manual


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_page_has_a_violation(site, window, scheme, language):
    from axe_playwright_python.sync_playwright import Axe

    axe, one, found = Axe(), window(color_scheme=scheme, reduced_motion="reduce"), []
    for file in pages(site, language):
        page = one.open(file)
        # What is folded is looked at too.
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        # The rest of the rules know no colours: once is enough.
        rules = {} if scheme == "light" else {"runOnly": ["color-contrast"]}
        # Preloading asks for style sheets in a way that pages on the disk do not allow.
        options = {"resultTypes": ["violations"], "preload": False, **rules}
        result = axe.run(page, options=options)
        for one_rule in result.response["violations"]:
            nodes = [node["html"][:160] for node in one_rule["nodes"]]
            found.append((file.name, one_rule["id"], len(nodes), nodes[:2]))
    assert found == []
