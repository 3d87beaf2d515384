"""What a note's code hands to its prose: numbers (`tell`) and figures (`axes`, `figure`).

Run on its own, a note's code.py may call these freely; the builder of the site reads what
they kept when the code has run.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Stand-ins that matplotlib draws with; in the SVG each becomes a variable of the page.
INK, PAPER, FAINT, LINE = "#010203", "#fdfcfb", "#6a6b6d", "#d1d2d3"
ACCENT, ACCENT_2, ACCENT_3, ACCENT_4 = "#b04a1d", "#1d6f8b", "#6b7f1e", "#8a4f9e"
_VARIABLES = {
    INK: "--ink",
    PAPER: "--paper",
    FAINT: "--faint",
    LINE: "--line",
    ACCENT: "--accent",
    ACCENT_2: "--accent-2",
    ACCENT_3: "--accent-3",
    ACCENT_4: "--accent-4",
}
told: dict[str, Any] = {}
figures: dict[str, str] = {}
_ALIKE = re.compile(r'<use [^>]* style="([^"]*)"/>(?: <use [^>]* style="\1"/>)+')
_NUMBER = re.compile(r"scale\([^)]*\)|\d+\.\d+")


def tell(**values: Any) -> None:
    """Keep numbers and words for the prose, where `{{name}}` or `{{name:.2f}}` shows them.

    Args:
        values: numbers (NumPy's and torch's scalars too), words or truth values.

    Raises:
        ValueError: a name told before, or a value of several parts.

    """
    for name, value in values.items():
        plain = value.item() if hasattr(value, "item") else value
        if not isinstance(plain, int | float | str | bool):
            raise ValueError(f"{name} is a {type(value).__name__}; tell numbers and words only.")
        if name in told:
            raise ValueError(f"{name} was told before; give every number a name of its own.")
        told[name] = plain


def axes(
    width: float = 6, height: float = 3.2, columns: int = 1, rows: int = 1, **layout: Any
) -> tuple[Figure, Any]:
    """Return a figure and its axes in the style of the notes.

    Lines take the page's accents in turn; the colours are also here by name: `INK`, `FAINT`,
    `LINE`, `ACCENT`, `ACCENT_2`, `ACCENT_3`, `ACCENT_4`.

    Args:
        width: inches; 6 is the width of the text.
        height: inches.
        columns: of axes; one column and one row give the axes alone, else an array.
        rows: of axes.
        layout: more for `Figure.subplots`, such as `sharey=True`.

    """
    import matplotlib
    from cycler import cycler
    from matplotlib.figure import Figure

    matplotlib.rcParams.update({
        "font.size": 10,
        "text.color": INK,
        "axes.labelcolor": INK,
        "axes.edgecolor": FAINT,
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 10,
        "axes.prop_cycle": cycler(color=[ACCENT, ACCENT_2, ACCENT_3, ACCENT_4, FAINT]),
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "grid.color": LINE,
        "legend.frameon": False,
        "figure.facecolor": "none",
        "mathtext.fontset": "stixsans",
    })  # fmt: skip
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, columns, **layout)


def figure(name: str, fig: Any) -> None:
    """Keep a figure for the prose, where `::figure name Caption` shows it.

    Args:
        name: of the figure.
        fig: made with `axes()`, or an SVG as text.

    Raises:
        ValueError: a name used before, or text that is no SVG.

    """
    if name in figures:
        raise ValueError(f"There is a figure {name!r} already; give each a name of its own.")
    text = fig if isinstance(fig, str) else _drawn(fig, name)
    start = text.find("<svg")
    if start < 0:
        raise ValueError(f"Figure {name!r} is no SVG: there is no <svg in it.")
    figures[name] = _tidy(text[start:], name)


def _drawn(fig: Figure, name: str) -> str:
    import matplotlib

    file = io.StringIO()
    # Letters as outlines: they look the same where the fonts are not.
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "path"}):
        fig.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return file.getvalue()


def _tidy(svg: str, name: str) -> str:
    """Take the page's colours, give ids the figure's name, and leave out what is not seen."""
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", svg, flags=re.S)
    # matplotlib's rule is for every element there is, of the page too: say it of the root.
    rule = re.compile(r"<defs>\s*<style[^>]*>\*\{([^}]*)\}</style>\s*</defs>")
    if found := rule.search(svg):
        svg = rule.sub("", svg).replace("<svg", f'<svg style="{found[1]}"', 1)
    for colour, variable in _VARIABLES.items():
        svg = re.sub(rf"{colour}\b", f"var({variable})", svg, flags=re.I)
    svg = svg.replace("xlink:href", "href")
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(
        r' id="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "", svg
    )  # fmt: skip
    svg = re.sub(r'href="#|url\(#', lambda m: m[0] + f"{name}-", svg)
    svg = re.sub(r"\s+", " ", svg)
    svg = re.sub(r'<g> <path d="[^"]*" style="fill: none"/> </g> ?', "", svg)  # no background
    svg = re.sub(r' d="[^"]*"', lambda m: re.sub(r"(?<=[^=]) ?([A-Za-z]) ", r"\1", m[0]), svg)
    svg = _ALIKE.sub(lambda m: f'<g style="{m[1]}">{m[0].replace(_styled(m[1]), "")}</g>', svg)
    return _NUMBER.sub(_short, svg).strip()


def _styled(style: str) -> str:
    return f' style="{style}"'


def _short(number: re.Match[str]) -> str:
    """Cut digits that nobody sees: a hundredth of a point, a tenth from ten points on."""
    whole, _, digits = number[0].partition(".")
    if not digits or number[0].startswith("scale"):
        return number[0]  # a letter's outline is 64 times its size
    kept = digits[: 2 if len(whole) < 2 else 1].rstrip("0")
    return f"{whole}.{kept}" if kept else whole
