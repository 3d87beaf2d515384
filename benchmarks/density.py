"""Test log-likelihood on the standard binary sets, beside the records.

``python -m benchmarks.density SET [any|fast|density]``, one set a call; the results are kept
together in a table, and an interrupted fit goes on where it was when called again.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np

import anypart
from benchmarks.contest import RESULTS, work_folder, write_result
from benchmarks.data import data_file

RECORDS = {  # best exact value, hidden Chow-Liu tree, continuous mixture of trees
    "nltcs": (-5.974, -5.99, -5.99),
    "plants": (-11.99, -14.26, -12.26),
    "baudio": (-38.95, -39.77, -39.02),
    "accidents": (-26.32, -26.74, -28.69),
    "mushrooms": (-9.55, None, None),
    "adult": (-13.12, None, None),
    "connect4": (-11.90, None, None),
    "ocr_letters": (-27.22, None, None),
    "dna": (-79.05, -79.05, None),
    "msweb": (-9.59, None, -9.62),
    "cwebkb": (-147.77, None, -147.77),
    "bbc": (-237.42, -251.04, None),
    "caltech101_silhouettes28": (None, None, None),
}


def write_table(path: Path, bits: np.ndarray) -> Path:
    """Write a set as CSV, one column a variable."""
    if not path.exists():
        with path.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([f"v{c}" for c in range(bits.shape[1])])
            writer.writerows(bits.tolist())
    return path


def measure(name: str, purpose: str) -> dict[str, float]:
    """Fit one set; mean and standard error over its test rows, nats."""
    packed = np.load(data_file(f"density/{name}.npz"))
    folder = work_folder("density") / name
    folder.mkdir(parents=True, exist_ok=True)
    n_cols = int(packed["cols"])
    paths = {
        part: write_table(folder / f"{part}.csv", np.unpackbits(packed[part], axis=1)[:, :n_cols])
        for part in ("train", "valid", "test")
    }
    # Constant columns are part of the likelihood, so every column is declared.
    kinds = {f"v{c}": "binary" for c in range(n_cols)}
    fitted = anypart.fit(
        paths["train"], valid=paths["valid"], kinds=kinds, purpose=purpose, folder=folder / purpose
    )
    logs = np.asarray(fitted.log_prob(paths["test"]).value)
    error = float(logs.std(ddof=1) / np.sqrt(len(logs)))
    return {"mean": float(logs.mean()), "error": error, "cols": len(fitted.schema.modelled)}


def main(name: str, purpose: str = "density") -> None:
    if name not in RECORDS:
        sys.exit(f"No set {name!r}; there are {', '.join(RECORDS)}.")
    kept = RESULTS / "density.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    results[f"{name} {purpose}"] = measure(name, purpose)
    RESULTS.mkdir(exist_ok=True)
    kept.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    lines = [
        "# Density of binary vectors: test log-likelihood, nats per row",
        "",
        "`python -m benchmarks.density SET PURPOSE`, default minutes, one set a call",
        "",
        "| set | purpose | found | best exact | hidden Chow-Liu tree | continuous mixture |"
        " to the best |",
        "|---|---|---|---|---|---|---|",
    ]
    for key, found in sorted(results.items()):
        set_name, of = key.split()
        records = RECORDS[set_name]
        shown = " | ".join("–" if r is None else f"{r:.2f}" for r in records)
        gap = "–" if records[0] is None else f"{found['mean'] - records[0]:+.3f}"
        lines.append(
            f"| {set_name} | {of} | {found['mean']:.3f} ± {found['error']:.3f} | {shown} | {gap} |"
        )
    write_result("density", lines)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"Name a set: {', '.join(RECORDS)}.")
    main(*sys.argv[1:3])
