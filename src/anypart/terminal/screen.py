"""What every command draws with: the consoles, tables and bars."""

from __future__ import annotations

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
