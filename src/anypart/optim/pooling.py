"""Weights of a question's own: experts about a column, by what validation rows ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.models.one_order import OneOrder
from anypart.models.pool import Expert, Pool
from anypart.optim.gradient import NetworkSettings
from anypart.optim.plan_file import Member, Plan
from anypart.optim.policies import level
from anypart.optim.rows import Split
from anypart.optim.stack_weights import stack_weights

LEAST_GAIN = 0.0005  # nats of a cell that an expert must add
ROWS_TOGETHER = 4_096


@dataclass(frozen=True)
class _Asked:
    """Validation rows as a question about one column.

    Args:
        column: that is asked.
        evidence: its cells and what is not given are unseen.
        codes: (rows,) the right answers.

    """

    column: int
    evidence: Evidence
    codes: NDArray[np.int32]

    @staticmethod
    def of(expert: Expert, codes: Codes, seen: Mask) -> _Asked:
        rows = np.flatnonzero(seen[:, expert.column])
        given = np.zeros(seen.shape[1], np.bool_)
        given[expert.given] = True
        evidence = Evidence(codes[rows], seen[rows] & given)
        return _Asked(expert.column, evidence, codes[rows, expert.column])

    def log_prob(self, model: Model) -> NDArray[np.float64]:
        """Log-probability that a model gives each right answer, (rows,), nats."""
        place, found = model.layout.slices[self.column], np.empty(len(self.codes))
        for start in range(0, len(found), ROWS_TOGETHER):
            block = slice(start, start + ROWS_TOGETHER)
            logs = model.conditional(self.evidence.rows(block))[:, place]
            found[block] = logs[np.arange(len(logs)), self.codes[block]]
        return found


def weigh(ground: Model, experts: Sequence[Expert], codes: Codes, seen: Mask) -> list[float]:
    r"""Weigh the experts of one column by the conditional likelihood of validation rows.

    .. math:: \max_w \sum_n \log \sum_m w_m\, p_m(x_{nc} | x_{n,\text{given}})

    Args:
        ground: has the weight that the experts leave.
        experts: all about one column, with the same given ones.
        codes: (rows, cols) of validation rows.
        seen: (rows, cols) which of their cells have a value.

    Returns:
        A weight for each expert, their sum at most 1.

    """
    asked = _Asked.of(experts[0], codes, seen)
    if not len(asked.codes):
        return [1.0 / (len(experts) + 1)] * len(experts)
    logs = [asked.log_prob(ground)]
    logs += [asked.log_prob(Pool(ground, [replace(e, weight=1.0)])) for e in experts]
    weights = stack_weights(np.stack(logs, axis=1), least_gain=LEAST_GAIN)
    return weights[1:].tolist()


def pooled(
    plan: Plan, models: Mapping[str, Model], rows: Split
) -> tuple[Model, dict[str, float], float | None]:
    """Join the first member of a plan with its experts.

    Args:
        plan: whose members with a setting `about` are experts.
        models: the trained members, by name.
        rows: of validation.

    Returns:
        The pool, or the first member alone; the weight of each, of several columns the mean;
        and the mean log-likelihood of what the policy asks, None if there is no expert.

    """
    first, ground = plan.members[0], models[plan.members[0].name]
    experts = [m for m in plan.members if m.settings.get("about", -1) >= 0]
    if not experts:
        return ground, {first.name: 1.0}, None
    chosen, weights = list[Expert](), dict[str, float]()
    columns = sorted({int(m.settings["about"]) for m in experts})
    for column in columns:
        names = [m.name for m in experts if m.settings["about"] == column]
        about = [_expert(models[name], column, rows) for name in names]
        found = weigh(ground, about, rows.codes, rows.seen)
        weights |= {n: w / len(columns) for n, w in zip(names, found, strict=True) if w > 0}
        chosen += [replace(e, weight=w) for e, w in zip(about, found, strict=True) if w > 0]
    pool = Pool(ground, chosen)
    weights[first.name] = 1.0 - sum(weights.values())
    return pool, weights, _level(pool, first, rows)


def _expert(model: Any, column: int, rows: Split) -> Expert:
    assert isinstance(model, OneOrder), "experts are trees about a column"
    expert = Expert(model, column, 1.0, 0)
    gaps = (~rows.seen[:, expert.given]).sum(axis=1)
    return replace(expert, most_gaps=int(gaps.max(initial=0)))


def _level(pool: Pool, first: Member, rows: Split) -> float:
    policies = NetworkSettings(**first.settings).policies
    return level(pool, policies, rows.codes, rows.seen, first.seed)
