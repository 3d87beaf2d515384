"""Threads: ours run side by side, so the matrix products in them take one each."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

T = TypeVar("T")
Item = TypeVar("Item")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def single_threaded_products() -> Generator[None]:
    """Let NumPy's matrix products use one thread while the block runs.

    The products here are small. Split over threads that wait for each other they are no
    faster on a quiet machine, and many times slower on one that does other work too.

    Cost:
        Some microseconds; the first time, some milliseconds to find the libraries.
    """
    with _controller().limit(limits=1, user_api="blas"):
        yield


def side_by_side(work: Callable[[Item], T], items: Iterable[Item]) -> list[T]:
    """Do some work for every item, on as many threads as there are processors.

    Matrix products let go of Python's lock, so that threads use all processors.

    Example:
        >>> side_by_side(abs, [-1, 2, -3])
        [1, 2, 3]

    """
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(work, items))
