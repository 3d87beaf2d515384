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
        >>> morse("a").count("M")
        2

    """
    strokes, x = list[str](), 0
    for ix, letter in enumerate(words.lower()):
        if letter == " ":
            x += 4  # the letter before left three
            continue
        x += 3 * bool(ix)
        for sign in _CODE[letter]:
            length = 3 if sign == "-" else 1
            strokes.append(f"M{x} 1h{length}")
            x += length + 1
        x -= 1
    path = f'<path d="{"".join(strokes)}" stroke="currentColor" stroke-width="2"/>'
    return f'<svg viewBox="0 0 {x} 2" width="{4 * x}">{path}</svg>'
