"""Code, formulas and the plain words of HTML: what every kind of page is set with."""

from __future__ import annotations

import html
import re
import unicodedata

from markupsafe import Markup
from math_core import LatexToMathML
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

WIDE = 78  # characters in a line of code on a wide page
_FORMULAS = LatexToMathML()
_PRIMED = re.compile(r"<msup>(<m[ion][^>]*>[^<]*</m[ion]>)<mo>([′″‴])</mo></msup>")
_HIDDEN = re.compile(
    r"<(script|svg|pre|style|noscript|sup)\b.*?</\1>|<div class=\"formula\".*?</div>", re.S
)
# Names, points and signs have the colour of the text: a third of a page without their marks.
_UNCOLOURED = re.compile(r'<span class="(?:n|p|o|w|nb|nn|bp)">([^<]*)</span>')
_LETTERS = re.compile("[\U0001d400-\U0001d7ff\u2102-\u2124]")


def formula(source: str, *, block: bool) -> str:
    """Convert LaTeX to MathML; a block can be scrolled by keyboard.

    Raises:
        LatexError: a command that is not known, or braces that do not match.

    """
    found = _FORMULAS.convert_with_local_state(source.strip(), displaystyle=block)
    # The font's prime is high already: as a superscript it would be raised twice.
    found = _PRIMED.sub(r'<mrow>\1<mo lspace="0" rspace="0">\2</mo></mrow>', found)
    return f'<div class="formula" tabindex="0" role="group">{found}</div>\n' if block else found


def code(source: str, language: str, label: str) -> str:
    """Return highlighted code, each line of which wraps under its own indent."""
    lines = "".join(_line(line) for line in coloured(source, language).split("\n"))
    return (
        f'<pre class="code" role="group" aria-label="{html.escape(label)}" '
        f'translate="no"><code>{lines}</code></pre>\n'
    )


def _line(line: str) -> str:
    words = re.sub(r"<[^>]+>", "", line)
    indent = len(words) - len(words.lstrip(" "))
    style = f' style="--in:{indent}ch"' if indent else ""
    return f'<span class="l"{style}>{line}\n</span>'


def output(printed: str, label: str) -> str:
    """Return printed text that can be scrolled by keyboard; what no page holds is wrapped."""
    lines = "".join(
        f'<span class="l">{html.escape(line)}\n</span>'
        if len(line) > WIDE
        else f"{html.escape(line)}\n"
        for line in printed.rstrip("\n").split("\n")
    )
    return (
        f'<pre class="output" tabindex="0" role="group" aria-label="{html.escape(label)}" '
        f'translate="no"><samp>{lines}</samp></pre>\n'
    )


def coloured(source: str, language: str) -> Markup:
    """Return code in colours; of a language that is not known, as it is."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    shown = highlight(source.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n")
    return Markup(_UNCOLOURED.sub(r"\1", shown))


def plain(body: str) -> str:
    """Return the words of a page for the index, without its code, pictures and displays."""
    text = _HIDDEN.sub(" ", body)
    text = re.sub(r"<math.*?</math>", lambda m: re.sub(r"<[^>]+>|\s", "", m[0]), text, flags=re.S)
    text = re.sub(r"</?(?:b|em|strong|code|a|s|span|time)\b[^>]*>", "", text)
    text = " ".join(Markup(re.sub(r"<[^>]+>", " ", text)).unescape().split()).replace("’", "'")
    # Letters of mathematics become plain ones, as readers type them.
    return _LETTERS.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
