"""What a member costs: measured on the rows it will learn from, in a few steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from anypart.base.seeds import generator
from anypart.data.streams import code_batches
from anypart.models.stated import Stated
from anypart.optim.catalogue import start_learner
from anypart.optim.events import Measured
from anypart.optim.loop import valid_log_prob
from anypart.optim.rows import Split

SECONDS_OF_STEPS = 0.3
MOST_STEPS = 20
HALF_WAY = 0.5  # of the training: the beginning of hidden trees is cheaper
MOST_LOOKED_AT = 500  # validation rows


def rehearse(
    name: str, family: str, settings: Mapping[str, Any], batch: int, seed: int, split: Split
) -> Measured:
    """Measure a member by a few steps and a look at some validation rows.

    Args:
        name: what to call the result.
        family: its place in the catalogue.
        settings: what its learner takes.
        batch: rows in a mini-batch.
        seed: of the rehearsal; the fit is not touched by it.
        split: rows to learn from and rows to validate on.

    Cost:
        The start, about `SECONDS_OF_STEPS` of steps, and the look.

    """
    clock = time.process_time
    began = clock()
    learner = start_learner(family, settings, seed, split.train)
    batches = code_batches(split.train, batch, seed).start(epochs=None)
    codes, seen = next(batches)
    for progress in (0.0, HALF_WAY):  # these steps also make what later ones reuse
        learner.step(codes, seen, progress)
    start = clock() - began
    began, steps = clock(), 0
    while steps < MOST_STEPS and clock() - began < SECONDS_OF_STEPS:
        steps += 1
        codes, seen = next(batches)
        learner.step(codes, seen, HALF_WAY)
    step = (clock() - began) / steps
    n_valid = len(split.codes)
    some = generator(seed, "look").permutation(n_valid)[:MOST_LOOKED_AT]
    began = clock()
    question = settings.get("question")
    stated = None if question is None else Stated.of(question)
    valid_log_prob(learner.model(), split.codes[some], split.seen[some], stated)
    look = (clock() - began) * n_valid / len(some)
    return Measured(name, start, step, look)
