"""`decide`: the labels that maximise an expected metric, from the fit's own probabilities.

Given the fit, rows are independent, so the expectation of a metric over a whole table is a
sum over what the labels may be, and what maximises it depends on the metric: for accuracy
the likeliest label, for a cost table the cheapest, for F-beta the k likeliest rows, for the
mean of F-beta over all labels the best of all n of two labels, and a climb for more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from anypart.base.errors import QuestionError, suggest
from anypart.calculus.smoothing.decisions import EXACT_ROWS, best_f_beta, best_macro_f, least_cost
from anypart.data.codec import OTHER
from anypart.data.files import read
from anypart.models.contract import Model
from anypart.queries.answer import Answer
from anypart.queries.asking import ask_rows
from anypart.queries.conditions import Given
from anypart.queries.estimates import Estimate, together
from anypart.queries.exactness import label
from anypart.queries.meaning import Reader
from anypart.queries.tables import give_back, kind_of

Reals = NDArray[np.float64]
BLOCK = 4096
MACRO = "macro-"
#: What `decide` maximises: a name, or what deciding one label costs when another is true.
Metric = str | Mapping[str, Mapping[str, float]]
_METRICS = (
    "The metrics are accuracy, f1, f2, f0.5 (any F-beta), macro-f1 (any), or a table of costs, as "
    "{'yes': {'yes': 0, 'no': 1}, 'no': {'yes': 5, 'no': 0}}: decision, truth, cost."
)


@dataclass(frozen=True)
class _Asked:
    """Chances of every row's label.

    Args:
        labels: as written.
        chances: (rows, labels).
        worth: what the chances are worth, if rows had to be drawn.

    """

    labels: tuple[str, ...]
    chances: Reals
    worth: Estimate


@dataclass(frozen=True)
class _Decided:
    labels: list[str]
    chances: Reals  # of the decided label; NaN where a decision is no label
    details: dict[str, Any]
    columns: dict[str, Any]
    reason: str = ""


def decide(
    reader: Reader,
    model: Model,
    rows: Any,
    column: str,
    metric: Metric,
    positive: Any,
    given: Given,
) -> Answer:
    """Answer with a label for each row; see `Fitted.decide`."""
    (at,) = reader.find_all((column,))
    _check_kind(reader, at)
    asked = _chances(reader, model, rows, at, given)
    if isinstance(metric, str) and metric.lower() == "accuracy":
        found = _by_accuracy(asked)
    elif isinstance(metric, str) and metric.lower().startswith(MACRO):
        found = _by_macro_f(asked, _beta(metric[len(MACRO) :]), metric)
    elif isinstance(metric, str):
        found = _by_f(asked, _beta(metric), _positive(asked.labels, positive, column), metric)
    else:
        found = _by_cost(asked, metric, column)
    table = pa.table(
        {column: pa.array(found.labels, pa.string()), "probability": found.chances, **found.columns}
    )
    name = metric if isinstance(metric, str) else "cost"
    return label(
        give_back(table, kind_of(rows)),
        model,
        f"{column} of {len(table):,} rows, for {name}",
        error=asked.worth.error,
        effective=asked.worth.effective,
        reason=found.reason,
        details=found.details,
    )


def _check_kind(reader: Reader, at: int) -> None:
    column = reader.columns[at]
    if column.kind.numeric:
        raise QuestionError(
            f"{column.name!r} holds {column.kind.value} values, and decisions are between labels. "
            f"Ask for it (ask({column.name!r}, rows=...)) or complete the rows, or fit the table "
            f"with its kind set to categorical."
        )


def _chances(reader: Reader, model: Model, rows: Any, at: int, given: Given) -> _Asked:
    event = reader.event(given)
    labels = reader.codec.labels(at)
    parts, drawn = [np.zeros((0, len(labels)))], list[Estimate]()
    for table, worth in _answers(reader, model, rows, at, event):
        parts.append(np.stack([table.column(i).to_numpy() for i in range(len(labels))], 1))
        drawn.append(worth)
    chances = np.concatenate(parts)
    if not np.isfinite(chances).all():
        raise QuestionError(
            f"{event.text!r} has probability 0 for {int((~np.isfinite(chances)).any(1).sum()):,} "
            "of the rows, so nothing can be decided given it. Change the conditions."
        )
    return _Asked(labels, chances, together(drawn))


def _answers(
    reader: Reader, model: Model, rows: Any, at: int, event: Any
) -> Iterator[tuple[pa.Table, Estimate]]:
    for batch in read(rows).batches(BLOCK):
        yield ask_rows(reader, model, at, event, batch)


def _by_accuracy(asked: _Asked) -> _Decided:
    # The bin of rare categories is no label that could be right.
    allowed = asked.chances * [name != OTHER for name in asked.labels]
    best = allowed.argmax(axis=1)
    chances = asked.chances[np.arange(len(best)), best]
    details = {"expected": float(chances.mean()) if len(chances) else math.nan}
    return _Decided([asked.labels[i] for i in best], chances, details, {})


def _beta(metric: str) -> float:
    word = metric.lower().replace("-beta", "").replace("_", "")
    try:
        beta = float(word[1:]) if word.startswith("f") else math.nan
    except ValueError:
        beta = math.nan
    if not 0 < beta < math.inf:
        near = suggest(metric, ("accuracy", "f1", "f2", "f0.5", "macro-f1"))
        raise QuestionError(f"There is no metric {metric!r}.{near} {_METRICS}")
    return beta


def _positive(labels: tuple[str, ...], positive: Any, column: str) -> int:
    if positive is None:
        shown = ", ".join(repr(name) for name in labels[:6])
        raise QuestionError(
            f"F is about one label of {column!r}: say which is positive, as "
            f"positive={labels[-1]!r} (there are {shown})."
        )
    if str(positive) not in labels or str(positive) == OTHER:
        raise QuestionError(
            f"{column!r} has no label {str(positive)!r}; it has {', '.join(labels[:10])}"
            f"{', …' if len(labels) > 10 else '.'}"
            f"{suggest(str(positive), labels)}"
        )
    return labels.index(str(positive))


def _by_f(asked: _Asked, beta: float, positive: int, metric: str) -> _Decided:
    chances = asked.chances[:, positive]
    choice = best_f_beta(np.clip(chances, 0.0, 1.0), beta)
    others = asked.chances * [name != OTHER for name in asked.labels]
    others[:, positive] = -1.0
    best = np.where(choice.chosen, positive, others.argmax(axis=1))
    chosen = chances[choice.chosen]
    details = {
        "expected": choice.value,
        "positive": asked.labels[positive],
        "chosen": len(chosen),
        "least_chosen": float(chosen.min()) if len(chosen) else math.nan,
    }
    reason = (
        ""
        if choice.exact
        else f"with more than {EXACT_ROWS:,} rows the expectation of {metric} is expanded to "
        "second order"
    )
    names = [asked.labels[i] for i in best]
    return _Decided(names, asked.chances[np.arange(len(best)), best], details, {}, reason)


def _by_macro_f(asked: _Asked, beta: float, metric: str) -> _Decided:
    # The bin of rare categories is no label that could be right: no mean is over it.
    real = np.flatnonzero([name != OTHER for name in asked.labels])
    choice = best_macro_f(np.clip(asked.chances[:, real], 0.0, 1.0), beta)
    best = real[choice.labels]
    each = {asked.labels[i]: float(v) for i, v in zip(real, choice.values, strict=True)}
    details = {"expected": float(choice.values.mean()), "expected_by_label": each}
    reason = (
        ""
        if choice.exact
        else f"the labels were climbed to: no single change raises the expected {metric}, but "
        "several together might"
    )
    names = [asked.labels[i] for i in best]
    chances = asked.chances[np.arange(len(best)), best]
    return _Decided(names, chances, details, {}, reason)


def _by_cost(asked: _Asked, costs: Mapping[str, Mapping[str, float]], column: str) -> _Decided:
    table = _cost_table(asked.labels, costs, column)
    best, expected = least_cost(asked.chances, table)
    decisions = [str(name) for name in costs]
    names = [decisions[i] for i in best]
    where = {name: i for i, name in enumerate(asked.labels)}
    column_ix = np.array([where.get(name, -1) for name in names], np.intp)
    chances = asked.chances[np.arange(len(best)), column_ix]
    chances = np.where(column_ix < 0, np.nan, chances)
    details = {"expected": float(expected.mean()) if len(expected) else math.nan}
    return _Decided(names, chances, details, {"cost": expected})


def _cost_table(
    labels: tuple[str, ...], costs: Mapping[str, Mapping[str, float]], column: str
) -> Reals:
    """Return (decisions, labels); decisions may be more than labels, as 'ask a person'."""
    if not costs:
        raise QuestionError(f"The table of costs is empty. {_METRICS}")
    table = np.zeros((len(costs), len(labels)))
    for i, (decision, row) in enumerate(costs.items()):
        known = {str(truth): cost for truth, cost in row.items()}
        for truth in known:
            if truth not in labels:
                raise QuestionError(
                    f"{column!r} has no label {truth!r}, for which deciding {decision!r} has a "
                    f"cost.{suggest(truth, labels)}"
                )
        for j, truth in enumerate(labels):
            if truth not in known and truth != OTHER:
                raise QuestionError(
                    f"The table of costs does not say what {decision!r} costs when {truth!r} is "
                    f"true. Give every decision a cost for each of the {len(labels)} labels."
                )
            # A rare category without a cost of its own costs what the dearest mistake does.
            table[i, j] = float(known.get(truth, max(known.values())))
    if not np.isfinite(table).all():
        raise QuestionError("A cost is a finite number, and one of these is not.")
    return table
