"""`anypart sample`, `complete` and `score`: rows out, to a file or to look at."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from anypart.base.errors import DataError
from anypart.terminal.options import AsJson, File, Given, Output, Whole
from anypart.terminal.output import check_output


def sample(
    folder: Path,
    /,
    *,
    n: Annotated[Whole, Parameter(name=["-n", "--rows"])] = 10,
    output: Output = None,
    given: Given = None,
    with_missing: Annotated[bool, Parameter(negative=())] = False,
    seed: Whole = 0,
    json: AsJson = False,
) -> None:
    """Make rows like those of the table, all of them meeting the conditions.

    Args:
        folder: a saved fit.
        n: how many rows.
        output: a file, its format by its ending; shown if not given.
        given: what the rows must meet, as 'age > 50' or sex=Female; may be repeated.
        with_missing: leave gaps as the table has them.
        seed: of the draws.
        json: print JSON, for programs: one line for each row, or what was written.

    """
    import anypart
    from anypart.terminal.show_rows import deliver

    check_output(output)
    fitted = anypart.load(folder)
    made = fitted.sample_blocks(n, given=given or (), with_missing=with_missing, seed=seed)
    deliver(made, output, as_json=json)


def complete(
    folder: Path,
    table: File,
    /,
    *,
    output: Output = None,
    how: Literal["mode", "draw", "likely", "mean", "median"] = "mode",
    draws: Whole = 1,
    cells: Annotated[Path | None, Parameter(name="--cells")] = None,
    seed: Whole = 0,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Fill the empty cells of a table; what is there stays as it is.

    Args:
        folder: a saved fit.
        table: the table with gaps; any file that `anypart fit` reads.
        output: a file, its format by its ending; shown if not given.
        how: mode, mean, median: each cell for itself; draw: all cells of a row jointly;
            likely: the most likely row.
        draws: how many completed tables (with --how draw), one below the other.
        cells: a file for the filled cells and the probability of each.
        seed: of the draws.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs: one line for each row, or what was written.

    """
    import anypart
    from anypart.terminal.show_audit import FilledCells, show_filled
    from anypart.terminal.show_rows import deliver, tell_unknown, tell_written

    check_output(output)
    check_output(cells)
    if output and cells and output.absolute() == cells.absolute():
        raise DataError(f"-o and --cells both name {output}. Give each a file of its own.")
    fitted = anypart.load(folder)
    source = anypart.read(table, query=query)
    blocks = fitted.complete_blocks(source, how=how, draws=draws, seed=seed)
    with FilledCells(cells) as filled:
        deliver(filled.passing(blocks), output, as_json=json)
    tell_unknown(filled.unknown)
    if cells:
        tell_written(cells, filled.n_cells, as_json=json)
    elif not json and not output:
        nothing = fitted.complete(source.arrow.empty_table(), how=how)  # what answers are worth
        show_filled(filled.first, filled.n_cells, nothing)


def score(
    folder: Path,
    table: File,
    /,
    *,
    question: str | None = None,
    output: Output = None,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Say how likely each row is: its log-probability, or log-density, in nats.

    Args:
        folder: a saved fit.
        table: the rows; any file that `anypart fit` reads.
        question: as 'income | *' or '* | letter': how likely the asked cells of each row are
            given its given ones.
        output: a file, its format by its ending; shown if not given.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs: one line for each row, or what was written.

    """
    import anypart
    from anypart.terminal.show_rows import as_tables, deliver, tell_unknown

    check_output(output)
    fitted = anypart.load(folder)
    source = anypart.read(table, query=query)
    unknown = Counter[str]()
    scores = fitted.score_batches(source, question=question, unknown=unknown)
    deliver(as_tables(scores), output, as_json=json)
    tell_unknown(unknown)
