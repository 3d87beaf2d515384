"""Sources, opened anew from a place on."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from anypart.base.errors import DataError


def fewer(at: int) -> DataError:
    """Say that a source ends before a saved place."""
    return DataError(
        f"The saved place is after item {at}: the source gives fewer items than it did. "
        "Start the stream anew."
    )


def from_sequence(items: Sequence[Any], at: int) -> Iterator[Any]:
    """Open a sequence after its first items."""
    if at > len(items):
        raise fewer(at)
    return iter(items[at:] if at else items)


class Opened:
    """Items that a function opens anew each time, from one of them on.

    Args:
        opened: the function.

    """

    def __init__(self, opened: Callable[[], Iterable[Any]]) -> None:
        self._opened = opened
        self._last: Callable[[], Any] = lambda: None

    def __call__(self, at: int) -> Iterator[Any]:
        """Open the items after the first `at`."""
        found = self._opened()
        try:
            items = iter(found)
        except TypeError:
            raise DataError(
                f"The function gave {found!r}, which has no items. Let it return a list, or open "
                "an iterator."
            ) from None
        if items is found:
            if found is self._last():
                raise DataError(
                    f"The function gave the same {type(found).__name__} again, which can be read "
                    "once only, so the stream could not be resumed. Let it open another each time."
                )
            self._last = _reference(found)
        if at and not list(islice(items, at - 1, at)):
            raise fewer(at)
        return items


def _reference(value: Any) -> Callable[[], Any]:
    """Refer to a value without keeping it, if its type allows that."""
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value
