"""`FrozenDict`: a mapping that nothing can change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, NoReturn, TypeVar, cast

from anypart.base.errors import FreezeError

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(tuple[Any], Mapping[K, V]):
    """A mapping that nothing can change; it has a hash if its values have one.

    It is a tuple underneath, so there is no attribute that could be set, not even by
    `object.__setattr__`. So `json.dumps` takes it for a list of its keys: `thaw` it first.

    Example:
        >>> limits = FrozenDict({"rows": 3})
        >>> limits["rows"], limits | {"cols": 2}
        (3, FrozenDict({'rows': 3, 'cols': 2}))
        >>> limits["rows"] = 4
        Traceback (most recent call last):
            ...
        anypart.base.errors.FreezeError: a frozen mapping cannot be changed. Make \
another: frozen | {'rows': ...}.

    """

    __slots__ = ()

    def __new__(cls, items: Mapping[K, V] | None = None) -> FrozenDict[K, V]:
        """Copy a mapping; its values are taken as they are."""
        return tuple.__new__(cls, (MappingProxyType(dict(items or {})),))

    @property
    def _held(self) -> Mapping[K, V]:
        return cast(Mapping[K, V], tuple.__getitem__(self, 0))

    def __getitem__(self, key: Any) -> Any:
        return self._held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key: object) -> bool:
        return key in self._held

    def __reversed__(self) -> Iterator[Any]:
        return reversed(list(self._held))

    def __eq__(self, other: object) -> bool:
        # A copy, because the other side of a comparison is handed what it is compared with.
        return dict(self) == dict(other) if isinstance(other, Mapping) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(frozenset(self._held.items()))

    def __or__(self, other: Mapping[Any, Any]) -> FrozenDict[Any, Any]:
        return FrozenDict({**self, **other})

    def __repr__(self) -> str:
        return f"FrozenDict({dict(self)!r})"

    def __reduce__(self) -> Any:
        return FrozenDict, (dict(self),)

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __deepcopy__(self, memo: Any) -> FrozenDict[K, V]:
        return FrozenDict({deepcopy(k, memo): deepcopy(v, memo) for k, v in self.items()})

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise FreezeError(
            f"a frozen mapping cannot be changed. Make another: frozen | {{{key!r}: ...}}."
        )

    def __delitem__(self, key: Any) -> NoReturn:
        raise FreezeError(
            "a frozen mapping cannot be changed. Make another without "
            f"{key!r}: FrozenDict({{k: v for k, v in frozen.items() if k != {key!r}}})."
        )

    def __add__(self, other: Any) -> NoReturn:
        raise FreezeError("mappings are not added. Use frozen | other.")

    __mul__ = __rmul__ = __add__

    def __lt__(self, other: Any) -> Any:
        return NotImplemented

    __le__ = __gt__ = __ge__ = __lt__
