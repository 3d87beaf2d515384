"""`longest_runs`: the longest run of each group, such as each user's longest streak of days."""

# Arrow makes its compute functions when it is imported: no checker can see them.
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import DataError
from anypart.data.runs.find import runs_of
from anypart.data.runs.run import Run
from anypart.data.runs.values import Places, places_of


def longest_runs(groups: Any, values: Any, *, step: Any = None) -> dict[Hashable, Run]:
    """Find the longest run of the values of each group.

    Args:
        groups: (n,) the group of each value: anything with a hash; None is a group too.
        values: (n,) as in `longest_run`, without nulls.
        step: as in `longest_run`.

    Returns:
        Group → its longest run, the lowest of several; in the order in which the groups
        first appear.

    Raises:
        DataError: as many groups as values are needed; and as in `longest_run`.

    Cost:
        That of `runs` on n values: one run search over all groups together.

    Example:
        >>> users = ["ann", "bob", "ann", "ann", "bob"]
        >>> longest_runs(users, [3, 7, 1, 2, 9])
        {'ann': Run(start=1, stop=4), 'bob': Run(start=7, stop=8)}

    """
    codes, names = _coded(groups)
    places = places_of(values, step)
    keys = places.keys
    if len(codes) != len(keys):
        raise DataError(
            f"There are {len(codes):,} groups and {len(keys):,} values (nulls are no values). "
            "Give one group a value."
        )
    if not len(keys):
        return {}
    low, offsets, back = int(keys.min()), _offsets(keys, int(keys.min())), None
    stride = int(offsets.max()) + 2  # one place stays free between two groups
    if stride * len(names) >= 2**64:
        offsets, back = _pressed(offsets)
        stride = int(offsets.max()) + 2
    joint = codes.astype(np.uint64) * np.uint64(stride) + offsets
    found = runs_of(Places(joint))
    owner, first = np.divmod(found.starts, np.uint64(stride))
    lengths = found.lengths
    begins = np.flatnonzero(np.diff(owner, prepend=owner[:1] + np.uint64(1)))
    sizes = np.diff(begins, append=len(owner))
    most = np.repeat(np.maximum.reduceat(lengths, begins), sizes)
    best = np.flatnonzero(lengths == most)
    best = best[np.unique(owner[best], return_index=True)[1]]  # the first of equals
    firsts = first[best] if back is None else back[first[best]]
    made = zip(firsts.tolist(), lengths[best].tolist(), strict=True)
    return {
        name: places.run(low + start, length)
        for name, (start, length) in zip(names, made, strict=True)
    }


def _coded(groups: Any) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Number the groups in the order of their first appearance."""
    import pyarrow.compute as pc

    from anypart.data.values import column_of

    if hasattr(groups, "detach"):  # a torch tensor; torch itself need not be there
        groups = groups.detach().cpu().numpy()
    arrow = hasattr(groups, "__arrow_c_stream__") or hasattr(groups, "__arrow_c_array__")
    if not arrow and not (isinstance(groups, np.ndarray) and groups.dtype.kind in "iubfU"):
        return _numbered(groups.tolist() if isinstance(groups, np.ndarray) else groups)
    coded = pc.dictionary_encode(column_of(groups), null_encoding="encode")
    return np.asarray(coded.indices, np.int64), coded.dictionary.to_pylist()


def _numbered(groups: Any) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Number any items that have a hash."""
    if not isinstance(groups, Iterable):
        raise DataError(f"{groups!r} is no list of groups. Give one group a value.")
    numbers = dict[Hashable, int]()
    try:
        codes = [numbers.setdefault(g, len(numbers)) for g in cast("Iterable[Hashable]", groups)]
    except TypeError as error:
        raise DataError(
            f"A group cannot be told from others ({error}). Use what has a hash, such as a tuple "
            "of a list."
        ) from None
    return np.array(codes, np.int64), list(numbers)


def _offsets(keys: NDArray[Any], low: int) -> NDArray[np.uint64]:
    return keys.view(np.uint64) - np.uint64(low % 2**64)


def _pressed(offsets: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Close every gap between values to one place: neighbours stay neighbours, others apart.

    Returns:
        The pressed values, below 2n, and what a pressed value was.

    """
    ordered = np.unique(offsets)
    steps = np.minimum(np.diff(ordered), np.uint64(2))
    pressed = np.concatenate([[np.uint64(0)], np.cumsum(steps)])
    back = np.zeros(int(pressed[-1]) + 1, np.uint64)
    back[pressed] = ordered
    return pressed[np.searchsorted(ordered, offsets)], back
