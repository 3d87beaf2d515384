"""`anypart study self-supervision`: the same rows with many labels, with few, and with none."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from anypart.terminal.options import AsJson, File, Output

if TYPE_CHECKING:
    from anypart.scores.self_supervision import Compared, Line

Shares = Annotated[list[float] | None, Parameter(name="--share", negative=())]


def self_supervision(
    table: File,
    /,
    *,
    target: str,
    share: Shares = None,
    choices: int = 5,
    steps: int = 1_500,
    seed: int = 0,
    output: Output = None,
    json: AsJson = False,
) -> None:
    """Learn a column from few labels: supervised, unsupervised and self-supervised, side by side.

    anypart study self-supervision penguins.csv --target species

    Args:
        table: a file, as `anypart fit` takes it.
        target: the column of labels; representations are learned without it.
        share: of the training rows that keep their label; may be repeated; 0.01, 0.05, 0.1
            and 1 if not given.
        choices: of the labelled rows by chance; numbers are means over them.
        steps: that a network without labels is trained for, at most.
        seed: of everything random.
        output: an HTML page with the table and a plot.
        json: print JSON, for programs.

    """
    import anypart
    from anypart.base.errors import DataError
    from anypart.scores.self_supervision import SHARES, compare
    from anypart.terminal.screen import print_json

    if output is not None and output.suffix.lower() not in (".html", ".htm"):
        raise DataError(f"-o {output}: the page is HTML. Name it …html.")
    if output is not None and not output.parent.is_dir():
        raise DataError(f"-o {output}: there is no folder {output.parent}. Make it first.")
    found = compare(
        anypart.read(table),
        target,
        shares=sorted(set(share or SHARES)),
        choices=choices,
        steps=steps,
        seed=seed,
        tell=(lambda said: None) if json else lambda said: print(f"{said} …", flush=True),
    )
    if output is not None:
        _write_page(output, found)
    if json:
        print_json(found.to_dict())
        return
    _show(found)
    if output is not None:
        print(f"Wrote {output}.")


def _grouped(found: Compared) -> dict[tuple[str, str, str], list[Line]]:
    """Put the lines of one way and reader together, as they stand."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in found.lines:
        groups.setdefault((line.way, line.kind, line.reader), []).append(line)
    return groups


def cells(line: Line) -> str:
    """Write an accuracy with its standard error.

    Example:
        >>> from anypart.scores.self_supervision import Line
        >>> cells(Line("PCA", "unsupervised", "linear", 0.01, 30, 0.8125, 0.004, 0.5))
        '81.2 ± 0.4'

    """
    error = "" if line.error != line.error else f" ± {100 * line.error:.1f}"
    return f"{100 * line.accuracy:.1f}{error}"


def _heads(found: Compared) -> list[str]:
    first = next(iter(_grouped(found).values()))
    return [f"{100 * line.share:g} %: {line.n_labels:,}" for line in first]


def _show(found: Compared) -> None:
    from rich.text import Text

    from anypart.base.written import number
    from anypart.terminal.screen import grid, screen

    drawn = grid(
        f"{number(found.target)} of {number(found.table)}: labels right, %, of {found.n_test:,} "
        "test rows",
        f"By share and number of labelled rows, of {found.n_train:,}; mean of {found.choices} "
        "choices ± standard error; the best of a column is bold.",
    )
    drawn.add_column("rows as")
    drawn.add_column("kind")
    drawn.add_column("read by")
    for head in _heads(found):
        drawn.add_column(head, justify="right")
    groups = _grouped(found)
    best = [max(lines[i].accuracy for lines in groups.values()) for i in range(len(_heads(found)))]
    for (way, kind, reader), lines in groups.items():
        shown = [
            Text(cells(line), style="bold" if line.accuracy == top else "")
            for line, top in zip(lines, best, strict=True)
        ]
        drawn.add_row(way, kind, reader, *shown)
    screen().print(drawn)


def _write_page(path: Path, found: Compared) -> None:
    from anypart.base.whole import write_whole
    from anypart.studio.label_page import label_page

    rows = [
        [way, kind, reader, *(cells(line) for line in lines)]
        for (way, kind, reader), lines in _grouped(found).items()
    ]
    write_whole(path, label_page(found, _heads(found), rows).encode())
