"""`minimal_windows`: covering windows as the items arrive, in memory of what is required."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, cast

import numpy as np

from anypart.base.errors import DataError
from anypart.data.windows.items import items_of
from anypart.data.windows.window import Window


def counted(required: Any) -> Counter[Hashable]:
    """Count how often each item is required.

    Raises:
        DataError: these are no items, one of them has no hash, or how often it is required is
            no whole number.

    """
    if not (isinstance(required, Iterable) or hasattr(required, "__arrow_c_array__")):
        raise DataError(f"{required!r} is no list of items to cover. Write [{required!r}].")
    if isinstance(required, Mapping):  # of how often, as Counter has it
        times = cast("Mapping[Hashable, Any]", required)
        if odd := [n for n in times.values() if not isinstance(n, int | np.integer)]:
            raise DataError(f"{odd[0]!r} is no number of times. Use whole numbers.")
        return +Counter(times)
    try:
        return Counter(required if isinstance(required, set | frozenset) else items_of(required))
    except TypeError as error:
        raise DataError(
            f"What is required has an item that others cannot be compared with ({error}). "
            "Make it one that can, such as a tuple of a list."
        ) from None


def no_hash(place: int, item: object) -> DataError:
    """Say that an item has no hash."""
    return DataError(
        f"Item {place} of the sequence, {item!r}, cannot be told from others by its hash. Make it "
        "one that can, such as a tuple of a list."
    )


def minimal_windows(sequence: Any, required: Any) -> Iterator[Window]:
    """Yield every window that covers what is required and holds no shorter one that does.

    Of an item required m times, the last m places matter and no others. They are kept in
    the order of the sequence, and the window reaches from the first of them to the item
    that just came. Only when the first one goes does a new window begin that no earlier
    one lies in.

    Args:
        sequence: as in `shortest_window`; an iterable is read once, and may be endless.
        required: the items to cover, repeated ones as often as they must appear.

    Yields:
        Windows with ascending starts and ascending stops; nothing is required by nothing,
        so then the empty window at 0 alone.

    Raises:
        DataError: what is required is no list of items, or an item has no hash.

    Cost:
        O(1) an item; memory O(len(required)), however long the sequence is.

    Example:
        >>> [(w.start, w.stop) for w in minimal_windows("ADOBECODEBANC", "ABC")]
        [(0, 6), (5, 11), (9, 13)]

    """
    need = counted(required)
    lacking = need.total()
    if not lacking:
        yield Window(0, 0)
        return
    places = {item: deque[int]() for item in need}
    kept = OrderedDict[int, None]()  # all of those places, in order: the first is the start
    for here, item in enumerate(items_of(sequence)):
        try:
            if item not in places:
                continue
        except TypeError:
            raise no_hash(here, item) from None
        of_item = places[item]
        begins = False
        if len(of_item) < need[item]:
            lacking -= 1
            begins = not lacking
        else:
            gone = of_item.popleft()
            begins = not lacking and gone == next(iter(kept))
            del kept[gone]
        of_item.append(here)
        kept[here] = None
        if begins:
            yield Window(next(iter(kept)), here + 1)
