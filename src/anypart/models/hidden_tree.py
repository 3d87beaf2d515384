"""A hidden Chow-Liu tree: one latent node a column, along the columns' spanning tree."""

from __future__ import annotations

from typing import final

import numpy as np
from numpy.typing import NDArray

from anypart.models.latent_tree import LatentTree, Shape


@final
class HiddenTree(LatentTree):
    """A tree of latent nodes; each node carries one column.

    A column's own node mixes its neighbours' states, so that two columns far apart in
    the tree depend on each other through as much as log(n_states) nats.

    References:
        Liu & Van den Broeck, "Tractable regularization of probabilistic circuits" (2021),
        section 4.

    """

    family = "hidden_tree"


def tree_shape(
    order: NDArray[np.intp], parent: NDArray[np.intp], n_states: tuple[int, ...]
) -> Shape:
    """Make one node per column of a spanning tree.

    Args:
        order: the columns, parents first, from `structure.spanning_tree`.
        parent: the parent of each column, -1 for the root.
        n_states: per column, the states of its node.

    """
    place = np.empty(len(order), int)
    place[order] = np.arange(len(order))
    parents = tuple(int(place[parent[c]]) if parent[c] >= 0 else -1 for c in order)
    return Shape(parents, tuple(n_states[c] for c in order), tuple(place.tolist()))
