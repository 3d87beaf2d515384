"""mostlyai-engine with its defaults: `TabularARGN`, any order; dates as it takes them itself."""

import time

import numpy as np
import pandas as pd
from door import Job
from mostlyai.engine import TabularARGN

DRAWS = 8

job = Job()


def dated(table: pd.DataFrame) -> pd.DataFrame:
    """Give dates back their type, whole seconds."""
    return table.assign(**{c: pd.to_datetime(table[c], unit="D").dt.round("s") for c in job.dates})


def in_days(values: pd.Series) -> np.ndarray:
    """Place drawn values on the line that errors are measured on."""
    if values.name in job.dates:
        return ((pd.to_datetime(values) - pd.Timestamp(0)) / pd.Timedelta(days=1)).to_numpy()
    return pd.to_numeric(values).to_numpy()


start = time.perf_counter()
model = TabularARGN(verbose=0).fit(dated(job.train))
job.clock("fit", start)
start = time.perf_counter()
job.samples(model.sample(n_samples=job.settings["n_samples"]).reset_index(drop=True))
job.clock("sample", start)

start = time.perf_counter()
n_rows = min(job.settings["slow_rows"], len(job.holes))
holes, hidden = dated(job.holes.iloc[:n_rows]), job.hidden.iloc[:n_rows]
found: dict[str, list] = {c: [] for c in job.columns}
for row in range(n_rows):
    given = holes.iloc[[row]].dropna(axis=1).reset_index(drop=True)
    for column in hidden.columns[hidden.iloc[row]]:
        if not job.is_number(column):
            found[column].append(model.predict_proba(given, target=column).iloc[0])
for column, parts in found.items():
    if parts:
        table = pd.DataFrame(parts).fillna(0.0)
        table.columns = [str(c).removeprefix(f"{column}_") for c in table.columns]
        job.guess_category(column, list(table.columns), table.to_numpy())
job.clock("probabilities", start)
start = time.perf_counter()
draws = [model.impute(holes.copy(), n_draws=1) for _ in range(DRAWS)]
for column in filter(job.is_number, job.columns):
    rows = np.flatnonzero(hidden[column])
    drawn = np.stack([in_days(d[column])[rows] for d in draws])
    job.guess_number(column, drawn.mean(0), np.median(drawn, 0))
job.clock("draws", start)
job.finish()
