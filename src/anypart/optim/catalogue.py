"""How each family of the catalogue is trained: family → a learner that is ready to step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from anypart.models.contract import Layout
from anypart.optim.learner import Learner
from anypart.optim.rows import Rows, some_rows

MOST_TO_START = 50_000  # rows that a start looks at: structure, log-odds


def _network(rows: Rows, settings: Mapping[str, Any], seed: int) -> Learner:
    from anypart.optim.gradient import NetworkLearner, NetworkSettings

    codes, seen = some_rows(rows, MOST_TO_START, seed)
    layout = Layout(tuple(rows.source.n_cats))
    return NetworkLearner(layout, codes, seen, NetworkSettings(**settings), seed)


LEARNERS: dict[str, Callable[[Rows, Mapping[str, Any], int], Learner]] = {
    "order_agnostic": _network,
}


def start_learner(family: str, settings: Mapping[str, Any], seed: int, rows: Rows) -> Learner:
    """Make the learner of a family, before its first step.

    Args:
        family: its name in the catalogue.
        settings: what its learner takes.
        seed: of everything random in it.
        rows: the rows it will learn from; at most `MOST_TO_START` of them are looked at.

    """
    return LEARNERS[family](rows, settings, seed)
