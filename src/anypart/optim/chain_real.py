"""RNADE in torch: where it begins, and its logits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anypart.models.places import Array, Places
from anypart.models.rnade import FLOOR, MOST_LOG, RNADE
from anypart.optim.chains import Start

if TYPE_CHECKING:
    import torch

    Parameters = dict[str, torch.Tensor]

BEYOND = 1e4  # farther than any mixture reaches


def normal_scores(places: Places, margins: Array) -> tuple[Array, Array]:
    """Cut each column's line so that a standard normal has its margins there.

    Returns:
        centres and edges, (flat,) each, as `RNADE` takes them.

    """
    import torch

    centres = np.zeros(places.layout.total, np.float32)
    edges = np.full(places.layout.total, np.inf, np.float32)
    for place, own, size in zip(places.layout.slices, places.slices, places.sizes, strict=True):
        if size:
            share = margins[own].astype(np.float64)
            share = np.array([1 - share[0], share[0]]) if size == 1 else share / share.sum()
            upper = np.cumsum(share)
            centres[place] = torch.special.ndtri(torch.from_numpy(upper - share / 2)).numpy()
            edges[place][:-1] = torch.special.ndtri(torch.from_numpy(upper[:-1])).numpy()
    return centres, edges


class Lines:
    """The codes of all columns as intervals of their lines.

    Args:
        places: of the columns, in the order.
        centres: (flat,) the number that each code enters as.
        edges: (flat,) where each code's interval ends; inf for a column's last code.

    """

    def __init__(self, places: Places, centres: Array, edges: Array) -> None:
        import torch

        inner = places.layout
        low = np.concatenate([[np.float32(-np.inf)], edges[:-1]])
        low[[s.start for s in inner.slices]] = -np.inf
        self.places, self.centres = places, torch.from_numpy(np.array(centres))
        self.owner = torch.from_numpy(np.repeat(np.arange(inner.n_cols), inner.n_cats))
        # An infinite end times a deviation's gradient of 0 would not be a number.
        self.low, self.high = (
            torch.from_numpy(edge).clamp(-BEYOND, BEYOND) for edge in (low, np.array(edges))
        )

    def numbers(self, x: torch.Tensor) -> torch.Tensor:
        """Turn encoded cells into the numbers they stand for, as `RNADE` does, (rows, cols)."""
        import torch

        places, centres = self.places, self.centres.to(x.dtype)
        columns: list[torch.Tensor] = []
        for flat, own, size in zip(places.layout.slices, places.slices, places.sizes, strict=True):
            centre = centres[flat]
            if size > 1:
                columns.append(x[:, own] @ centre)
            else:
                share = x[:, own].sum(1)
                columns.append(centre[0] + share * (centre[-1] - centre[0]))
        return torch.stack(columns, 1)


def rnade_logits(parameters: Parameters, x: torch.Tensor, lines: Lines) -> torch.Tensor:
    """Do in torch what `RNADE` does in NumPy, all positions at once, (rows, places).

    Args:
        parameters: by name, as `RNADE` has them.
        x: (rows, places).
        lines: the columns' lines.

    """
    import torch

    p, places, owner = parameters, lines.places, lines.owner
    added = lines.numbers(x)[:, :, None] * p["weight"]  # (rows, cols, width)
    nothing = added.new_zeros(len(x), 1, added.shape[2])
    before = torch.cat([nothing, added.cumsum(1)[:, :-1]], 1) + p["bias"]
    hidden = torch.relu(p["scale"][:, None] * before)
    heads = torch.einsum("rcw,kcmw->krcm", hidden, p["out_weight"]) + p["out_bias"][:, None]
    share, mean = torch.softmax(heads[0], 2), heads[1]
    inverse = torch.exp(-heads[2].clamp(-MOST_LOG, MOST_LOG))
    low, high = (
        (edge[:, None] - mean[:, owner]) * inverse[:, owner] for edge in (lines.low, lines.high)
    )  # (rows, flat, mixes)
    flip = low > 0
    upper, lower = torch.where(flip, -low, high), torch.where(flip, -high, low)
    mass = torch.special.ndtr(upper) - torch.special.ndtr(lower)
    logs = torch.log((share[:, owner] * mass).sum(2) + FLOOR)
    found = [
        logs[:, flat] if size > 1 else logs[:, flat][:, 1:] - logs[:, flat][:, :1]
        for flat, size in zip(places.layout.slices, places.sizes, strict=True)
        if size
    ]
    return torch.cat(found, 1)


class RNADENetwork:
    """RNADE on lines cut by normal scores; its places lie in the order."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._centres, self._edges = normal_scores(start.places, start.means)
        self._lines = Lines(start.places, self._centres, self._edges)

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with."""
        start, width, mixes = self._start, self._start.settings.width, self._start.settings.mixes
        n_cols = start.layout.n_cols
        out = start.uniform("out", width, 3, n_cols, mixes, width) * np.float32(0.1)
        # Apart, so that they learn apart, and together as good as a standard normal.
        spread = np.linspace(-0.5, 0.5, mixes) if mixes > 1 else np.zeros(1)
        bias = np.zeros((3, n_cols, mixes), np.float32)
        bias[1] = spread
        bias[2] = 0.5 * np.log(1 - np.mean(spread**2))
        return {
            "weight": start.uniform("weight", n_cols, n_cols, width),
            "bias": np.abs(start.uniform("bias", n_cols, width)),
            "scale": np.ones(n_cols, np.float32),
            "out_weight": out,
            "out_bias": bias,
        }

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        return rnade_logits(parameters, x, self._lines)

    def model(self, arrays: dict[str, Array]) -> RNADE:
        """Make the model of trained parameters."""
        every = arrays | {"centres": self._centres, "edges": self._edges}
        return RNADE(self._start.layout, self._start.order, self._start.means, every)
