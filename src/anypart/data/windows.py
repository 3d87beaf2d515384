"""Covering windows: the shortest stretch of a sequence that holds what is required."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """The places start, …, stop − 1 of a sequence."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """Count the places."""
        return self.stop - self.start


def shortest_window(sequence: Iterable[Hashable], required: Iterable[Hashable]) -> Window | None:
    """Find the shortest window that holds every required item, as often as it is required.

    Two ends walk along the sequence: the right one until all is covered, then the left
    one as long as it stays so. `lacking` counts what is still missing, so no step compares
    two tables of counts.

    Args:
        sequence: the items to search.
        required: the items to cover, repeated ones as often as they must appear.

    Returns:
        The first of the shortest windows; None if there is none; the empty window at 0 if
        nothing is required.

    Cost:
        O(len(sequence) + len(required)); only the required items' positions are kept.

    Example:
        >>> shortest_window("ADOBECODEBANC", "ABC")
        Window(start=9, stop=13)

    """
    need = Counter(required)
    lacking = need.total()
    if not lacking:
        return Window(0, 0)
    best: Window | None = None
    # Positions of required items from the left end on; all others can be stepped over.
    kept = list[tuple[int, Hashable]]()
    left = 0
    for here, item in enumerate(sequence):
        if item not in need:
            continue
        kept.append((here, item))
        lacking -= need[item] > 0
        need[item] -= 1
        if lacking:
            continue
        while need[kept[left][1]] < 0:  # there are more of the leftmost than required
            need[kept[left][1]] += 1
            left += 1
        window = Window(kept[left][0], here + 1)
        if best is None or window.length < best.length:
            best = window
    return best


def minimum_window_substring(text: Sequence[str], required: str) -> str:
    """Return the shortest substring that holds all characters of `required`, or ''.

    Example:
        >>> minimum_window_substring("ADOBECODEBANC", "ABC")
        'BANC'

    """
    window = shortest_window(text, required)
    return "" if window is None else "".join(text[window.start : window.stop])
