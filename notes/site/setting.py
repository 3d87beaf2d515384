"""What a text stands in: its note, the run of its code, and where its links lead."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from notes.site.articles import Article
from notes.site.links import Links
from notes.site.running import NoteError, Run, Section
from notes.site.words import WORDS

_NUMBER = re.compile(r"\{\{([a-z][a-z0-9_]*)(?::([^{}]*))?\}\}")


@dataclass
class Setting:
    """What a text stands in.

    Args:
        article: the note.
        run: what its code gave.
        sections: of its code.
        links: where a note, a public name and a widget are.

    """

    article: Article
    run: Run
    sections: dict[str, Section]
    links: Links
    used: set[str] = field(default_factory=set[str])

    def wrong(self, words: str, line: int | None = None) -> NoteError:
        """Return an error that says where it is."""
        place = "" if line is None else f", line {line + self.article.line + 1}"
        return NoteError(f"{self.article.folder.name}/{self.article.language}.md{place}: {words}")

    def word(self, key: str) -> str:
        """Return one of the site's own words."""
        return WORDS[self.article.language][key]

    def numbered(self, text: str) -> str:
        """Put the numbers that the code told in their places."""

        def shown(match: re.Match[str]) -> str:
            name, form = match[1], match[2]
            line = text.count("\n", 0, match.start())
            if name not in self.run.told:
                known = ", ".join(sorted(self.run.told)) or "nothing"
                raise self.wrong(f"no number {name!r} was told; code.py told {known}.", line)
            value = self.run.told[name]
            form = ".6g" if form is None and isinstance(value, float) else form or ""
            try:
                return re.sub(r"^-(?=[\d∞i])", "−", format(value, form))
            except ValueError as error:
                raise self.wrong(f"{match[0]}: {error}.", line) from None

        return _NUMBER.sub(shown, text)
