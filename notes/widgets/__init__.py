"""The live parts of the notes: plain ES modules, and what the package gives them at build time.

`source(name)` is a module without imports: the kit, then the widget, which uses the kit's names.
It exports `mount(element, data, language)` and the functions that it computes with; `data(name)`
is what `mount` is given, as JSON.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent

_GIVEN: dict[str, dict[str, Any]] = {  # what a reader finds before writing anything
    "longest_run": {"examples": ["100 4 200 1 3 2", "0 3 7 2 5 8 4 6 0 1", "1 0 1 2"]},
    "gumbel_softmax": {"logits": [0.5, 0, -0.7], "seed": 1},
    "perceptron": {
        "sets": [
            {
                "en": "both inputs (AND)",
                "zh": "两个输入都为 1（AND）",
                "points": "0 0 -\n0 1 -\n1 0 -\n1 1 +",
            },
            {
                "en": "beyond a line: needs a bias",
                "zh": "在一条线之外：需要偏置",
                "points": "1 1 -\n2 1 -\n1 2 -\n3 3 +\n4 2 +\n2 4 +",
            },
            {
                "en": "on both sides of the origin",
                "zh": "在原点两侧",
                "points": "2 1 +\n1 3 +\n3 -1 +\n-1 -2 -\n-2 0 -\n-1 0.5 -",
            },
            {
                "en": "exactly one input (XOR): no line at all",
                "zh": "恰好一个输入为 1（XOR）：没有直线",
                "points": "0 0 -\n0 1 +\n1 0 +\n1 1 -",
            },
        ]
    },
    "receptive_field": {"layers": "conv 3 s2, conv 3 s2, conv 3", "size": 31},
    "smooth_max": {"values": "2 1 4 5 3", "temperature": 0.5},
    "shortest_window": {
        "examples": [["ADOBECODEBANC", "ABC"], ["上海自来水来自海上", "水海"], ["a", "aa"]]
    },
}
_MADE = ("digit_parts", "generator_steps", "list_growth", "names_and_objects")
NAMES = (*_GIVEN, *_MADE)


def source(name: str, folder: Path = FOLDER) -> str:
    """Return a widget as one module without imports: the kit, then the widget.

    Args:
        name: one of `NAMES`.
        folder: where kit.js and the widget are.

    """
    kit = (folder / "kit.js").read_text(encoding="utf-8")
    own = (folder / f"{name}.js").read_text(encoding="utf-8")
    return kit.replace("\nexport ", "\n") + own


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
