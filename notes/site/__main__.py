"""`python -m notes.site`: check one note, or build the site."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from notes.site.articles import LANGUAGES, article, folders
from notes.site.prose import Setting, inline, render
from notes.site.running import ROOT, NoteError, run, sections

_WIDGETS = [
    "gumbel_softmax",
    "longest_run",
    "shortest_window",
    "perceptron",
    "smooth_max",
    "receptive_field",
    "digit_parts",
    "list_growth",
    "names_and_objects",
    "generator_steps",
]


def check(number: str, out: Path) -> int:
    """Run one note, print what its sections gave, and render it in both languages."""
    chosen = [folder for folder in folders() if folder.name.startswith(number)]
    if not chosen:
        raise NoteError(f"there is no note {number!r}; there are {[f.name for f in folders()]}.")
    folder = chosen[0]
    found = run(folder / "code.py")
    for name, printed in found.output.items():
        print(f"── {name}\n{printed}", end="")
    print("── told")
    for name, value in found.told.items():
        print(f"{name} = {value!r}")
    print(f"── figures: {', '.join(found.figures) or 'none'}; {found.seconds:.1f} s")
    out.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        note = article(folder, language)
        setting = Setting(
            note, found, sections(note.code), _note_link, _reference_link, _widget
        )  # fmt: skip
        body, _ = render(setting)
        page = out / f"{folder.name}-{language}.html"
        title = inline(note.title, setting)
        head = (
            f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        )
        page.write_text(f"{head}<h1>{title}</h1>\n{body}", "utf-8")
        unused = [
            s
            for s in setting.sections
            if s not in setting.used and not s.endswith(("_quiet", "_figure"))
        ]
        print(
            f"{page}: {len(note.text):,} characters of Markdown"
            + (f"; sections not shown: {', '.join(unused)}" if unused else "")
        )
    return 0


def _note_link(number: str) -> str | None:
    return f"#{number}" if number in {f"{n:02}" for n in range(1, 13)} else None


def _reference_link(name: str) -> str | None:
    """Find a name by importing it: modules first, then attributes."""
    words = name.split(".")
    if words[0] != "anypart":
        return None
    for cut in range(len(words), 0, -1):
        try:
            value: Any = import_module(".".join(words[:cut]))
        except ImportError:
            continue
        for word in words[cut:]:
            value = getattr(value, word, None)
        return None if value is None else f"#{name}"
    return None


def _widget(name: str) -> tuple[Any, str] | None:
    return ({}, "") if name in _WIDGETS else None


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m notes.site", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    one = commands.add_parser("check", help="run one note and render it")
    one.add_argument("number", help="such as 02")
    one.add_argument("--out", type=Path, default=ROOT / "build" / "check")
    words = parser.parse_args()
    try:
        return check(words.number, words.out)
    except NoteError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
