"""How a container takes memory as it grows, measured on the interpreter that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from anypart.base.errors import LensError, suggest

_POINTER = 8  # bytes of one place of a list or tuple; CPython on a 64-bit machine


@dataclass(frozen=True)
class Growth:
    """Bytes of a container at every length, on the way up and on the way down.

    Args:
        kind: its type's name.
        how: the operation that added an item.
        sizes: (n + 1) bytes with 0, 1, …, n items, by `__sizeof__`: without the items and
            without the 16 bytes of the garbage collector that `sys.getsizeof` adds.
        shrinking: bytes with n, …, 1, 0 items as they were taken away again; empty for a
            type that cannot shrink in place.
        moved: lengths at which the items were moved to another place.
        same: whether the object stayed the same one all the way.

    """

    kind: str
    how: str
    sizes: tuple[int, ...]
    shrinking: tuple[int, ...]
    moved: tuple[int, ...]
    same: bool

    @property
    def capacities(self) -> tuple[int, ...]:
        """Return how many items there was room for at each length; only of a list or tuple."""
        if self.kind not in ("list", "tuple"):
            return ()
        return tuple((size - self.sizes[0]) // _POINTER for size in self.sizes)

    @property
    def steps(self) -> tuple[int, ...]:
        """Return the different capacities, or sizes in bytes, in the order they were met."""
        return tuple(dict.fromkeys(self.capacities or self.sizes))

    @property
    def copies_per_item(self) -> float:
        """Return how many items were moved for each one added, if every growth moves all."""
        return sum(at - 1 for at in self.moved) / max(len(self.sizes) - 1, 1)

    def __str__(self) -> str:
        """Write it as text: a line for each growth."""
        unit = "room for" if self.capacities else "bytes"
        lines = [f"{self.kind} by {self.how}, up to {len(self.sizes) - 1} items"]
        values = self.capacities or self.sizes
        for at in (0, *self.moved):
            lines.append(f"  {at:6} items: {unit} {values[at]:6}, {self.sizes[at]:8} bytes")
        same = "the same object all the way" if self.same else "another object each time"
        lines.append(
            f"{len(self.moved)} growths, at most {self.copies_per_item:.2f} items moved for each "
            f"one added; {same}."
        )
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        more = {"steps": list(self.steps), "copies_per_item": self.copies_per_item}
        return {**asdict(self), **more}


_Add = Callable[[Any, int], Any]


def _in_place(name: str, make: Callable[[int], Any] = int) -> _Add:
    def add(held: Any, item: int) -> Any:
        getattr(held, name)(make(item))
        return held

    return add


def _set_item(held: Any, item: int) -> Any:
    held[item] = item
    return held


def _plus(held: Any, item: int) -> Any:
    return (*held, item)


_WAYS: dict[str, tuple[type, str, _Add, str]] = {
    "list": (list, "append", _in_place("append"), "pop"),
    "tuple": (tuple, "(*t, item)", _plus, ""),
    "dict": (dict, "d[key] = value", _set_item, "popitem"),
    "set": (set, "add", _in_place("add"), "pop"),
    "bytearray": (bytearray, "append", _in_place("append", lambda n: n % 256), "pop"),
}


def growth(kind: str = "list", n: int = 100) -> Growth:
    """Add items to an empty container one by one, and take them away again.

    Args:
        kind: list, tuple, dict, set or bytearray.
        n: how many items.

    Raises:
        LensError: another kind, or fewer than one item.

    Cost:
        O(n); O(n²) for a tuple, which is what it shows.

    Example:
        >>> growth("list", 92).steps
        (0, 4, 8, 16, 24, 32, 40, 52, 64, 76, 92)

    """
    if str(kind) not in _WAYS:
        known, near = ", ".join(_WAYS), suggest(str(kind), _WAYS)
        raise LensError(f"growth of {kind!r} is not known, of {known} it is.{near}")
    if n not in range(1, 1_000_001):
        raise LensError(f"growth over {n!r} items is not measured. Ask for 1 to 1,000,000.")
    n, (make, how, add, take) = int(n), _WAYS[kind]
    held = first = make()
    sizes = [held.__sizeof__()]
    for item in range(n):
        held = add(held, item)
        sizes.append(held.__sizeof__())
    same = held is first
    shrinking: list[int] = []
    while take and len(held):
        shrinking.append(held.__sizeof__())
        getattr(held, take)()
    if take:
        shrinking.append(held.__sizeof__())
    moved = tuple(at for at in range(1, n + 1) if sizes[at] != sizes[at - 1])
    return Growth(kind, how, tuple(sizes), tuple(shrinking), moved, same)
