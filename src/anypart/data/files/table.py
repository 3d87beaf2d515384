"""`Table`: named columns and a way to stream their rows again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from anypart.base.errors import AnypartError, DataError

#: What a reader may raise on a damaged source; every such error becomes a `DataError`.
#: RuntimeError is there because bindings raise it bare.
SOURCE_ERRORS = (
    pa.ArrowException,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    RuntimeError,
)

SHOWN_NAMES = 20


@dataclass(frozen=True)
class Table:
    """Rows that can be streamed as often as asked, in the same order.

    Args:
        name: what to call it in messages, such as the file's name.
        arrow: names and types of the columns; text sources have string columns only,
            and `infer_schema` finds what the strings are.
        source: opens the stream: rows a batch → batches of `arrow`'s columns.
        n_rows: rows, if known without reading them all.
        notes: what was changed or guessed in reading, for people.

    """

    name: str
    arrow: pa.Schema
    source: Callable[[int], Iterable[pa.RecordBatch]]
    n_rows: int | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show the name, the number of rows if it is known, the columns and the notes."""
        rows = "" if self.n_rows is None else f"{self.n_rows:,} rows, "
        names = ", ".join(self.arrow.names[:SHOWN_NAMES])
        names += ", …" if len(self.arrow.names) > SHOWN_NAMES else ""
        first = f"{self.name}: {rows}{len(self.arrow.names):,} columns ({names})"
        return "\n".join([first, *(f"  {note}" for note in self.notes)])

    def batches(self, size: int = 65536) -> Iterator[pa.RecordBatch]:
        """Stream the rows from the first one, at most `size` a batch, in constant memory.

        Raises:
            DataError: the source is damaged further on, or changed since it was opened.

        """
        try:
            for batch in self.source(size):
                for start in range(0, batch.num_rows, size):
                    yield batch.slice(start, size)
        except AnypartError:
            raise
        except SOURCE_ERRORS as error:
            raise DataError(f"{self.name} cannot be read to its end: {first_line(error)}") from None

    def to_arrow(self) -> pa.Table:
        """Read all rows into memory."""
        return pa.Table.from_batches(list(self.batches()), schema=self.arrow)


def first_line(error: BaseException) -> str:
    """Return what an error of a reader says, on one line of at most 300 characters."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]


def unique_names(names: Iterable[str]) -> tuple[list[str], tuple[str, ...]]:
    """Give every column a name of its own: `a, a, ''` → `a, a_2, column_3`.

    Returns:
        The names, and a note for every one that was changed.

    Example:
        >>> unique_names(["a", "a", ""])[0]
        ['a', 'a_2', 'column_3']

    """
    raw = [name.strip() for name in names]
    taken, out, notes = set(raw), list[str](), list[str]()
    used = set[str]()
    for position, name in enumerate(raw, 1):
        new = name or f"column_{position}"
        stem, number = new, 1
        while new in used or (new in taken and new != name):
            number += 1
            new = f"{stem}_{number}"
        if name and new != name:
            notes.append(f"column {position} is called {name!r} like another; it is {new!r} here")
        used.add(new)
        out.append(new)
    return out, tuple(notes[:20])
