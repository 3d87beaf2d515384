"""Weights of members for each stated question, and for all others, on validation rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from anypart.models.stack import Stack
from anypart.models.stated import Stated
from anypart.models.stated_questions import Share, StatedQuestions, for_question
from anypart.optim.events import Combined, Event
from anypart.optim.finish import Stored
from anypart.optim.loop import valid_log_prob
from anypart.optim.plan_file import Plan
from anypart.optim.policies import MIXED, Policy, all_stated, stated
from anypart.optim.rows import Split
from anypart.optim.stack_weights import (
    LEAST_GAIN_DENSITY,
    least_gain_of,
    mixture_log_prob,
    stack_weights,
)

MOST_JUDGED = 2_000  # rows: a network takes a pass for every asked column

Tell = Callable[[Event], object]


def join_for_questions(
    plan: Plan, stored: Sequence[Stored], split: Split, tell: Tell
) -> Stack | StatedQuestions:
    """Give each stated question the members that answer it exactly, weighed for it alone.

    These are the question's own, those that sum any part, and the network. What is not
    stated is answered by those that sum any part, weighed by whole rows; by the network,
    the first member, if the policy asks such questions too.

    Args:
        plan: with the policy.
        stored: the trained members, as in the plan.
        split: its validation rows weigh the members.
        tell: called with the weights.

    """
    policies = [Policy.of(p) for p in plan.policy] or MIXED
    n_cols = len(split.train.n_cats)
    questions = stated(policies, n_cols)
    networks = [i for i, m in enumerate(plan.members) if "policy" in m.settings]
    exact = [
        i for i, s in enumerate(stored) if s.model.ability.any_part and not plan.members[i].stated
    ]
    if all_stated(policies):
        logs = np.stack([stored[i].valid_log_prob for i in exact], axis=1)
        rest, level = _weigh(plan, exact, logs, least_gain_of(logs))
    else:
        rest, level = Share((0,), np.zeros(1)), stored[0].event.log_lik
    shares: list[Share] = []
    for question in questions:
        own = [i for i, m in enumerate(plan.members) if m.stated == question]
        able = [*networks, *own, *exact]
        rows = np.flatnonzero(question.answered(split.seen, n_cols))[:MOST_JUDGED]
        # Where no row tells, all do equally.
        logs = np.stack([_log_given(stored[i], i in own, question, split, rows) for i in able], 1)
        gaps = (~split.seen[rows][:, list(question.given)]).sum(axis=1)
        share = _weigh(plan, able, logs, LEAST_GAIN_DENSITY)[0]
        shares.append(replace(share, most_gaps=int(gaps.max(initial=0))))
    tell(Combined(_named(plan, rest), level, tuple(_named(plan, s) for s in shares)))
    if not questions:
        return Stack([stored[i].model for i in rest.members], rest.log_weights)
    used = sorted({i for share in (rest, *shares) for i in share.members})
    place = {i: at for at, i in enumerate(used)}
    rest, *shares = (
        replace(s, members=tuple(place[i] for i in s.members)) for s in (rest, *shares)
    )
    members = [stored[i].model for i in used]
    return StatedQuestions(members, rest, list(zip(questions, shares, strict=True)))


def _log_given(
    stored: Stored, own: bool, question: Stated, split: Split, rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Say what a member makes of some validation rows, (rows,), nats."""
    if own:
        return stored.valid_log_prob[rows]
    model = for_question(stored.model, question)
    return valid_log_prob(model, split.codes[rows], split.seen[rows], question)


def _weigh(
    plan: Plan, members: Sequence[int], logs: NDArray[np.float64], least_gain: float
) -> tuple[Share, float]:
    """Weigh members by what they make of rows, (rows, members); and the level together."""
    costs = [plan.members[i].seconds for i in members]
    weights = stack_weights(logs, least_gain=least_gain, costs=costs)
    kept = np.flatnonzero(weights > 0).tolist()
    level = float(mixture_log_prob(logs, weights).mean())
    return Share(tuple(members[i] for i in kept), np.log(weights[kept])), level


def _named(plan: Plan, share: Share) -> dict[str, float]:
    weights = np.exp(share.log_weights).tolist()
    return {plan.members[i].name: w for i, w in zip(share.members, weights, strict=True)}
