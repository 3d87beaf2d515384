"""How a text table is written: encoding, delimiter, header; guessed from its beginning."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from anypart.base.errors import DataError

DELIMITERS = ",;\t|"
#: Cells that say that there is no value. `None` is not among them: it is a real answer
#: in many tables ("None" of several options).
MISSING = [
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "-nan", "-NaN", "NULL", "Null", "null"),
]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d*),\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")
_GROUPED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")
_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
_NO_TABLE = re.compile(r"\s*(<!doctype html|<html|%PDF-)", re.IGNORECASE)
_SINGLE_QUOTED = re.compile(r"'[^']*'([,;\t|]'[^']*')*")
_LONG = 20  # lines of one cell that look like a quotation mark that was never closed

Row = tuple[int, list[str]]  # physical lines up to its end, cells


@dataclass(frozen=True)
class Dialect:
    """How one text table is written.

    Args:
        encoding: `utf8`, or `utf-16` (also `utf-16-le`, `utf-16-be`) when a byte order mark
            or the zero bytes say so.
        delimiter: the character between cells.
        quote: the character around cells that hold the delimiter: " or '.
        header: the first row's cells, or None if the first row is data already.
        width: cells a row.
        skip: physical lines before the first row of data.
        padded: cells have blanks around them, which are no part of the value.
        decimal_comma: numbers are written 1,5 and 1.234,5.
        notes: what was guessed, for people.

    """

    encoding: str
    delimiter: str
    quote: str
    header: tuple[str, ...] | None
    width: int
    skip: int
    padded: bool
    decimal_comma: bool
    notes: tuple[str, ...] = ()


def sniff(beginning: bytes, name: str, *, whole: bool) -> Dialect:
    """Guess the dialect from the first bytes.

    The delimiter is the one of ``, ; tab |`` that gives most rows the width of the first, or
    the one that a first line `sep=;` names. Lines before the table are skipped: comments
    (`# …`) and titles, whose other cells are empty. The first row is the header unless all
    its cells are numbers, other than 0, 1, 2, ….

    Args:
        beginning: the first bytes, decompressed.
        name: of the file, for messages.
        whole: `beginning` is all there is.

    Raises:
        DataError: nothing there, or not text.

    """
    encoding = _encoding(beginning)
    if encoding == "utf8" and b"\0" in beginning:
        raise DataError(
            f"{name} is not a text table (it holds zero bytes). Name Parquet, Arrow, SQLite "
            "and DuckDB files by their usual endings, or save the table as UTF-8 CSV."
        )
    text = _decode_start(beginning, encoding)
    if not text.strip():
        raise DataError(f"{name} is empty: a table needs at least a row with column names.")
    if form := _NO_TABLE.match(text):
        what = "a PDF" if "PDF" in form[0] else "a web page, perhaps one that asks to sign in"
        raise DataError(f"{name} is {what}, and no table. Save the table itself as CSV.")
    told = _SEPARATOR.match(text)
    text = text[told.end() :] if told else text
    quote = _quote(text)
    every = {d: _rows(text, d, whole, quote) for d in (told[1] if told else DELIMITERS)}
    delimiter = max(every, key=lambda d: _fit(every[d]))  # of equals the first
    rows = every[delimiter]
    before = _preamble(rows)
    (skip, first), body = rows[before], [cells for _, cells in rows[before + 1 :]]
    has_header = not _is_data(first)
    header = _header(first, body) if has_header else None
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        header=header,
        width=len(header or first),
        skip=bool(told) + skip - (not has_header),
        padded=any(c != c.strip() for cells in body for c in cells),
        decimal_comma=delimiter != "," and _has_decimal_comma(body),
        notes=_notes(rows, before, header, first),
    )


def decode(raw: bytes) -> str:
    """Read bytes as UTF-8, otherwise as Windows-1252, otherwise as Latin-1."""
    for encoding in ("utf8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            pass
    return raw.decode("latin-1")


def _encoding(beginning: bytes) -> str:
    if beginning[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    some = beginning[: min(4096, len(beginning) // 2 * 2)]
    # Letters of Western alphabets have a zero as their second (or first) byte in UTF-16.
    zeros = [some[start::2].count(0) for start in (0, 1)]
    if zeros[1] > 0.3 * len(some) and not zeros[0]:
        return "utf-16-le"
    return "utf-16-be" if zeros[0] > 0.3 * len(some) and not zeros[1] else "utf8"


def _decode_start(raw: bytes, encoding: str) -> str:
    """Read the beginning of a file, which may end within a character."""
    if encoding != "utf8":
        return raw[: len(raw) // 2 * 2].decode(encoding, errors="replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode("utf8")
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        return raw[: error.start].decode("utf8") if cut else decode(raw)


def _preamble(rows: list[Row]) -> int:
    """Count the rows before the table: comments, and titles with nothing beside them."""
    width = Counter(len(cells) for _, cells in rows).most_common(1)[0][0]
    for at, (_, cells) in enumerate(rows):
        odd = len(cells) != width or cells[0].startswith("# ")
        is_comment = width > 1 and cells[0].startswith("#") and odd
        is_title = width > 2 and (len(cells) == 1 or len(cells) == width) and not any(cells[1:])
        if not is_comment and not is_title:
            return at
    return 0


def _header(first: list[str], body: list[list[str]]) -> tuple[str, ...]:
    """Return the names; one more if every row is wider by one, as R writes row names."""
    names = tuple(map(_mended, first))
    if body and all(len(cells) == len(first) + 1 for cells in body):
        return (*names, "") if not any(cells[-1] for cells in body) else ("", *names)
    return names


def _notes(
    rows: list[Row], before: int, header: tuple[str, ...] | None, first: list[str]
) -> tuple[str, ...]:
    notes = list[str]()
    if before:
        lines = "line is" if before == 1 else f"{before} rows are"
        notes.append(f"the first {lines} no part of the table (comment or title): skipped")
    if header and len(header) > len(first):
        notes.append("every row has one cell more than there are names: one column has no name")
    ends = [0, *(end for end, _ in rows)]
    for number, (start, end) in enumerate(pairwise(ends), 1):
        if end - start > _LONG:
            notes.append(
                f"row {number} goes over {end - start:,} lines, inside quotation marks: is one of "
                "them never closed?"
            )
            break
    return tuple(notes)


def _mended(name: str) -> str:
    """Read a name as UTF-8 after all, if it was read otherwise for another cell's sake."""
    for encoding in ("cp1252", "latin-1"):
        try:
            return name.encode(encoding).decode("utf8")
        except UnicodeError:
            pass
    return name


def _quote(text: str) -> str:
    """Return ' if every cell of the first row stands between two of them, else "."""
    first = text.lstrip().partition("\n")[0].rstrip()
    return "'" if _SINGLE_QUOTED.fullmatch(first) else '"'


def _rows(text: str, delimiter: str, whole: bool, quote: str, limit: int = 100) -> list[Row]:
    """Split the first rows; blank lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    rows = list[Row]()
    try:
        for cells in reader:
            if cells:
                rows.append((reader.line_num, cells))
            if len(rows) == limit:
                return rows
    except csv.Error:  # a cell of more than 128 KB: what was read before it must do
        rows = rows or [(1, text.splitlines()[0].split(delimiter))]
        return [*rows, (reader.line_num, [""] * len(rows[-1][1]))]
    # The last row of a cut text may be half a row.
    return rows if whole or len(rows) < 2 else rows[:-1]


def _fit(rows: list[Row]) -> tuple[float, bool, int]:
    """Score a delimiter: share of rows as wide as the first, whether nothing is odd, the width."""
    before = _preamble(rows)
    widths = [len(cells) for _, cells in rows[before:]]
    unnamed = len(widths) > 1 and widths[0] + 1 == widths[1]
    width = widths[0] + unnamed
    if width < 2:
        return 0.0, False, 0
    as_wide = sum(w == width for w in widths) + unnamed
    return as_wide / len(widths), not before and not unnamed, width


def _is_data(first: list[str]) -> bool:
    """Whether the first row holds numbers only, and not 0, 1, 2, … as names."""
    if not all(_NUMBER.fullmatch(c.strip()) for c in first):
        return False
    return first not in ([str(i + start) for i in range(len(first))] for start in (0, 1))


def _has_decimal_comma(body: list[list[str]]) -> bool:
    cells = [c.strip() for row in body for c in row]
    comma = sum(bool(_DECIMAL_COMMA.fullmatch(c)) for c in cells)
    point = sum(bool(_DECIMAL_POINT.fullmatch(c) and not _GROUPED.fullmatch(c)) for c in cells)
    return comma > 0 and point == 0
