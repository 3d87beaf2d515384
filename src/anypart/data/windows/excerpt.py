"""`excerpt`: what a search result shows of a text, around the words that were looked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from anypart.data.windows.find import shortest_window

_CJK = r"\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff"
_PART = rf"[^\W_{_CJK}]+"
_TOKEN = re.compile(rf"[{_CJK}]|{_PART}(?:['’-]{_PART})*")


@dataclass(frozen=True)
class Excerpt:
    """A part of a text, with the words that were looked for.

    Args:
        text: the part, with an ellipsis where the text goes on.
        marks: (start, stop) of the words in it.
        found: the words that it holds.

    """

    text: str
    marks: tuple[tuple[int, int], ...]
    found: frozenset[str]


def excerpt(text: str, words: str | Iterable[str], most: int = 160) -> Excerpt | None:
    """Cut the shortest part that holds all the words, or as many of them as the text has.

    Case does not matter. Chinese and Japanese are read character by character, Latin words
    among them as words. If the part is longer than `most`, its beginning is shown.

    Args:
        text: to cut from.
        words: that were looked for, or a text of them.
        most: characters to show, about.

    Returns:
        None if the text has none of the words.

    Example:
        >>> excerpt("The quick brown fox jumps over the lazy dog.", ["fox", "lazy"], most=24).text
        '… fox jumps over the lazy …'

    """
    spots = [(m.start(), m.end(), m.group().casefold()) for m in _tokens(text)]
    there = {word for _, _, word in spots}
    given = [words] if isinstance(words, str) else words
    asked = {m.group().casefold() for word in given for m in _tokens(word)} & there
    window = shortest_window((word for _, _, word in spots), asked)
    if not asked or window is None:
        return None
    start, stop = _widened(spots, window.start, window.stop, most)
    begin, end = spots[start][0], spots[stop - 1][1]
    lead = "… " if start else ""
    tail = " …" if stop < len(spots) else text[end : end + 1].strip()
    shift = len(lead) - begin
    inside = spots[start:stop]
    marks = tuple((a + shift, b + shift) for a, b, word in inside if word in asked)
    shown = lead + re.sub(r"\s", " ", text[begin:end]) + tail
    return Excerpt(shown, marks, frozenset(word for _, _, word in inside if word in asked))


def _tokens(text: str) -> list[re.Match[str]]:
    """List words, and single characters of scripts that do not part words."""
    return list(_TOKEN.finditer(text))


def _widened(
    spots: list[tuple[int, int, str]], start: int, stop: int, most: int
) -> tuple[int, int]:
    """Take in neighbouring words as long as there is room, or leave the last ones out."""
    while stop - start > 1 and spots[stop - 1][1] - spots[start][0] > most:
        stop -= 1
    grown = True
    while grown:
        grown = False
        if start and spots[stop - 1][1] - spots[start - 1][0] <= most:
            start, grown = start - 1, True
        if stop < len(spots) and spots[stop][1] - spots[start][0] <= most:
            stop, grown = stop + 1, True
    return start, stop
