"""Single cells on the screen: suspicious ones, and filled ones with their probability."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anypart.terminal.screen import grid, number, percent, screen
from anypart.terminal.show_answer import worth

if TYPE_CHECKING:
    import pyarrow as pa

    from anypart.queries.answer import Answer

MOST_CELLS = 50


def said_side(beyond: str | None) -> str:
    """Say on which side of the training rows a value lies: `, above all others`."""
    return f", {beyond} all others" if beyond else ""


def show_audit(found: Answer) -> None:
    """Print the cells that the rest of their row speaks against."""
    drawn = grid(
        found.question,
        "Surprise: nats above what chance brings on average. Rows are counted from 0. "
        f"{worth(found).capitalize()}.",
    )
    drawn.add_column("row", justify="right")
    drawn.add_column("column", overflow="fold")
    drawn.add_column("value", overflow="fold")
    drawn.add_column("probability", justify="right")
    drawn.add_column("expected", overflow="fold")
    drawn.add_column("its probability", justify="right")
    drawn.add_column("surprise", justify="right")
    for cell in found.value.to_pylist():
        drawn.add_row(
            f"{cell['row']:,}",
            number(cell["column"]),
            f"{number(cell['value'])}{said_side(cell['beyond'])}",
            percent(cell["probability"]),
            number(cell["expected"]),
            percent(cell["expected_probability"]),
            f"{cell['surprise']:.2f}",
        )
    screen().print(drawn)


def show_filled(cells: pa.Table, answer: Answer) -> None:
    """Print the cells that were filled, each with its probability given its row."""
    drawn = grid(
        f"{cells.num_rows:,} cells were filled",
        "Rows are counted from 0. The probability is of the value or its interval. "
        f"{worth(answer).capitalize()}.",
    )
    drawn.add_column("row", justify="right")
    drawn.add_column("column", overflow="fold")
    drawn.add_column("value", overflow="fold")
    drawn.add_column("probability", justify="right")
    for cell in cells.slice(0, MOST_CELLS).sort_by("row").to_pylist():
        drawn.add_row(
            f"{cell['row']:,}",
            number(cell["column"]),
            number(cell["value"]),
            percent(cell["probability"]),
        )
    screen().print(drawn)
    if cells.num_rows > MOST_CELLS:
        print(f"… and {cells.num_rows - MOST_CELLS:,} more. Write them all with --cells FILE.")
