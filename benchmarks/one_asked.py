"""One cell given all others: how well it can be told, and what no other question can pass.

``python -m benchmarks.one_asked [SET …]``. For each column a boosted classifier learns it from
all the others, stopped on the validation rows. The mean entropy of k cells given the rest, per
cell, does not fall as k grows (Han 1978, for subsets drawn evenly), so the figure for one
asked cell bounds those for 10 and for 50 %: a published figure that is better than what
a classifier tells with more given is not a mean over even draws.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.contest import write_result
from benchmarks.density import ASKED, ID_SPN, read_set

ROUNDS, PATIENCE = 400, 20
LEAST = 1e-6  # probability that is charged


def measure(name: str) -> tuple[float, float]:
    """Return the mean log-probability of a test cell given its row's others, and its error."""
    bits = read_set(name)
    train, test = bits["train"], bits["test"]
    n_cols = train.shape[1]
    logs = np.zeros(test.shape)
    for col in range(n_cols):
        others = np.delete(np.arange(n_cols), col)
        chance = np.full(len(test), (train[:, col].sum() + 0.5) / (len(train) + 1))
        if len(np.unique(train[:, col])) == 2:
            trees = HistGradientBoostingClassifier(
                max_iter=ROUNDS,
                learning_rate=0.08,
                max_leaf_nodes=12,
                l2_regularization=3.0,
                max_features=0.5,
                n_iter_no_change=PATIENCE,
                early_stopping=True,
                random_state=0,
            )
            valid = bits["valid"]
            trees.fit(train[:, others], train[:, col], X_val=valid[:, others], y_val=valid[:, col])
            chance = trees.predict_proba(test[:, others])[:, 1]
        right = np.where(test[:, col] == 1, chance, 1 - chance)
        logs[:, col] = np.log(np.maximum(right, LEAST))
        print(f"\r{name}: column {col + 1} of {n_cols}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    rows = logs.mean(1)
    return float(rows.mean()), float(rows.std(ddof=1) / np.sqrt(len(rows)))


def main(names: list[str]) -> None:
    """Measure sets and write the table."""
    lines = [
        "# One cell given all others, by boosted classifiers",
        "",
        "`python -m benchmarks.one_asked SET …`, nats per cell ± standard error over test rows.",
        "Of even draws no figure for more asked cells can be above the true one for one cell",
        "(Han 1978). Published figures above what is found here, with more given, are marked.",
        "",
        f"| set | one asked | ID-SPN: {', '.join(f'{share:.0%}' for share in ASKED)} |",
        "|---|---|---|",
    ]
    for name in names:
        found, error = measure(name)
        theirs = [
            f"{figure:.4f}" + (f" (+{(figure - found) / error:.1f} s.e.)" * (figure > found))
            for figure in ID_SPN[name]
        ]
        lines.append(f"| {name} | {found:.4f} ± {error:.4f} | {', '.join(theirs)} |")
        print(lines[-1], flush=True)
    write_result("one_asked", lines)


if __name__ == "__main__":
    main(sys.argv[1:] or ["nltcs", "baudio"])
