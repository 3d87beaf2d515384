"""What every command draws with: the consoles, numbers and bars as people read them."""

from __future__ import annotations

import datetime
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from anypart.terminal.output import to_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@cache
def screen() -> Console:
    """Return the console of stdout; lines that go into a pipe are not folded."""
    from rich.console import Console

    wide = None if sys.stdout.isatty() else 160
    # A cell that holds "[red]" or ":bug:" is shown as it is.
    return Console(highlight=False, markup=False, emoji=False, width=wide)


def print_json(value: Any) -> None:
    """Print a value as one line of strict JSON."""
    print(to_json(value))


def grid(title: str | None = None, caption: str | None = None) -> Table:
    """Make an empty table in the one style that all commands share."""
    from rich import box
    from rich.table import Table

    return Table(
        title=title,
        caption=caption,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
        caption_style="dim",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )


def bar(share: float, width: int = 24) -> str:
    """Draw a share in [0, 1] as a bar of blocks.

    Example:
        >>> bar(0.5, width=4)
        '██'
        >>> bar(0.0)
        ''

    """
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


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


def count(n: int, thing: str) -> str:
    """Write how many there are.

    Example:
        >>> count(1, "row"), count(1200, "row")
        ('1 row', '1,200 rows')

    """
    return f"{n:,} {thing}" + "s" * (n != 1)


def duration(seconds: float) -> str:
    """Write a time as minutes and seconds.

    Example:
        >>> duration(75.2), duration(4000)
        ('1:15', '1:06:40')

    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
