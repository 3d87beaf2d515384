"""Words as a strip of dots and dashes: the ornament of the pages, which can be read."""

from __future__ import annotations

_SIGNS = """
.- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..-
-.-- --..
"""
_CODE = dict(zip("abcdefghijklmnopqrstuvwxyz", _SIGNS.split(), strict=True))


def morse(words: str) -> str:
    """Draw words in Morse code: a dash lasts three dots, letters part by three, words by seven.

    Example:
        >>> morse("e")
        '<svg viewBox="0 0 1 8"><path d="M0 4h1" stroke="currentColor" stroke-width="4"/></svg>'

    """
    strokes, x = list[str](), 0
    for ix, letter in enumerate(words.lower()):
        if letter == " ":
            x += 4  # the letter before left three
            continue
        x += 3 * bool(ix)
        for sign in _CODE[letter]:
            length = 3 if sign == "-" else 1
            strokes.append(f"M{x} 4h{length}")
            x += length + 1
        x -= 1
    path = f'<path d="{"".join(strokes)}" stroke="currentColor" stroke-width="4"/>'
    return f'<svg viewBox="0 0 {x} 8">{path}</svg>'
