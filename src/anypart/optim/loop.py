"""The one training loop: a stream of batches in, the best snapshot on validation rows out.

Every member is trained by `train_member`. What it does depends on its arguments alone: its
place in the stream is part of a checkpoint, so a run that was stopped goes on from there
and ends with the same bits as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError
from anypart.data.streams import Cursor, code_batches
from anypart.models.catalogue import load_model
from anypart.models.contract import Codes, Evidence, Mask, Model
from anypart.models.stated import Stated, log_given
from anypart.optim.catalogue import start_learner
from anypart.optim.checkpoint import part, read_arrays, under, write_arrays
from anypart.optim.events import Event, Progress, Warned
from anypart.optim.learner import Judge, Learner, Watched
from anypart.optim.plan_file import Member
from anypart.optim.rows import Split

SECONDS_BETWEEN_EVENTS = 0.5
EVALUATED_TOGETHER = 4_096  # validation rows; bounds the memory of a look


class Stopped(Exception):  # noqa: N818 - not an error: the run was asked to stop
    """The run was asked to stop, and has saved where it is."""


@dataclass(frozen=True)
class Trained:
    """A member at the end of its training.

    Args:
        model: the best snapshot.
        step: the step of that snapshot.
        steps: the steps that were run.
        log_lik: its mean log-likelihood of the validation rows, nats per row; of a `Judge`,
            its own measure.

    """

    model: Model
    step: int
    steps: int
    log_lik: float


def valid_log_prob(
    model: Model, codes: Codes, seen: Mask, question: Stated | None = None
) -> NDArray[np.float64]:
    """Log-probability of the seen cells of rows, a block at a time, (rows,), nats.

    Of a model for a stated question, that of the asked cells given the given ones.
    """
    starts = range(0, len(codes), EVALUATED_TOGETHER)
    found = [np.zeros(0)]
    for block in (slice(i, i + EVALUATED_TOGETHER) for i in starts):
        some, there = codes[block], seen[block]
        if question is None:
            found.append(model.log_prob(Evidence(some, there)))
        else:
            found.append(log_given(model, some, there, question))
    return np.concatenate(found)


def valid_level(
    learner: Learner, model: Model, split: Split, question: Stated | None = None
) -> float:
    """Mean log-likelihood of validation rows, nats per row; of a `Judge`, its own measure."""
    if isinstance(learner, Judge):
        return learner.judge(model, split.codes, split.seen)
    return float(valid_log_prob(model, split.codes, split.seen, question).mean())


@dataclass
class _Run:
    """A member in training: all that a checkpoint holds."""

    member: Member
    learner: Learner
    rows: Cursor
    step: int = 0
    best: Model | None = None
    best_step: int = 0
    best_log_lik: float = -np.inf
    last_log_lik: float | None = None
    stale: int = 0  # looks since the best one
    warned: bool = False
    began: tuple[float, int] = field(default_factory=lambda: (time.monotonic(), 0))

    @property
    def over(self) -> bool:
        return self.step >= self.member.steps or self.stale >= self.member.patience

    def look(self, split: Split) -> None:
        """Measure the model on the validation rows, keep it if it is the best so far."""
        model = self.learner.model()
        self.last_log_lik = valid_level(self.learner, model, split, self.member.stated)
        if np.isnan(self.last_log_lik):
            raise FitError(
                f"{self.member.name} lost its footing at step {self.step}: its likelihood of "
                "the validation rows is not a number. Fit with another seed."
            )
        if self.last_log_lik > self.best_log_lik or self.best is None:
            self.best, self.best_step, self.stale = model, self.step, 0
            self.best_log_lik = self.last_log_lik
        else:
            self.stale += 1

    def warn(self, tell: Callable[[Event], object]) -> None:
        """Tell, once, what the learner notices to go wrong."""
        if not self.warned and isinstance(self.learner, Watched):
            if text := self.learner.trouble():
                tell(Warned(self.member.name, text))
            self.warned = bool(text)

    def progress(self) -> Progress:
        began, first = self.began
        per_step = (time.monotonic() - began) / max(self.step - first, 1)
        left = per_step * (self.member.steps - self.step)
        level = None if isinstance(self.learner, Judge) else self.last_log_lik
        return Progress(self.member.name, self.step, self.member.steps, level, left)

    def save(self, path: Path) -> None:
        """Replace the checkpoint by the present state."""
        settings, arrays = self.best.state() if self.best else ({}, {})
        best = {"family": self.best.family, "settings": settings} if self.best else None
        about: dict[str, Any] = {
            "mark": self.member.mark,
            "step": self.step,
            "rows": self.rows.state(),
            "best_step": self.best_step,
            "best_log_lik": self.best_log_lik if self.best else None,
            "last_log_lik": self.last_log_lik,
            "stale": self.stale,
            "best": best,
        }
        write_arrays(path, under("learner", self.learner.state()) | under("best", arrays), about)

    def load(self, path: Path) -> None:
        """Go on from a checkpoint."""
        arrays, about = read_arrays(path)
        if about["mark"] != self.member.mark:
            raise FitError(
                f"{path} belongs to another plan of {self.member.name}. "
                "Delete it, or train in another folder."
            )
        self.learner.load_state(part(arrays, "learner"))
        self.rows = self.rows.stream.resume(about.get("rows", {}), epochs=None)
        self.step, self.stale = about["step"], about["stale"]
        self.best_step, self.last_log_lik = about["best_step"], about["last_log_lik"]
        if best := about["best"]:
            self.best = load_model(best["family"], best["settings"], part(arrays, "best"))
            self.best_log_lik = about["best_log_lik"]
        self.began = (time.monotonic(), self.step)


def train_member(
    member: Member,
    split: Split,
    checkpoint: Path,
    tell: Callable[[Event], object],
    stopped: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train one member to the end of its steps, or until it no longer gets better.

    Args:
        member: what to train, from the plan.
        split: rows to learn from and rows to validate on.
        checkpoint: a file to go on from, if it is there, and to save to every `save_every` seconds.
        tell: called with progress, at most about twice a second.
        stopped: asked after every step; True saves and ends the run.

    Returns:
        The snapshot that was best on the validation rows.

    Raises:
        Stopped: `stopped` said so; the checkpoint holds the last step.
        FitError: the checkpoint is damaged or of another plan, or the likelihood is lost.

    """
    learner = start_learner(member.family, member.settings, member.seed, split.train)
    batches = code_batches(split.train, member.batch, member.seed)
    run = _Run(member, learner, batches.start(epochs=None))
    if checkpoint.exists():
        run.load(checkpoint)
    saved = told = time.monotonic()
    while not run.over:
        codes, seen = next(run.rows)
        run.learner.step(codes, seen, run.step / member.steps)
        run.step += 1
        now = time.monotonic()
        if run.step % member.validate_every == 0 or run.step == member.steps:
            run.look(split)
            run.warn(tell)
        if now - told > SECONDS_BETWEEN_EVENTS:
            told = now
            tell(run.progress())
        if (leaving := stopped()) or now - saved > member.save_every:
            run.save(checkpoint)
            saved = time.monotonic()
        if leaving:
            raise Stopped
    if run.best is None:
        run.look(split)
    assert run.best is not None
    return Trained(run.best, run.best_step, run.step, run.best_log_lik)
