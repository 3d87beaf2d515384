r"""Which columns are neighbours in a hidden tree, found by trying out.

What two columns tell of each other does not say where a third belongs: a diamond's colour
tells little of its clarity, and much of it when price and weight are known. So small trees are
trained for seconds, and judged on rows that they have not seen. Where to change one is read
off its own mistakes: of the rows with b = j, a model that knows b as well as all other cells
expects

.. math:: E_{ij} = \sum_{rows:\, b = j} p(a = i \mid \text{all other cells})

to have a = i. Where as many do not, :math:`O_{ij} \ne E_{ij}`, b says more of a than the tree
lets it, and the two become neighbours; the weakest edge on the way between them goes.

References:
    Chickering, "Optimal structure identification with greedy search" (2002), for climbing by
    single edges; Pierce & Schafer, "Residuals in generalized linear models" (1986).

"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Evidence, Layout, Mask, Model
from anypart.models.structure import foretold, pair_counts, spanning_tree, strayed
from anypart.optim.events import Sought
from anypart.optim.hidden_trees import HiddenSettings, HiddenTreeLearner
from anypart.optim.rows import Rows, some_rows
from anypart.optim.sizes import batch_size, decay_for
from anypart.optim.tree_start import make_sample, settled

STATES = 32
PASSES = 3
MOST_ROWS = 20_000  # to train and judge small trees on
JUDGED = 0.1  # share of them
GROUPS = 8  # of a column's categories, that mistakes are counted in
PATIENCE = 10  # changes in a row that gain nothing
MOST_COLUMNS = 64  # beyond, a single trial takes too long
LEAST_ROWS = 1_000  # below, so few rows are judged that chance decides

Edge = tuple[int, int]
Edges = tuple[Edge, ...]


def worth_seeking(n_rows: int, n_cols: int) -> bool:
    """Tell whether a table has the rows to judge trees by, and few enough columns."""
    return n_rows >= LEAST_ROWS and 3 < n_cols <= MOST_COLUMNS


def seek_tree(
    name: str, ordered: Sequence[int], stray: float, seconds: float, seed: int, rows: Rows
) -> Sought:
    """Seek a tree for some seconds; the first trial is made however long it takes.

    Args:
        name: what to call the result.
        ordered: the columns whose categories have an order.
        stray: where to begin, see `TreeSearch`.
        seconds: of the wall clock.
        seed: of everything random but the time that trials take.
        rows: those to learn from; some are kept apart to judge by.

    """
    until = time.monotonic() + seconds
    layout = Layout(tuple(rows.source.n_cats))
    search = TreeSearch(layout, *some_rows(rows, MOST_ROWS, seed), ordered, stray, seed)
    return Sought(name, search.climb(until))


@dataclass(frozen=True)
class _Tried:
    """A small tree: its edges, the model, and what it says of the judged rows."""

    edges: Edges
    model: Model
    log_prob: NDArray[np.float64]


class TreeSearch:
    """Climbs from the tree of the strongest pairs to better ones.

    Args:
        layout: the columns.
        codes, seen: (rows, cols); at most `MOST_ROWS` are used.
        ordered: the columns whose categories have an order.
        stray: 0 begins at the tree of the strongest pairs, more at another good one.
        seed: of everything random.

    """

    def __init__(
        self,
        layout: Layout,
        codes: Codes,
        seen: Mask,
        ordered: Sequence[int],
        stray: float,
        seed: int,
    ) -> None:
        self._layout, self._seed = layout, seed
        rng = generator(seed, "tree search")
        some = rng.permutation(len(codes))[:MOST_ROWS]
        cut = int(len(some) * JUDGED)
        self._judged = codes[some[:cut]], seen[some[:cut]]
        self._taught = codes[some[cut:]], seen[some[cut:]]
        n_cats = float(np.mean(layout.n_cats))
        decay = decay_for(STATES, n_cats, len(some) - cut)
        self._settings = HiddenSettings(n_states=STATES, decay=decay, ordered=ordered)
        hosts = settled(make_sample(layout, *self._taught))
        self.free = [c for c in range(layout.n_cols) if c not in hosts]
        counts = pair_counts(layout, codes, seen)
        self._weights = foretold(layout, counts)
        begun = strayed(layout, counts, stray, rng) if stray else self._weights
        order, parent = spanning_tree(begun[np.ix_(self.free, self.free)])
        pairs = [(self.free[c], self.free[parent[c]]) for c in order[1:]]
        self._groups = _groups(layout, codes, seen)
        self.best = self._try(_sorted(pairs))

    def climb(self, until: float) -> Edges:
        """Try changes, until `time.monotonic()` or none helps; return the best tree's edges."""
        failed: set[Edges] = set()
        pairs = self._pairs()
        while time.monotonic() < until and len(failed) < PATIENCE:
            changed = next((e for e in map(self._joined, pairs) if e not in failed), None)
            if changed is None:
                break
            tried = self._try(changed)
            gain = tried.log_prob - self.best.log_prob
            if gain.mean() > gain.std() / np.sqrt(max(len(gain), 1)):
                self.best, failed = tried, set()
                pairs = self._pairs()
            else:
                failed.add(changed)
        return self.best.edges

    def _try(self, edges: Edges) -> _Tried:
        settings = replace(self._settings, edges=edges)
        learner = HiddenTreeLearner(self._layout, *self._taught, settings, self._seed)
        n_rows = len(self._taught[0])
        batch, rng = batch_size(n_rows), generator(self._seed, "tree trial")
        steps = max(PASSES * n_rows // batch, 1)
        mixed = np.concatenate([rng.permutation(n_rows) for _ in range(PASSES)])
        for step in range(steps):
            some = mixed[step * batch : (step + 1) * batch]
            learner.step(self._taught[0][some], self._taught[1][some], step / steps)
        model = learner.model()
        return _Tried(edges, model, model.log_prob(Evidence(*self._judged)))

    def _pairs(self) -> list[Edge]:
        """List the pairs that are no neighbours, what the best tree misses most of first."""
        missed = mistakes(self.best.model, *self._judged, self._groups)
        missed += missed.T
        apart = [(a, b) for a in self.free for b in self.free if a < b]
        apart = [p for p in apart if p not in self.best.edges]
        return sorted(apart, key=lambda p: -missed[p])

    def _joined(self, pair: Edge) -> Edges:
        """Make two columns neighbours, and drop the weakest edge between them."""
        way = _way(self.best.edges, *pair)
        weakest = min(way, key=lambda e: self._weights[e])
        return _sorted([*(e for e in self.best.edges if e != weakest), pair])


def mistakes(
    model: Model, codes: Codes, seen: Mask, groups: NDArray[np.float32]
) -> NDArray[np.float64]:
    """What each column says of another beyond what a model knew, (cols, cols), nats a row.

    Row a, column b: sum over groups i of a and j of b of O log O / E, see the module.

    Args:
        model: with `leave_one_out`.
        codes: (rows, cols) rows that it did not learn from.
        seen: (rows, cols) the cells that have a value.
        groups: (flat, cols · `GROUPS`) the group of each category, as 0 and 1.

    """
    n_rows, n_cols = codes.shape
    hot = np.zeros((n_rows, len(groups)), np.float32)
    starts = np.array([s.start for s in model.layout.slices])
    rows, cols = np.nonzero(seen)
    hot[rows, codes[rows, cols] + starts[cols]] = 1
    there = hot @ groups
    expected = np.exp(model.leave_one_out(codes, seen)) @ groups
    expected *= np.repeat(seen, GROUPS, axis=1)
    met, foreseen = there.T @ there + 0.5, expected.T @ there + 0.5
    told = (met - 0.5) * np.log(met / foreseen)
    found = told.reshape(n_cols, GROUPS, n_cols, GROUPS).sum(axis=(1, 3)) / max(n_rows, 1)
    np.fill_diagonal(found, 0)
    return found.astype(np.float64)


def _groups(layout: Layout, codes: Codes, seen: Mask) -> NDArray[np.float32]:
    """Deal each column's categories, in their order, to groups of about as many rows."""
    made = np.zeros((layout.total, layout.n_cols * GROUPS), np.float32)
    for column, here in enumerate(layout.slices):
        n = layout.n_cats[column]
        counts = np.bincount(codes[seen[:, column], column], minlength=n) + 1e-9
        middle = (np.cumsum(counts) - counts / 2) / counts.sum()
        group = np.arange(n) if n <= GROUPS else (middle * GROUPS).astype(int)
        made[np.arange(here.start, here.stop), column * GROUPS + group] = 1
    return made


def _sorted(pairs: Sequence[Edge]) -> Edges:
    return tuple(sorted((int(min(p)), int(max(p))) for p in pairs))


def _way(edges: Edges, start: int, end: int) -> list[Edge]:
    """List the edges between two columns of a tree."""
    beside: dict[int, list[int]] = {}
    for a, b in edges:
        beside.setdefault(a, []).append(b)
        beside.setdefault(b, []).append(a)
    came, due = {start: start}, [start]
    while due:
        here = due.pop()
        for there in beside.get(here, []):
            if there not in came:
                came[there] = here
                due.append(there)
    way = list[Edge]()
    while end != start:
        way.append((min(end, came[end]), max(end, came[end])))
        end = came[end]
    return way
