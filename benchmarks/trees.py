"""What a hidden tree gains by where its columns hang, and by the order of numbers' cells.

``python -m benchmarks.trees [TABLE …]`` of adult, diamonds, airbnb, housing, taxis. One tree of
128 states, ten passes, the plan's decay, trained by the package's own loop on the same rows,
is told its structure in several ways; figures are nats a test row of the codes, with the
standard error of the difference to the way above.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow.csv import read_csv

import anypart
from anypart.data.codec import Codec
from anypart.data.infer import infer_schema
from anypart.models.contract import Evidence, Layout
from anypart.models.structure import corrected, determined, foretold, pair_counts, spanning_tree
from anypart.optim.in_memory import Held, train_held
from anypart.optim.rows import split
from anypart.optim.sizes import batch_size, decay_for
from anypart.optim.tree_search import seek_tree
from benchmarks.contest import write_result
from benchmarks.data import data_file
from benchmarks.job import Rows, read_rows, split_rows
from benchmarks.tables import FILES

STATES, PASSES = 128, 10
SECONDS = 8.0  # to seek a tree in, as a fit of two minutes takes at most
TABLES = ("adult", *FILES)
Edges = Sequence[tuple[int, int]]


def read_table(name: str) -> tuple[list[str], Rows, Rows]:
    """Return the header, rows to learn from and rows to test."""
    if name == "adult":
        header, train = read_rows(data_file("tables/adult_train.csv.gz"))
        return header, train, read_rows(data_file("tables/adult_test.csv.gz"))[1]
    header, rows = read_rows(data_file(f"tables/{FILES[name][0]}.csv.gz"))
    return header, *split_rows(rows)


def as_csv(header: list[str], rows: Rows) -> pa.Table:
    """Read rows of text as a user's file is read."""
    text = io.StringIO()
    csv.writer(text).writerows([header, *rows])
    return read_csv(io.BytesIO(text.getvalue().encode()))


def plain_information(layout: Layout, counts: np.ndarray) -> np.ndarray:
    """Mutual information of counted shares, (cols, cols), nats."""
    found = np.zeros((layout.n_cols, layout.n_cols))
    for a, one in enumerate(layout.slices):
        for b, other in enumerate(layout.slices):
            joint = counts[one, other] / max(counts[one, other].sum(), 1)
            alone = joint.sum(1, keepdims=True) * joint.sum(0)
            met = joint > 0
            found[a, b] = (joint[met] * np.log(joint[met] / alone[met])).sum() * (a != b)
    return found


def tree_of(layout: Layout, counts: np.ndarray, weights: np.ndarray) -> Edges:
    """List the edges of the heaviest tree over the columns that no other settles."""
    hosts = determined(layout, counts)
    free = [c for c in range(layout.n_cols) if c not in hosts]
    order, parent = spanning_tree(weights[np.ix_(free, free)])
    return [(free[c], free[parent[c]]) for c in order[1:]]


def measure(name: str) -> list[str]:
    """Train the trees of one table; return the lines of its part of the result."""
    header, train, test = read_table(name)
    table = as_csv(header, train)
    codec = Codec(infer_schema(anypart.read(table)))
    taught, asked = codec.encode(table), codec.encode(as_csv(header, test))
    layout, n_rows = Layout(codec.n_cats), len(taught.codes)
    held = split(Held(taught.codes, taught.seen, codec.n_cats), None, 0).train
    codes, seen = held.rows(np.arange(held.n_rows))
    counts = pair_counts(layout, codes, seen)
    ways: dict[str, tuple[Edges, Sequence[int]]] = {
        "mutual information": (tree_of(layout, counts, plain_information(layout, counts)), ()),
        "Miller's correction": (tree_of(layout, counts, corrected(layout, counts)), ()),
        "rows left out": (tree_of(layout, counts, foretold(layout, counts)), ()),
        "rows left out, cells in order": (
            tree_of(layout, counts, foretold(layout, counts)),
            codec.ordered,
        ),
        "sought by trying out, cells in order": (
            seek_tree("tree", codec.ordered, 0.0, SECONDS, 0, held).edges,
            codec.ordered,
        ),
    }
    batch = batch_size(n_rows)
    decay = decay_for(STATES, layout.total / layout.n_cols, held.n_rows)
    lines, before = list[str](), None
    for way, (edges, ordered) in ways.items():
        settings = {"n_states": STATES, "decay": decay, "edges": edges, "ordered": ordered}
        trained = train_held(
            "hidden_tree",
            settings,
            layout,
            (taught.codes, taught.seen),
            steps=PASSES * held.n_rows // batch,
            batch=batch,
        )
        logs = trained.model.log_prob(Evidence(asked.codes, asked.seen))
        gain = ""
        if before is not None:
            more = logs - before
            gain = f"{more.mean():+.3f} ± {more.std(ddof=1) / np.sqrt(len(more)):.3f}"
        before = logs
        lines.append(f"| {name} | {way} | {logs.mean():.3f} | {gain} |")
        print(lines[-1], file=sys.stderr)
    return lines


def main(names: list[str]) -> None:
    """Measure tables and write the result."""
    lines = [
        "# Where the columns of a hidden tree hang",
        "",
        f"`python -m benchmarks.trees`: one tree of {STATES} states, nats a test row of the codes.",
        "",
        "| table | pairs weighed by | test | more than the line above |",
        "|---|---|---|---|",
    ]
    for name in names:
        lines += measure(name)
    write_result("trees", lines)


if __name__ == "__main__":
    main(sys.argv[1:] or list(TABLES))
