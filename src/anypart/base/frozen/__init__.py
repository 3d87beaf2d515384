"""Frozen values: deep immutability, what two structures share, what a structure costs."""

from anypart.base.frozen.freeze import FrozenArray, freeze, is_frozen, thaw
from anypart.base.frozen.mapping import FrozenDict
from anypart.base.frozen.walk import Sharing, footprint, shared

__all__ = [
    "FrozenArray",
    "FrozenDict",
    "Sharing",
    "footprint",
    "freeze",
    "is_frozen",
    "shared",
    "thaw",
]
