"""Errors of hidden cells, and paired bootstrap intervals between two methods."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anypart.base.seeds import generator
from benchmarks.job import Hidden, Task, number

FLOOR = 1e-4  # least probability that a method is charged with, the same for all
RESAMPLES = 2_000
FIGURES = ("accuracy", "rmse", "mae", "log_loss")
BETTER = {"accuracy": 1, "rmse": -1, "mae": -1, "log_loss": -1}


@dataclass(frozen=True)
class Errors:
    """Each hidden cell's error, by column.

    Args:
        rows: column → rows of the cells.
        parts: figure → column → error of each cell (squared for `rmse`).

    """

    rows: dict[str, np.ndarray]
    parts: dict[str, dict[str, np.ndarray]]

    def figure(self, name: str, weights: np.ndarray | None = None) -> float | None:
        """Summarise one figure: categories over all cells, numbers over columns.

        Args:
            name: one of `FIGURES`.
            weights: (rows,) how often each test row counts; once if not given.

        """
        sums = []
        for column, error in self.parts[name].items():
            weight = np.ones(len(error)) if weights is None else weights[self.rows[column]]
            sums.append((float(error @ weight), float(weight.sum())))
        if not sums:
            return None
        if name in ("accuracy", "log_loss"):
            return sum(s for s, _ in sums) / sum(n for _, n in sums)
        means = [s / max(n, 1.0) for s, n in sums]
        return float(np.mean(np.sqrt(means) if name == "rmse" else means))


def measure(task: Task, asked: Hidden, guesses: Path, n_rows: int) -> Errors | None:
    """Compare a method's guesses with what was hidden; None if it has none.

    Args:
        task: the table.
        asked: what was hidden.
        guesses: the method's file.
        n_rows: test rows that count, from the top.

    """
    if not guesses.exists():
        return None
    found = np.load(guesses)
    rows: dict[str, np.ndarray] = {}
    parts: dict[str, dict[str, np.ndarray]] = {name: {} for name in FIGURES}
    for at, name in enumerate(asked.header):
        row_ix = np.flatnonzero(asked.mask[:, at])
        keep = row_ix < n_rows
        cells = [asked.test[r][at] for r in row_ix[keep]]
        rows[name] = row_ix[keep]
        if not cells:
            continue
        if f"{name}/mean" in found:
            truth = np.array([number(c, is_date=name in task.dates) for c in cells])
            mean, median = (found[f"{name}/{k}"][: len(cells)] for k in ("mean", "median"))
            parts["rmse"][name] = ((mean - truth) / asked.spread[name]) ** 2
            parts["mae"][name] = np.abs(median - truth) / asked.spread[name]
        elif f"{name}/probs" in found:
            hit, lost = _categories(found[f"{name}/categories"], found[f"{name}/probs"], cells)
            parts["accuracy"][name], parts["log_loss"][name] = hit, lost
    return Errors(rows, parts) if any(parts.values()) else None


def _categories(names: np.ndarray, probs: np.ndarray, cells: list[str]) -> tuple:
    place = {str(n): i for i, n in enumerate(names.tolist())}
    at = np.array([place.get(c, -1) for c in cells])
    probs = probs[: len(cells)]
    given = np.where(at >= 0, probs[np.arange(len(at)), at], 0.0)
    return (probs.argmax(axis=1) == at).astype(float), -np.log(np.maximum(given, FLOOR))


def interval(ours: Errors, theirs: Errors, name: str, n_rows: int) -> tuple[float, float] | None:
    """95 % paired bootstrap interval, over rows, of how much better ours is; > 0 is better."""
    if not (ours.parts[name] and theirs.parts[name]):
        return None
    rng = generator(0, "benchmarks", "bootstrap", name)
    gains = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(n_rows, size=n_rows), minlength=n_rows).astype(float)
        a, b = ours.figure(name, weights), theirs.figure(name, weights)
        assert a is not None
        assert b is not None
        gains.append((a - b) * BETTER[name])
    low, high = np.quantile(gains, [0.025, 0.975])
    return float(low), float(high)
