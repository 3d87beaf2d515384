"""Rows a second of each family: evaluation in parallel, sampling without recomputing.

``python -m benchmarks.autoregressive``; one thread. Each line is timed beside a matrix
product with as many multiplications and beside the published form in eager torch, in turns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from anypart.models.contract import Evidence
from benchmarks.autoregressive.families import Entry, entries
from benchmarks.contest import write_result

N_COLS, WIDTH, N_ROWS, N_DRAWN = 100, 256, 4_096, 1_024
N_ANEW = 128  # rows drawn by recomputing, which takes long
ROUNDS = 5


def seconds(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Time some works in turns, so that a busy moment meets all; the best of each."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for number, work in enumerate(works):
            began = time.perf_counter()
            work()
            best[number] = min(best[number], time.perf_counter() - began)
    return best


def product(n_rows: int, work: int) -> Callable[[], object]:
    """A matrix product with `work` multiplications a row, its inner side `N_COLS`."""
    left = np.ones((n_rows, N_COLS), np.float32)
    right = np.ones((N_COLS, max(work // N_COLS, 1)), np.float32)
    out = np.empty((n_rows, right.shape[1]), np.float32)
    return lambda: np.matmul(left, right, out=out)


def recomputing(entry: Entry) -> Callable[[], object]:
    """Sample `N_ANEW` rows by evaluating all columns anew for each column."""
    model = entry.model.mixture.members[0] if hasattr(entry.model, "mixture") else entry.model
    rng = np.random.default_rng(0)

    def work() -> None:
        x = np.zeros((N_ANEW, N_COLS), np.float32)
        for i in range(N_COLS):
            x[:, i] = rng.random(N_ANEW) < 1 / (1 + np.exp(-model._logits(x)[:, i]))

    return work


def measure(entry: Entry) -> str:
    """Time one family; a line of the table."""
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2, (N_ROWS, N_COLS)).astype(np.int32)
    evidence = Evidence(codes, np.ones(codes.shape, bool))
    nothing = Evidence.nothing(N_DRAWN, N_COLS)
    model, x = entry.model, codes.astype(np.float32)
    if entry.real:
        x = rng.normal(size=codes.shape).astype(np.float32)
        own, draw = (lambda: model.log_density(x)), (lambda: model.sample_values(N_DRAWN, rng))
    else:
        own, draw = (lambda: model.log_prob(evidence)), (lambda: model.sample(nothing, rng))
    with torch.inference_mode():
        asked = torch.from_numpy(x)
        mine, theirs, bare = seconds(
            own, lambda: entry.other.log_prob(asked), product(N_ROWS, entry.work)
        )
        works = [draw, lambda: entry.other.sample(N_DRAWN), product(N_DRAWN, entry.work)]
        drawn, their_draws, bare_draws = seconds(*works)
    anew = "–"
    if not entry.real and (hasattr(model, "_logits") or hasattr(model, "mixture")):
        few = Evidence.nothing(N_ANEW, N_COLS)
        once, again = seconds(lambda: model.sample(few, rng), recomputing(entry), rounds=2)
        anew = f"{again / once:.1f}"
    return (
        f"| {entry.name} | {N_ROWS / mine:,.0f} | {bare / mine:.3f} | {theirs / mine:.2f} "
        f"| {N_DRAWN / drawn:,.0f} | {bare_draws / drawn:.4f} | {their_draws / drawn:.2f} "
        f"| {anew} |"
    )


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    lines = [
        "# Families along one order: evaluation and sampling",
        "",
        f"`python -m benchmarks.autoregressive`, {N_COLS} binary columns (rnade: real), "
        f"{WIDTH} hidden units, {N_ROWS:,} rows evaluated and {N_DRAWN:,} drawn, one thread, "
        f"best of {ROUNDS} in turns.",
        "",
        "*To product*: speed as a share of one matrix product with as many multiplications. "
        "*To torch*: times as fast as a plain published-style implementation in eager torch. "
        "*To recomputing*: times as fast as the same family evaluating all columns anew for "
        "each column. Below 1 is slower. On a machine with other work cells move by half.",
        "",
        "| family | rows/s evaluated | to product | to torch | rows/s drawn | to product "
        "| to torch | to recomputing |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for entry in entries(N_COLS, WIDTH):
        lines.append(measure(entry))
        sys.stdout.write(lines[-1] + "\n")
    write_result("autoregressive", lines)


if __name__ == "__main__":
    main()
