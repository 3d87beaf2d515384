"""A hidden tree of the digits that scikit-learn ships, small enough to send with a page.

Its tables go as one byte a probability. The page and `sent_model` answer from those bytes, so
they agree to rounding; what the bytes cost is told beside them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout
from anypart.models.latent_tree import LatentTree, Shape, TreeParts
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner

SIDE = 8
LAYOUT = Layout((2,) * SIDE**2 + (10,))  # the pixels, then the digit
N_TRAIN = 1_400  # of 1,797; the rest are held out
STATES, STEPS, BATCH = 48, 200, 350
SEED = 0


@cache
def rows() -> tuple[Codes, Codes]:
    """Return (training, held-out) rows: a pixel is on from half its range up."""
    from sklearn.datasets import load_digits

    found = cast(Any, load_digits())
    pixels = (found.data >= 8).astype(np.int32)
    codes = np.concatenate([pixels, found.target[:, None].astype(np.int32)], axis=1)
    codes = codes[np.random.default_rng(SEED).permutation(len(codes))]
    return codes[:N_TRAIN], codes[N_TRAIN:]


@cache
def fitted() -> LatentTree:
    """Fit the tree to the training rows by mini-batch EM: some three seconds."""
    train, _ = rows()
    seen = np.ones(train.shape, np.bool_)
    settings = HiddenSettings(n_states=STATES)
    learner = HiddenTreeLearner(LAYOUT, train, seen, settings, SEED)
    rng = np.random.default_rng(SEED)
    for step in range(STEPS):
        batch = train[rng.integers(0, len(train), BATCH)]
        learner.step(batch, seen[:BATCH], step / STEPS)
    return cast(LatentTree, learner.model())


def to_bytes(table: NDArray[Any]) -> NDArray[np.uint8]:
    """Write probabilities as bytes, finer near 0 and never 0: p ≈ (byte / 255)²."""
    return np.maximum(np.rint(255 * np.sqrt(table)), 1).astype(np.uint8)


def from_bytes(table: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Read rows of probabilities, made to sum to 1."""
    squares = table.astype(np.float64) ** 2
    return (squares / squares.sum(axis=1, keepdims=True)).astype(np.float32)


def sent_model(model: LatentTree) -> tuple[LatentTree, list[NDArray[np.uint8]]]:
    """Return the tree as the page has it, childless nodes summed out, and its tables."""
    circuit = model.circuit
    tables = [to_bytes(table) for table in (*circuit.transitions, *circuit.emissions)]
    n_nodes = circuit.shape.n_nodes
    read = [from_bytes(table) for table in tables]
    parts = TreeParts(circuit.shape, tuple(read[:n_nodes]), tuple(read[n_nodes:]))
    return LatentTree(model.layout, parts), tables


def mean_log_prob(model: LatentTree, codes: Codes) -> float:
    """Return the mean log-probability of whole rows, nats."""
    return float(model.log_prob(Evidence(codes, np.ones(codes.shape, np.bool_))).mean())


def data() -> dict[str, Any]:
    """Return the tree, a held-out digit of each kind, and how good the tree is."""
    _, held_out = rows()
    model, tables = sent_model(fitted())
    shape: Shape = model.parts.shape
    return {
        "parents": shape.parents,
        "states": shape.n_states,
        "node_of": shape.node_of,
        "cats": LAYOUT.n_cats,
        "tables": base64.b64encode(b"".join(t.tobytes() for t in tables)).decode("ascii"),
        "digits": [_written(held_out, digit) for digit in range(10)],
        "held_out": len(held_out),
        "log_prob": round(mean_log_prob(model, held_out), 4),
        "before_bytes": round(mean_log_prob(fitted(), held_out), 4),
    }


def _written(codes: Codes, digit: int) -> str:
    pixels: Sequence[int] = codes[codes[:, -1] == digit][0, :-1].tolist()
    return "".join(map(str, pixels))
