"""Which spelling a column of text has, found from its words."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anypart.data.spelling.form import GAP_MARKS, PLAIN, Spelling, as_number

LOOKED_AT = 200  # words that candidates are tried on, before all words are
_NUMBER = re.compile(r"([+-]?)(\D*?)([+-]?)(\d[\d.,'’ \xa0\u202f]*\d|\d|[.,]\d+)(\D*)")
_CODE = re.compile(r"[A-Z]{2,3}\s")  # USD 5, Rs 5
_GROUPS = ("", ",", ".", "'", "’", " ", "\xa0", "\u202f")
# Where two fit (all days up to 12), the first is taken: the order is what is usual.
_DAYS = (
    *("%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%Y%m%d", "%Y年%m月%d日"),
    *("%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y"),
)
_CLOCKS = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p")
_TIMES = (*_DAYS, *_CLOCKS, *(f"{d}{gap}{c}" for d, gap, c in product(_DAYS, " T", _CLOCKS)))
_PLAIN = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$|^\s*\d{4}-\d{2}-\d{2}([T ][\d:.]+.*)?$"


def find_spelling(array: pa.Array, share: float, missing: Iterable[str] = ()) -> Spelling:
    """Find how a column of text writes what it holds.

    Words that commonly say "no value" are gaps if the other words are numbers or dates
    that some spelling, the plain one among them, reads.

    Args:
        array: its values, nulls dropped.
        share: how many of them a spelling must read.
        missing: words that say "no value" whatever the others are.

    Returns:
        The spelling; the default, but for `gaps`, for what is no number and no date.

    """
    counts = pc.value_counts(array)
    told = {as_number(word.strip()) or word.strip() for word in missing}
    weight = dict(zip(*map(pa.Array.to_pylist, counts.flatten()), strict=True))
    asked = tuple(sorted(w for w in weight if told and _is_told(w, told)))
    marks = tuple(sorted(w for w in weight if w.strip() in GAP_MARKS or w in asked))
    words = [w for w in weight if w not in marks]
    if not words:
        return Spelling(gaps=asked)
    every = pa.array(words, pa.string())
    known = np.array([weight[w] for w in words])
    for found in _candidates(words[:: max(1, len(words) // LOOKED_AT)]):
        plain = found.is_plain
        fits = pc.match_substring_regex(every, _PLAIN) if plain else pc.is_valid(found.read(every))
        if known[np.asarray(fits)].sum() >= share * known.sum():
            return replace(found, gaps=marks)
    return Spelling(gaps=asked)


def _is_told(word: str, told: set[str | float]) -> bool:
    """Whether a word is among others, numbers whatever their zeros: -999.0 is -999."""
    return word.strip() in told or as_number(word) in told


def _candidates(words: list[str]) -> Iterator[Spelling]:
    """Yield what some words may be written as, likelier spellings first."""
    usual = Counter(map(_shape, words)).most_common(1)[0][0]
    dates = [Spelling(pattern=p) for p in _TIMES if _shape(p) == usual]
    if usual != "0" or all(len(w.strip()) == 8 for w in words):  # 20241231 is a number, too
        yield from dates
    yield PLAIN
    yield from _numbers(words, 0.9 * len(words))


def _shape(text: str) -> str:
    """Reduce a word or a pattern to what words of one pattern have in common.

    Example:
        >>> _shape("31.12.2024"), _shape("%d.%m.%Y"), _shape("3 Feb 2024"), _shape("%d %b %Y")
        ('0.0.0', '0.0.0', '0 a 0', '0 a 0')

    """
    text = re.sub(r"%[bBp]", "a", text.strip())
    return re.sub(r"[A-Za-z]+", "a", re.sub(r"(%[A-Za-z]|\d+)+", "0", text))


def _numbers(words: list[str], most: float) -> Iterator[Spelling]:
    parts = [m for m in map(_NUMBER.fullmatch, map(str.strip, words)) if m]
    if len(parts) < most:
        return
    ((before, after), n) = Counter((m[2], m[5]) for m in parts).most_common(1)[0]
    if n < most or not (_is_symbol(before) or _CODE.fullmatch(before)) or not _is_unit(after):
        return
    bodies = [m[4] for m in parts]
    for decimal, group in product(".,", _GROUPS):
        found = Spelling((), "", before, after, group, decimal)
        if group == decimal or found.is_plain or not any(group in body for body in bodies):
            continue
        bare = Spelling(thousands=group, decimal=decimal)
        fits = np.asarray(pc.is_valid(bare.read(pa.array(bodies))))
        if fits.sum() >= most:
            yield replace(found, places=_places(bodies, decimal))


def _places(bodies: list[str], decimal: str) -> int:
    lengths = {len(body.rpartition(decimal)[2]) if decimal in body else 0 for body in bodies}
    return lengths.pop() if len(lengths) == 1 else -1


def _is_symbol(text: str) -> bool:
    """Whether it is nothing, or a sign of a currency."""
    return all(unicodedata.category(c) in ("Sc", "Zs") for c in text)


def _is_unit(text: str) -> bool:
    """Whether it is nothing, a sign as %, or a word after a blank."""
    return _is_symbol(text) or text.strip() in ("%", "‰", "°", "°C", "°F") or text[0].isspace()
