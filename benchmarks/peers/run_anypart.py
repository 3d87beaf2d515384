"""anypart with its defaults; started with the project's own environment."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.csv

import anypart
from anypart.scores.imputation import guess
from anypart.scores.predictive import column_points
from anypart.scores.rows import code_rows

DAY = 86400.0


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    settings = json.loads((folder / "job.json").read_text())
    out.mkdir(parents=True, exist_ok=True)
    times: dict[str, float] = {}
    start = time.perf_counter()
    fitted = anypart.fit(folder / "train.csv", overwrite=True, **settings["fit"])
    times["fit"] = time.perf_counter() - start
    fitted.save(out / "fit")

    start = time.perf_counter()
    drawn = fitted.sample(settings["n_samples"], with_missing=True).value
    times["sample"] = time.perf_counter() - start
    pyarrow.csv.write_csv(drawn, out / "samples.csv")

    start = time.perf_counter()
    holes = anypart.read(folder / "holes.csv").to_arrow()
    hidden = pyarrow.csv.read_csv(folder / "hidden.csv")
    names = [c.name for c in fitted.schema.modelled]
    mask = np.stack([hidden.column(n).to_numpy() for n in names], axis=1).astype(bool)
    arrays: dict[str, np.ndarray] = {}
    for one in guess(fitted, code_rows(fitted, holes), mask):
        column, at = fitted.schema.modelled[one.column_ix], one.column_ix
        if column.kind.numeric and column.name in settings["numeric"] + settings["dates"]:
            unit = DAY if column.kind == "time" else 1.0
            points = column_points(fitted.codec, at, one.probs.shape[1])
            arrays[f"{column.name}/mean"] = one.probs @ fitted.codec.cell_means(at) / unit
            arrays[f"{column.name}/median"] = points.quantile(one.probs, 0.5) / unit
        elif column.name in settings["numeric"]:
            values = np.array([float(c) for c in column.categories])
            probs = one.probs[:, : len(values)]
            order = np.argsort(values)
            mass = np.cumsum(probs[:, order], axis=1)
            at = np.minimum((mass < 0.5).sum(axis=1), len(values) - 1)
            arrays[f"{column.name}/mean"] = probs @ values / probs.sum(axis=1)
            arrays[f"{column.name}/median"] = values[order][at]
        else:
            arrays[f"{column.name}/categories"] = np.array(fitted.codec.labels(at))
            arrays[f"{column.name}/probs"] = one.probs
    np.savez(out / "guesses.npz", **arrays)
    times["cells"] = time.perf_counter() - start

    start = time.perf_counter()
    test = fitted.log_prob(folder / "test.csv").value
    times["score"] = time.perf_counter() - start
    np.save(out / "log_prob.npy", test)
    (out / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":  # training starts processes, which import this file
    main()
