"""`anypart audit`, `dependence`, `evaluate` and `report`: look at a table through its fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anypart.base.errors import DataError
from anypart.terminal.options import AsJson, File, Output, Whole
from anypart.terminal.output import check_output


def audit(
    folder: Path,
    table: File,
    /,
    *,
    top: Whole = 20,
    output: Output = None,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Show the cells that the rest of their row speaks against, and what was expected.

    Args:
        folder: a saved fit.
        table: the rows to look through; any file that `anypart fit` reads.
        top: how many cells.
        output: a file, its format by its ending; shown if not given.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs.

    """
    import anypart
    from anypart.terminal.show_audit import show_audit
    from anypart.terminal.show_rows import deliver

    check_output(output)
    found = anypart.load(folder).audit(anypart.read(table, query=query), top=top)
    if output or json:
        deliver([found.value], output, as_json=json)
    else:
        show_audit(found)


def dependence(folder: Path, /, *, top: Whole = 20, json: AsJson = False) -> None:
    """Show which columns say most about which, in nats.

    Args:
        folder: a saved fit.
        top: how many pairs.
        json: print JSON, for programs: all pairs.

    """
    import anypart
    from anypart.terminal.screen import print_json
    from anypart.terminal.show_answer import answer_to_json, worth
    from anypart.terminal.show_scores import show_pairs

    if top < 1:
        raise DataError(f"The {top} strongest pairs were asked. Ask for 1 or more.")
    found = anypart.load(folder).dependence()
    if json:
        print_json(answer_to_json(found))
        return
    pairs = [(p["first"], p["second"], p["nats"]) for p in found.value.to_pylist()]
    show_pairs(pairs, top, worth(found))


def evaluate(
    folder: Path,
    table: File,
    /,
    *,
    fitted_on: File | None = None,
    seed: Whole = 0,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Measure a fit on rows that it has not seen.

    Args:
        folder: a saved fit.
        table: rows that were not fitted; any file that `anypart fit` reads.
        fitted_on: the table that was fitted, to see whether drawn rows give its rows away.
        seed: of the cells that are hidden and the rows that are drawn.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs.

    """
    import anypart
    from anypart.scores import evaluate as measure
    from anypart.terminal.show_scores import show_scores

    source = anypart.read(table, query=query)
    scores = measure(anypart.load(folder), source, seed=seed, fitted_on=fitted_on)
    show_scores(scores, as_json=json)


def report(
    folder: Path,
    table: File,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])] = Path("report.html"),
    held_out: File | None = None,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Write a page about a table and its fit, that opens without a network.

    Args:
        folder: a saved fit.
        table: the table that was fitted, or another with its columns.
        output: the HTML file.
        held_out: a table of rows that were not fitted, for the scores; the table is then
            taken as the one that was.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs: what was written.

    """
    import anypart
    from anypart.scores import evaluate as measure
    from anypart.studio import report as write_report
    from anypart.terminal.show_rows import tell_written

    check_output(output, page=True)
    fitted = anypart.load(folder)
    source = anypart.read(table, query=query)
    scores = measure(fitted, held_out, fitted_on=source) if held_out else None
    write_report(fitted, source, output, scores=scores)
    tell_written(output, None, as_json=json)
