"""A member from start to its stored end: what a fit skips when it is resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError
from anypart.models.catalogue import load_model
from anypart.models.contract import Model
from anypart.optim.checkpoint import part, read_arrays, under, write_arrays
from anypart.optim.events import Event, Finished
from anypart.optim.loop import train_member, valid_log_prob
from anypart.optim.plan_file import Member
from anypart.optim.rows import Split


@dataclass(frozen=True)
class Stored:
    """A trained member, as it lies in the folder of its fit.

    Args:
        model: the snapshot that was best on the validation rows.
        valid_log_prob: (rows,) log-likelihood of the validation rows, nats; of a member for a
            stated question, of the asked cells given the given ones.
        event: how its training ended.

    """

    model: Model
    valid_log_prob: NDArray[np.float64]
    event: Finished


def stored_path(folder: Path, member: Member) -> Path:
    """Say where a trained member lies."""
    return folder / "members" / f"{member.name}.safetensors"


def finish_member(
    member: Member,
    split: Split,
    folder: Path,
    tell: Callable[[Event], object],
    stopped: Callable[[], bool] = lambda: False,
) -> Finished:
    """Train a member, or go on with it, and store it.

    Args:
        member: what to train.
        split: rows to learn from and rows to validate on.
        folder: of the fit.
        tell: called with progress.
        stopped: asked after every step, as in `train_member`.

    Raises:
        Stopped: `stopped` said so.
        FitError: it cannot be trained or resumed.

    """
    path = stored_path(folder, member)
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint = path.with_suffix(".checkpoint")
    trained = train_member(member, split, checkpoint, tell, stopped)
    settings, arrays = trained.model.state()
    log_prob = valid_log_prob(trained.model, split.codes, split.seen, member.stated)
    log_lik = float(log_prob.mean())  # also where something else was minimised
    about = {
        "mark": member.mark,
        "family": trained.model.family,
        "settings": settings,
        "step": trained.step,
        "steps": trained.steps,
        "log_lik": log_lik,
    }
    write_arrays(path, under("model", arrays) | {"valid_log_prob": log_prob}, about)
    checkpoint.unlink(missing_ok=True)
    return Finished(member.name, trained.step, trained.steps, log_lik)


def load_stored(member: Member, folder: Path) -> Stored:
    """Read a trained member.

    Raises:
        FitError: the file is damaged or belongs to another plan.

    """
    path = stored_path(folder, member)
    arrays, about = read_arrays(path)
    if about.get("mark") != member.mark:
        raise FitError(
            f"{path} belongs to another plan of {member.name}. "
            "Delete it, or train in another folder."
        )
    model = load_model(about["family"], about["settings"], part(arrays, "model"))
    event = Finished(member.name, about["step"], about["steps"], about["log_lik"])
    return Stored(model, arrays["valid_log_prob"], event)
