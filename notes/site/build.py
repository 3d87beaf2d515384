"""The site: every page of both languages, written whole."""

from __future__ import annotations

import datetime
import email.utils
import itertools
import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from notes.site import docstrings
from notes.site.articles import ARTICLES, LANGUAGES, TAGS, article, folders
from notes.site.links import Links
from notes.site.morse import morse
from notes.site.prose import Heading, inline, render
from notes.site.reference import COMMANDS, Entry, Page, Reference
from notes.site.running import ROOT, Run, run, sections
from notes.site.setting import Setting
from notes.site.typeset import plain
from notes.site.words import WORDS

HERE = Path(__file__).parent
OUT = ROOT / "build" / "notes"
KEPT = ROOT / "build" / "notes-cache"
PER_PAGE = 12
_LANG = {"en": "en", "zh": "zh-Hans"}
_NAMES = {"en": "English", "zh": "中文"}


@dataclass(frozen=True)
class Shown:
    """A note as its pages show it: HTML, and what lists say of it."""

    number: str
    page: str
    date: datetime.date
    title: Markup
    excerpt: Markup
    tags: tuple[tuple[str, str], ...]
    language: str
    body: Markup
    headings: Sequence[Heading]

    @property
    def long_date(self) -> str:
        """Write the date as people do."""
        day = self.date
        if self.language == "zh":
            return f"{day.year} 年 {day.month} 月 {day.day} 日"
        return f"{day.day} {day:%B} {day.year}"

    @property
    def mail_date(self) -> str:
        """Write the date as feeds do."""
        noon = datetime.datetime.combine(self.date, datetime.time(12), datetime.UTC)
        return email.utils.format_datetime(noon)


def build(
    out: Path = OUT,
    articles: Path = ARTICLES,
    kept: Path = KEPT,
    per_page: int = PER_PAGE,
    address: str = "",
) -> None:
    """Run what has changed, and write the site whole or not at all.

    Args:
        out: the folder of the site.
        articles: the folder of the notes.
        kept: where runs are kept, by content.
        per_page: notes on a front page.
        address: where the site will stand, for the feeds; '' if that is not known.

    Raises:
        NoteError: names the note, the section or line, and the error.

    """
    there = folders(articles)
    with ThreadPoolExecutor(2) as two:  # two at a time: each note is one thread's work
        runs = dict(zip(there, two.map(lambda f: run(f / "code.py", kept), there), strict=True))
    reference = Reference()
    links = Links(there, reference, kept)
    new = out.with_name(f"{out.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(HERE / "static", new / "assets")
    _write_index(new, "reference", "REFERENCE", _indexed_reference(reference))
    for language in LANGUAGES:
        notes = [_shown(folder, language, runs[folder], links) for folder in there]
        newest = sorted(notes, key=lambda note: (note.date, note.number), reverse=True)
        site = _Site(new, language, address)
        site.fronts(newest, per_page)
        site.notes(notes)
        site.lists(newest)
        site.reference(reference)
        _write_index(new, language, "NOTES", _indexed_notes(notes))
    shutil.rmtree(out, ignore_errors=True)
    new.rename(out)


def _shown(folder: Path, language: str, found: Run, links: Links) -> Shown:
    note = article(folder, language)
    setting = Setting(note, found, sections(note.code), links)
    body, headings = render(setting)
    names = tuple((tag, TAGS[tag][LANGUAGES.index(language)]) for tag in note.tags)
    return Shown(
        number=note.number,
        page=note.page,
        date=note.date,
        title=Markup(inline(note.title, setting)),
        excerpt=Markup(inline(note.excerpt, setting)),
        tags=names,
        language=language,
        body=Markup(body),
        headings=headings,
    )


class _Site:
    """The pages of one language."""

    def __init__(self, out: Path, language: str, address: str) -> None:
        self._out = out
        self._language = language
        self._address = address
        self._words = WORDS[language]
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def fronts(self, newest: Sequence[Shown], per_page: int) -> None:
        """Write the front page, and further ones when there are more notes than it holds."""
        parts = [newest[at : at + per_page] for at in range(0, len(newest), per_page)] or [[]]
        files = ["index.html", *(f"page-{n}.html" for n in range(2, len(parts) + 1))]
        for file, part in zip(files, parts, strict=True):
            banner = _strip("INCOMING TRANSMISSION")
            self._write("front.html", file, kind="front", notes=part, pages=files, morse=banner)
        within = "" if self._language == "en" else f"{self._language}/"
        address = self._address and self._address + within  # else relative to the feed
        self._write("feed.xml", "feed.xml", kind="feed", notes=newest, address=address)

    def notes(self, notes: Sequence[Shown]) -> None:
        """Write a page for each note, with the way to the one before and the one after."""
        around = zip([None, *notes[:-1]], notes, [*notes[1:], None], strict=True)
        for before, note, after in around:
            self._write(
                "note.html",
                note.page,
                kind="one",
                heading=note.title,
                description=note.excerpt.striptags(),
                note=note,
                before=before,
                after=after,
                body=note.body,
                headings=note.headings,
                morse=_strip(note.page.split("-", 1)[1].removesuffix(".html").replace("-", " ")),
            )

    def lists(self, newest: Sequence[Shown]) -> None:
        """Write the archive, a page for each tag, and the page of the search."""
        tags = [(tag, names[LANGUAGES.index(self._language)]) for tag, names in TAGS.items()]
        used = [(tag, name) for tag, name in tags if any((tag, name) in n.tags for n in newest)]
        self._list("archive.html", self._words["archive"], newest, used)
        for tag, name in used:
            tagged = [note for note in newest if (tag, name) in note.tags]
            self._list(f"tag-{tag}.html", name, tagged, used, tag)
        self._write("search.html", "search.html", kind="find", heading=self._words["search"])

    def _list(
        self, file: str, heading: str, notes: Sequence[Shown], used: Any, tag: str = ""
    ) -> None:
        years = itertools.groupby(notes, key=lambda note: note.date.year)
        self._write(
            "list.html",
            file,
            kind="list",
            heading=heading,
            years=[(year, list(some)) for year, some in years],
            all_tags=used,
            tag=tag,
        )

    def reference(self, reference: Reference) -> None:
        """Write the reference: its front, and a page for each module or folder."""
        pages = [self._page(page) for page in reference.pages]
        heading = self._words["reference"]
        where = {"kind": "manual", "pages": pages}
        self._write("reference.html", "reference/index.html", heading=heading, page=None, **where)
        for page in pages:
            file = f"reference/{page['file']}"
            self._write("reference.html", file, heading=page["title"], page=page, **where)

    def _page(self, page: Page) -> dict[str, Any]:
        title = self._words["commands"] if page.name == COMMANDS else page.name
        inside = [
            {
                "name": module,
                "summary": docstrings.summary(docs),
                "entries": [self._entry(entry) for entry in entries],
            }
            for module, docs, entries in page.inside
        ]
        return {
            "name": page.name,
            "file": page.file,
            "title": title,
            "summary": docstrings.summary(page.doc),
            "body": Markup(docstrings.rendered(page.doc, self._words.__getitem__)),
            "faces": [self._entry(entry) for entry in page.faces],
            "inside": inside,
        }

    def _entry(self, entry: Entry) -> dict[str, Any]:
        return {
            "name": entry.anchor,
            "short": entry.short,
            "kind": entry.kind,
            "call": docstrings.call(entry),
            "body": Markup(docstrings.rendered(entry.doc, self._words.__getitem__)),
            "members": [self._entry(member) for member in entry.members],
        }

    def _write(self, template: str, file: str, **values: Any) -> None:
        """Write one page; its links are relative to where it stands."""
        own = "" if self._language == "en" else f"{self._language}/"
        other = next(one for one in LANGUAGES if one != self._language)
        home = "../" * file.count("/")
        root = home + ("../" if own else "")
        text = self._templates.get_template(template).render(
            w=self._words,
            lang=_LANG[self._language],
            short=self._language,
            file=file,
            home=home,
            root=root,
            twin=f"{root}{'' if other == 'en' else f'{other}/'}{file}",
            twin_lang=_LANG[other],
            twin_name=_NAMES[other],
            here=lambda page: Markup(' aria-current="page"') if page == file else "",
            **{"heading": "", "description": "", **values},
        )
        place = self._out / own / file
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")


def _strip(words: str) -> Markup:
    return Markup(f'<div class="morse" aria-hidden="true">{morse(words)}</div>')


def _indexed_notes(notes: Sequence[Shown]) -> list[dict[str, Any]]:
    return [
        {
            "address": note.page,
            "title": plain(note.title),
            "text": plain(f"{note.title}. {note.excerpt} {note.body}"),
            "note": True,
        }
        for note in notes
    ]


def _indexed_reference(reference: Reference) -> list[dict[str, Any]]:
    found = list[dict[str, Any]]()
    for page in reference.pages:
        inside = (entry for _, _, entries in page.inside for entry in entries)
        for entry in (*page.faces, *inside):
            for one in (entry, *entry.members):
                said = plain(docstrings.text(docstrings.parts(one.doc)[0]))
                address = f"reference/{page.file}#{one.anchor}"
                found.append({"address": address, "title": one.name, "text": f"{one.name}: {said}"})
    return found


def _write_index(out: Path, name: str, variable: str, pages: list[dict[str, Any]]) -> None:
    text = json.dumps(pages, ensure_ascii=False, separators=(",", ":"))
    (out / "assets" / f"index-{name}.js").write_text(f"const {variable} = {text};\n", "utf-8")
