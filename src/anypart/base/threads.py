"""How many threads a matrix product takes."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


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
