"""Docstrings in Google's form, with formulas and examples → HTML."""

from __future__ import annotations

import html
import inspect
import re
import textwrap
from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from notes.site.reference import Entry
from notes.site.typeset import code, formula

TEXTS = ("Returns", "Yields", "Cost", "References")
LISTS = ("Args", "Raises")
_SECTION = re.compile(rf"^({'|'.join((*TEXTS, *LISTS))}|Examples?):$", re.M)
_ITEM = re.compile(r"^(\*{0,2}[\w.`, /-]+):(?:\s+|$)", re.M)
_MATH = re.compile(r"^( *)\.\. math::[ ]*(.*(?:\n(?:\1[ ]+\S.*|[ ]*$(?=\n\1[ ]+\S)))*)", re.M)
_WITHIN = re.compile(r":math:`([^`]+)`|\\\((.+?)\\\)", re.S)  # a formula within a line
_MARK = "\x02"  # before a formula that stands as code until it is rendered


def parts(doc: str) -> tuple[str, dict[str, str]]:
    """Part a docstring into its text and its sections, each without its indentation."""
    text = inspect.cleandoc(doc)
    heads = list(_SECTION.finditer(text))
    if not heads:
        return text, {}
    found = dict[str, str]()
    for head, after in zip(heads, [*heads[1:], None], strict=True):
        body = textwrap.dedent(text[head.end() : after.start() if after else None]).strip("\n")
        # What is not indented any more is text again.
        found[head[1].removesuffix("s") if head[1] == "Examples" else head[1]] = body.rstrip()
    return text[: heads[0].start()].strip(), found


def items(body: str) -> list[tuple[str, str]]:
    """Part a section into names and what is said of them."""
    heads = list(_ITEM.finditer(body))
    ends = [head.start() for head in heads[1:]] + [len(body)]
    return [
        (head[1], " ".join(body[head.end() : end].split()))
        for head, end in zip(heads, ends, strict=True)
    ]


def summary(doc: str) -> Markup:
    """Return the first sentence or paragraph of a docstring, as HTML within a line."""
    first = " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())
    return Markup(text(first).strip().removeprefix("<p>").removesuffix("</p>"))


def text(source: str) -> str:
    """Render the text of a docstring: Markdown, with formulas as reStructuredText has them."""
    source = _MATH.sub(_fenced, source)
    source = _WITHIN.sub(lambda m: f"`{_MARK}{' '.join((m[1] or m[2]).split())}`", source)
    source = re.sub(r"(?<!`)``([^`]+)``(?!`)", r"`\1`", source)
    blocks = re.split(r"\n{2,}", source)
    return str(_PARSER.render("\n\n".join(_drawn(block) for block in blocks)))


def call(entry: Entry) -> Markup:
    """Return how a name is called, highlighted; '' of what is not called."""
    if not entry.signature:
        return Markup("")
    words = entry.name if entry.kind == "command" else entry.short
    language = "text" if entry.kind == "command" else "python"
    return Markup(code(words + entry.signature, language, entry.anchor))


def rendered(doc: str, headings: Callable[[str], str]) -> str:
    """Render a docstring.

    Args:
        doc: as it is in the source.
        headings: `Args`, `Returns` … → what the page calls it.

    """
    said, sections = parts(doc)
    shown = [text(said)]
    for name, body in sections.items():
        shown.append(f'<p class="label">{html.escape(headings(name))}</p>')
        if name in LISTS:
            rows = [
                f"<dt><code>{html.escape(n)}</code></dt><dd>{text(d)}</dd>" for n, d in items(body)
            ]
            shown.append(f"<dl>{''.join(rows)}</dl>" if rows else text(body))
        elif name == "Example":
            shown.append(code(body, "pycon", headings(name)))
        else:
            shown.append(text(body))
    return "\n".join(shown)


def _fenced(match: re.Match[str]) -> str:
    """Turn `.. math::` and what is indented under it into a fence."""
    return f"\n```math\n{' '.join(match[2].split())}\n```\n"


def _drawn(block: str) -> str:
    """Keep drawings, command lines and what is indented as they are typed."""
    lines = block.splitlines()
    if block.strip() == "::":
        return ""  # says in a docstring that what follows is indented
    if lines and all(line.startswith("    ") for line in lines):
        return f"```text\n{textwrap.dedent(block)}\n```"
    if "├──" in block or (lines and all(line.startswith("anypart ") for line in lines)):
        return f"```text\n{block}\n```"
    return block


def _fence(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
    token = tokens[at]
    if token.info.strip() != "math":
        return code(token.content, token.info.strip(), "code")
    return formula(token.content, block=True)


def _inline(self: Any, tokens: list[Token], at: int, *_: Any) -> str:
    content = tokens[at].content
    if content.startswith(_MARK):
        return formula(content[1:], block=False)
    return f"<code>{html.escape(content)}</code>"


_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table").disable("code")
_PARSER.add_render_rule("fence", _fence)
_PARSER.add_render_rule("code_inline", _inline)
