"""Where a text's links lead: other notes, the reference, and the widgets of a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notes import widgets
from notes.site.articles import page_of
from notes.site.reference import Reference
from notes.site.running import fingerprint


class Links:
    """The addresses that a note can name, as seen from its page.

    Args:
        folders: of the notes that there are.
        reference: of the package.
        kept: folder for what widgets are given, which can take seconds to make.

    """

    def __init__(self, folders: Sequence[Path], reference: Reference, kept: Path) -> None:
        self._pages = {folder.name[:2]: page_of(folder) for folder in folders}
        self._reference = reference
        self._kept = kept
        self._addresses = dict[str, str | None]()

    def note(self, number: str) -> str | None:
        """Return the address of a note; None if there is none of this number."""
        return self._pages.get(number)

    def reference(self, name: str) -> str | None:
        """Return the address of a public name's entry; None if it has none."""
        if name not in self._addresses:
            found = self._reference.find(name)
            self._addresses[name] = None if found is None else f"reference/{found}"
        return self._addresses[name]

    def widget(self, name: str) -> tuple[Any, str] | None:
        """Return what a widget is given, and its module; None if there is no such widget."""
        if name not in widgets.NAMES:
            return None
        made = sorted(widgets.FOLDER.glob("*.py"))
        place = self._kept / f"{name}-{fingerprint(made)}.json"
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            for older in place.parent.glob(f"{name}-*.json"):
                older.unlink()
            place.write_text(json.dumps(widgets.data(name)), "utf-8")
        return json.loads(place.read_text("utf-8")), widgets.source(name)
