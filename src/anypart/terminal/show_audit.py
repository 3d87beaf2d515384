"""Single cells on the screen: suspicious ones, and filled ones with their probability."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anypart.base.written import number, percent
from anypart.terminal.output import writing
from anypart.terminal.screen import grid, screen
from anypart.terminal.show_answer import worth

if TYPE_CHECKING:
    import pyarrow as pa

    from anypart.queries.answer import Answer
    from anypart.queries.completing import Filled

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


class FilledCells:
    """Watches completed rows pass: writes their filled cells to a file, or keeps the first.

    Args:
        path: where all of them go; None to keep the first 50 to be shown.

    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.n_cells = 0
        self.unknown = Counter[str]()
        self._kept: list[pa.Table] = []
        self._stack = ExitStack()

    def __enter__(self) -> FilledCells:
        """Open the file."""
        self._write = self._stack.enter_context(writing(self.path)) if self.path else None
        return self

    def __exit__(self, *error: Any) -> None:
        """Replace the old file if all went well."""
        self._stack.__exit__(*error)

    def passing(self, blocks: Iterable[Filled]) -> Iterator[pa.Table]:
        """Pass the rows on, take their cells and count values that the fit does not know."""
        for block in blocks:
            if self._write:
                self._write(block.cells)
            elif self.n_cells < MOST_CELLS:
                self._kept.append(block.cells.sort_by("row").slice(0, MOST_CELLS - self.n_cells))
            self.n_cells += block.cells.num_rows
            self.unknown.update(block.unknown)
            yield block.table

    @property
    def first(self) -> list[dict[str, Any]]:
        """The first cells, by row."""
        return [cell for table in self._kept for cell in table.to_pylist()]


def show_filled(cells: list[dict[str, Any]], n_cells: int, answer: Answer) -> None:
    """Print the cells that were filled, each with its probability given its row.

    Args:
        cells: the first of them.
        n_cells: how many there are.
        answer: one of the same kind, for what it is worth.

    """
    drawn = grid(
        f"{n_cells:,} cells were filled",
        "Rows are counted from 0. The probability is of the value or its interval. "
        f"{worth(answer).capitalize()}.",
    )
    drawn.add_column("row", justify="right")
    drawn.add_column("column", overflow="fold")
    drawn.add_column("value", overflow="fold")
    drawn.add_column("probability", justify="right")
    for cell in cells:
        drawn.add_row(
            f"{cell['row']:,}",
            number(cell["column"]),
            number(cell["value"]),
            percent(cell["probability"]),
        )
    screen().print(drawn)
    if n_cells > len(cells):
        print(f"… and {n_cells - len(cells):,} more. Write them all with --cells FILE.")
