"""mostlyai-engine with its defaults: `TabularARGN`, any order."""

import time

import numpy as np
import pandas as pd
from door import Job
from mostlyai.engine import TabularARGN

DRAWS = 8

job = Job()
start = time.perf_counter()
model = TabularARGN(verbose=0).fit(job.train)
job.clock("fit", start)
start = time.perf_counter()
job.samples(model.sample(n_samples=job.settings["n_samples"]).reset_index(drop=True))
job.clock("sample", start)

start = time.perf_counter()
n_rows = min(job.settings["slow_rows"], len(job.holes))
holes, hidden = job.holes.iloc[:n_rows], job.hidden.iloc[:n_rows]
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
    drawn = np.stack([pd.to_numeric(d[column]).to_numpy()[rows] for d in draws])
    job.guess_number(column, drawn.mean(0), np.median(drawn, 0))
job.clock("draws", start)
job.finish()
