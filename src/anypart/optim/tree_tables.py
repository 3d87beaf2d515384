"""Trees in training as arrays: what a checkpoint holds of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Layout
from anypart.models.latent_tree import Shape
from anypart.models.latent_tree.circuit import Array
from anypart.optim.expected_counts import Counts
from anypart.optim.tree_start import GrowingTree


def tree_state(tree: GrowingTree) -> dict[str, NDArray[Any]]:
    """Return the shape and the tables of a tree."""
    shape = np.array([tree.shape.parents, tree.shape.n_states])
    arrays = {"nodes": shape, "node_of": np.array(tree.shape.node_of)}
    return arrays | tables_state(tree.transitions, tree.emissions)


def tree_from_state(
    arrays: Mapping[str, NDArray[Any]], tree: GrowingTree, layout: Layout
) -> GrowingTree:
    """Put the shape and the tables that `tree_state` returned into a tree."""
    parents, n_states = arrays["nodes"].tolist()
    shape = Shape(tuple(parents), tuple(n_states), tuple(arrays["node_of"].tolist()))
    tables = tables_from_state(arrays, shape, layout)
    return replace(tree, shape=shape, transitions=tables.transitions, emissions=tables.emissions)


def tables_state(transitions: Sequence[Array], emissions: Sequence[Array]) -> dict[str, Array]:
    """Lay tables, or counts shaped like them, one after another."""
    groups = {"transitions": transitions, "emissions": emissions}
    return {name: np.concatenate([t.ravel() for t in group]) for name, group in groups.items()}


def tables_from_state(arrays: Mapping[str, NDArray[Any]], shape: Shape, layout: Layout) -> Counts:
    """Cut what `tables_state` laid; copies, because steps change tables."""
    wide = [shape.n_states[i] for i in shape.node_of]
    transitions = [(shape.states_above(i), k) for i, k in enumerate(shape.n_states)]
    emissions = list(zip(wide, layout.n_cats, strict=True))
    return Counts(_cut(arrays["transitions"], transitions), _cut(arrays["emissions"], emissions))


def _cut(flat: Array, sizes: Sequence[tuple[int, int]]) -> list[Array]:
    ends = np.cumsum([a * b for a, b in sizes])[:-1]
    return [p.reshape(s).copy() for p, s in zip(np.split(flat, ends), sizes, strict=True)]
