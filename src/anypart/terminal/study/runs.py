"""`anypart study runs`: the longest run of integers or days, and how it is found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson
from anypart.terminal.output import check_output

if TYPE_CHECKING:
    from anypart.data.runs import Run

Page = Annotated[Path | None, Parameter(name=["--output", "-o"], negative=())]
Flag = Annotated[bool, Parameter(negative=())]
_MOST = 12  # lines of a list


def runs(
    *values: Annotated[str, Parameter(allow_leading_hyphen=True)],
    column: str = "",
    by: str = "",
    step: str = "",
    trace: Flag = False,
    output: Page = None,
    json: AsJson = False,
) -> None:
    """Find the longest run of consecutive values, all runs, and the gaps between them.

    anypart study runs 100 4 200 1 3 2 --trace
    anypart study runs visits.csv --column day --by user

    Args:
        values: integers, or a table with --column.
        column: of the table: integers, dates, or times with --step.
        by: another column: the longest run of each of its values.
        step: of dates and times, such as day or "15 minutes".
        trace: show how it is found, value by value.
        output: an HTML page with a slider over the steps.
        json: print JSON, for programs.

    """
    from anypart.base.errors import QuestionError
    from anypart.data.runs import longest_runs, trace_run
    from anypart.data.runs import runs as find

    if by and not column:
        raise QuestionError(
            "--by is a column of a table: anypart study runs FILE --column C --by B."
        )
    if by and (output or trace):
        raise QuestionError("a trace is of one search. Leave out --by, or --trace and --output.")
    if by:
        rows = _columns(values, list(dict.fromkeys([column, by])))
        streaks = longest_runs(rows[by], rows[column], step=step or None)
        _show_streaks(streaks, by, as_json=json)
        return
    if step and not column:
        raise QuestionError("--step is of dates and times: anypart study runs FILE --column C.")
    given: Any = _columns(values, [column])[column] if column else _integers(values)
    if output or trace:
        from anypart.studio.traces import run_page
        from anypart.terminal.study.python import deliver

        check_output(output, page=True)
        found = trace_run(given, step=step or None)
        deliver(found, output, json, lambda: run_page(found))
        return
    all_runs = find(given, step=step or None)
    if json:
        from anypart.terminal.screen import print_json

        longest = None if not len(all_runs) else _plain(all_runs.longest)
        listed = {"runs": all_runs, "gaps": all_runs.gaps}
        print_json(
            {"longest": longest} | {name: list(map(_plain, some)) for name, some in listed.items()}
        )
        return
    print(f"longest run: {_said(all_runs.longest)}")
    print(f"{_counted(all_runs, 'run')}, {_counted(all_runs.gaps, 'gap')}")
    for name, some in (("run", all_runs), ("gap", all_runs.gaps)):
        order = some.lengths.argsort(kind="stable")[::-1][:_MOST]
        for at in sorted(order.tolist()):
            print(f"  {name}  {_said(some[at])}")
        if len(some) > _MOST:
            print(f"  … the {_MOST} longest of {len(some):,}; --json gives all")


def _integers(words: tuple[str, ...]) -> list[int]:
    from anypart.base.errors import QuestionError

    usage = "Give integers, or a table with --column NAME."
    if not words:
        raise QuestionError(f"there are no values. {usage}")
    found = list[int]()
    for word in words:
        try:
            found.append(int(word))
        except ValueError:
            raise QuestionError(f"{word!r} is no integer. {usage}") from None
    return found


def _columns(values: tuple[str, ...], names: list[str]) -> dict[str, Any]:
    from anypart.base.errors import ColumnError, QuestionError, suggest
    from anypart.data.files import read
    from anypart.data.infer import infer_schema
    from anypart.data.values import parsed, type_named

    if len(values) != 1:
        raise QuestionError("--column is of one table: anypart study runs FILE --column NAME.")
    table = read(values[0])
    for name in names:
        if name not in table.arrow.names:
            raise ColumnError(
                f"{table.name} has no column {name!r} ({len(table.arrow)} columns)."
                + suggest(name, table.arrow.names)
            )
    rows = table.to_arrow()
    types = {c.name: c.arrow_type for c in infer_schema(table).columns}
    found = rows.select(names).drop_null()
    return {
        n: found[n].combine_chunks() if found[n].type != "string"
        else parsed(found[n].combine_chunks(), type_named(types[n]))
        for n in names
    }  # fmt: skip


def _plain(run: Run) -> dict[str, Any]:
    whole = isinstance(run.start, int)
    start, stop = (run.start, run.stop) if whole else (str(run.start), str(run.stop))
    return {"start": start, "stop": stop, "length": run.length}


def _counted(some: Sequence[object], name: str) -> str:
    return f"{len(some):,} {name}{'s' * (len(some) != 1)}"


def _said(run: Run) -> str:
    if not run.length:
        return "none, there are no values"
    last = run.stop - run.step
    return f"{run.start} … {last}  ({run.length:,})" if run.length > 1 else f"{run.start}  (1)"


def _show_streaks(streaks: dict[Any, Run], by: str, *, as_json: bool) -> None:
    if as_json:
        from anypart.terminal.screen import print_json

        print_json([{by: str(group), **_plain(run)} for group, run in streaks.items()])
        return
    order = sorted(streaks, key=lambda group: -streaks[group].length)
    for group in order[:_MOST]:
        print(f"{str(group)[:40]:40}  {_said(streaks[group])}")
    if len(order) > _MOST:
        print(f"… the {_MOST} longest of {len(order):,}; --json gives all")
