"""A plan of steps as a value and as plan.json: the same plan gives the same bits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from anypart.base.errors import FitError
from anypart.base.frozen import freeze, thaw
from anypart.base.whole import write_whole
from anypart.models.stated import Stated

FORMAT = 2


@dataclass(frozen=True)
class Member:
    """One model to train, and how.

    Args:
        name: unique in the plan, fit for a file name.
        family: its place in the catalogue.
        settings: what the family's learner takes, as JSON.
        seed: of everything random in its training.
        steps: mini-batches to learn from; early stopping may end before.
        batch: rows in a mini-batch.
        validate_every: steps between two looks at the validation rows.
        patience: looks without a better one after which training ends.
        seconds: what it is expected to cost, CPU seconds; decides the order of training, and
            which of several members that are not missed is dropped first.
        save_every: seconds between two checkpoints.

    """

    name: str
    family: str
    settings: Mapping[str, Any]
    seed: int
    steps: int
    batch: int
    validate_every: int
    patience: int
    seconds: float = 0.0
    save_every: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", freeze(self.settings))

    @property
    def stated(self) -> Stated | None:
        """The stated question that it is for; None if it is for all."""
        question = self.settings.get("question")
        return None if question is None else Stated.of(question)

    def unused(self, taken: int) -> float:
        """Return the expected seconds of the steps that it has not taken."""
        return self.seconds * (1 - taken / self.steps)

    @property
    def mark(self) -> str:
        """A short mark of everything that its bits depend on, beside the table."""
        fields = thaw(self) | {"seconds": 0, "save_every": 0}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """What a fit will do.

    Args:
        seed: the user's seed.
        purpose: one of `menu.PURPOSES`.
        minutes: the time it was made for; the steps are what holds.
        table: the fingerprint of the training rows.
        workers: processes that train, 0 to train in this one.
        members: what is trained; names are unique.
        policy: which part predicts which, for `questions`, each as `Policy.settings` has it.
        reserve: what is trained, in this order, in the time that members leave which stop
            early; see `affordable`.

    """

    seed: int
    purpose: str
    minutes: float
    table: str
    workers: int
    members: tuple[Member, ...]
    policy: tuple[Mapping[str, Any], ...] = ()
    reserve: tuple[Member, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "policy", freeze(tuple(self.policy)))

    def member(self, name: str) -> Member:
        """Find a member by its name."""
        return next(m for m in (*self.members, *self.reserve) if m.name == name)

    def affordable(self, taken: Mapping[str, int]) -> tuple[Member, ...]:
        """Tell which of the reserve is paid for by steps that others have not taken.

        It is a beginning of the reserve, which more ended members can only make longer: so
        in the end the same members are trained whichever ends first.

        Args:
            taken: the steps that each ended member took, by its name.

        """
        left = sum(
            m.unused(taken[m.name]) for m in (*self.members, *self.reserve) if m.name in taken
        )
        costs = accumulate(m.seconds for m in self.reserve)
        return tuple(m for m, cost in zip(self.reserve, costs, strict=True) if cost <= left)


def plan_to_json(plan: Plan) -> str:
    """Write a plan as JSON."""
    return json.dumps({"format": FORMAT, **thaw(plan)}, indent=1)


def plan_from_json(text: str) -> Plan:
    """Read a plan that `plan_to_json` wrote.

    Raises:
        FitError: it is damaged, or of a later version.

    """
    try:
        fields: dict[str, Any] = json.loads(text)
        found = fields.pop("format")
        if found != FORMAT:
            raise FitError(
                f"This plan has format {found}, this version reads {FORMAT}. "
                "Fit again, or use the version that made it."
            )
        members, reserve = (
            tuple(Member(**m) for m in fields.pop(key)) for key in ("members", "reserve")
        )
        return Plan(members=members, reserve=reserve, **fields)
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as error:
        raise FitError(f"This is not a plan that can be read ({error}). Fit again.") from error


def save_plan(plan: Plan, folder: Path) -> None:
    """Store a plan as plan.json, in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "plan.json", plan_to_json(plan).encode())


def load_plan(folder: Path) -> Plan | None:
    """Read plan.json of a folder, None if there is none.

    Raises:
        FitError: it is damaged, or of a later version.

    """
    path = folder / "plan.json"
    if not path.exists():
        return None
    try:
        return plan_from_json(path.read_text(encoding="utf-8"))
    except FitError as error:
        raise FitError(f"{path}: {error}") from error
