"""Smooth stand-ins for functions and metrics that have no useful derivative.

Every function is hard and soft under one name: `max(x, 0.1)` is smooth, `max(x, 0)` is the
maximum itself, `max.bound(x, 0.1)` says how far apart the two can be, and
`max.straight_through(x, 0.1)` is hard with the derivative of the soft one. torch is
imported when the first of them is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anypart.calculus.smoothing.choices import argmax, one_hot_argmax, regret, top_k_mask
    from anypart.calculus.smoothing.contract import Smooth
    from anypart.calculus.smoothing.extremes import abs, clip, max, min
    from anypart.calculus.smoothing.orders import median, quantile, rank, sort, top_k
    from anypart.calculus.smoothing.steps import floor, greater, round, sign, step

_HOMES = {
    "choices": ("argmax", "one_hot_argmax", "regret", "top_k_mask"),
    "contract": ("Smooth",),
    "extremes": ("abs", "clip", "max", "min"),
    "orders": ("median", "quantile", "rank", "sort", "top_k"),
    "steps": ("floor", "greater", "round", "sign", "step"),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Smooth",
    "abs",
    "argmax",
    "clip",
    "floor",
    "greater",
    "max",
    "median",
    "min",
    "one_hot_argmax",
    "quantile",
    "rank",
    "regret",
    "round",
    "sign",
    "sort",
    "step",
    "top_k",
    "top_k_mask",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'anypart.calculus.smoothing' has no attribute {name!r}")
    return getattr(import_module(f"anypart.calculus.smoothing.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
