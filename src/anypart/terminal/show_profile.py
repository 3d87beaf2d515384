"""A profile on the screen: each column, how it is modelled, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anypart.base.written import number, percent
from anypart.terminal.screen import count, grid, print_json, screen

if TYPE_CHECKING:
    from anypart.data.profile import ColumnProfile, Profile

LEFT_OUT = ("key", "constant", "text")


def show_profile(found: Profile, *, as_json: bool) -> None:
    """Print what a table holds."""
    if as_json:
        print_json(found.to_json())
        return
    modelled = sum(c.kind not in LEFT_OUT for c in found.columns)
    console = screen()
    rows, columns = count(found.n_rows, "row"), count(len(found.columns), "column")
    drawn = grid(f"{found.name}: {rows}, {columns}, {modelled:,} modelled")
    drawn.add_column("column", overflow="fold")
    drawn.add_column("kind")
    drawn.add_column("why")
    drawn.add_column("missing", justify="right")
    drawn.add_column("values")
    for column in found.columns:
        drawn.add_row(
            number(column.name),
            column.kind,
            number(column.reason),
            percent(column.missing_share) if column.missing_share else "",
            number(_values(column)),
            style="dim" if column.kind in LEFT_OUT else "",
        )
    console.print(drawn)
    for column in found.columns:
        for warning in column.warnings:
            console.print(number(f"{column.name}: {warning}"))
    for note in found.notes:
        console.print(number(note))
    if found.excerpt:
        first, last = found.excerpt.start, found.excerpt.stop - 1
        console.print(
            f"Rows {first:,} to {last:,}, counted from 0, show every category that is not rare.",
            style="dim",
        )
    console.print("Another kind: --kind column=kind, when profiling and fitting.", style="dim")


def _values(column: ColumnProfile) -> str:
    if column.quantiles:
        least, _, median, _, greatest = column.quantiles
        return f"{least} to {greatest}, median {median}"
    shown = ", ".join(f"{value} {percent(share)}" for value, share in column.top[:3])
    more = column.n_distinct - min(len(column.top), 3)
    return f"{shown}, {more:,} more" if more > 0 else shown
