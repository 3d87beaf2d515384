"""An order learned on validation rows: candidates are tried with logistic autoregression.

Logistic autoregression depends on its order as the other families do and is trained in
seconds, so it stands for them; what it finds can be given to any family as its `order`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout, Mask
from anypart.models.orders import make_order
from anypart.optim.logistic_path import PathLearner, PathSettings

CANDIDATES: tuple[str, ...] = ("chow_liu", "given", "reversed")
POINTS, WEAKEST = 9, 0.3  # a coarse path: orders are compared only


@dataclass(frozen=True)
class Tried:
    """An order and what it is worth.

    Args:
        name: what it is called: a kind of order, or `random 1`, `random 2` …
        order: (cols,) which column comes at each position.
        log_lik: mean log-likelihood of the validation rows, nats per row.

    """

    name: str
    order: NDArray[np.int64]
    log_lik: float


def try_orders(
    layout: Layout,
    train: tuple[Codes, Mask],
    valid: tuple[Codes, Mask],
    *,
    n_random: int = 3,
    seed: int = 0,
) -> Sequence[Tried]:
    """Train logistic autoregression in several orders and judge each, the best first.

    Args:
        layout: the columns.
        train: codes and seen of the rows to learn from, (rows, cols).
        valid: codes and seen of the rows to judge on.
        n_random: random orders besides `CANDIDATES`.
        seed: of the random orders.

    Returns:
        The orders that were tried; their spread shows what the order matters.

    Cost:
        One short path for each order.

    """
    orders = {kind: make_order(kind, layout, *train, seed) for kind in CANDIDATES}
    for number in range(n_random):
        orders[f"random {number + 1}"] = make_order("random", layout, *train, seed + number)
    found: list[Tried] = []
    for name, order in orders.items():
        settings = PathSettings(order.tolist(), weakest=WEAKEST, points=POINTS, crossed=False)
        learner, best = PathLearner(layout, *train, settings, seed), -np.inf
        for _ in range(settings.points):
            learner.step(*train, 0.0)
            mean = float(learner.model().log_prob(Evidence(*valid)).mean())
            if mean < best:
                break  # a weaker penalty has begun to follow the training rows too far
            best = mean
        found.append(Tried(name, order, best))
    return sorted(found, key=lambda tried: -tried.log_lik)
