"""Lace (cross-categorisation): 8 chains, 200 rounds; cells by its own `logp` and `simulate`."""

import time

import numpy as np
import pandas as pd
from door import Job
from lace import Engine

CHAINS, ROUNDS, DRAWS = 8, 200, 64

job = Job()
start = time.perf_counter()
table = job.train.copy()
table.index = [f"r{i}" for i in range(len(table))]
table.index.name = "ID"
model = Engine.from_df(table, n_states=CHAINS, rng_seed=0)
model.update(ROUNDS)
job.clock("fit", start)
start = time.perf_counter()
drawn = model.simulate(job.columns, n=job.settings["n_samples"])
job.samples(drawn.to_pandas() if hasattr(drawn, "to_pandas") else drawn)
job.clock("sample", start)

start = time.perf_counter()
n_rows = min(job.settings["slow_rows"], len(job.holes))
for column in job.columns:
    rows = [r for r in job.asked(column) if r < n_rows]
    if not rows:
        continue
    kinds = sorted(job.train[column].dropna().unique()) if not job.is_number(column) else []
    probs, means, medians = [], [], []
    for row in rows:
        given = job.holes.iloc[row].dropna().to_dict()
        if kinds:
            logs = model.logp(pd.DataFrame({column: kinds}), given=given)
            p = np.exp(np.asarray(logs, float))
            probs.append(p / p.sum())
        else:
            x = np.asarray(model.simulate([column], given=given, n=DRAWS)[column], float)
            means.append(x.mean())
            medians.append(np.median(x))
    if kinds:
        job.guess_category(column, kinds, np.array(probs))
    else:
        job.guess_number(column, np.array(means), np.array(medians))
job.clock("cells", start)
job.finish()
