"""`anypart study window`: the shortest stretch that covers what is required, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson
from anypart.terminal.output import check_output

if TYPE_CHECKING:
    from anypart.data.windows import Window

Page = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]
Flag = Annotated[bool, Parameter(negative=())]
_MOST = 20  # items that are shown


def window(
    sequence: str,
    required: str,
    /,
    *,
    column: str = "",
    every: Annotated[bool, Parameter(name="--all", negative=())] = False,
    trace: Flag = False,
    output: Page = None,
    json: AsJson = False,
) -> None:
    """Find the shortest window that covers all that is required, repeated as often.

    anypart study window ADOBECODEBANC ABC --trace
    anypart study window visits.csv ann,bob,ann --column user

    Args:
        sequence: a text, or a table with --column.
        required: its characters; with --column, values with commas between them, "quoted"
            if they have commas themselves.
        column: of the table, in the order of its rows.
        every: all minimal windows, not only the shortest.
        trace: show how it is found, move by move.
        output: an HTML page with a slider over the moves.
        json: print JSON, for programs.

    """
    from anypart.data.windows import minimal_windows, shortest_window, trace_window

    items: Any = _cells(sequence, column) if column else sequence
    wanted: Any = _listed(required) if column else required
    if output or trace:
        from anypart.studio.traces import window_page
        from anypart.terminal.study.python import deliver

        check_output(output, page=True)
        traced = trace_window(items, wanted)
        deliver(traced, output, json, lambda: window_page(traced))
        return
    found = list(minimal_windows(items, wanted)) if every else [shortest_window(items, wanted)]
    if json:
        from dataclasses import asdict

        from anypart.terminal.screen import print_json

        made = [None if one is None else asdict(one) for one in found]
        print_json(made if every else made[0])
        return
    for one in found or [None]:
        print(_said(items, one))


def _listed(words: str) -> list[str]:
    import csv

    return [word.strip() for word in next(csv.reader([words], skipinitialspace=True), [])]


def _cells(path: str, column: str) -> list[str | None]:
    import pyarrow as pa

    from anypart.base.errors import ColumnError, suggest
    from anypart.data.files import read
    from anypart.data.values import words

    table = read(path)
    if column not in table.arrow.names:
        raise ColumnError(
            f"{table.name} has no column {column!r} ({len(table.arrow)} columns)."
            + suggest(column, table.arrow.names)
        )
    rows = table.to_arrow()[column]
    return words(rows, pa.string()).to_pylist()


def _said(items: Any, window: Window | None) -> str:
    if window is None:
        return "no window covers what is required"
    if not window.length:
        return "nothing is required: the empty window covers it"
    inside = items[window.start : window.stop]
    glue = "" if isinstance(items, str) else " "
    shown = glue.join(map(str, inside[:_MOST])) + (" …" if len(inside) > _MOST else "")
    return f"{window.start} … {window.stop - 1}  ({window.length:,})  {shown}"
