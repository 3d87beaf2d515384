"""`on_cores`: one piece of work over the parts of an array, a part on each core."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

Part = TypeVar("Part")
Found = TypeVar("Found")
LEAST = 1 << 18  # values a core: to hand work over costs as much as some ten thousand values
LEAD = 1 << 16  # values that the caller's part has more: it begins first, and none should wait
_kept: list[ThreadPoolExecutor] = []  # none or one: to start threads costs more than their work
_keeping = threading.Lock()


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS and Windows do not tell


def parts(n: int, most: int | None = None) -> list[slice]:
    """Cut n values into as many parts as cores may take, at most `most`; at least one.

    All are even but for what the caller, who begins before the others, has more.

    Example:
        >>> parts(100)
        [slice(0, 100, None)]

    """
    n_parts = max(min(cores(), n // LEAST, n if most is None else most), 1)
    lead = min(LEAD, n // 8) if n_parts > 1 else 0
    bounds = [0, *(lead + (n - lead) * k // n_parts for k in range(1, n_parts + 1))]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]


def on_cores(work: Callable[[Part], Found], each: Iterable[Part]) -> list[Found]:
    """Do work that lets go of Python's lock on each part at once; results in the parts' order.

    The first part is done in the caller's thread, so one part starts none. The other threads
    are kept for the next call, and end before a fork: a forked process misses nothing. Work may
    not share out work of its own, or it could wait for the thread that it is in.
    """
    first, *others = each
    if not others:
        return [work(first)]
    with _keeping:
        if not _kept:
            _kept.append(ThreadPoolExecutor(max(cores() - 1, 1), "anypart"))
        waiting = [_kept[0].submit(work, part) for part in others]
    try:
        return [work(first), *(future.result() for future in waiting)]
    finally:
        wait(waiting)


def _end_threads() -> None:
    """End the threads, and start none until the lock is released after the fork."""
    _keeping.acquire()
    while _kept:
        _kept.pop().shutdown()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_end_threads,
        after_in_parent=_keeping.release,
        after_in_child=_keeping.release,
    )
