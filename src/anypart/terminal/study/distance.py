"""`anypart study distance`: has my data drifted, and by which measure of distance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from anypart.base.errors import QuestionError, suggest
from anypart.terminal.options import AsJson, File

if TYPE_CHECKING:
    from anypart.optim.distances import Measured
    from anypart.scores.drift import ColumnDrift, Drift

_NAMES = {
    "forward_kl": "forward KL(A‖B), nats",
    "reverse_kl": "reverse KL(B‖A), nats",
    "jensen_shannon": "Jensen-Shannon, nats",
    "total_variation": "total variation",
    "hellinger": "Hellinger",
    "wasserstein": "Wasserstein",
    "mmd": "MMD, squared",
}


def distance(
    first: File,
    second: File,
    /,
    *,
    measure: str = "total_variation",
    top: int = 30,
    seed: int = 0,
    json: AsJson = False,
) -> None:
    """Say how far two tables, two fits, or a fit and a table are apart: has my data drifted?

    anypart study distance last_year.csv this_year.csv
    anypart study distance my_fit/ new_rows.csv --measure forward_kl

    Args:
        first: a table or a saved fit: A.
        second: a table or a saved fit: B.
        measure: of the columns: forward_kl, reverse_kl, jensen_shannon, total_variation or
            hellinger; numbers show Wasserstein beside it.
        top: columns shown.
        seed: of the rows that are looked at and dealt.
        json: print JSON, for programs: every measure of every column.

    """
    if measure not in list(_NAMES)[:5]:
        raise QuestionError(
            f"--measure {measure!r} is none of columns; there are {', '.join(list(_NAMES)[:5])}."
            f"{suggest(measure, _NAMES)}"
        )
    from anypart.scores.drift import drift

    found = drift(_opened(first), _opened(second), seed=seed)
    if json:
        from anypart.terminal.screen import print_json

        print_json(found.to_dict())
    else:
        _show(found, measure, top)


def _opened(path: File) -> Any:
    import anypart

    return anypart.load(path) if Path(path).expanduser().is_dir() else anypart.read(path)


def _show(found: Drift, measure: str, top: int) -> None:
    from anypart.base.written import number
    from anypart.terminal.screen import grid, screen

    for side, (name, rows) in zip("AB", (found.first, found.second), strict=True):
        print(f"{side}: {number(name)}, {rows:,} rows looked at")
    drawn = grid(
        f"Columns by {_NAMES[measure]}",
        "± standard error; 'one source' is what 95 % of pairs from one source stay below.",
    )
    drawn.add_column("column", overflow="fold")
    drawn.add_column("kind")
    for head in ("distance", "one source", "Wasserstein", "one source", "empty A → B", "p"):
        drawn.add_column(head, justify="right")
    drawn.add_column("")
    for column in found.columns[:top]:
        drawn.add_row(*_line(column, measure), style="bold" if column.drifted else None)
    screen().print(drawn)
    for column in found.columns[:top]:
        if column.figures[measure].value is None:
            print(f"{number(column.name)}: refused, {number(column.figures[measure].reason)}.")
    if len(found.columns) > top:
        print(f"… and {len(found.columns) - top:,} columns more. --top shows them.")
    _show_joint(found)
    for note in found.notes:
        print(number(note))
    named = [c.name for c in found.columns if c.drifted]
    many = f"{len(named)} of {len(found.columns)} columns have drifted"
    print(f"{many}: {number(', '.join(named[:12]))}." if named else "No column has drifted.")


def _line(column: ColumnDrift, measure: str) -> list[str]:
    from anypart.base.written import number, percent

    figure, line = column.figures[measure], column.figures["wasserstein"]
    empty = " → ".join(map(percent, column.missing)) if any(column.missing) else ""
    return [
        number(column.name),
        column.kind,
        _figure(figure),
        "" if figure.noise is None else number(figure.noise),
        "" if line.value is None else _figure(line),
        "" if line.noise is None else number(line.noise),
        empty,
        number(column.p_value),
        "drifted" if column.drifted else "",
    ]


def _figure(figure: Measured) -> str:
    from anypart.base.written import number

    if figure.value is None:
        return "refused"
    return number(figure.value) + (f" ± {number(figure.error)}" if figure.error else "")


def _show_joint(found: Drift) -> None:
    from anypart.base.written import number
    from anypart.terminal.screen import grid, screen

    drawn = grid("Whole rows")
    drawn.add_column("distance")
    drawn.add_column("found", justify="right")
    drawn.add_column("one source", justify="right")
    drawn.add_column("p", justify="right")
    drawn.add_column("why not", overflow="fold")
    for name, figure in found.joint.items():
        noise, p = (("" if x is None else number(x)) for x in (figure.noise, figure.p_value))
        drawn.add_row(_NAMES[name], _figure(figure), noise, p, figure.reason)
    screen().print(drawn)
