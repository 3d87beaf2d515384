"""`anypart demo`: the main job from a table to a page, on the Palmer penguins."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from anypart.base.errors import FitError

MINUTES = "ANYPART_DEMO_MINUTES"
_ASK_GIVEN = ("bill_length_mm > 45", "island = Biscoe")


def demo(folder: Path = Path("demo"), /) -> None:
    """Fit a small table of penguins and show what can be asked, in about two minutes.

    The table: 344 penguins of the Palmer archipelago, by K. Gorman, T. Williams and
    W. Fraser (2014), PLoS ONE 9(3), e90081; CC0. ANYPART_DEMO_MINUTES sets the time of
    the fit.

    Args:
        folder: where the fit and the report are written; made if it is not there.

    """
    from anypart.terminal import answers, fit, inspection, rows

    minutes = _minutes()
    folder.mkdir(parents=True, exist_ok=True)
    learn, held_out = _split(folder)
    table, saved, page = folder / "penguins.csv", folder / "fit", folder / "report.html"

    _step("What is in the table?", "profile", table)
    fit.profile(str(table))
    _step("Fit it, without the held-out rows.", "fit", learn, "-o", saved, "--minutes", minutes)
    fit.fit(str(learn), output=saved, minutes=minutes, overwrite=True)
    apart = ("--fitted-on", learn)
    _step("How good is it on rows it has not seen?", "evaluate", saved, held_out, *apart)
    inspection.evaluate(saved, str(held_out), fitted_on=str(learn))
    given = [word for condition in _ASK_GIVEN for word in ("--given", f"'{condition}'")]
    _step("Ask for any part, given any other part.", "ask", saved, "species", *given)
    answers.ask(saved, "species", given=list(_ASK_GIVEN))
    gaps = _rows_with_gaps(folder)
    _step("Complete rows with gaps; each filled cell has its probability.", "complete", saved, gaps)
    rows.complete(saved, str(gaps))
    _step("Which cells look wrong, given the rest of their row?", "audit", saved, table, "--top", 5)
    inspection.audit(saved, str(table), top=5)
    _step("All of it on one page.", "report", saved, learn, "-o", page, "--held-out", held_out)
    inspection.report(saved, str(learn), output=page, held_out=str(held_out))
    print(f"Open {page.resolve().as_uri()} in a browser; it needs no network.")


def _minutes() -> float:
    text = os.environ.get(MINUTES, "1")
    try:
        minutes = float(text)
    except ValueError:
        minutes = -1.0
    if not minutes > 0:
        raise FitError(f"{MINUTES}={text!r} is not a number of minutes, as in {MINUTES}=1.")
    return minutes


def _step(heading: str, *command: object) -> None:
    from anypart.terminal.screen import screen

    screen().print(f"\n{heading}", style="bold")
    screen().print(f"$ anypart {' '.join(map(str, command))}", style="dim", soft_wrap=True)


def _lines() -> tuple[str, list[str]]:
    """Return the header and the rows of the shipped table."""
    text = resources.files("anypart.data").joinpath("penguins.csv").read_text(encoding="utf-8")
    header, *rows = text.splitlines()
    return header, rows


def _split(folder: Path) -> tuple[Path, Path]:
    """Write the table, and every fifth of its rows apart: held out from the fit."""
    header, rows = _lines()
    apart = rows[2::5]
    learn, held_out = folder / "penguins_learn.csv", folder / "penguins_held_out.csv"
    kept = [row for i, row in enumerate(rows) if i % 5 != 2]
    for path, some in ((folder / "penguins.csv", rows), (learn, kept), (held_out, apart)):
        _write(path, header, some)
    return learn, held_out


def _rows_with_gaps(folder: Path) -> Path:
    """Write the rows whose sex was not determined, though they were measured."""
    header, rows = _lines()
    some = [row for row in rows if row.split(",")[6] == "NA" and row.count("NA") == 1]
    _write(folder / "penguins_with_gaps.csv", header, some)
    return folder / "penguins_with_gaps.csv"


def _write(path: Path, header: str, rows: Sequence[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
