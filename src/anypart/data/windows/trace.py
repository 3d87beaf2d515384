"""How the shortest window is found, pointer by pointer, and what the naive way would cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from anypart.data.windows.items import items_of
from anypart.data.windows.stream import counted, no_hash
from anypart.data.windows.window import Window


@dataclass(frozen=True)
class Move:
    """One move of one end of the window.

    Args:
        end: `right` takes an item in, `left` lets one out.
        place: of the item.
        window: after the move.
        lacking: item → how often it is still missing.
        best: the shortest covering window so far, None before the first.

    """

    end: str
    place: int
    window: Window
    lacking: tuple[tuple[Hashable, int], ...]
    best: Window | None


@dataclass(frozen=True)
class WindowTrace:
    """How the shortest window was found.

    Args:
        items: the sequence.
        required: what is to be covered.
        moves: of the two ends, at most two an item.
        window: what was found.
        recounted: items looked at if every window were counted anew, from every start
            until it covers.

    """

    items: tuple[Hashable, ...]
    required: tuple[Hashable, ...]
    moves: tuple[Move, ...]
    window: Window | None
    recounted: int

    @property
    def steps(self) -> int:
        """Count the moves."""
        return len(self.moves)

    def to_json(self) -> dict[str, Any]:
        """Return plain dicts, lists and numbers; items that JSON does not have as text."""
        return json.loads(json.dumps(asdict(self), default=str))

    def shown(self, window: Window) -> str:
        """Write the items of a window, letters without spaces between them."""
        items = self.items[window.start : window.stop]
        glue = "" if all(isinstance(i, str) and len(i) == 1 for i in items) else " "
        return f"{glue.join(map(str, items))} (places {window.start} to {window.stop - 1})"

    def __str__(self) -> str:
        lines = list[str]()
        for number, move in enumerate(self.moves, 1):
            span = f"[{move.window.start}, {move.window.stop})"
            lines.append(f"{number:>6,}  {span:>12}  {self.said(move)}")
        return "\n".join(
            [
                *lines,
                f"shortest window: {'none' if self.window is None else self.shown(self.window)}",
                f"moves: {self.steps:,}; items looked at when every window is counted anew: "
                f"{self.recounted:,}",
            ]
        )

    def said(self, move: Move) -> str:
        """Say a move in a sentence."""
        item = self.items[move.place]
        if move.end == "left":
            return f"the left end lets {item!r} go"
        if move.lacking:
            missing = ", ".join(f"{i!r}" + (f" ×{n}" if n > 1 else "") for i, n in move.lacking)
            return f"the right end takes {item!r} in; lacking {missing}"
        return f"the right end takes {item!r} in; all is covered"


def trace_window(sequence: Any, required: Any) -> WindowTrace:
    """Find the shortest window as it is found by hand, and keep every move.

    The right end walks until all is covered, then the left one as long as it stays so. No
    step compares two tables of counts: `lacking` falls to nothing.

    Args:
        sequence: as in `shortest_window`.
        required: as in `shortest_window`.

    Cost:
        Python's own speed: for study, not for large data.

    Example:
        >>> found = trace_window("ADOBECODEBANC", "ABC")
        >>> found.window, found.steps, found.recounted
        (Window(start=9, stop=13), 23, 74)

    """
    if isinstance(required, Iterable) and not isinstance(required, Mapping):
        required = tuple(items_of(required))  # read once, and shown in their order
    lacking = counted(required)  # negative where there are more than required
    wanted = required if isinstance(required, tuple) else tuple(lacking.elements())
    items = tuple(items_of(sequence))
    moves = list[Move]()
    best: Window | None = None if wanted else Window(0, 0)
    left = 0

    def note(end: str, place: int, window: Window) -> None:
        missing = tuple((item, n) for item, n in lacking.items() if n > 0)
        moves.append(Move(end, place, window, missing, best))

    for right, item in enumerate(items if wanted else ()):
        try:
            if item in lacking:
                lacking[item] -= 1
        except TypeError:
            raise no_hash(right, item) from None
        note("right", right, Window(left, right + 1))
        while all(n <= 0 for n in lacking.values()):
            if best is None or right + 1 - left < best.length:
                best = Window(left, right + 1)
            gone = items[left]
            if gone in lacking:
                lacking[gone] += 1
            left += 1
            note("left", left - 1, Window(left, right + 1))
    return WindowTrace(items, wanted, tuple(moves), best, count_naive(items, wanted))


def count_naive(items: tuple[Hashable, ...], required: tuple[Hashable, ...]) -> int:
    """Count the items looked at when each start walks right until it covers."""
    looked = 0
    for start in range(len(items)):
        need = Counter(required)
        for item in items[start:]:
            if not need:
                break
            looked += 1
            if item in need:
                need[item] -= 1
                if not need[item]:
                    del need[item]
    return looked
