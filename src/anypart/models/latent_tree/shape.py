"""The shape of a latent tree: who is whose parent, and which column hangs on which node."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Shape:
    """Rooted trees of latent nodes.

    Args:
        parents: the parent of each node, a node with a smaller number, or -1 for a root.
        n_states: the number of states of each node.
        node_of: the node that each column hangs on.

    """

    parents: tuple[int, ...]
    n_states: tuple[int, ...]
    node_of: tuple[int, ...]

    def __post_init__(self) -> None:
        n = len(self.parents)
        assert len(self.n_states) == n, "one number of states a node"
        assert all(-1 <= p < i for i, p in enumerate(self.parents)), "parents come first"
        assert all(0 <= i < n for i in self.node_of), "columns hang on nodes"
        assert all(k >= 1 for k in self.n_states), "every node has a state"

    @property
    def n_nodes(self) -> int:
        """Count the nodes."""
        return len(self.parents)

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """The children of each node."""
        out: list[list[int]] = [[] for _ in self.parents]
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                out[parent].append(node)
        return tuple(map(tuple, out))

    @cached_property
    def columns(self) -> tuple[tuple[int, ...], ...]:
        """The columns that hang on each node."""
        out: list[list[int]] = [[] for _ in self.parents]
        for column, node in enumerate(self.node_of):
            out[node].append(column)
        return tuple(map(tuple, out))

    @cached_property
    def width(self) -> int:
        """The floats that the messages of one row fill."""
        below = sum(self.n_states[i] for i in self.node_of)
        return below + sum(self.n_states[p] for p in self.parents if p >= 0)

    def states_above(self, node: int) -> int:
        """Count the states of the parent; 1 above a root."""
        parent = self.parents[node]
        return 1 if parent < 0 else self.n_states[parent]

    @cached_property
    def lifted(self) -> tuple[bool, ...]:
        """The nodes that can be summed out beforehand: no children, one column, a parent."""
        return tuple(
            parent >= 0 and not self.children[node] and len(self.columns[node]) == 1
            for node, parent in enumerate(self.parents)
        )
