"""A note on disk: its folder, its head and its text in each language."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from notes.site.running import ROOT, NoteError

ARTICLES = ROOT / "notes" / "articles"
LANGUAGES = ("en", "zh")
_HEAD = re.compile(r"---\n(.*?)\n---\n", re.S)
_FIELDS = ("title", "date", "excerpt", "tags")
# The tags that there are, each in both languages, and what its page is called.
TAGS = {
    "gradients": ("gradients", "梯度"),
    "probability": ("probability", "概率"),
    "generative-models": ("generative models", "生成模型"),
    "neural-networks": ("neural networks", "神经网络"),
    "algorithms": ("algorithms", "算法"),
    "data": ("data", "数据"),
    "python": ("Python", "Python"),
    "evaluation": ("evaluation", "评价"),
}


@dataclass(frozen=True)
class Article:
    """A note in one language.

    Args:
        folder: where its code.py is.
        language: `en` or `zh`.
        title: of the note, Markdown within a line.
        date: of the note.
        excerpt: a sentence or two for lists.
        tags: keys of `TAGS`.
        text: Markdown with directives.
        line: of the file, before the first of the text.

    """

    folder: Path
    language: str
    title: str
    date: datetime.date
    excerpt: str
    tags: tuple[str, ...]
    text: str
    line: int

    @property
    def number(self) -> str:
        """Return the two digits that other notes link to it by."""
        return self.folder.name[:2]

    @property
    def page(self) -> str:
        """Return the name of its page."""
        return page_of(self.folder)

    @property
    def code(self) -> Path:
        """Return the file of its code."""
        return self.folder / "code.py"


def page_of(folder: Path) -> str:
    """Name the page of a note's folder."""
    return folder.name.replace("_", "-") + ".html"


def folders(root: Path = ARTICLES) -> list[Path]:
    """List the folders of the notes that are there, in their order."""
    return sorted(p for p in root.glob("[0-9][0-9]_*") if (p / "code.py").exists())


def article(folder: Path, language: str) -> Article:
    """Read a note in one language.

    Raises:
        NoteError: a file that is not there, a head that lacks a field, a tag not known.

    """
    file = folder / f"{language}.md"
    where = f"{folder.name}/{file.name}"
    if not file.exists():
        raise NoteError(f"{where} is not there. A note is written in both languages.")
    text = file.read_text("utf-8")
    head = _HEAD.match(text)
    if not head:
        raise NoteError(f"{where} has no head. Begin with ---, title, date, excerpt, tags, ---.")
    fields = dict(re.findall(r"^(\w+):[ \t]*(.*\S)", head[1], re.M))
    if sorted(fields) != sorted(_FIELDS):
        raise NoteError(
            f"{where}: the head has {', '.join(fields)}; it needs {', '.join(_FIELDS)}."
        )
    try:
        date = datetime.date.fromisoformat(fields["date"])
    except ValueError:
        raise NoteError(f"{where}: {fields['date']!r} is no date; write 2026-11-03.") from None
    known = {names[LANGUAGES.index(language)]: tag for tag, names in TAGS.items()}
    words = [word.strip() for word in re.split("[,，、]", fields["tags"].strip("[] "))]
    for word in words:
        if word not in known:
            raise NoteError(f"{where}: there is no tag {word!r}. Tags are {', '.join(known)}.")
    return Article(
        folder=folder,
        language=language,
        title=fields["title"].strip("\"'"),
        date=date,
        excerpt=fields["excerpt"].strip("\"'"),
        tags=tuple(known[word] for word in words),
        text=text[head.end() :],
        line=text.count("\n", 0, head.end()),
    )
