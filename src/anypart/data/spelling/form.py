"""How a column of text writes its numbers, dates and gaps; read and written the same way.

`$1,234.50`, `12,5 %`, `64.1 kg`, `31.12.2024 23:59`, `05:32`: what they mean is found from the
values, kept in the schema, and used for every later table and for what is given back.
"""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

#: Words that say "no value" in a column whose other values are numbers or dates. What
#: means a gap in every text table is `files.dialect.MISSING`.
GAP_MARKS = frozenset(
    {
        *("?", "??", "-", "--", "---", "–", "—", ".", "..", "...", "*", "**", "_", ":", "\\N"),
        *("na", "Na", "n.a.", "N.A.", "n.a", "nan", "NAN", "none", "None", "NONE", "nil"),
        *("unknown", "Unknown", "UNKNOWN", "missing", "Missing", "MISSING", "blank", "(blank)"),
        *("not available", "not applicable", "undefined", "undef", "(null)", "tbd", "TBD"),
        *("#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NULL!", "#NAME?", "k.A.", "k. A.", "s.d."),
    }
)
_LETTERS = {
    "%Y": (r"\d{4}", "YYYY"),
    "%y": (r"\d{2}", "YY"),
    "%m": (r"\d{1,2}", "MM"),
    "%d": (r"\d{1,2}", "DD"),
    "%H": (r"\d{1,2}", "HH"),
    "%I": (r"\d{1,2}", "HH"),
    "%M": (r"\d{2}", "MM"),
    "%S": (r"\d{2}", "SS"),
    "%p": (r"[AaPp][Mm]", "AM"),
    "%b": (r"[A-Za-z]{3}", "Mon"),
    "%B": (r"[A-Za-z]{3,9}", "Month"),
}
_NO_DAY = "%H:%M"  # how the pattern of a time of day begins


@dataclass(frozen=True)
class Spelling:
    """How text stands for values; the default is numbers as 1234.5 and dates as in ISO 8601.

    Args:
        gaps: words that say that there is no value.
        pattern: of dates and times, as `strptime` has it; empty for numbers.
        before, after: what stands around every number, such as `$` or ` kg`.
        thousands: what separates groups of three digits.
        decimal: what separates the fraction.
        places: digits of every fraction; -1 if they differ.

    """

    gaps: tuple[str, ...] = ()
    pattern: str = ""
    before: str = ""
    after: str = ""
    thousands: str = ""
    decimal: str = "."
    places: int = -1

    @property
    def is_plain(self) -> bool:
        """Whether values are written as any reader of CSV expects."""
        around = self.pattern or self.before or self.after or self.thousands
        return not around and self.decimal == "."

    @property
    def is_clock(self) -> bool:
        """Whether the values are times of a day."""
        return self.pattern.startswith(_NO_DAY)

    def __str__(self) -> str:
        """Show it as an example: `$1,234.5`, `DD.MM.YYYY`."""
        if self.pattern:
            return re.sub(r"%\w", lambda m: _LETTERS[m[0]][1], self.pattern)
        digits = {0: "", -1: f"{self.decimal}5"}.get(self.places, "")
        digits = digits or (self.decimal + "567890"[: self.places] if self.places else "")
        return f"{self.before}1{self.thousands}234{digits}{self.after}"

    def without_gaps(self, array: pa.Array) -> pa.Array:
        """Make the words, or numbers, that say "no value" null."""
        kind = array.type
        if not self.gaps:
            return array
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            gap = pc.is_in(array, value_set=pa.array(self.gaps, kind), skip_nulls=True)
        elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
            marks = [x for x in map(as_number, self.gaps) if x is not None]
            x = array.cast(pa.float64(), safe=False)
            gap = pc.is_in(x, value_set=pa.array(marks, pa.float64()), skip_nulls=True)
        else:
            return array
        return pc.if_else(gap, pa.scalar(None, kind), array)

    def read(self, array: pa.Array) -> pa.Array:
        """Read text as doubles, timestamps, or seconds of a day; what does not fit is null."""
        if self.pattern:
            return self._read_times(array)
        fits = pc.match_substring_regex(array, self._number)
        text = pc.replace_substring_regex(array, self._number, r"\1\2\3")
        if self.thousands:
            text = pc.replace_substring(text, self.thousands, "")
        if self.decimal != ".":
            text = pc.replace_substring(text, self.decimal, ".")
        return pc.if_else(fits, text, pa.scalar(None, pa.string())).cast(pa.float64())

    def _read_times(self, array: pa.Array) -> pa.Array:
        array = pc.utf8_trim_whitespace(array)
        when = pc.strptime(array, format=self.pattern, unit="s", error_is_null=True)
        # strptime takes 31.2. for 2.3., and does not mind what follows.
        same = pc.equal(_unpadded(pc.strftime(when, format=self.pattern)), _unpadded(array))
        fits = pc.and_(same, pc.match_substring_regex(array, f"^{self._shape}$"))
        fits = pc.and_(fits, pc.greater(pc.year(when), 0))  # the first that Python knows
        when = pc.if_else(pc.fill_null(fits, False), when, pa.scalar(None, when.type))
        return pc.subtract(when.cast(pa.int64()), _midnight()) if self.is_clock else when

    def write(self, array: pa.Array) -> pa.Array:
        """Write numbers, dates, times or seconds of a day as the column does."""
        if self.is_plain:
            return array
        if self.pattern:
            if pa.types.is_time32(array.type):
                array = array.cast(pa.int32()).cast(pa.int64())
            when = array.cast(pa.timestamp("s"), safe=False)
            return pc.strftime(when, format=self.pattern)
        coded = array.dictionary_encode()
        spelt = [None if x is None else self._spell(x) for x in coded.dictionary.to_pylist()]
        return pa.array(spelt, pa.string()).take(coded.indices)

    def _spell(self, x: float) -> str:
        text = f"{x:,.{self.places}f}" if self.places >= 0 else f"{x:,}".removesuffix(".0")
        swap = {",": self.thousands, ".": self.decimal}
        sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
        return sign + self.before + "".join(swap.get(c, c) for c in text) + self.after

    @cached_property
    def _number(self) -> str:
        around = [_literal(part.strip()) for part in (self.before, self.after)]
        left, right = (rf"(?:{part})?" if part else "" for part in around)
        group = _literal(self.thousands)
        whole = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
        digits = rf"((?:{whole})(?:{_literal(self.decimal)}\d*)?|{_literal(self.decimal)}\d+)"
        return rf"^[\s\x{{a0}}]*([+-]?){left}[\s\x{{a0}}]*([+-]?){digits}[\s\x{{a0}}]*{right}\s*$"

    @cached_property
    def _shape(self) -> str:
        pieces = re.split(r"(%\w)", self.pattern)
        return "".join(_LETTERS[p][0] if p in _LETTERS else _literal(p) for p in pieces)


PLAIN = Spelling()


def as_number(word: str) -> float | None:
    """Read a word as a finite number; None if it is none."""
    try:
        x = float(word)
    except ValueError:
        return None
    return x if abs(x) < float("inf") else None


def _literal(text: str) -> str:
    """Quote text for RE2, which knows no backslash before letters of other alphabets."""
    return "".join(rf"\x{{{ord(c):x}}}" if not c.isalnum() else c for c in text)


def _unpadded(array: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.replace_substring_regex(array, r"\b0+(\d)", r"\1"))


def _midnight() -> pa.Scalar:
    """Return when a day begins that `strptime` was told nothing of."""
    return pc.strptime(pa.array(["00:00"]), format=_NO_DAY, unit="s")[0].cast(pa.int64())
