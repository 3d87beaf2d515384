"""`report`: a table and its fit on one page that opens without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from anypart.base.whole import write_whole
from anypart.data.files import Table, read
from anypart.scores import Scores, evaluate
from anypart.studio import svg
from anypart.studio.marginals import Marginal, marginals
from anypart.studio.page import Section, figure, page, rows_table
from anypart.studio.quality import quality

MOST_CHARTS = 60  # columns with a chart of their own
MOST_IN_MAP = 30  # columns of the heat map, the most dependent ones
MOST_PAIRS = 15
MOST_CELLS = 20
_KEY = '<p class="soft"><span class="key data"></span>table<span class="key model"></span>model</p>'


def report(
    fitted: Any, table: Any, path: str | Path, *, scores: Scores | None = None, seed: int = 0
) -> Path:
    """Write the page: likelihood, columns, dependence, suspicious cells, quality, labels.

    Args:
        fitted: a `Fitted`.
        table: the fitted table, or another with its columns; anything that `read` takes.
        path: the HTML file, replaced at once when the page is whole.
        scores: of `evaluate` on rows that were not fitted; measured on `table` if None.
        seed: of what is drawn to measure them.

    Returns:
        The path.

    Cost:
        Some passes over the table, in constant memory.

    """
    source = table if isinstance(table, Table) else read(table)
    held_out = scores is not None
    scores = scores or evaluate(fitted, source, seed)
    dependence = fitted.dependence()
    text = page(
        f"{source.name}: what was learned",
        _facts(fitted, source, scores),
        [
            _likelihood(scores, held_out),
            _columns(marginals(fitted, source, MOST_CHARTS), len(fitted.schema.modelled)),
            _dependence(dependence, [c.name for c in fitted.schema.modelled]),
            _cells(fitted.audit(source, top=MOST_CELLS)),
            *quality(scores, fitted.schema, held_out=held_out),
            _labels(scores, dependence.exact),
        ],
    )
    path = Path(path)
    write_whole(path, text.encode())
    return path


def _facts(fitted: Any, source: Table, scores: Scores) -> list[tuple[str, str]]:
    schema = fitted.schema
    out = len(schema.columns) - len(schema.modelled)
    found = [
        ("table", source.name),
        ("rows that were scored", f"{scores.n_rows:,}"),
        ("rows that were fitted", f"{schema.n_rows:,}"),
        ("columns", f"{len(schema.modelled)} modelled, {out} left out"),
        ("log-likelihood", f"{scores.likelihood.fit.mean:.3f} nats per row"),
    ]
    about: Mapping[str, Any] = fitted.metadata
    for name in ("seed", "purpose", "minutes", "version"):
        if name in about:
            found.append((name, str(about[name])))
    return found


def _likelihood(scores: Scores, held_out: bool) -> Section:
    found = scores.likelihood
    levels = [(n.replace("_", " "), b.mean) for n, b in found.baselines.items()]
    levels = [*sorted(levels, key=lambda one: one[1]), ("the fit", found.fit.mean)]
    where = "rows that were not fitted" if held_out else "the rows of this table"
    rows = [
        (name.replace("_", " "), f"{b.mean:.3f}", f"{b.gain:+.3f} ± {b.gain_standard_error:.3f}")
        for name, b in found.baselines.items()
    ]
    rows.append(("the fit", f"{found.fit.mean:.3f} ± {found.fit.standard_error:.3f}", ""))
    return Section(
        "likelihood",
        "How well it fits",
        f"Mean log-density of {scores.n_rows:,} rows, in nats: {where}. The baselines are the "
        "columns taken one by one, and a Chow-Liu tree of them.",
        figure("Densities are in the columns' own units.", _levels(levels), wide=True)
        + rows_table(
            "Log-likelihood, nats per row",
            ("model", "mean", "the fit is better by"),
            rows,
            (False, True, True),
        ),
    )


def _levels(levels: Sequence[tuple[str, float]]) -> str:
    said = "; ".join(f"{name} {value:.3f}" for name, value in levels)
    return svg.level_bars(levels, f"Log-likelihood in nats per row: {said}")


def _columns(found: Any, n_cols: int) -> Section:
    more = f" The first {MOST_CHARTS} of {n_cols} are shown." if n_cols > MOST_CHARTS else ""
    charts = "".join(_chart(one) for one in found)
    return Section(
        "columns",
        "Column by column",
        "The share of rows with each value, as the table has it and as the model has it. "
        f"Empty cells are not counted.{more}",
        f'{_KEY}<div class="charts">{charts}</div>',
    )


def _chart(one: Marginal) -> str:
    column = one.column
    empty = f"; {one.missing:.1%} empty" if one.missing else ""
    title = f"{column.name}: shares in the table and in the model"
    if column.kind.numeric:
        bulk = "the middle 99 % of rows" if one.data.sum() < 0.999 else "all rows"
        caption = f"{column.kind}{empty}; {bulk}"
        drawing = svg.histogram(
            one.labels, one.data, one.model, title, svg.shorten(column.name, 40)
        )
    else:
        caption = f"{column.kind}{empty}"
        drawing = svg.category_bars(one.labels, one.data, one.model, title)
    return figure(caption, drawing, heading=column.name)


def _dependence(answer: Any, names: list[str]) -> Section:
    matrix = np.asarray(answer.details["matrix"], np.float64)
    off = matrix * ~np.eye(len(names), dtype=bool)
    kept = np.sort(np.argsort(-off.sum(axis=1), kind="stable")[:MOST_IN_MAP])
    shown = [names[i] for i in kept]
    drawing = svg.heat_map(
        shown, matrix[np.ix_(kept, kept)], "Dependence of every pair of columns, in nats"
    )
    pairs = answer.value.slice(0, MOST_PAIRS).to_pylist()
    rows = [(p["first"], p["second"], f"{p['nats']:.3f}", f"{p['normalised']:.0%}") for p in pairs]
    some = f" The {MOST_IN_MAP} most dependent columns." if len(names) > MOST_IN_MAP else ""
    return Section(
        "dependence",
        "Which columns inform which",
        "Mutual information under the model, in nats: 0 if one column says nothing about the "
        "other.",
        (
            figure(
                f"The stronger the colour, the more nats; the scale is beside it.{some}",
                drawing,
                wide=True,
            )
            if len(names) > 1
            else ""
        )
        + rows_table(
            "The strongest pairs",
            ("column", "column", "nats", "of the most possible"),
            rows,
            (False, False, True, True),
        ),
    )


def _cells(answer: Any) -> Section:
    found = getattr(answer, "value", answer).to_pylist()
    rows = [
        (
            f"{c['row']:,}",
            c["column"],
            svg.shorten(c["value"], 60) + (f", {c['beyond']} all others" if c["beyond"] else ""),
            svg.shorten(c["expected"], 60),
            _chance(c["probability"]),
            _chance(c["expected_probability"]),
            f"{c['surprise']:.2f}",
        )
        for c in found
    ]
    return Section(
        "cells",
        "The most suspicious cells",
        "Each cell is held against the rest of its row. A surprise of 0 is what chance brings "
        "on average; each nat more is a factor of 2.7. Rows are counted from 0.",
        rows_table(
            "Cells that the rest of their row speaks against",
            ("row", "column", "value", "expected", "probability", "of the expected", "surprise"),
            rows,
            (True, False, False, False, True, True, True),
        ),
    )


def _chance(p: float) -> str:
    return f"{p:.1%}" if p >= 0.001 else f"{p:.0e}"


def _labels(scores: Scores, exact: bool) -> Section:
    same = scores.consistency
    shares = [("exact", same.exact), ("estimated", same.estimated), ("refused", same.refused)]
    rows = [(name, f"{share:.0%}") for name, share in shares if share is not None]
    rows.append(("distance between two orders of one question, mean", f"{same.order_mean:.1e}"))
    rows.append(("the same, 99th percentile", f"{same.order_p99:.1e}"))
    word = "exact" if exact else "estimated"
    return Section(
        "labels",
        "What the answers are worth",
        "An answer is exact if it follows from p(row) by sums alone: every member with weight "
        "then answers exactly. What is estimated carries its standard error. The numbers under "
        f"“Column by column” and “Which columns inform which” are {word}. Two orders of one "
        "question are p(a) p(b | a) and p(b) p(a | b), compared by total variation.",
        rows_table(
            f"{same.questions:,} random questions", ("answers", "share"), rows, (False, True)
        ),
    )
