"""`on_cores`: one piece of work over the parts of an array, a part on each core."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Found = TypeVar("Found")
LEAST = 1 << 18  # values a core: to start a thread costs as much as some ten thousand values


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # macOS and Windows do not tell


def parts(n: int, most: int | None = None) -> list[slice]:
    """Cut n values into as many even parts as cores may take, at most `most`; at least one.

    Example:
        >>> parts(100)
        [slice(0, 100, None)]

    """
    n_parts = max(min(cores(), n // LEAST, n if most is None else most), 1)
    bounds = [n * k // n_parts for k in range(n_parts + 1)]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]


def on_cores(work: Callable[[Part], Found], each: Iterable[Part]) -> list[Found]:
    """Do work that lets go of Python's lock on each part at once; results in the parts' order.

    The first part is done in the caller's thread, so one part starts none. Threads end with
    the call: a process that is forked afterwards misses nothing.
    """
    first, *others = each
    if not others:
        return [work(first)]
    with ThreadPoolExecutor(len(others)) as pool:
        waiting = [pool.submit(work, part) for part in others]
        return [work(first), *(future.result() for future in waiting)]
