"""`anypart decide`: labels that maximise an expected metric."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anypart.base.errors import DataError, QuestionError
from anypart.terminal.options import AsJson, File, Given, Output
from anypart.terminal.output import check_output


def decide(
    folder: Path,
    table: File,
    column: str,
    /,
    *,
    metric: str | None = None,
    positive: str | None = None,
    costs: Path | None = None,
    given: Given = None,
    output: Output = None,
    query: str | None = None,
    json: AsJson = False,
) -> None:
    """Choose labels for a column that are best for a metric: accuracy, F1, or your costs.

    Args:
        folder: a saved fit.
        table: the rows; any file that `anypart fit` reads. Its own values of the column, if
            it has any, are not looked at.
        column: whose labels are decided.
        metric: accuracy (if none is said), f1, f2, f0.5 or any other F-beta; macro-f1, its mean
            over all labels.
        positive: the label that F is about.
        costs: a JSON file, {decision: {truth: cost}}; then the metric is the cost.
        given: what else is known, as 'age > 50' or sex=Female; may be repeated.
        output: a file, its format by its ending; shown if not given.
        query: what to read from a SQLite or DuckDB file, as SQL.
        json: print JSON, for programs: one line for each row, or what was written.

    """
    import anypart
    from anypart.base.written import number
    from anypart.terminal.show_answer import worth
    from anypart.terminal.show_rows import deliver

    check_output(output)
    if costs and metric:
        raise QuestionError(
            f"Labels are decided by --metric {metric} or by --costs {costs}, not by both. "
            "Leave one of them out."
        )
    metric = metric or "accuracy"
    asked: Any = _read_costs(costs) if costs else metric
    found = anypart.load(folder).decide(
        anypart.read(table, query=query), column, asked, positive=positive, given=given or ()
    )
    deliver([found.value], output, as_json=json)
    if not json:
        said = found.details
        what = "Expected cost a row" if costs else f"Expected {metric}"
        print(f"{what} {number(said['expected'])}, if the fit is right; {worth(found)}.")
        if "chosen" in said:
            print(
                f"{said['positive']} is decided for {said['chosen']:,} of {len(found):,} rows, "
                f"down to a probability of {said['least_chosen']:.3f}."
            )


def _read_costs(file: Path) -> Any:
    from json import JSONDecodeError, loads

    try:
        costs = loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"--costs {file}: there is no such file.") from None
    except (OSError, UnicodeDecodeError, JSONDecodeError) as error:
        raise DataError(f"--costs {file} cannot be read as JSON: {error}.") from None
    rows = costs.values() if isinstance(costs, dict) else [None]
    numbers = [v for row in rows if isinstance(row, dict) for v in row.values()]
    if not all(isinstance(row, dict) for row in rows) or not all(
        isinstance(v, int | float) for v in numbers
    ):
        raise DataError(
            f"--costs {file} is no table of costs. "
            'Write it like {"yes": {"yes": 0, "no": 1}, "no": {"yes": 5, "no": 0}}.'
        )
    return costs
