"""The values of one column as numbers on a line or as words, whatever Arrow type they have.

A table that is asked about need not have the types of the table that was fitted: a number
may come as text, a date as a timestamp, a word as a dictionary. Here is the one place
where that is settled.
"""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.schema import Column, Kind
from anypart.data.spelling import PLAIN, Spelling

DAY = 86400.0
EXACT = 2**53  # from here on doubles skip integers
EXACT_DIGITS = 15
LARGEST = 1e150  # the squares of larger numbers are none; they count as infinite
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_TIMESTAMP = re.compile(r"timestamp\[(s|ms|us|ns)(?:, tz=(.+))?\]")


def type_named(name: str) -> pa.DataType:
    """Return the Arrow type that `str(type)` spells, for the types a schema can hold.

    Example:
        >>> type_named("timestamp[us, tz=UTC]")
        TimestampType(timestamp[us, tz=UTC])

    """
    if match := _TIMESTAMP.fullmatch(name):
        return pa.timestamp(match[1], match[2])
    return pa.type_for_alias(name)


def column_of(values: Any) -> pa.Array:
    """Take a column out of any object with an Arrow array or stream, as `whole` does.

    Raises:
        DataError: it is a table, or its items are rows.

    """
    stream = hasattr(values, "__arrow_c_stream__")
    array = whole(pa.chunked_array(values) if stream else pa.array(values))
    if pa.types.is_struct(array.type):
        names = ", ".join(repr(field.name) for field in array.type)
        raise DataError(f"These are rows of the columns {names[:200]}. Take one of the columns.")
    return array


def whole(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Make one array of a column: no chunks, no dictionary, no encoded runs, no extension."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # of no chunks
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.nulls(0, array.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_run_end_encoded(kind):
        return whole(pc.run_end_decode(array))
    if pa.types.is_dictionary(kind):
        return whole(array.dictionary).take(array.indices)
    # Arrow takes nothing by its place from views, which Polars has in its categories.
    is_view = is_text(kind) and kind not in (pa.string(), pa.large_string())
    return array.cast(pa.large_string()) if is_view else array


def flat(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Make one plain array, as `whole` does, with bytes and nested values as text."""
    array = whole(array)
    kind = array.type
    if pa.types.is_nested(kind) or pa.types.is_interval(kind):
        return pa.array([None if v is None else str(v) for v in array.to_pylist()], pa.string())
    if _is_bytes(kind):
        cells = array.to_pylist()
        return pa.array(
            [None if b is None else b.decode("utf8", "backslashreplace") for b in cells]
        )
    if is_text(kind) and kind != pa.string():
        return array.cast(pa.string())
    return array


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this type are text."""
    view = getattr(pa.types, "is_string_view", lambda _: False)
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or view(kind)


def is_narrow(kind: pa.DataType) -> bool:
    """Whether values of this type are floats of fewer bits than a double."""
    return pa.types.is_float32(kind) or pa.types.is_float16(kind)


def _is_bytes(kind: pa.DataType) -> bool:
    view = getattr(pa.types, "is_binary_view", lambda _: False)
    plain = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return plain or pa.types.is_fixed_size_binary(kind) or view(kind)


def placed(
    array: pa.Array | pa.ChunkedArray, column: Column
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Place values on the line of a column, as `numbers` does, in its unit and its spelling."""
    array = flat(array)
    wanted = type_named(column.arrow_type)
    for is_span in (pa.types.is_time, pa.types.is_duration):  # seconds for a column of ms
        if is_span(wanted) and is_span(array.type) and array.type != wanted:
            array = array.cast(wanted, safe=False)
    return numbers(array, column.kind, column.spelling)


def numbers(
    array: pa.Array | pa.ChunkedArray, kind: Kind, spelling: Spelling = PLAIN
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Place the values of a column on its line.

    Dates are days, times seconds since 1970-01-01; text is read in its spelling, else as
    plain numbers, ISO 8601 for dates and times. Integers beyond 2^53 are rounded to the
    nearest double (`beyond_exact`).

    Returns:
        The values, and which of them are known: null, NaN, infinite (from 1e150 on) and
        unreadable ones are not.

    """
    array = flat(array)
    if is_text(array.type):
        text = spelling.without_gaps(array)
        if not spelling.is_plain:
            read = spelling.read(text)
            left = pc.if_else(pc.is_valid(read), pa.scalar(None, pa.string()), text)
            (x, known), (other, plain) = numbers(read, kind), numbers(left, kind)
            return np.where(known, x, other), known | plain
        array = parsed(text, _parse_type(kind))
    x = _on_line(array, kind)
    known = np.abs(x) < LARGEST
    return np.where(known, x, 0.0), known


def beyond_exact(array: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    """Tell which integers lie where doubles skip some, (n,); false for other values.

    Args:
        array: of any type; text is looked at as integers of any length.

    """
    array = flat(array)
    if is_text(array.type):
        found = np.zeros(len(array), np.bool_)
        if (pc.max(pc.binary_length(array)).as_py() or 0) >= len(str(EXACT)):
            long = pc.match_substring_regex(array, r"^\s*[+-]?\d{16,}\s*$")
            for row in np.flatnonzero(np.asarray(pc.fill_null(long, False))).tolist():
                found[row] = abs(int(array[row].as_py())) >= EXACT
        return found
    if pa.types.is_decimal(array.type) and array.type.scale <= 0:
        array = array.cast(pa.decimal256(76, 0))
        limit = pa.scalar(EXACT).cast(array.type)
    elif pa.types.is_integer(array.type) and array.type.bit_width == 64:
        limit = pa.scalar(EXACT, array.type)
    else:
        return np.zeros(len(array), np.bool_)
    far = pc.greater_equal(array, limit)
    if not pa.types.is_unsigned_integer(array.type):
        far = pc.or_(far, pc.less_equal(array, pc.negate(limit)))
    return np.asarray(pc.fill_null(far, False))


def _parse_type(kind: Kind) -> pa.DataType:
    return pa.timestamp("us") if kind in (Kind.DATE, Kind.TIME) else pa.float64()


def _on_line(array: pa.Array, kind: Kind) -> NDArray[np.float64]:
    of = array.type
    per_day = 1.0
    if pa.types.is_date(of):
        array = array.cast(pa.date32()).cast(pa.int32())
        per_day = DAY if kind == Kind.TIME else 1.0
    elif pa.types.is_timestamp(of):
        array = array.cast(pa.int64())
        per_day = 1.0 / UNITS[of.unit]
    elif pa.types.is_time32(of):
        array = array.cast(pa.int32())
    elif pa.types.is_time64(of) or pa.types.is_duration(of):
        array = array.cast(pa.int64())
    elif pa.types.is_boolean(of):
        array = array.cast(pa.uint8())
    elif pa.types.is_null(of):
        return np.full(len(array), np.nan)
    x = array.cast(pa.float64(), safe=False)
    out = np.asarray(pc.fill_null(x, np.nan) if x.null_count else x, np.float64) * per_day
    if pa.types.is_decimal(of) and 0 < of.scale <= EXACT_DIGITS:
        scaled = np.rint(out * 10.0**of.scale)  # Arrow multiplies by .01, which is not exact
        out = np.where(np.abs(scaled) < EXACT, scaled / 10.0**of.scale, out)
    if is_narrow(of):
        out = _widened(out, 7 if pa.types.is_float32(of) else 3)
    return np.floor(out / DAY) if kind == Kind.DATE and pa.types.is_timestamp(of) else out


def _widened(x: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Undo the noise of a narrow float: the single nearest to 39.1 is 39.1 as a double."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.abs(x))))
        short = np.rint(x * scale) / scale
    return np.where(np.isfinite(short), short, x)


def parsed(array: pa.Array, to: pa.DataType) -> pa.Array:
    """Cast text to a type; cells that cannot be read become null."""
    try:
        return array.cast(to)
    except pa.ArrowInvalid:
        pass
    coded = array.dictionary_encode()
    words = coded.dictionary.to_pylist()
    return pa.array([_parse(w, to) for w in words], to).take(coded.indices)


def _parse(word: str, to: pa.DataType) -> object:
    text = word.strip()
    try:
        if pa.types.is_timestamp(to):
            when = dt.datetime.fromisoformat(text)
            return when.astimezone(dt.UTC).replace(tzinfo=None) if when.tzinfo else when
        return pa.scalar(text.removeprefix("+")).cast(to).as_py()
    except (ValueError, OverflowError, pa.ArrowException):
        return None


def words(array: pa.Array | pa.ChunkedArray, like: pa.DataType) -> pa.Array:
    """Write the values of a column as categories: `like` decides how numbers are spelt.

    Args:
        array: the values.
        like: the column's own type: a 1.0 of a column of integers is the category `1`.

    """
    array = flat(array)
    if array.type == like:
        return array if is_text(like) else _spelt(array)
    if is_text(like):
        return _spelt(array)
    if is_text(array.type):
        typed = parsed(array, like if not pa.types.is_boolean(like) else pa.string())
        if pa.types.is_boolean(like):
            return pc.utf8_lower(typed)
        return pc.coalesce(_spelt(typed), array)
    try:
        return _spelt(array.cast(like))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return _spelt(array)


def _spelt(array: pa.Array) -> pa.Array:
    if is_text(array.type):
        return array
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array.cast(pa.string())
