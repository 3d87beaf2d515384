"""A note's text: every directive, number, link and formula is right or refused by name."""

import html
import re

import pytest

from notes.site import docstrings
from notes.site.articles import article
from notes.site.prose import render
from notes.site.running import NoteError, sections
from notes.site.setting import Setting
from notes.site.typeset import WIDE, code, output, plain

from .making import RAN, make_note


class Links:
    def note(self, number):
        return {"02": "02-runs.html"}.get(number)

    def reference(self, name):
        return f"reference/x.html#{name}" if name.startswith("anypart.") else None

    def widget(self, name):
        return ({"a": "</script>"}, "export function mount() {}") if name == "there" else None


@pytest.fixture
def set_in(tmp_path):
    def make(text, language="en"):
        note = article(make_note(tmp_path, text=text), language)
        return Setting(note, RAN, sections(note.code), Links())

    return make


def body(setting):
    return render(setting)[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("::figur dot A dot\n", "en.md, line 8: there is no directive '::figur dot A dot'"),
        ("Words.\n::code\n", "en.md, line 9: code.py has no section ''"),
        ("::code second\n", "line 8: code.py has no section 'second'; it has setup, first"),
        ("::output setup\n", "line 8: section 'setup' prints nothing; take ::source"),
        ("::figure dot\n", "line 8: 'dot' has no caption"),
        ("::figure dots A dot.\n", "line 8: there is no figure 'dots'; code.py made dot"),
        ("::widget gone A widget.\n", "line 8: there is no widget 'gone'"),
        ("::functions numpy.sort\n", "line 8: numpy.sort is no public name"),
        ("::functions\n", "line 8: ::functions names none"),
        ("::answer\n", "line 8: ::answer where ::exercise is due"),
        ("::exercise\nWhy?\n::answer\nSo.\n", "the last exercise lacks its ::end"),
        ("A line.\n\nIt is {{five}}.\n", "line 10: no number 'five' was told; code.py told four"),
        ("{{four:wide}}\n", "line 8: {{four:wide}}: Invalid format specifier"),
        ("A\n\n[b](note:77)\n", "line 10: link 'note:77' leads nowhere"),
        ("[b](ref:numpy.sort)\n", "line 8: link 'ref:numpy.sort' leads nowhere"),
        ("$\\unheard{x}$\n", "formula '\\\\unheard{x}': Error: Unknown command"),
    ],
)
def test_what_is_not_right_is_refused_with_its_place(set_in, text, message):
    with pytest.raises(NoteError, match=r"01_topic/en\.md") as failed:
        body(set_in(text))
    assert message in str(failed.value)


def test_numbers_come_from_the_run(set_in):
    shown = body(set_in("{{four}} {{half:.0%}} {{loss}} {{loss:.1f}} $x = {{four}}$\n"))
    assert "4 50% −1.25 −1.2 " in shown
    assert "<mn>4</mn>" in shown


def test_code_comes_with_what_it_prints(set_in):
    setting = set_in("::code first\n\n::source first\n\n::output first\n")
    shown = body(setting)
    assert shown.count('<pre class="code"') == shown.count('<pre class="output"') == 2
    assert "four 4" in shown
    assert setting.used == {"first"}


def test_a_line_of_code_wraps_under_its_own_indent(set_in):
    shown = code("if x:\n    y = 'a <b>'\n\nz = 1\n", "python", "code")
    assert shown.count('<span class="l"') == 4
    assert shown.count('style="--in:4ch"') == 1
    bare = html.unescape(re.sub("<[^>]+>", "", shown))
    assert bare == "if x:\n    y = 'a <b>'\n\nz = 1\n\n"


def test_only_output_that_no_page_holds_is_wrapped():
    shown = output(f"a  b\n{'x' * (WIDE + 1)}\n1  2\n", "first")
    assert "<samp>a  b\n" in shown
    assert shown.count('<span class="l">') == 1
    assert 'tabindex="0"' in shown


def test_quotes_are_set_as_printers_do(set_in):
    assert "“It’s”" in body(set_in('"It\'s"\n'))
    assert "It's" in plain("<p>It’s</p>")  # as people type it in a search


def test_a_figure_says_what_it_shows(set_in):
    shown = body(set_in('::figure dot A *small* "dot" of $x$.\n'))
    assert 'role="img" aria-label="A small “dot” of x."' in shown
    assert "<figcaption>A <em>small</em>" in shown


def test_a_widget_stands_in_the_page(set_in):
    shown = body(set_in("::widget there Move it.\n", "zh"))
    assert "export function mount() {}" in shown
    assert r'{"a":"\u003c/script>"}' in shown
    assert "需要 JavaScript" in shown


def test_an_exercise_folds_its_answer(set_in):
    shown = body(set_in("::exercise\nWhy?\n::answer\n**So.**\n::end\n"))
    assert shown.index("Why?") < shown.index("<details>") < shown.index("<strong>So.</strong>")
    assert shown.count("</details></section>") == 1


def test_links_lead_to_notes_and_to_the_reference(set_in):
    shown = body(set_in("[a](note:02) [b](ref:anypart.fit)\n\n::functions anypart.load\n"))
    assert 'href="02-runs.html"' in shown
    assert 'href="reference/x.html#anypart.fit"' in shown
    assert 'href="reference/x.html#anypart.load"' in shown


def test_a_prime_is_raised_once(set_in):
    shown = body(set_in("$f'(x) + g''$\n"))
    assert '<mi>f</mi><mo lspace="0" rspace="0">′</mo>' in shown
    assert "<msup>" not in shown


def test_html_in_a_note_is_text(set_in):
    assert "&lt;script&gt;" in body(set_in("<script>alert(1)</script>\n"))


def test_headings_have_anchors(set_in):
    shown, headings = render(set_in("## One\n\n### Two\n\n## Three $x$\n"))
    assert [heading.anchor for heading in headings] == ["s1", "s3"]
    assert all(f'id="s{number}"' in shown for number in (1, 2, 3))
    assert "<math>" in headings[1].text


def test_the_plain_words_of_a_page_are_what_is_read(set_in):
    shown = body(set_in("**Bold**words, $x_i = \\mathbf{R}$ here.[^1]\n\n$$y$$\n\n[^1]: Foot.\n"))
    assert plain(shown).startswith("Boldwords, xi=R here. Foot.")


@pytest.mark.parametrize(
    ("doc", "parts"),
    [
        (
            "Sum.\n\n    Args:\n        x: what\n            goes on.\n        *y: more.\n    ",
            ["<dt><code>x</code></dt><dd><p>what goes on.</p>", "<code>*y</code>"],
        ),
        (
            r"Sum. :math:`x_i`" + "\n\n    .. math:: a +\n        b\n\n    Text.\n    ",
            ["<msub>", '<math display="block">', "<p>Text.</p>"],
        ),
        ("Sum.\n\n    Example:\n        >>> 1 < 2\n        True\n    ", ["&gt;&gt;&gt; ", "True"]),
        ("Tree.\n\n    A\n    ├── B\n    └── C\n    ", ["<pre", "├── B"]),
        ("Run.\n\n    anypart study runs 1 2\n    ", ["<pre", "study runs 1 2"]),
    ],
)
def test_a_docstring_is_set_in_its_sections(doc, parts):
    shown = docstrings.rendered(doc, str)
    assert [part for part in parts if part not in shown] == []


def test_the_empty_corner_of_a_table_is_no_head(set_in):
    found = body(set_in("| | b |\n|---|---|\n| 1 | 2 |\n"))
    assert "<td></td>\n<th>b</th>" in found
