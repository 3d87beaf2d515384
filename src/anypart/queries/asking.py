"""`ask` and `probability`: the distribution of columns given anything."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError
from anypart.data.schema import Column, Kind
from anypart.data.shown import is_span, show_number
from anypart.models.contract import Evidence, Model
from anypart.queries import events
from anypart.queries.answer import Answer
from anypart.queries.conditions import Given, parse_conditions
from anypart.queries.estimates import together
from anypart.queries.exactness import label
from anypart.queries.meaning import Event, Reader
from anypart.queries.numeric import Points, points_of

Reals = NDArray[np.float64]
MOST_COMBINATIONS = 1_000_000
BLOCK = 4096
LEVELS = {"median": 0.5, "q05": 0.05, "q95": 0.95}


def spell(columns: tuple[str, ...], event: Event) -> str:
    """Write a question as people do: `p(sex, race | age > 50)`."""
    given = f" | {event.text}" if event.text else ""
    return f"p({', '.join(columns)}{given})"


def ask_one(reader: Reader, model: Model, at: int, event: Event) -> Answer:
    """Answer with the distribution of one column.

    The table has a row for each category or cell: `value`, `probability`, and for numbers
    `low` and `high`. `details` of a numeric column: mean, sd, median, q05, q95, where
    density is spread inside the cells as in training.
    """
    column = reader.columns[at]
    base = Evidence.nothing(1, len(reader.columns))
    evidence, _ = event.onto(base)
    found = events.conditional(model, evidence)
    probs = np.exp(found.value[:, model.layout.slices[at]])
    if not probs.sum() > 0:  # 0 or NaN: nothing is possible
        raise QuestionError(_impossible(event))
    probs /= probs.sum()
    table: dict[str, Any] = {"value": list(reader.codec.labels(at)), "probability": probs[0]}
    details: dict[str, Any] = {}
    if column.kind.numeric:
        table["low"] = [c.low for c in column.cells]
        table["high"] = [c.high for c in column.cells]
        summary = summarise(probs, _points(reader, at, event))
        details = {k: _readable(float(v[0]), k, column) for k, v in summary.items()}
    question = spell((column.name,), event)
    whole, reason = events.worth_of_cells(model, evidence, at)
    error = found.error_at(model.layout.slices[at])
    return label(
        pa.table(table),
        model,
        question,
        error=error,
        effective=found.effective,
        whole=whole,
        reason=reason,
        details=details,
    )


def require_possible(model: Model, evidence: Evidence, event: Event) -> None:
    """Refuse conditions that the model gives no probability, for nothing follows from them."""
    if event.parts and not np.isfinite(events.log_prob(model, evidence).value).all():
        raise QuestionError(_impossible(event))


def _impossible(event: Event) -> str:
    return (
        f"{event.text!r} has probability 0 under the fit, so nothing can be asked given it. "
        "Change the conditions."
    )


def _points(reader: Reader, at: int, event: Event) -> Points:
    part = event.parts.get(at)
    if part is None:
        return reader.points(at)
    if part.is_density:
        values = np.array([i.low for i in part.allowed])
        codes, log_density = reader.line(at).encode(values)
        total = np.bincount(codes, np.exp(log_density), len(part.shares))
        return Points(values, codes.astype(np.intp), np.exp(log_density) / total[codes])
    return points_of(reader.codec, at, reader.spans(at, part.allowed))


def summarise(probs: Reals, points: Points) -> dict[str, Reals]:
    """Return mean, sd, median, q05 and q95 of each row's distribution, (rows,) each."""
    n_cats = probs.shape[1]
    mean = probs @ points.moment(n_cats, 1)
    # About the mean's own scale, so that large dates lose no digits.
    centred = Points(points.values - mean.mean(), points.codes, points.share)
    first, second = probs @ centred.moment(n_cats, 1), probs @ centred.moment(n_cats, 2)
    out = {"mean": mean, "sd": np.sqrt(np.maximum(second - first**2, 0.0))}
    return out | {name: points.quantile(probs, q)[0] for name, q in LEVELS.items()}


def _readable(x: float, name: str, column: Column) -> Any:
    if is_span(column):  # times of a day and lengths, the deviation a length too
        return show_number(x, column)
    dated = column.kind in (Kind.DATE, Kind.TIME) and name != "sd"
    return show_number(x, column) if dated else x


def ask_rows(
    reader: Reader, model: Model, at: int, event: Event, batch: Any
) -> tuple[pa.Table, events.Estimate]:
    """Answer for each row of a batch, given what is seen of it besides the asked column.

    Returns:
        A column for each category with its probability, or for numbers `mean`, `sd`,
        `median`, `q05`, `q95` (dates and times in days or seconds since 1970-01-01);
        and what they are worth, if values had to be drawn.

    """
    encoded = reader.codec.encode(batch)
    seen = encoded.seen.copy()
    seen[:, at] = False
    evidence, _ = event.onto(Evidence(encoded.codes, seen))
    found, place = events.conditional(model, evidence), model.layout.slices[at]
    probs = np.exp(found.value[:, place])
    probs /= probs.sum(axis=1, keepdims=True)
    worth = events.Estimate(
        found.value,
        found.error_at(place),
        found.effective,
        *events.worth_of_cells(model, evidence, at),
    )
    if reader.columns[at].kind.numeric:
        return pa.table(summarise(probs, _points(reader, at, event))), worth
    names = reader.codec.labels(at)
    return pa.table(dict(zip(names, probs.T.copy(), strict=True))), worth


def ask_joint(reader: Reader, model: Model, columns: tuple[int, ...], event: Event) -> Answer:
    """Answer with the joint distribution of several columns: one row a combination.

    Cost:
        One `log_prob` a combination, at most a million.
    """
    sizes = [reader.columns[at].n_cats for at in columns]
    names = tuple(reader.columns[at].name for at in columns)
    total = int(np.prod(sizes, dtype=float))
    if total > MOST_COMBINATIONS:
        product = " x ".join(map(str, sizes))
        raise QuestionError(
            f"{spell(names, event)} has {product} = {total:,} combinations, more than "
            f"{MOST_COMBINATIONS:,}. Ask for fewer columns, or sample rows and count."
        )
    log_p, drawn = np.empty(total), list[events.Estimate]()
    for start in range(0, total, BLOCK):
        index = np.arange(start, min(start + BLOCK, total))
        base = Evidence.nothing(len(index), len(reader.columns))
        for at, code in zip(columns, np.unravel_index(index, sizes), strict=True):
            base.codes[:, at], base.seen[:, at] = code, True
        evidence, factor = event.onto(base)
        found = events.log_prob(model, evidence)
        log_p[index] = found.value + factor
        drawn += [] if found.error is None else [found]
    log_all = np.logaddexp.reduce(log_p)
    if not np.isfinite(log_all):
        raise QuestionError(_impossible(event))
    table: dict[str, Any] = {}
    for at, code in zip(columns, np.unravel_index(np.arange(total), sizes), strict=True):
        table[reader.columns[at].name] = pa.array(reader.codec.labels(at)).take(pa.array(code))
    table["probability"] = share = np.exp(log_p - log_all)
    worth = together(drawn)
    error = None if worth.error is None else worth.error * share
    question = spell(names, event)
    return label(pa.table(table), model, question, error=error, effective=worth.effective)


def ask_probability(reader: Reader, model: Model, asked: Given, given: Given) -> Answer:
    """Answer with the probability of conditions given others: a ratio of two."""
    names = [c.name for c in reader.codec.schema.columns]
    target, known = reader.event(asked), reader.event(given)
    if not target.parts:
        raise QuestionError("No event is asked for. Write it as probability('age > 50').")
    if target.is_density:
        raise QuestionError(
            f"{target.text!r} asks for one value of a continuous column, whose probability is 0. "
            "Ask for a range of values."
        )
    question = spell((target.text,), known)
    both_text = [*parse_conditions(asked, names), *parse_conditions(given, names)]
    below = _log_prob(reader, model, known)
    if not np.isfinite(below.value[0]):
        raise QuestionError(_impossible(known))
    try:
        above = _log_prob(reader, model, reader.event(both_text))
    except QuestionError:  # each is possible alone, and no row meets both
        return label(0.0, model, question)
    value = min(float(np.exp(above.value[0] - below.value[0])), 1.0)
    squares = [e.error**2 for e in (above, below) if e.error is not None]
    error = np.sqrt(np.sum(squares, axis=0)) if squares else None
    effective = together((above, below)).effective
    return label(value, model, question, error=error, effective=effective, scale=value)


def _log_prob(reader: Reader, model: Model, event: Event) -> events.Estimate:
    evidence, factor = event.onto(Evidence.nothing(1, len(reader.columns)))
    found = events.log_prob(model, evidence)
    return events.Estimate(found.value + factor, found.error, found.effective)
