"""The site as files: links lead somewhere, pages have twins, nothing comes from outside."""

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from notes.site import build as building
from notes.site import reference
from notes.site.morse import morse
from notes.site.running import NoteError

from ...data.planted import planted
from .making import RAN, Seen, make_note

NOTES = 30
TEXT = """Text of [a note](note:02) and [a name](ref:anypart.data.windows.shortest_window).

## Part

::code first

::figure dot A dot.

::functions anypart.data.windows.excerpt
"""


def make_site(module, root, patch, count=NOTES):
    """Build notes whose code does not run, with a part of the reference."""
    ours = [m for m in reference._modules() if m.__name__.startswith("anypart.data.windows")]
    patch.setattr(reference, "_modules", lambda: ours)
    patch.setattr(module, "run", lambda path, kept: RAN)
    for number in range(1, count + 1):
        make_note(root / "articles", number, TEXT)
    module.build(root / "site", root / "articles", root / "kept")
    return root / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        yield make_site(building, tmp_path_factory.mktemp("site"), patch)


def pages(site):
    return {file: Seen(file.read_text("utf-8")) for file in sorted(site.rglob("*.html"))}


def wrong_links(site):
    """Addresses that are absolute, lead to no file, or to no anchor of it."""
    seen = pages(site)
    found = []
    for file, page in seen.items():
        for link in page.links:
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve() if path else file
            held = seen.get(target)
            if link.startswith("data:"):
                continue
            nowhere = anchor and held and anchor not in held.ids
            if re.match(r"[a-z]+:|/", link) or not target.is_file() or nowhere:
                found.append((file.name, link))
    return found


def test_every_link_leads_somewhere_on_the_disk(site):
    assert wrong_links(site) == []


def test_the_law_of_links_notices_a_bug(tmp_path, monkeypatch):
    broken = planted(building, 'root = home + ("../" if own else "")', "root = home")
    assert wrong_links(make_site(broken, tmp_path, monkeypatch, count=2)) != []


def test_every_page_has_its_twin_and_says_its_language(site):
    for file, page in pages(site).items():
        inside = file.relative_to(site)
        chinese = inside.parts[0] == "zh"
        twin = site.joinpath(*inside.parts[1:]) if chinese else site / "zh" / inside
        assert page.lang == ("zh-Hans" if chinese else "en")
        assert twin in {(file.parent / link).resolve() for link in page.links}


def test_every_page_has_one_title_and_its_landmarks(site):
    for file, page in pages(site).items():
        assert page.tags.count("h1") == page.tags.count("main") == 1, file
        assert {"header", "nav", "footer"} <= set(page.tags), file
        assert len(page.ids) == len(set(page.ids)), file
        assert "#main" in page.links, file


def test_every_page_is_small_and_asks_nobody(site):
    for file in site.rglob("*"):
        text = file.read_text("utf-8") if file.suffix in (".html", ".css", ".js") else ""
        outside = re.findall(r"(?:src|href)=[\"']?https?:|url\(https?:|fetch\(|import\(", text)
        assert outside == [], file
        assert file.suffix != ".html" or len(text.encode()) < 300_000, file


def test_twelve_notes_stand_on_a_front_page(site):
    for language in ("", "zh"):
        fronts = [site / language / name for name in ("index.html", "page-2.html", "page-3.html")]
        numbers = [re.findall(r'class="number"[^>]*>(\d+)<', f.read_text("utf-8")) for f in fronts]
        assert [len(found) for found in numbers] == [12, 12, 6]
        newest = [f"{n:02}" for n in range(NOTES, 0, -1)]
        assert list(itertools.chain(*numbers)) == newest
        assert not (site / language / "page-4.html").exists()
        assert 'aria-current="page">2<' in fronts[1].read_text("utf-8")


def test_the_archive_and_the_tags_list_every_note(site):
    for name in ("archive.html", "tag-algorithms.html", "zh/tag-data.html"):
        text = (site / name).read_text("utf-8")
        assert len(set(re.findall(r'href="(\d\d-topic\.html)"', text))) == NOTES
    assert not (site / "tag-python.html").exists()  # no note has it


def test_feeds_hold_every_note_in_its_language(site):
    for name, language, title in (
        ("feed.xml", "en", "A title 30"),
        ("zh/feed.xml", "zh-Hans", "一个题目 30"),
    ):
        channel = ElementTree.parse(site / name).getroot().find("channel")
        assert channel.findtext("language") == language
        items = channel.findall("item")
        assert len(items) == NOTES
        assert items[0].findtext("title") == title
        assert items[0].findtext("pubDate").endswith("12:00:00 +0000")
        assert (site / name).parent.joinpath(items[0].findtext("link")).exists()


def test_the_index_holds_every_note_and_every_entry(site):
    for language in ("en", "zh"):
        text = (site / "assets" / f"index-{language}.js").read_text("utf-8")
        notes = json.loads(text.removeprefix("const NOTES = ").rstrip(";\n"))
        assert [note["address"] for note in notes] == [f"{n:02}-topic.html" for n in range(1, 31)]
        assert "Text of a note" in notes[0]["text"]
    text = (site / "assets" / "index-reference.js").read_text("utf-8")
    names = {
        one["title"] for one in json.loads(text.removeprefix("const REFERENCE = ").rstrip(";\n"))
    }
    assert {"anypart.data.windows.excerpt", "anypart fit"} <= names


def test_a_note_that_fails_leaves_the_site_as_it_was(tmp_path, monkeypatch):
    site = make_site(building, tmp_path, monkeypatch, count=2)
    before = {file: file.read_bytes() for file in site.rglob("*.html")}
    make_note(tmp_path / "articles", 3, "{{nothing}}\n")
    with pytest.raises(NoteError, match=r"03_topic/en\.md, line 8: no number 'nothing'"):
        building.build(site, tmp_path / "articles", tmp_path / "kept")
    assert {file: file.read_bytes() for file in site.rglob("*.html")} == before


@pytest.mark.parametrize(
    ("file", "right", "wrong", "message"),
    [
        ("zh.md", "[算法, 数据]", "[algorithms]", "there is no tag 'algorithms'. Tags are 梯度"),
        ("en.md", "excerpt: A line.\n", "", "the head has title, date, tags; it needs title"),
        ("en.md", "date: 2026-01-02", "date: May", "'May' is no date"),
        ("en.md", "---\ntitle", "title", r"01_topic/en\.md has no head"),
    ],
)
def test_a_head_that_is_not_right_is_refused(tmp_path, file, right, wrong, message):
    from notes.site.articles import article

    folder = make_note(tmp_path)
    path = Path(folder, file)
    path.write_text(path.read_text("utf-8").replace(right, wrong, 1), "utf-8")
    with pytest.raises(NoteError, match=message):
        article(folder, file[:2])


def test_the_strip_of_a_page_can_be_read():
    signs = {"1": ".", "3": "-"}
    drawn = re.findall(r"M(\d+) 1h(\d)", morse("sos e"))
    assert "".join(signs[length] for _, length in drawn) == "...---...."
    assert [int(x) for x, _ in drawn] == [0, 2, 4, 8, 12, 16, 22, 24, 26, 34]
