"""Generated tables with every kind of column."""

import datetime as dt

import numpy as np
import pyarrow as pa


def mixed(n=1500, seed=0):
    rng = np.random.default_rng(seed)
    spiky = np.where(rng.random(n) < 0.8, 0, rng.integers(1, 5000, n) * 10)
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=int(d)) for d in rng.integers(0, 700, n)]
    when = np.datetime64("2021-03-01T00:00:00", "us") + (rng.random(n) * 1e6).astype("m8[s]")
    gaps = rng.random(n) < 0.1
    return pa.table(
        {
            "id": pa.array(rng.permutation(n) + 7),
            "word": pa.array(rng.choice(["red", "green", "blue"], n), mask=gaps),
            "flag": pa.array(rng.random(n) < 0.3),
            "digit": pa.array(rng.integers(0, 6, n)),
            "spiky": pa.array(spiky, mask=rng.random(n) < 0.05),
            "rounded": pa.array(np.round(rng.normal(40, 6, n), 1)),
            "real": pa.array(np.where(rng.random(n) < 0.2, 0.0, rng.normal(0, 1, n))),
            "big": pa.array(rng.lognormal(8, 2, n)),
            "day": pa.array(days),
            "when": pa.array(when),
            "same": pa.array(["x"] * n),
            "prose": pa.array([f"{a} {b}" for a, b in rng.random((n, 2)).tolist()]),
        }
    )
