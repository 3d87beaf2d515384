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

_FORMULAS = LatexToMathML()
_PRIMED = re.compile(r"<msup>(<m[ion][^>]*>[^<]*</m[ion]>)<mo>([′″‴])</mo></msup>")
_HIDDEN = re.compile(
    r"<(script|svg|pre|style|noscript|sup)\b.*?</\1>|<div class=\"formula\".*?</div>", re.S
)
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
    """Return highlighted code that can be scrolled by keyboard."""
    return (
        f'<pre class="code" tabindex="0" role="group" aria-label="{html.escape(label)}" '
        f'translate="no"><code>{coloured(source, language)}</code></pre>\n'
    )


def coloured(source: str, language: str) -> Markup:
    """Return code in colours; of a language that is not known, as it is."""
    try:
        lexer = get_lexer_by_name(language or "text", stripnl=False)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    return Markup(highlight(source.rstrip("\n"), lexer, HtmlFormatter(nowrap=True)).rstrip("\n"))


def plain(body: str) -> str:
    """Return the words of a page for the index, without its code, pictures and displays."""
    text = _HIDDEN.sub(" ", body)
    text = re.sub(r"<math.*?</math>", lambda m: re.sub(r"<[^>]+>|\s", "", m[0]), text, flags=re.S)
    text = re.sub(r"</?(?:b|em|strong|code|a|s|span|time)\b[^>]*>", "", text)
    text = " ".join(Markup(re.sub(r"<[^>]+>", " ", text)).unescape().split())
    # Letters of mathematics become plain ones, as readers type them.
    return _LETTERS.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
