"""An answer on the screen: the distribution with bars, and what it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anypart.base.written import number, percent
from anypart.terminal.screen import bar, grid, print_json, screen

if TYPE_CHECKING:
    from rich.table import Table

    from anypart.queries.answer import Answer

MOST_LINES = 21
SPIKE = 0.1  # of the mass in one value; the rest is joined to tenths, at most 21 lines


def worth(answer: Answer) -> str:
    """Say in one line whether an answer is exact, and if not why and how far off.

    Every answer of every command ends with this line.
    """
    if answer.exact:
        return "exact"
    error = answer.standard_error
    size = "" if error is None else f" ± {error:.2g} (standard error)"
    return f"estimated{size}: {answer.reason}"


def answer_to_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values; tables as lists of rows."""
    value = answer.value
    return {
        "question": answer.question,
        "exact": answer.exact,
        "standard_error": answer.standard_error,
        "reason": answer.reason,
        "details": dict(answer.details),
        "value": value.to_pylist() if hasattr(value, "to_pylist") else value,
    }


def show_answer(answer: Answer, *, as_json: bool) -> None:
    """Print the distribution that `ask` found."""
    if as_json:
        print_json(answer_to_json(answer))
        return
    console = screen()
    console.print(answer.question, style="bold")
    if answer.details:
        console.print(_summary(answer.details))
    console.print(_distribution(answer))
    console.print(worth(answer), style="dim")


def _summary(details: Any) -> str:
    said = {name: number(value) for name, value in details.items()}
    if not {"mean", "sd", "median", "q05", "q95"} <= said.keys():
        return ", ".join(f"{name} {value}" for name, value in said.items())
    if isinstance(details["mean"], str) and not isinstance(
        details["sd"], str
    ):  # dates spread by days, times by seconds
        is_date = len(details["mean"]) == len("2000-01-01")
        said["sd"] = f"{number(details['sd'] / (1 if is_date else 86_400))} days"
    return (
        f"mean {said['mean']}, standard deviation {said['sd']}, median {said['median']}; "
        f"nine in ten between {said['q05']} and {said['q95']}"
    )


def _distribution(answer: Answer) -> Table:
    rows = answer.value.to_pylist()
    names = [n for n in answer.value.column_names if n not in ("probability", "low", "high")]
    if "low" in answer.value.column_names:
        # Intervals in their order on the line; those without mass say nothing.
        kept = sorted((r for r in rows if r["probability"] > 0), key=lambda r: r["low"])
        kept = _merged(kept)
    else:
        kept = sorted(rows, key=lambda r: -r["probability"])
    most = max((r["probability"] for r in kept), default=1.0) or 1.0
    drawn = grid()
    for name in names:
        drawn.add_column("" if name == "value" else name)
    drawn.add_column("probability", justify="right")
    drawn.add_column("")
    for row in kept[:MOST_LINES]:
        share = row["probability"]
        drawn.add_row(*(number(row[n]) for n in names), percent(share), bar(share / most))
    if rest := kept[MOST_LINES:]:
        left = sum(r["probability"] for r in rest)
        drawn.add_row(f"{len(rest):,} more", *[""] * (len(names) - 1), percent(left), "")
    return drawn


def _merged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Join neighbouring values until there are few enough to be looked at.

    What holds a tenth of the mass by itself, such as a spike at 0, stays by itself.
    """
    if len(rows) <= MOST_LINES:
        return rows
    rest = sum(r["probability"] for r in rows if r["probability"] < SPIKE)
    groups: list[list[dict[str, Any]]] = [[]]
    for row in rows:
        full = sum(r["probability"] for r in groups[-1]) >= SPIKE * rest
        if groups[-1] and (full or row["probability"] >= SPIKE):
            groups.append([])
        groups[-1].append(row)
    return [{"value": _label(g), "probability": sum(r["probability"] for r in g)} for g in groups]


def _label(group: list[dict[str, Any]]) -> str:
    first, last = group[0]["value"], group[-1]["value"]
    if len(group) == 1:
        return first
    return f"{first.strip('[)').split(', ')[0]} to {last.strip('[)').split(', ')[-1]}"
