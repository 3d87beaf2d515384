"""`python -m notes.site`: build the site, show it, or check one note."""

from __future__ import annotations

import argparse
import functools
import http.server
import sys
import time
from pathlib import Path
from typing import Any, TypeVar

from notes.site.articles import LANGUAGES, article, folders
from notes.site.build import KEPT, OUT, PER_PAGE, build
from notes.site.links import Links
from notes.site.pictures import take
from notes.site.prose import render
from notes.site.reference import Reference
from notes.site.running import NoteError, run, sections
from notes.site.setting import Setting

T = TypeVar("T")


class _Draft(Links):
    """The links of one note while others, or its widget, are still being written."""

    def note(self, number: str) -> str | None:
        """Return the address of a note, there or not yet."""
        return super().note(number) or self._later(f"note:{number}", "#")

    def widget(self, name: str) -> tuple[Any, str] | None:
        """Return a widget, there or not yet."""
        return super().widget(name) or self._later(f"widget {name}", ({}, ""))

    def _later(self, what: str, value: T) -> T:
        print(f"  {what} is not there yet: the build will refuse it")
        return value


def check(number: str) -> None:
    """Run one note, print what its sections gave, and render it in both languages."""
    there = folders()
    folder = next((one for one in there if one.name.startswith(number)), None)
    if folder is None:
        raise NoteError(f"There is no note {number!r}; there are {[f.name for f in there]}.")
    found = run(folder / "code.py")
    for name, printed in found.output.items():
        print(f"── {name}\n{printed}", end="")
    print("── told")
    for name, value in found.told.items():
        print(f"{name} = {value!r}")
    print(f"── figures: {', '.join(found.figures) or 'none'}; {found.seconds:.1f} s of a processor")
    links = _Draft(there, Reference(), KEPT)
    for language in LANGUAGES:
        note = article(folder, language)
        setting = Setting(note, found, sections(note.code), links)
        body, _ = render(setting)
        quiet = ("_quiet", "_figure")
        left = [s for s in setting.sections if s not in setting.used and not s.endswith(quiet)]
        print(f"{language}.md: {len(note.text):,} characters, {len(body):,} of HTML")
        if left:
            print(f"  sections that it does not show: {', '.join(left)}")


def serve(port: int) -> None:
    """Show the built site to this machine alone."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(OUT))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{port}/ (Ctrl-C ends it)")
        server.serve_forever()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m notes.site", description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command")
    whole = commands.add_parser("build", help="run what has changed and write the site")
    whole.add_argument("--out", type=Path, default=OUT, help="folder of the site")
    whole.add_argument("--per-page", type=int, default=PER_PAGE, help="notes on a front page")
    whole.add_argument("--address", default="", help="where it will stand, for the feeds")
    one = commands.add_parser("check", help="run one note and render it")
    one.add_argument("number", help="such as 02")
    shown = commands.add_parser("serve", help="show the built site on 127.0.0.1")
    shown.add_argument("--port", type=int, default=8000)
    commands.add_parser("pictures", help="photograph the built site for the README")
    words = parser.parse_args()
    try:
        if words.command == "check":
            check(words.number)
        elif words.command == "serve":
            serve(words.port)
        elif words.command == "pictures":
            for file in take(OUT):
                print(f"{file} ({file.stat().st_size / 1000:.0f} kB)")
        else:
            began = time.monotonic()
            build(words.out, per_page=words.per_page, address=words.address)
            print(f"{words.out / 'index.html'} ({time.monotonic() - began:.0f} s)")
    except NoteError as error:
        print(f"notes: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
