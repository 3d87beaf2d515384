"""What every peer's program reads and writes; runs in the peers' own environments.

A job is a folder: train.csv, holes.csv (the test rows without the hidden cells), hidden.csv
(1 = asked), job.json. A peer writes samples.csv and guesses.npz: for each column, for its
hidden cells in the order of rows, `NAME/probs` and `NAME/categories`, or `NAME/mean` and
`NAME/median`; and times.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd


class Job:
    """One job, and what is handed in for it."""

    def __init__(self) -> None:
        self.folder = Path(sys.argv[1])
        self.settings = json.loads((self.folder / "job.json").read_text())
        self.out = Path(sys.argv[2])
        self.out.mkdir(parents=True, exist_ok=True)
        self.numeric = list(self.settings["numeric"])
        self.dates = list(self.settings["dates"])
        self.arrays: dict[str, np.ndarray] = {}
        self.times: dict[str, float] = {}
        self.train, self.holes = self._read("train.csv"), self._read("holes.csv")
        self.hidden = pd.read_csv(self.folder / "hidden.csv").astype(bool)

    def _read(self, name: str) -> pd.DataFrame:
        """Read a table: numbers as floats, dates as floats in days, all else as text."""
        raw = pd.read_csv(self.folder / name, dtype=str, keep_default_na=False, na_values=[""])
        for column in raw.columns:
            if column in self.dates:
                since = pd.to_datetime(raw[column]) - pd.Timestamp("1970-01-01")
                raw[column] = since / pd.Timedelta(days=1)
            elif column in self.numeric:
                raw[column] = raw[column].astype(float)
            else:
                raw[column] = raw[column].astype(object)
        return raw

    @property
    def columns(self) -> list[str]:
        """The columns, in order."""
        return list(self.train.columns)

    def is_number(self, column: str) -> bool:
        """Whether a column lies on a line."""
        return column in self.numeric or column in self.dates

    def asked(self, column: str) -> np.ndarray:
        """Rows whose cell of a column is asked."""
        return np.flatnonzero(self.hidden[column].to_numpy())

    def guess_category(self, column: str, categories: list[str], probs: np.ndarray) -> None:
        """Hand in probabilities, (cells, categories)."""
        self.arrays[f"{column}/categories"] = np.array([str(c) for c in categories])
        self.arrays[f"{column}/probs"] = np.asarray(probs, np.float64)

    def guess_number(self, column: str, mean: np.ndarray, median: np.ndarray) -> None:
        """Hand in the mean and the median of each cell."""
        self.arrays[f"{column}/mean"] = np.asarray(mean, np.float64)
        self.arrays[f"{column}/median"] = np.asarray(median, np.float64)

    def clock(self, name: str, start: float) -> None:
        """Note the seconds since `start`."""
        self.times[name] = time.perf_counter() - start
        self._write_times()

    def samples(self, drawn: pd.DataFrame) -> None:
        """Hand in drawn rows, dates as days."""
        drawn[self.columns].to_csv(self.out / "samples.csv", index=False)

    def finish(self) -> None:
        """Write what was handed in."""
        np.savez(self.out / "guesses.npz", **self.arrays)
        self._write_times()

    def _write_times(self) -> None:
        (self.out / "times.json").write_text(json.dumps(self.times))
