"""One family trained on codes in memory, by the one training loop, without a plan."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask
from anypart.optim.events import Event
from anypart.optim.loop import Trained, train_member
from anypart.optim.plan_file import Member
from anypart.optim.rows import split

LOOKS = 12  # at the validation rows
PATIENCE = 4  # looks without a better one


@dataclass(frozen=True)
class Held:
    """Rows in memory, as training reads them.

    Args:
        codes, seen: (rows, cols).
        n_cats: categories of each column.

    """

    codes: Codes
    seen: Mask
    n_cats: tuple[int, ...]

    @property
    def n_rows(self) -> int:
        """Count the rows."""
        return len(self.codes)

    def rows(self, index: Any) -> tuple[Codes, Mask]:
        """Read some rows: codes and which of them are seen, (rows, cols)."""
        return self.codes[index], self.seen[index]


def train_held(
    family: str,
    settings: Mapping[str, Any],
    layout: Layout,
    rows: tuple[Codes, Mask],
    *,
    valid: tuple[Codes, Mask] | None = None,
    steps: int,
    batch: int = 256,
    seed: int = 0,
    tell: Callable[[Event], object] = lambda event: None,
) -> Trained:
    """Train one family for some steps; the best of a dozen snapshots is kept.

    Args:
        family: its name in the catalogue.
        settings: what its learner takes.
        layout: the columns.
        rows: codes and what is seen of them, (rows, cols) each.
        valid: rows that choose the snapshot; None takes a seeded tenth of the rows.
        steps: mini-batches, at most.
        batch: rows in one.
        seed: of everything random.
        tell: called with events.

    Raises:
        FitError: it cannot be trained.

    """
    own = int(generator(seed, "member", family).integers(2**31))
    every = max(steps // LOOKS, 1)
    member = Member(family, family, settings, own, steps, batch, every, PATIENCE)
    judged = None if valid is None else Held(*valid, layout.n_cats)
    codes, seen = np.ascontiguousarray(rows[0]), np.ascontiguousarray(rows[1])
    parts = split(Held(codes, seen, layout.n_cats), judged, seed)
    with tempfile.TemporaryDirectory(prefix="anypart-") as folder:
        return train_member(member, parts, Path(folder) / "checkpoint", tell)
