"""What a fit reports while it runs: faces draw these, nothing here prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Progress:
    """A member is being trained.

    Args:
        member: its name in the plan.
        step: steps done so far.
        steps: steps planned; early stopping may end before.
        log_lik: mean log-likelihood of the validation rows at the last look, nats per
            row; None before the first, and of a member that is judged by something else.
        seconds_left: an estimate of the time until it is done (until the whole fit is
            done, once the portfolio has passed the event on).

    """

    member: str
    step: int
    steps: int
    log_lik: float | None
    seconds_left: float


@dataclass(frozen=True)
class Finished:
    """A member is trained, and stored.

    Args:
        member: its name in the plan.
        step: the step whose snapshot was kept.
        steps: the steps that were run.
        log_lik: mean log-likelihood of the validation rows, nats per row.

    """

    member: str
    step: int
    steps: int
    log_lik: float


@dataclass(frozen=True)
class Combined:
    """All members are trained and have their weights.

    Args:
        weights: name → weight of the members that were kept; they sum to one.
        log_lik: mean log-likelihood of the validation rows under the mixture, nats per
            row (a little too good: the weights were fitted on these rows).
        questions: the same weights for each stated question, in the order of the policy.

    """

    weights: Mapping[str, float]
    log_lik: float
    questions: tuple[Mapping[str, float], ...] = ()


@dataclass(frozen=True)
class Warned:
    """A member's training goes wrong in a way that it notices; said once.

    Args:
        member: its name in the plan.
        text: what is wrong, and what to do.

    """

    member: str
    text: str


@dataclass(frozen=True)
class Measured:
    """What a member costs, CPU seconds; between processes only, faces never see it.

    Args:
        name: of the member.
        start: to make its learner.
        step: of one step.
        look: of one look at all validation rows.

    """

    name: str
    start: float
    step: float
    look: float


@dataclass(frozen=True)
class Sought:
    """A tree was sought; between processes only, faces never see it.

    Args:
        name: of the search.
        edges: pairs of columns that are neighbours.

    """

    name: str
    edges: tuple[tuple[int, int], ...]


Event = Progress | Finished | Combined | Warned
Message = Event | Measured | Sought
_KINDS: dict[str, type[Message]] = {
    k.__name__: k for k in (Progress, Finished, Combined, Warned, Measured, Sought)
}


def event_to_json(event: Message) -> str:
    """Write an event as one line.

    Example:
        >>> event_to_json(Finished("tree", 10, 12, -1.5))
        '{"event": "Finished", "member": "tree", "step": 10, "steps": 12, "log_lik": -1.5}'

    """
    return json.dumps({"event": type(event).__name__, **asdict(event)})


def event_from_json(line: str) -> Message:
    """Read an event that `event_to_json` wrote."""
    fields = json.loads(line)
    return _KINDS[fields.pop("event")](**fields)
