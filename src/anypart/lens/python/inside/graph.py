"""Names → objects at one moment, and what changed since the moment before.

An object keeps its number for as long as it can be told that it is the same one. Addresses
alone do not tell: CPython gives a dead object's address to the next one. So plain data
(numbers, strings, containers of such) is held, and everything else is held weakly, because
to keep it alive would move the moment at which a finaliser or a weak reference notices.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Iterable
from typing import Any

from .kinds import type_name
from .looks import ATOMS, DATA, Look, look

key = object.__hash__  # tells living objects apart as `id` does, without its audit event
MOST_PARTS = 60  # of one object that are told; the rest is compared, not shown
MOST_OBJECTS = 600  # of one moment
_MOST_HELD = 1 << 24  # bytes of data held after no name leads to it any more


Met = dict[int, tuple[Any, int, Look]]  # key → (object, its number, what it is made of)


class Numbers:
    """Gives each object a number, the same one for as long as it is the same object.

    Args:
        hold: False keeps nothing alive, for a snippet that counts references itself.

    """

    def __init__(self, hold: bool = True) -> None:
        self._hold = hold
        self._next = 0
        self.held: Met = {}
        self._parted: Met = {}  # held, though no name leads to them now: they may come back
        self._parted_bytes = 0
        self._weak: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._last: dict[int, tuple[type, int]] = {}

    def of(self, thing: Any) -> int:
        """Return the number of an object, a new one for an object not met before."""
        where = key(thing)
        held = self.held.get(where) or self._parted.get(where)
        if held is not None:  # an address that is held cannot be another object's
            return held[1]
        if where in self._weak and self._weak[where][0]() is thing:
            return self._weak[where][1]
        seen = self._last.get(where)
        # Neither held nor weakly held: the same address and type must do.
        if seen is not None and seen[0] is type(thing) and not (self._hold and _weakly(thing)):
            return seen[1]
        self._next += 1
        return self._next

    def settle(self, met: Met) -> None:
        """Hold what may be held of the objects of this moment, and let go of the rest."""
        self._last = {where: (type(one), n) for where, (one, n, _) in met.items()}
        if not self._hold:
            return
        data = _plain_data(met)
        self._part({where: held for where, held in self.held.items() if where not in met})
        self.held = {where: met[where] for where in data}
        for where, (one, number, _) in met.items():
            self._parted.pop(where, None)
            if where not in data and _weakly(one):
                self._weak[where] = (weakref.ref(one), number)

    def _part(self, gone: Met) -> None:
        """Hold on to what just went out of reach, unless it came to hold more than data."""
        inner = walk([one for one, _, _ in gone.values()], lambda _: 0, {})
        self._parted_bytes += sum(sys.getsizeof(one) for one, _, _ in inner.values())
        if self._parted_bytes > _MOST_HELD:
            self._parted.clear()
            self._parted_bytes = 0
            return
        data = _plain_data(inner)
        self._parted |= {where: held for where, held in gone.items() if where in data}


def _weakly(thing: Any) -> bool:
    try:
        weakref.ref(thing)
    except TypeError:
        return False
    return True


def _plain_data(met: Met) -> set[int]:
    """Return the addresses of data all of whose parts, to the last, are data."""
    above: dict[int, list[int]] = {}
    bad: list[int] = []
    for where, (one, _, found) in met.items():
        if type(one) not in DATA:
            bad.append(where)
        for _, part in found.parts:
            if type(part) not in ATOMS:
                above.setdefault(key(part), []).append(where)
                if key(part) not in met:
                    bad.append(where)  # not looked at, so nothing is known of it
                    break
    tainted = set(bad)
    while bad:
        for where in above.get(bad.pop(), ()):
            if where not in tainted:
                tainted.add(where)
                bad.append(where)
    return met.keys() - tainted


def walk(roots: Iterable[Any], number: Callable[[Any], int], before: Met) -> Met:
    """Look at every object that the roots lead to, nearest first, at most `MOST_OBJECTS`.

    Args:
        roots: objects.
        number: gives an object its number.
        before: what was met and held; an atom of it is not looked at again.

    """
    met: Met = {}
    queue = list(roots)
    for thing in queue:  # grows as it is read
        where = key(thing)
        if where in met or len(met) >= MOST_OBJECTS:
            continue
        if type(thing) in ATOMS and where in before:
            met[where] = before[where]
            continue
        found = look(thing)
        met[where] = (thing, number(thing), found)
        queue += [part for _, part in found.parts[:MOST_PARTS]]
    return met


Record = dict[str, Any]  # one object as JSON: id, type, address, kind, text, parts, n_parts
Sign = tuple[str, tuple[tuple[str, int], ...], tuple[int, ...]]


class Moments:
    """Compares the objects of each moment with those of the moment before.

    Args:
        hold: as in `Numbers`.

    """

    def __init__(self, hold: bool = True) -> None:
        self._numbers = Numbers(hold)
        self._signs: dict[int, Sign] = {}
        self._kinds: dict[int, str] = {}

    def take(self, roots: Iterable[Any]) -> tuple[Met, list[Record], list[Record]]:
        """Look at everything that the roots lead to.

        Returns:
            (what was met, records of objects that are new or no longer as they were,
            changes of objects that were there before).

        """
        met = walk(roots, self._numbers.of, self._numbers.held)
        fresh: list[Record] = []
        changes: list[Record] = []
        signs: dict[int, Sign] = {}
        for thing, number, found in met.values():
            sign = _sign(met, found)
            signs[number] = sign
            before = self._signs.get(number)
            if sign == before:
                continue
            if before is not None:
                if found.kind == "iterator":  # where it stands is said, its parts come and go
                    changes.append({"what": "advanced", "thing": number})
                else:
                    parts = _differences(before, sign, found.kind == "sequence")
                    changes.append({"what": "mutated", "thing": number, "parts": parts})
            fresh.append(
                {
                    "id": number,
                    "type": type_name(type(thing)),
                    "address": id(thing),
                    "kind": found.kind,
                    "text": found.text,
                    "parts": list(sign[1]),
                    "n_parts": len(found.parts),
                }
            )
        self._signs = signs
        self._numbers.settle(met)
        return met, fresh, changes


def _sign(met: Met, found: Look) -> Sign:
    shown = found.parts[:MOST_PARTS]
    parts = tuple((label, met[key(part)][1] if key(part) in met else 0) for label, part in shown)
    return found.text, parts, tuple(key(part) for _, part in found.parts[MOST_PARTS:])


def _differences(before: Sign, after: Sign, ordered: bool) -> list[list[Any]]:
    """List [label, number before or None, number after or None] of the parts that differ."""
    old, new = list(before[1]), list(after[1])
    if ordered:
        # An insertion moves all that follows; only what stands between is told.
        while old and new and old[0][1] == new[0][1]:
            del old[0], new[0]
        while old and new and old[-1][1] == new[-1][1]:
            del old[-1], new[-1]
    gone = [part for part in old if part not in new or ordered]
    come = [part for part in new if part not in old or ordered]
    later = {label: number for label, number in come if label}
    both = {label for label, _ in gone} & later.keys()
    told = [[label, number, later.get(label)] for label, number in gone]
    return told + [[label, None, number] for label, number in come if label not in both]
