"""The page around the charts: one HTML file with its style in it, and nothing from outside."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

# The policy makes a browser refuse whatever would be fetched or run, whatever a cell holds.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'"


def _policy(script: str) -> str:
    """Allow one script, told by its hash; no other runs, whatever a cell holds."""
    if not script:
        return _POLICY
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return f"{_POLICY}; script-src 'sha256-{digest}'"


_STYLE = """
:root { color-scheme: light dark; --page: #fafaf8; --panel: #ffffff; --ink: #1d2129;
  --soft: #59606d; --line: #dcdfe4; --data: #aab2c0; --model: #1f5fbf; --best: #b3470a; }
@media (prefers-color-scheme: dark) { :root { --page: #14171c; --panel: #1c2027;
  --ink: #e8eaee; --soft: #a5adba; --line: #353b46; --data: #6b7485; --model: #7db1ff;
  --best: #ffab70; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 1080px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 32px; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 40px 0 4px; }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0 12px; max-width: 72ch; }
.soft, caption, figcaption { color: var(--soft); font-size: .875rem; }
nav { margin: 12px 0; } nav a { margin-right: 16px; }
a { color: var(--model); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr));
  gap: 12px; margin: 20px 0; }
dl.facts div { background: var(--panel); border: 1px solid var(--line); border-radius: 8px;
  padding: 10px 14px; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; font-size: 1.1rem;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(290px, 1fr));
  gap: 16px; }
figure { margin: 0; background: var(--panel); border: 1px solid var(--line);
  border-radius: 8px; padding: 14px 16px; min-width: 0; }
figure.wide { max-width: 760px; }
figcaption { margin: 0 0 8px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--ink); font-size: 11px; }
svg .tick, svg .axis { fill: var(--soft); font-size: 10px; }
svg .data { fill: var(--data); } svg .model { fill: var(--model); }
svg .model-line { fill: none; stroke: var(--model); stroke-width: 1.75; }
svg .axis-line { fill: none; stroke: var(--soft); stroke-width: 1; }
svg .guide { stroke: var(--line); stroke-width: 1; }
svg .dot { fill: var(--data); } svg .dot.best { fill: var(--best); }
svg .heat { fill: var(--model); } svg .self { fill: var(--line); fill-opacity: .4; }
.key { display: inline-block; width: 12px; height: 12px; border-radius: 2px;
  margin: 0 4px 0 12px; vertical-align: -1px; }
.key.data { background: var(--data); margin-left: 0; } .key.model { background: var(--model); }
.scroll { overflow-x: auto; margin-top: 14px; }
table { border-collapse: collapse; width: 100%; background: var(--panel); font-size: .9rem; }
caption { text-align: left; padding: 4px 0; }
th, td { text-align: left; padding: 6px 10px; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: break-word; }
th { font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
footer { padding: 32px 20px 40px; }
@media print { body { background: #fff; } figure, tr { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Section:
    """A part of the page.

    Args:
        name: its anchor.
        title: its heading.
        about: a sentence or two on how to read it.
        body: markup.

    """

    name: str
    title: str
    about: str
    body: str

    def markup(self) -> str:
        """Write it."""
        return (
            f'<section aria-labelledby="{self.name}"><h2 id="{self.name}">{escape(self.title)}'
            f"</h2><p>{escape(self.about)}</p>{self.body}</section>"
        )


def page(
    title: str,
    facts: Sequence[tuple[str, str]],
    sections: Sequence[Section],
    *,
    style: str = "",
    script: str = "",
) -> str:
    """Write the whole page.

    Args:
        title: of the page.
        facts: (name, value) pairs for its head.
        sections: its parts, in order.
        style: rules of its own, after those of every page.
        script: of its own, run at the end; it is the only one that may run.

    """
    code = f"<script>{script}</script>" if script else ""
    cards = "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in facts)
    links = "".join(f'<a href="#{s.name}">{escape(s.title)}</a>' for s in sections)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(script)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}{style}</style></head><body>"
        f'<header><h1>{escape(title)}</h1><dl class="facts">{cards}</dl>'
        f'<nav aria-label="Sections">{links}</nav></header>'
        f"<main>{''.join(s.markup() for s in sections)}</main>"
        '<footer class="soft">Written by anypart. This page holds all that it shows; '
        f"it asks nothing of the network.</footer>{code}</body></html>\n"
    )


def rows_table(
    caption: str, names: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]
) -> str:
    """Write rows as a table that scrolls sideways on a narrow screen.

    Args:
        caption: what it is.
        names: of the columns.
        rows: words, one a column.
        numeric: (cols,) whether a column is aligned to the right.

    """
    kinds = [' class="number"' if n else "" for n in numeric]
    head = "".join(
        f'<th scope="col"{k}>{escape(n)}</th>' for k, n in zip(kinds, names, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f"<td{k}>{escape(w)}</td>" for k, w in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def figure(caption: str, drawing: str, *, wide: bool = False, heading: str = "") -> str:
    """Frame a chart."""
    head = f"<h3>{escape(heading)}</h3>" if heading else ""
    kind = ' class="wide"' if wide else ""
    return f"<figure{kind}>{head}<figcaption>{escape(caption)}</figcaption>{drawing}</figure>"
