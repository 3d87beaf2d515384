"""A torch module by the name of the Python function that makes it: `package.module:factory`."""

from __future__ import annotations

import importlib
import re
import sys
from typing import TYPE_CHECKING

from anypart.base.errors import LensError, suggest

if TYPE_CHECKING:
    from torch import nn

_NAME = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


def names_module(text: str) -> bool:
    """Say whether a text is module:factory and not a spec of layers.

    Example:
        >>> names_module("torchvision.models:resnet50"), names_module("top:conv 3")
        (True, False)

    """
    return _NAME.fullmatch(text.strip()) is not None


def load_module(text: str) -> nn.Module:
    """Import and call the factory; the folder one stands in is searched as well.

    Args:
        text: `package.module:factory`; the factory takes no arguments.

    Returns:
        The module, in evaluation.

    Raises:
        LensError: no such Python module or factory, or what it makes is no torch module.

    """
    from torch import nn

    home, _, factory = text.strip().partition(":")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(home)
    except ImportError as error:
        raise LensError(
            f"{text!r}: cannot import {home} ({error}). "
            "Stand in the folder it is in, or install it."
        ) from None
    make = getattr(found, factory, None)
    if not callable(make):
        raise LensError(f"{home} has no function {factory!r}.{suggest(factory, vars(found))}")
    made = make if isinstance(make, nn.Module) else make()
    if not isinstance(made, nn.Module):
        raise LensError(f"{text!r} made {type(made).__name__}, not a torch module.")
    return made.eval()
