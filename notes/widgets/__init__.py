"""The live parts of the notes: plain ES modules, and what the package gives them at build time.

`source(name)` is a module without imports that exports `mount(element, data, language)` and
the functions that it computes with; `data(name)` is what `mount` is given, as JSON.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

_GIVEN: dict[str, dict[str, Any]] = {  # what a reader finds before writing anything
    "longest_run": {"examples": ["100 4 200 1 3 2", "0 3 7 2 5 8 4 6 0 1", "1 0 1 2"]},
    "shortest_window": {
        "examples": [["ADOBECODEBANC", "ABC"], ["上海自来水来自海上", "水海"], ["a", "aa"]]
    },
}
_MADE = ()  # by the module of that name
NAMES = (*_GIVEN, *_MADE)


def source(name: str, folder: Path = FOLDER) -> str:
    """Return a widget as one module without imports: the kit, then the widget.

    Args:
        name: one of `NAMES`.
        folder: where kit.js and the widget are.

    """
    kit = (folder / "kit.js").read_text(encoding="utf-8")
    own = (folder / f"{name}.js").read_text(encoding="utf-8")
    return kit.replace("\nexport ", "\n") + re.sub(r"(?m)^import .*\n", "", own)


def data(name: str) -> dict[str, Any]:
    """Return what a widget's `mount` is given, plain data for JSON.

    Args:
        name: one of `NAMES`.

    Cost:
        Some seconds for digit_parts, which is fitted; well under one for the others.

    """
    if name in _GIVEN:
        return _GIVEN[name]
    return import_module(f"notes.widgets.{name}").data()
