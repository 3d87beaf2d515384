"""The report's sections on scores: lines, calibration, and every column by itself."""

from __future__ import annotations

from anypart.data.schema import Schema
from anypart.scores import Scores
from anypart.scores.calibration import Calibration, Coverage
from anypart.scores.figures import ANSWERS, figures, share, wanted
from anypart.scores.utility import MOST_TARGETS
from anypart.studio import svg
from anypart.studio.page import Section, figure, rows_table

_KEY = (
    '<p class="soft"><span class="key data"></span>where a predictor that is right would lie'
    '<span class="key model"></span>hidden cells</p>'
)


def quality(scores: Scores, schema: Schema, *, held_out: bool) -> list[Section]:
    """Write what the scores say, but for what the answers are worth.

    Args:
        scores: of `evaluate`.
        schema: of the fit.
        held_out: whether they were taken on rows that were not fitted.

    """
    where = "rows that were not fitted" if held_out else "this table, fitted rows included"
    rows: list[tuple[str, str, str, str]] = []
    for one in figures(scores):
        if one.group != ANSWERS:
            named = one.group if one.group not in {row[0] for row in rows} else ""
            rows.append((named, one.name, one.found, one.best))
    table = rows_table(
        "Scores",
        ("of", "score", "found", "best, or expected if right"),
        rows,
        (False, False, True, True),
    )
    found = [
        Section(
            "quality",
            "How good the answers are",
            f"{scores.imputation.hidden:,} cells of {scores.imputation.rows:,} rows were hidden "
            f"and asked for, and {scores.n_looked:,} rows were drawn: {where}.",
            table,
        ),
        _each_column(scores, schema),
    ]
    if scores.calibration.reliability or scores.calibration.intervals:
        found.insert(1, _calibration(scores.calibration))
    return found


def _calibration(found: Calibration) -> Section:
    rows = [
        (words, share(one.level), share(one.met), wanted(one))
        for words, several in (
            ("smallest set of categories", found.sets),
            ("central interval of numbers", found.intervals),
        )
        for one in several
    ]
    table = rows_table(
        "Share of hidden cells inside",
        ("set or interval", "stated", "met", "expected if right"),
        rows,
        (False, True, True, True),
    )
    drawing = ""
    if top := found.reliability:
        bins = [(b.stated, b.met, b.low, b.high) for b in top.bins]
        said = "; ".join(f"{b.stated:.1%} stated, {b.met:.1%} met" for b in top.bins)
        caption = f"The likeliest category of {top.cells:,} hidden cells, in ten equal parts"
        drawing = _KEY + figure(caption, svg.reliability(bins, f"Reliability: {said}"), wide=True)
    return Section(
        "calibration",
        "Whether probabilities mean what they say",
        "Of the cells whose likeliest category is stated with 70 %, 70 % should have it; of the "
        "intervals that are stated with 90 %, 90 % should hold the number. What is expected "
        "carries two standard errors.",
        drawing + table,
    )


def _each_column(scores: Scores, schema: Schema) -> Section:
    rows = [_column(c.name, scores) for c in schema.modelled]
    return Section(
        "by-column",
        "Scores of each column",
        "Hidden cells: categories found again, or the error of numbers in standard deviations. "
        "Calibration: error of the likeliest category beside what chance alone leaves, or the "
        "coverage of 90 % intervals. Shape: 1 − distance between drawn and real values. "
        "Learned: the column predicted from the others on real rows, taught by drawn rows and "
        f"by real ones, as area under the curve (at most {MOST_TARGETS} columns).",
        rows_table(
            "Columns",
            ("column", "hidden cells", "calibration", "shape", "learned"),
            rows,
            (False, True, True, True, True),
        ),
    )


def _column(name: str, scores: Scores) -> tuple[str, str, str, str, str]:
    hidden = scores.imputation.columns.get(name, {})
    found = share(hidden["accuracy"]) if "accuracy" in hidden else ""
    if "rmse" in hidden:
        found = f"± {hidden['rmse']:.3f}"
    met, top = scores.calibration.numeric.get(name), scores.calibration.categorical.get(name)
    calibrated = _covered(met) if met else ""
    if top:
        calibrated = f"{top.error:.4f} ({top.perfect:.4f} by chance)"
    drawn = scores.fidelity
    shape = drawn.columns[name] if drawn else float("nan")
    taught = drawn.utility.columns.get(name) if drawn and drawn.utility else None
    return (
        name,
        found,
        calibrated,
        f"{shape:.3f}" if shape == shape else "",
        f"{taught.drawn:.3f} (real {taught.real:.3f})" if taught else "",
    )


def _covered(one: Coverage) -> str:
    return f"{share(one.met)} ({wanted(one)})"
