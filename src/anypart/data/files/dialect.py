"""How a text table is written: encoding, delimiter, header; guessed from its beginning."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from anypart.base.errors import DataError

DELIMITERS = ",;\t|"
#: Cells that say that there is no value. `None` is not among them: it is a real answer
#: in many tables ("None" of several options).
MISSING = [
    *("", "NA", "N/A", "n/a", "#N/A", "<NA>"),
    *("NaN", "nan", "-nan", "-NaN", "NULL", "Null", "null"),
]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+")


@dataclass(frozen=True)
class Dialect:
    """How one text table is written.

    Args:
        encoding: `utf8`, or `utf-16` when a byte order mark says so.
        delimiter: the character between cells.
        header: the first row's cells, or None if the first row is data already.
        width: cells a row.
        skip: physical lines before the first row of data.
        padded: cells have blanks around them, which are no part of the value.
        decimal_comma: numbers are written 1,5.

    """

    encoding: str
    delimiter: str
    header: tuple[str, ...] | None
    width: int
    skip: int
    padded: bool
    decimal_comma: bool


def sniff(beginning: bytes, name: str, *, whole: bool) -> Dialect:
    """Guess the dialect from the first bytes.

    The delimiter is the one of ``, ; tab |`` that gives most rows the width of the first.
    The first row is the header unless all its cells are numbers, other than 0, 1, 2, ….

    Args:
        beginning: the first bytes, decompressed.
        name: of the file, for messages.
        whole: `beginning` is all there is.

    Raises:
        DataError: nothing there, or not text.

    """
    encoding = "utf-16" if beginning[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf8"
    if encoding == "utf8" and b"\0" in beginning:
        raise DataError(
            f"{name} is not a text table (it holds zero bytes). Name Parquet, Arrow, SQLite "
            "and DuckDB files by their usual endings, or save the table as UTF-8 CSV."
        )
    text = _decode_start(beginning, encoding)
    if not text.strip():
        raise DataError(f"{name} is empty: a table needs at least a row with column names.")
    delimiter = max(DELIMITERS, key=lambda d: _fit(text, d, whole))
    rows = _rows(text, delimiter, whole)
    if _fit(text, delimiter, whole) == (0.0, 0):
        delimiter = ","
        rows = _rows(text, delimiter, whole)
    (skip, first), body = rows[0], [cells for _, cells in rows[1:]]
    has_header = not _is_data(first)
    return Dialect(
        encoding=encoding,
        delimiter=delimiter,
        header=tuple(map(_mended, first)) if has_header else None,
        width=len(first),
        skip=skip if has_header else skip - 1,
        padded=any(c != c.strip() for cells in body for c in cells),
        decimal_comma=delimiter != "," and _has_decimal_comma(body),
    )


def decode(raw: bytes) -> str:
    """Read bytes as UTF-8, otherwise as Latin-1."""
    try:
        return raw.decode("utf8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _decode_start(raw: bytes, encoding: str) -> str:
    """Read the beginning of a file, which may end within a character."""
    if encoding == "utf-16":
        return raw[: len(raw) // 2 * 2].decode("utf-16", errors="replace")
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    try:
        return raw.decode("utf8")
    except UnicodeDecodeError as error:
        cut = error.reason == "unexpected end of data"
        return raw[: error.start].decode("utf8") if cut else raw.decode("latin-1")


def _mended(name: str) -> str:
    """Read a name as UTF-8 after all, if it was read as Latin-1 for another cell's sake."""
    try:
        return name.encode("latin-1").decode("utf8")
    except UnicodeError:
        return name


def _rows(text: str, delimiter: str, whole: bool, limit: int = 100) -> list[tuple[int, list[str]]]:
    """Split the first rows: (physical lines up to its end, cells); blank lines are none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = list[tuple[int, list[str]]]()
    try:
        for cells in reader:
            if cells:
                rows.append((reader.line_num, cells))
            if len(rows) == limit:
                return rows
    except csv.Error:  # a cell of more than 128 KB: what was read before it must do
        return rows or [(1, text.splitlines()[0].split(delimiter))]
    # The last row of a cut text may be half a row.
    return rows if whole or len(rows) < 2 else rows[:-1]


def _fit(text: str, delimiter: str, whole: bool) -> tuple[float, int]:
    """Score a delimiter: share of rows as wide as the first, then that width."""
    widths = [len(cells) for _, cells in _rows(text, delimiter, whole)]
    if not widths or widths[0] < 2:
        return 0.0, 0
    return sum(w == widths[0] for w in widths) / len(widths), widths[0]


def _is_data(first: list[str]) -> bool:
    """Whether the first row holds numbers only, and not 0, 1, 2, … as names."""
    if not all(_NUMBER.fullmatch(c.strip()) for c in first):
        return False
    return first not in ([str(i + start) for i in range(len(first))] for start in (0, 1))


def _has_decimal_comma(body: list[list[str]]) -> bool:
    cells = [c.strip() for row in body for c in row]
    comma = sum(bool(_DECIMAL_COMMA.fullmatch(c)) for c in cells)
    point = sum(bool(_DECIMAL_POINT.fullmatch(c)) for c in cells)
    return comma > 0 and point == 0
