"""`kernel`: integer loops compiled to machine code, kept on disk from one process to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., Any])


def kernel(loop: Loop) -> Loop:
    """Compile a loop over integers; its first call compiles, later processes load it.

    Compiling takes a second or two a loop and loading some milliseconds, so only modules
    that are imported when a large array is at hand may use this: never at the start.
    """
    try:
        return cast(Loop, numba.njit(loop, cache=True, nogil=True))
    except RuntimeError:  # the source lies where nothing can be kept beside it, as in a zip
        return cast(Loop, numba.njit(loop, nogil=True))
