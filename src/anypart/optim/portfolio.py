"""All members of a plan, trained side by side and joined to one mixture."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection
from pathlib import Path

import numpy as np

from anypart.base.errors import FitError
from anypart.base.frozen import thaw
from anypart.data.packed import PackedCodes
from anypart.models.contract import Model
from anypart.models.stack import Stack
from anypart.models.stated_questions import StatedQuestions
from anypart.optim.descent import Pace
from anypart.optim.events import Combined, Event, Finished, Progress, Warned
from anypart.optim.finish import finish_member, load_stored, stored_path
from anypart.optim.menu import ALONE, BASELINES
from anypart.optim.plan_file import Member, Plan, load_plan, save_plan
from anypart.optim.question_weights import join_for_questions
from anypart.optim.rows import fingerprint, split
from anypart.optim.stack_weights import (
    LEAST_GAIN_DENSITY,
    least_gain_of,
    mixture_log_prob,
    stack_weights,
)
from anypart.optim.workers import Job, Tables, run_jobs

Tell = Callable[[Event], object]


class _TimeLeft:
    """Replaces a member's seconds left by those of the whole fit."""

    def __init__(self, plan: Plan, tell: Tell) -> None:
        self._left = {m.name: m.seconds for m in plan.members}
        self._workers = max(plan.workers, 1)
        self._tell = tell

    def __call__(self, event: Event) -> None:
        if isinstance(event, Finished):
            self._left[event.member] = 0.0
        if isinstance(event, Progress):
            self._left[event.member] = event.seconds_left
            longest, together = max(self._left.values()), sum(self._left.values())
            left = max(longest, together / self._workers)
            event = dataclasses.replace(event, seconds_left=left)
        self._tell(event)


def train(
    train_packed: PackedCodes,
    valid_packed: PackedCodes | None,
    plan: Plan,
    folder: Path,
    on_event: Tell | None = None,
) -> Stack | StatedQuestions:
    """Train the members of a plan and join them with weights by EM on validation rows.

    A plan for stated questions has weights for each of them (`optim.question_weights`).

    The folder holds plan.json, and members/ with a file for each trained member and a
    checkpoint for each one in training. Call it again with the same plan and folder after
    an interrupt, a crash or kill −9: it skips what is trained, goes on with the rest and
    gives the same bits as a run that was left alone. Keyboard interrupts pass through,
    after the workers have saved where they are.

    Args:
        train_packed: the rows to learn from.
        valid_packed: the rows that stop training and set the weights; None takes a seeded
            tenth of the training rows, which are then not learned from.
        plan: from `make_plan`.
        folder: where the states are kept; made if need be.
        on_event: called in this process with every event.

    Raises:
        FitError: the folder holds a fit of another plan, the table is not the plan's, or
            a member cannot be trained.

    """
    tell = on_event or (lambda event: None)
    _claim(plan, folder, train_packed)
    if text := short_of_time(plan):
        tell(Warned("plan", text))
    training = _Training(plan, folder, _TimeLeft(plan, tell))
    if plan.workers:
        tables = Tables(train_packed, valid_packed, plan.seed)
        run_jobs(training.due(), tables, plan.workers, training.tell, more=training.due)
    else:
        rows = split(train_packed, valid_packed, plan.seed)
        while jobs := training.due():
            for job in jobs:
                training.tell(finish_member(plan.member(job.name), rows, folder, training.tell))
    if plan.purpose == "questions":
        rows = split(train_packed, valid_packed, plan.seed)
        return join_for_questions(plan, [load_stored(m, folder) for m in plan.members], rows, tell)
    return _join(plan, folder, tell)


class _Training:
    """Knows which members are stored, and which are to be trained now."""

    def __init__(self, plan: Plan, folder: Path, tell: Tell) -> None:
        self._plan, self._folder, self._tell = plan, folder, tell
        self._taken: dict[str, int] = {}  # steps, of members that have ended
        self._begun: set[str] = set()
        for member in members_in(plan, folder):
            self._begun.add(member.name)
            self.tell(load_stored(member, folder).event)

    def tell(self, event: Event) -> None:
        """Pass an event on, and note the end of a member."""
        if isinstance(event, Finished):
            self._taken[event.member] = event.steps
        self._tell(event)

    def due(self) -> list[Job]:
        """List what has not begun: members, the longest first, and what of the reserve is paid."""
        wanted = sorted(self._plan.members, key=lambda m: -m.seconds)
        wanted += self._plan.affordable(self._taken)
        new = [m for m in wanted if m.name not in self._begun]
        self._begun |= {m.name for m in new}
        return [_job(m, self._folder) for m in new]


def members_in(plan: Plan, folder: Path) -> list[Member]:
    """List the members of a plan, its reserve among them, that are trained and stored."""
    return [m for m in (*plan.members, *plan.reserve) if stored_path(folder, m).exists()]


def short_of_time(plan: Plan) -> str:
    """Say that nothing but baselines could be planned, or too few steps of a lone member.

    Trying out what members cost takes some of the minutes, more on a busy machine.
    """
    if plan.purpose in ALONE:
        first = plan.members[0]
        enough = first.steps >= Pace.warm_up
        what = f"{first.steps} steps of {first.family}, whose steps grow until {Pace.warm_up},"
    else:
        families = {m.family for m in plan.members}
        enough, what = not families <= BASELINES, " and ".join(sorted(families))
    if enough:
        return ""
    return (
        f"{plan.minutes:g} minutes, less what it took to see what members cost, were enough for "
        f"{what.replace('_', ' ')} only: the fit knows little. Give it more minutes."
    )


def trained(plan: Plan, folder: Path, families: Collection[str]) -> dict[str, Model]:
    """Return the trained members of some families, by family, whatever their weight.

    Args:
        plan: as given to `train`, which has ended.
        folder: as given to `train`.
        families: those wanted; one that the plan has no member of is left out.
    """
    wanted = (m for m in plan.members if m.family in families)
    return {m.family: load_stored(m, folder).model for m in wanted}


def _job(member: Member, folder: Path) -> Job:
    message = {"train": thaw(member), "folder": str(folder.resolve())}
    return Job(member.name, message)


def _claim(plan: Plan, folder: Path, train_packed: PackedCodes) -> None:
    """Store the plan, or make sure that it is the one that is stored."""
    found = fingerprint(train_packed)
    if found != plan.table:
        raise FitError(
            f"The plan was made for another table (its mark is {plan.table}, this one's "
            f"{found}). Make a plan for this table."
        )
    present = load_plan(folder)
    if present is None:
        save_plan(plan, folder)
    elif present != plan:
        raise FitError(
            f"{folder} holds a fit with another plan. Pass that plan (load_plan) to resume "
            "it, or train in another folder."
        )


def _join(plan: Plan, folder: Path, tell: Tell) -> Stack:
    joined = members_in(plan, folder)
    stored = [load_stored(m, folder) for m in joined]
    if plan.purpose in ALONE:
        # Judged by something else than likelihood: no weight to choose, and no proposal, so
        # that it answers by itself.
        tell(Combined({joined[0].name: 1.0}, stored[0].event.log_lik))
        return Stack([stored[0].model], np.zeros(1))
    log_probs = np.stack([s.valid_log_prob for s in stored], axis=1)  # (rows, members)
    density = plan.purpose == "density"
    least_gain = LEAST_GAIN_DENSITY if density else least_gain_of(log_probs)
    costs = [m.seconds for m in joined]  # to train, and so to ask
    weights = stack_weights(log_probs, least_gain=least_gain, costs=costs)
    kept = [i for i, w in enumerate(weights) if w > 0]
    log_lik = float(mixture_log_prob(log_probs, weights).mean())
    tell(Combined({joined[i].name: float(weights[i]) for i in kept}, log_lik))
    members = [stored[i].model for i in kept]
    spare = None
    if not any(m.ability.any_part for m in members):
        able = [s for s in stored if s.model.ability.any_part and s.model.ability.weighted]
        spare = max(able, key=lambda s: s.event.log_lik).model if able else None
    return Stack(members, np.log(weights[kept]), spare)
