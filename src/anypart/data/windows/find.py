"""`shortest_window`: the shortest stretch that covers what is required."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.data.windows.items import items_of, laid_out
from anypart.data.windows.stream import counted, minimal_windows
from anypart.data.windows.window import Window

SMALL = 1 << 15  # below, Python is done before the compiled loop is loaded
_TABLE = 1 << 16  # symbols that a table may span
Symbols = NDArray[Any]
_LAID_OUT = (str, bytes, bytearray, np.ndarray)


def shortest_window(sequence: Any, required: Any) -> Window | None:
    """Find the shortest window that holds every required item, as often as it is required.

    Args:
        sequence: a string, bytes, a list or any iterable of hashable items, an integer array
            (NumPy, torch), or an Arrow column. A one-shot iterable is read once.
        required: the items to cover, repeated ones as often as they must appear.

    Returns:
        The first of the shortest windows; None if there is none; the empty window at 0 if
        nothing is required.

    Raises:
        DataError: an array with more than one axis, no sequence, or an item without a hash.

    Cost:
        O(len(sequence) + len(required)): at most two looks an item. Strings, bytes, integer
        arrays and Arrow columns are searched by a compiled loop, at 2 to 15 ns an item.

    Example:
        >>> shortest_window("ADOBECODEBANC", "ABC")
        Window(start=9, stop=13)
        >>> shortest_window(["to", "be", "or", "not", "to", "be"], ["be", "be"])
        Window(start=1, stop=6)
        >>> shortest_window([1, 2, 3], [4]) is None
        True

    """
    wanted = counted(required)
    sequence = laid_out(sequence)
    column = hasattr(sequence, "to_pylist")
    if not (column or isinstance(sequence, _LAID_OUT)) or len(sequence) < SMALL:
        return _first_shortest(items_of(sequence), wanted.elements())
    coded = _coded(sequence, list(wanted)) if wanted else None
    if coded is None:
        return _first_shortest(items_of(sequence), wanted.elements())
    from anypart.data.windows.loops import shortest

    start, length = shortest(*coded, np.array(list(wanted.values()), np.int64))
    return None if start < 0 else Window(int(start), int(start + length))


def minimum_window_substring(text: str, required: str) -> str:
    """Return the shortest substring that holds all characters of `required`, or ''.

    Example:
        >>> minimum_window_substring("ADOBECODEBANC", "ABC")
        'BANC'
        >>> minimum_window_substring("a", "aa")
        ''

    """
    window = shortest_window(text, required)
    return "" if window is None else text[window.start : window.stop]


def _first_shortest(items: Iterable[Hashable], required: Iterable[Hashable]) -> Window | None:
    return min(minimal_windows(items, required), key=lambda window: window.length, default=None)


def _coded(sequence: Any, items: list[Any]) -> tuple[Symbols, int, NDArray[np.int32]] | None:
    """Number the required items in their order.

    Returns:
        The sequence as integers, the symbol that the table begins with, and the table:
        symbol → number, −1 for the others. None if an item is none of the sequence's kind;
        it may equal one all the same, as True equals 1.

    """
    if isinstance(sequence, str):
        items = [ord(c) if isinstance(c, str) and len(c) == 1 else None for c in items]
        sequence = np.frombuffer(sequence.encode("utf-32-le", "surrogatepass"), np.uint32)
    elif isinstance(sequence, bytes | bytearray):
        sequence = np.frombuffer(sequence, np.uint8)
    if not isinstance(sequence, np.ndarray):
        return _coded_column(sequence, items)
    info = np.iinfo(np.uint8 if sequence.dtype == np.bool_ else sequence.dtype)
    numbers = [number for number in map(_whole, items) if number is not None]
    if len(numbers) < len(items):
        return None
    low, high = min(numbers), max(numbers)
    if low < info.min or high > info.max:
        return None
    if high - low >= _TABLE:
        import pyarrow as pa

        return _coded_column(pa.array(sequence), numbers)
    table = np.full(high - low + 1, -1, np.int32)
    table[np.array([n - low for n in numbers])] = np.arange(len(numbers))
    # The loop is compiled for few types, and counts modulo 2^64.
    kept = sequence.dtype.name in ("uint8", "uint32", "int32", "int64", "uint64")
    plain = sequence.view(np.int64) if sequence.dtype == np.uint64 else sequence
    return plain if kept else plain.astype(np.int64), low - 2**64 * (low >= 2**63), table


def _whole(item: Any) -> int | None:
    """Return the integer that an item equals, if it does."""
    try:
        number = int(item)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number == item else None


def _coded_column(column: Any, items: list[Any]) -> tuple[Symbols, int, NDArray[np.int32]] | None:
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        values = pa.array(items, column.type)
        if values.to_pylist() != items:  # a time cut to its date, .1 in single precision
            return None
        codes = pc.fill_null(pc.index_in(column, value_set=values), -1)
    except (pa.ArrowException, OverflowError, TypeError, ValueError):
        return None  # a value that this column cannot hold, or a column that is not searched
    return np.asarray(codes, np.int32), 0, np.arange(len(items), dtype=np.int32)
