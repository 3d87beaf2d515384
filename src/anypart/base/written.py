"""Numbers, shares and values of cells as people read them."""

from __future__ import annotations

import datetime
import unicodedata
from collections.abc import Mapping
from typing import Any


def percent(share: float) -> str:
    """Write a probability so that neither 0 nor 1 is claimed where it is not so.

    Example:
        >>> percent(0.1234), percent(0.00004), percent(0.99999), percent(1.0)
        ('12.3 %', '< 0.1 %', '> 99.9 %', '100 %')

    """
    if share in (0.0, 1.0):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.001:
        return "< 0.1 %"
    if share > 0.999:
        return "> 99.9 %"
    return f"{share * 100:.1f} %"


def number(value: Any) -> str:
    r"""Write a cell's value: four digits that matter, dates as dates, nothing as a dash.

    Example:
        >>> number(3750.0), number(0.123456), number(1234567.0), number(None), number("a\nb")
        ('3750', '0.1235', '1234567', '–', 'a b')
        >>> number(1e99)
        '1e+99'

    """
    if value is None or value != value:  # NaN
        return "–"
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat(*([" ", "seconds"] if isinstance(value, datetime.datetime) else []))
    if isinstance(value, float):
        return f"{value:.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.4g}"
    # Escape codes of a terminal, in a table of somebody else's, must not reach the terminal.
    return "".join(c if c.isprintable() else " " for c in str(value))


def shares(weights: Mapping[str, float]) -> str:
    """Write the members of a mixture with their weights.

    Example:
        >>> shares({"hidden_tree_1": 0.8, "chow_liu": 0.2})
        'hidden_tree_1 80.0 %, chow_liu 20.0 %'

    """
    return ", ".join(f"{name} {percent(weight)}" for name, weight in weights.items())


def cell_width(text: str) -> int:
    """Count the places that a text takes on a screen: Chinese characters take two.

    Example:
        >>> cell_width("any"), cell_width("任意")
        (3, 4)

    """
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
