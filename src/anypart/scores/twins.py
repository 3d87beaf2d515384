"""The arithmetic of fitted models again, as slow and plain as it gets, on their own weights.

A twin is what a proof looks into: `lens.network` follows its operations. That it computes
what the model answers is shown on numbers, beside the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from anypart.models.one_order import OneOrder
from anypart.models.places import Array

if TYPE_CHECKING:
    import torch

    Twin = Callable[[torch.Tensor], torch.Tensor]


def _weights(model: OneOrder) -> dict[str, torch.Tensor]:
    import torch

    return {n: torch.from_numpy(np.array(a)) for n, a in model.arrays.items()}


def _linear(model: OneOrder) -> Twin:
    p = _weights(model)
    return lambda x: x @ p["weight"] + p["bias"]


def _masked(model: OneOrder) -> Twin:
    p = _weights(model)

    def logits(x: torch.Tensor) -> torch.Tensor:
        hidden = x
        for i in range(sum(name.endswith(".degrees") for name in p)):
            hidden = (hidden @ p[f"{i}.weight"] + p[f"{i}.bias"]).relu()
        return hidden @ p["out_weight"] + p["out_bias"] + x @ p["direct"]

    return logits


def _separate(model: OneOrder) -> Twin:
    import torch

    p, owner = _weights(model), torch.from_numpy(model.places.column_of)

    def logits(x: torch.Tensor) -> torch.Tensor:
        hidden = torch.sigmoid(torch.einsum("rp,cpw->rcw", x, p["weight"]) + p["bias"])
        return (hidden[:, owner] * p["out_weight"]).sum(2) + p["out_bias"]

    return logits


def _recursive(model: OneOrder) -> Twin:
    from anypart.optim.chain_families import nade_logits

    p, order = _weights(model), np.arange(model.layout.n_cols)
    return lambda x: nade_logits(p, x, model.places, order)


def _real(model: OneOrder) -> Twin:
    from anypart.optim.chain_real import Lines, rnade_logits

    p = {n: w.double() for n, w in _weights(model).items()}
    lines = Lines(model.places, model.arrays["centres"], model.arrays["edges"])
    return lambda x: rnade_logits(p, x.double(), lines)


TWINS: dict[str, Callable[[OneOrder], Twin]] = {
    "fvsbn": _linear,
    "made": _masked,
    "separate_networks": _separate,
    "nade": _recursive,
    "rnade": _real,
}


def tree_logits(model: OneOrder, x: Array) -> Array:
    """Logits of boosted trees, a node at a time, (rows, places)."""
    places, arrays = model.places, model.arrays
    upto = np.zeros(x.shape, np.bool_)
    for place in places.slices:
        upto[:, place] = np.cumsum(x[:, place], 1) > 0.5
        upto[:, place.stop - 1 : place.stop] = False  # all of a column's places say nothing
    answers = np.concatenate([x > 0.5, upto], 1)
    rows, cols = np.arange(len(x))[:, None], np.arange(places.layout.n_cols)
    logits = x @ arrays["weight"] + arrays["bias"]
    for tests, values in zip(arrays["tests"], arrays["values"], strict=True):
        node = np.zeros((len(x), len(cols)), np.int64)
        for _ in range(tests.shape[1].bit_length()):
            asked = tests[cols, node]
            node = 2 * node + 1 + ((asked >= 0) & answers[rows, asked])
        logits += values[np.arange(places.total), (node - tests.shape[1])[:, places.column_of]]
    return logits
