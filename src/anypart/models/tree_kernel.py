"""Loops of boosted trees: down the levels, and what the leaves add, for many trees at once.

All trees have the same depth and lie side by side, a tree a column. A level goes over all
its nodes for a run of rows that stays near the processor: comparing each row with each node
takes the widest instructions, where following each row by itself would take none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.data.kernel import kernel

Bits = NDArray[np.uint8]
Tests = NDArray[np.int32]
Numbers = NDArray[np.int64]
Reals = NDArray[np.float32]

RUN = 1_024  # rows


@kernel
def descend(bits: Bits, tests: Tests, leaf: Bits) -> None:
    """Go one level down, in place: to twice the node, and one more where the answer is yes.

    Args:
        bits: (questions, rows) uint8 answers.
        tests: (trees, nodes of the level) questions; −1 is always no.
        leaf: (trees, rows) uint8, the node of each row, in [0, nodes).

    """
    for tree in range(tests.shape[0]):
        for start in range(0, leaf.shape[1], RUN):
            here = leaf[tree, start : start + RUN]
            found = np.zeros(len(here), np.uint8)
            for node in range(tests.shape[1]):
                if tests[tree, node] < 0:
                    continue
                answers, at = bits[tests[tree, node], start : start + RUN], np.uint8(node)
                for r in range(len(here)):  # an assignment under a condition is what is widened
                    if here[r] == at:
                        found[r] = answers[r]
            for r in range(len(here)):
                here[r] = (here[r] << 1) | found[r]


@kernel
def add_values(values: Reals, leaf: Bits, column_of: Numbers, logits: Reals) -> None:
    """Add to each place's logits what its column's tree says, in place.

    Args:
        values: (places, leaves).
        leaf: (cols, rows) uint8, the leaf of each row.
        column_of: (places,) the tree of each place.
        logits: (places, rows).

    """
    for place in range(values.shape[0]):
        own, row, out = values[place], leaf[column_of[place]], logits[place]
        for r in range(len(out)):
            out[r] += own[row[r]]


@kernel
def add_trees(bits: Bits, tests: Tests, values: Reals, column_of: Numbers, logits: Reals) -> None:
    """Add what all rounds of trees say, in place.

    Args:
        bits: (questions, rows) uint8 answers.
        tests: (rounds, cols, nodes) questions, breadth first; −1 is always no.
        values: (rounds, places, leaves).
        column_of: (places,) the tree of each place; places of a column are neighbours.
        logits: (places, rows).

    """
    n_rounds, _, n_nodes = tests.shape
    n_rows = logits.shape[1]
    leaf, found = np.empty(RUN, np.uint8), np.empty(RUN, np.uint8)
    first = 0
    while first < len(column_of):
        col, last = column_of[first], first + 1
        while last < len(column_of) and column_of[last] == col:
            last += 1
        for start in range(0, n_rows, RUN):
            size = min(RUN, n_rows - start)
            for k in range(n_rounds):
                leaf[:] = 0
                base = 0
                while base < n_nodes:
                    found[:] = 0
                    for node in range(base + 1):
                        question = tests[k, col, base + node]
                        if question < 0:
                            continue
                        answers, at = bits[question, start : start + size], np.uint8(node)
                        for r in range(size):
                            if leaf[r] == at:
                                found[r] = answers[r]
                    for r in range(size):
                        leaf[r] = (leaf[r] << 1) | found[r]
                    base = 2 * base + 1
                for place in range(first, last):
                    own, out = values[k, place], logits[place, start : start + size]
                    for r in range(size):
                        out[r] += own[leaf[r]]
        first = last


@kernel
def choose_side(slopes: Reals, leaf: Bits, column_of: Numbers, node: int, out: Reals) -> None:
    """Copy the slopes of the rows at a node, 0 for all others.

    Args:
        slopes: (places, rows).
        leaf: (cols, rows) uint8, where each row is.
        column_of: (places,) the tree of each place.
        node: which node.
        out: (places, rows), written.

    """
    for place in range(slopes.shape[0]):
        own, row, into = slopes[place], leaf[column_of[place]], out[place]
        at = np.uint8(node)
        for r in range(len(into)):
            into[r] = own[r] if row[r] == at else np.float32(0)


@kernel
def binary_slopes(target: Reals, logits: Reals, small: Reals, slopes: Reals, curves: Reals) -> None:
    """Write the first and second derivatives of binary cells' nats by their logits.

    Args:
        target: (places, rows) 0 or 1, NaN for a cell that is not seen: it has no slope.
        logits: (places, rows).
        small: (places, rows) exp(−|logit|).
        slopes: (places, rows), written: p − target.
        curves: (places, rows), written: p (1 − p).

    """
    one = np.float32(1)
    for place in range(target.shape[0]):
        right, logit, tail = target[place], logits[place], small[place]
        slope, curve = slopes[place], curves[place]
        for r in range(len(slope)):
            larger = one / (one + tail[r])
            p = larger if logit[r] >= 0 else tail[r] * larger
            slope[r] = p - right[r]
            curve[r] = tail[r] * larger * larger
        for r in range(len(slope)):
            if right[r] != right[r]:
                slope[r] = 0
                curve[r] = 0
