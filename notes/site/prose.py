"""Markdown with formulas, numbers of the run, and the directives of a note → HTML."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from markupsafe import Markup
from math_core import LatexError
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.footnote import footnote_plugin

from notes.site.running import Section
from notes.site.setting import Setting
from notes.site.typeset import code, formula, output

_DIRECTIVE = re.compile(r"::([a-z]+)(?:[ \t]+(\S.*?))?[ \t]*$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Heading:
    """A heading of the text: its anchor and its HTML."""

    anchor: str
    text: str


def render(setting: Setting) -> tuple[str, list[Heading]]:
    """Render a note's text.

    Returns:
        HTML, and its second-level headings.

    Raises:
        NoteError: a directive, number, name, link or formula that is not right.

    """
    text = setting.numbered(setting.article.text)
    parser = _parser(setting)
    tokens = parser.parse(text)
    headings = _anchored(tokens, parser)
    _linked(tokens, setting)
    _balanced(tokens, setting)
    body = parser.renderer.render(tokens, parser.options, {})
    return body, headings


def inline(text: str, setting: Setting) -> str:
    """Render a line: a title, an excerpt, a caption."""
    parser = _parser(setting)
    tokens = parser.parseInline(setting.numbered(text))
    _linked(tokens, setting)
    return parser.renderer.render(tokens, parser.options, {})


def _parser(setting: Setting) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True})
    parser.enable(["table", "strikethrough", "smartquotes"])
    parser.use(footnote_plugin).use(dollarmath_plugin, allow_space=False, double_inline=True)
    parser.block.ruler.before(
        "fence", "directive", _directive_rule, {"alt": ["paragraph", "reference", "blockquote"]}
    )

    def shown_formula(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
        token = tokens[at]
        try:
            return formula(token.content, block=token.type != "math_inline")
        except LatexError as error:
            line = token.map[0] if token.map else None
            words = _COLOURS.sub("", str(error)).strip().splitlines()[0]
            raise setting.wrong(f"formula {token.content.strip()!r}: {words}", line) from None

    def shown_fence(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
        return code(tokens[at].content, tokens[at].info.strip(), tokens[at].info.strip() or "text")

    def shown_directive(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
        return _directive(tokens[at], setting)

    def opened_table(self: Any, *_: Any) -> str:
        return '<div class="table" tabindex="0" role="group"><table>\n'

    def closed_table(self: Any, *_: Any) -> str:
        return "</table></div>\n"

    def opened_head(self: Any, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        inside = tokens[at + 1].children or []
        if not inside:
            return "<td>"  # the corner of a table is no head
        return self.renderToken(tokens, at, options, env)

    def closed_head(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
        return "</th>\n" if tokens[at - 1].children else "</td>\n"

    parser.add_render_rule("th_open", opened_head)
    parser.add_render_rule("th_close", closed_head)
    for kind in ("math_inline", "math_inline_double", "math_block"):
        parser.add_render_rule(kind, shown_formula)
    parser.add_render_rule("fence", shown_fence)
    parser.add_render_rule("directive", shown_directive)
    parser.add_render_rule("table_open", opened_table)
    parser.add_render_rule("table_close", closed_table)
    return parser


def _directive_rule(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
    if not text.startswith("::"):
        return False
    if not silent:
        token = state.push("directive", "", 0)
        token.content, token.map = text, [line, line + 1]
        state.line = line + 1
    return True


def _directive(token: Token, setting: Setting) -> str:
    line = token.map[0] if token.map else 0
    match = _DIRECTIVE.match(token.content)
    name, rest = (match[1], match[2] or "") if match else ("", "")
    if name not in _SHOWN:
        raise setting.wrong(
            f"there is no directive {token.content!r}; there are ::{', ::'.join(_SHOWN)}.", line
        )
    return _SHOWN[name](setting, rest, line)


def _section(setting: Setting, name: str, line: int) -> Section:
    if name not in setting.sections:
        known = ", ".join(setting.sections)
        raise setting.wrong(f"code.py has no section {name!r}; it has {known}.", line)
    setting.used.add(name)
    return setting.sections[name]


def _source(setting: Setting, rest: str, line: int) -> str:
    section = _section(setting, rest, line)
    return code(section.source, "python", f"{setting.word('code')} {rest}")


def _output(setting: Setting, rest: str, line: int) -> str:
    _section(setting, rest, line)
    printed = setting.run.output[rest].rstrip("\n")
    if not printed:
        raise setting.wrong(f"section {rest!r} prints nothing; take ::source.", line)
    return output(printed, f"{rest}: {setting.word('output')}")


def _code(setting: Setting, rest: str, line: int) -> str:
    shown = _source(setting, rest, line)
    return shown + (_output(setting, rest, line) if setting.run.output[rest].strip() else "")


def _figure(setting: Setting, rest: str, line: int) -> str:
    name, caption = _captioned(setting, rest, line)
    if name not in setting.run.figures:
        known = ", ".join(setting.run.figures) or "none"
        raise setting.wrong(f"there is no figure {name!r}; code.py made {known}.", line)
    shown = inline(caption, setting)
    spoken = html.escape(Markup(shown).striptags())
    svg = setting.run.figures[name].replace("<svg", f'<svg role="img" aria-label="{spoken}"', 1)
    return f"<figure>{svg}<figcaption>{shown}</figcaption></figure>\n"


def _widget(setting: Setting, rest: str, line: int) -> str:
    name, caption = _captioned(setting, rest, line)
    found = setting.links.widget(name)
    if found is None:
        raise setting.wrong(f"there is no widget {name!r} in notes/widgets.", line)
    data = json.dumps(found[0], ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    shown, spoken = inline(caption, setting), html.escape(re.sub(r"[$*`]", "", caption))
    return (
        f'<figure class="widget"><div id="widget-{name}" role="group" aria-label="{spoken}">'
        f"<noscript><p>{setting.word('no_script')}</p></noscript></div>"
        f"<figcaption>{shown}</figcaption></figure>\n"
        f'<script type="application/json" id="data-{name}">{data}</script>\n'
        f'<script type="module">{found[1]}\n'
        f'mount(document.getElementById("widget-{name}"), JSON.parse(document.getElementById('
        f'"data-{name}").textContent), document.documentElement.lang.slice(0, 2));</script>\n'
    )


def _captioned(setting: Setting, rest: str, line: int) -> tuple[str, str]:
    name, _, caption = rest.partition(" ")
    if not caption.strip():
        raise setting.wrong(f"{rest!r} has no caption. Write the name, then the caption.", line)
    return name, caption.strip()


def _functions(setting: Setting, rest: str, line: int) -> str:
    rows = list[str]()
    for name in rest.split():
        address = setting.links.reference(name)
        if address is None:
            raise setting.wrong(f"{name} is no public name that can be imported.", line)
        rows.append(f'<li><a href="{address}"><code>{html.escape(name)}</code></a></li>')
    if not rows:
        raise setting.wrong("::functions names none.", line)
    title = setting.word("functions")
    shown = f"<h2>{title}</h2><ul>{''.join(rows)}</ul>"
    return f'<aside class="functions" aria-label="{title}">{shown}</aside>\n'


def _exercise(setting: Setting, rest: str, line: int) -> str:
    return f'<section class="exercise"><p class="label">{setting.word("exercise")}</p>\n'


def _answer(setting: Setting, rest: str, line: int) -> str:
    return f"<details><summary>{setting.word('answer')}</summary>\n"


def _end(setting: Setting, rest: str, line: int) -> str:
    return "</details></section>\n"


_SHOWN: dict[str, Callable[[Setting, str, int], str]] = {
    "code": _code,
    "output": _output,
    "source": _source,
    "figure": _figure,
    "widget": _widget,
    "exercise": _exercise,
    "answer": _answer,
    "end": _end,
    "functions": _functions,
}


def _anchored(tokens: list[Token], parser: MarkdownIt) -> list[Heading]:
    """Give headings anchors: their words, where those are Latin, else their number."""
    found = list[Heading]()
    for ix, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        number = sum(t.type == "heading_open" for t in tokens[: ix + 1])
        token.attrSet("id", f"s{number}")
        if token.tag == "h2":
            children = tokens[ix + 1].children or []
            found.append(
                Heading(f"s{number}", parser.renderer.renderInline(children, parser.options, {}))
            )
    return found


def _linked(tokens: list[Token], setting: Setting) -> None:
    """Turn `note:05` and `ref:a.public.name` into addresses."""
    for block in tokens:
        for token in block.children or []:
            address = str(token.attrGet("href") or "")
            kind, _, name = address.partition(":")
            if token.type != "link_open" or kind not in ("note", "ref"):
                continue
            found = (setting.links.note if kind == "note" else setting.links.reference)(name)
            if found is None:
                line = block.map[0] if block.map else None
                raise setting.wrong(f"link {address!r} leads nowhere.", line)
            token.attrSet("href", found)


def _balanced(tokens: list[Token], setting: Setting) -> None:
    """Hold exercises to their order: ::exercise, ::answer, ::end."""
    order = ("::exercise", "::answer", "::end")
    marks = [t for t in tokens if t.type == "directive" and t.content.strip() in order]
    for ix, token in enumerate(marks):
        if token.content.strip() != order[ix % 3]:
            raise setting.wrong(
                f"{token.content.strip()} where {order[ix % 3]} is due.",
                token.map[0] if token.map else None,
            )
    if len(marks) % 3:
        raise setting.wrong(f"the last exercise lacks its {order[len(marks) % 3]}.")
