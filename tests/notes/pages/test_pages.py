"""Every page of the built site in a browser: quiet, small, readable without JavaScript."""

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


def pages(site):
    return sorted(site.rglob("*.html"))


def one_of_each_kind(site):
    """All pages but those of the reference, of which two stand for all."""
    manual = {site / "reference" / name for name in ("index.html", "anypart.html")}
    return [file for file in pages(site) if file.parent.name != "reference" or file in manual]


def test_every_page_loads_quietly_and_fits(site, window):
    one = window()
    wide = []
    for file in pages(site):
        for size in (PHONE, DESK):
            one.page.set_viewport_size(size)
            page = one.open(file) if size is PHONE else one.page
            width = page.evaluate("document.documentElement.scrollWidth")
            if width > size["width"]:
                wide.append((file.name, size["width"], width))
    assert len(pages(site)) > 40
    assert wide == []


def test_every_page_is_under_300_kilobytes(site):
    assert [f.name for f in pages(site) if f.stat().st_size >= 300_000] == []


def test_every_page_can_be_read_without_javascript(site, window):
    one = window(java_script_enabled=False)
    for file in one_of_each_kind(site):
        page = one.open(file)
        assert page.locator("main h1").is_visible(), file
        assert len(page.locator("main").inner_text()) > 60, file


def test_formulas_have_their_font(site, window):
    page = window().open(next(site.glob("0*.html")))
    for family in ("STIX Two Math", "Source Serif", "Plex Mono"):
        page.wait_for_function(
            "family => [...document.fonts].some("
            "f => f.status === 'loaded' && f.family.includes(family))",
            arg=family,
        )


def test_dark_mode_follows_the_system_can_be_switched_and_is_remembered(site, window):
    for system, other in (("light", "dark"), ("dark", "light")):
        one = window(color_scheme=system)
        page = one.open(site / "index.html")
        paper = "getComputedStyle(document.body).backgroundColor"
        first = page.evaluate(paper)
        button = page.locator("#theme")
        assert button.get_attribute("aria-pressed") == str(system == "dark").lower()
        button.click()
        switched = page.evaluate(paper)
        assert switched != first
        page = one.open(site / "zh" / "archive.html")
        assert page.evaluate(paper) == switched
        assert page.locator("html").get_attribute("data-theme") == other
        page.locator("#theme").click()
        assert page.evaluate(paper) == first
        assert page.locator("html").get_attribute("data-theme") is None


def test_dark_mode_changes_with_the_system(site, window):
    page = window(color_scheme="light").open(site / "index.html")
    assert page.locator("#theme").get_attribute("aria-pressed") == "false"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("#theme[aria-pressed=true]")  # told by an event, so not at once


def test_the_keyboard_skips_to_the_text_and_finds_the_search(site, window):
    page = window().open(site / "index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_selector("#main:focus")
    page.keyboard.press("/")
    page.wait_for_url("**/search.html")
    page.keyboard.press("/")
    page.wait_for_selector("#q:focus")


def test_the_language_switch_leads_to_the_twin_and_back(site, window):
    for name in ("index.html", "archive.html", "search.html", "reference/anypart.html"):
        page = window().open(site / name)
        page.get_by_role("link", name="中文").click()
        page.wait_for_url(f"**/zh/{name}")
        assert page.locator("html").get_attribute("lang") == "zh-Hans"
        page.get_by_role("link", name="English").click()
        page.wait_for_url((site / name).as_uri())
