"""The items of whatever holds a sequence: text, lists, arrays, tensors, Arrow columns."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, cast

import numpy as np

from anypart.base.errors import DataError


def laid_out(sequence: Any) -> Any:
    """Lay a sequence out so that a compiled loop may read it, or only its items if it cannot.

    Returns:
        Text and bytes as they are; an array of integers of this machine; an Arrow column; or
        any iterable of Python's own items, one that can be read once among them.

    Raises:
        DataError: an array with more than one axis, a table, a set, or no sequence.

    """
    if hasattr(sequence, "detach"):  # a torch tensor; torch itself need not be there
        sequence = sequence.detach().cpu().numpy()
    if isinstance(sequence, np.ndarray):
        return _array(sequence)
    if hasattr(sequence, "__arrow_c_stream__") or hasattr(sequence, "__arrow_c_array__"):
        from anypart.data.values import column_of

        return column_of(sequence)
    if not isinstance(sequence, Iterable):
        raise DataError(f"{sequence!r} is no sequence. Give a string, a list or an array.")
    if isinstance(sequence, set | frozenset):
        raise DataError("A set has no order, so no windows. Give a string, a list or an array.")
    if isinstance(sequence, str | bytes | bytearray):
        return sequence
    items = cast("Iterable[Any]", sequence)
    if isinstance(items, list | tuple) and np.datetime64 not in set(map(type, items)):
        return items
    return map(_plain, items)


def items_of(sequence: Any) -> Iterable[Hashable]:
    """Return what a for loop takes items from: Python's own, also of arrays and columns."""
    found = laid_out(sequence)
    if isinstance(found, np.ndarray):
        return found.tolist()
    return found.to_pylist() if hasattr(found, "to_pylist") else found


def _array(array: np.ndarray[Any, Any]) -> Any:
    if array.ndim != 1:
        raise DataError(
            f"A window is looked for along one axis; this array has {array.ndim}, of sizes "
            f"{array.shape}. Take one row or column of it."
        )
    if array.dtype.kind == "M":
        return list(map(_plain, array))
    if array.dtype.kind not in "iub" or isinstance(array, np.ma.MaskedArray):
        return array.tolist()  # what is masked is None
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _plain(item: Any) -> Any:
    """Return NumPy's date or time as Python's own, if Python has it; NaT as None."""
    if not isinstance(item, np.datetime64):
        return item
    coarse = item.astype("M8[us]") if np.datetime_data(item.dtype)[0] == "ns" else item
    return coarse.item() if coarse == item or np.isnat(item) else item
