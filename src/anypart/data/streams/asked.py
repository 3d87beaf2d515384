"""What is asked of a stream, checked when it is asked and not when it is read."""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from anypart.base.errors import DataError


def positive(what: str, size: Any) -> int:
    """Return a size, or say that it is none.

    Raises:
        DataError: it is below 1, too large to be counted, or no whole number.

    """
    if not isinstance(size, int | np.integer):
        raise DataError(f"{what} of {size!r} items is none. Use a whole number from 1 on.")
    if size < 1:
        raise DataError(f"{what} of {size} items holds nothing. Use 1 or more.")
    if size > sys.maxsize:
        raise DataError(f"{what} of {size} items is more than this machine can count. Use less.")
    return int(size)


def whole(name: str, number: Any) -> int:
    """Return a whole number, or say that it is none.

    Raises:
        DataError: it is no whole number.

    """
    if not isinstance(number, int | np.integer):
        raise DataError(f"{name}={number!r} is no whole number.")
    return int(number)


def function_of_item(function: Any) -> Callable[[Any], Any]:
    """Return a function, or say that it is none.

    Raises:
        DataError: it cannot be called.

    """
    if not callable(function):
        raise DataError(f"{function!r} is no function. Give one that takes an item.")
    return function


def sendable(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that can be sent to another process, or say that it cannot.

    Raises:
        DataError: it cannot: a lambda, or a function inside another one.

    """
    try:
        pickle.dumps(function)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise DataError(
            f"{function!r} cannot be sent to a worker process ({error}). Use a function that "
            "stands in a module, or threads (processes=False)."
        ) from None
    return function
