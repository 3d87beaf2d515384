"""The proof that a fitted model hears only what it may, on its trained weights.

A chain p(x_1) p(x_2 | x_1) … sums to 1 only if no column's conditional depends on itself or
on a later column. The network's index sets decide it: a torch function with the trained
weights is shown to give the model's own logits, and its dependence (`lens.network`) is
compared with the order. An order-agnostic network must not read the code of an unseen cell.
Boosted trees and tables are no networks: what their trees ask about, and the axes that their
tables have, are read off. A mixture over a latent vector is no chain; what is proved of it is
in `scores.components`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anypart.base.seeds import generator
from anypart.models.conditional_table import ConditionalTable
from anypart.models.contract import Evidence, Model
from anypart.models.many_orders import ManyOrders
from anypart.models.one_order import OneOrder
from anypart.models.order_agnostic import OrderAgnostic
from anypart.models.places import Array
from anypart.models.stack import Stack
from anypart.models.stated_questions import StatedQuestions
from anypart.scores.twins import TWINS, tree_logits

if TYPE_CHECKING:
    import torch

    from anypart.scores.twins import Twin

AGREES = 1e-3  # logits of the two forms, float32
ROWS = 16  # on which they are compared
NOT_ITS_OWN = "its logits are not those of its weights"


@dataclass(frozen=True)
class Proof:
    """Whether one chain of a model is autoregressive.

    Args:
        family: of the model.
        proved: no conditional depends on its own or on a later column.
        leaks: (column that is predicted, column that it depends on and must not).
        why: why nothing was proved, empty if it was decided.

    """

    family: str
    proved: bool
    leaks: tuple[tuple[int, int], ...] = ()
    why: str = ""

    @property
    def note(self) -> str:
        """Say what is wrong."""
        if self.why:
            return f"{self.family}: {self.why}"
        out, read = self.leaks[0]
        return f"{self.family}: column {out} depends on column {read}"


@dataclass(frozen=True)
class Autoregression:
    """How many chains a fit has, and how many are proved autoregressive.

    Args:
        chains: every order of every member along an order.
        proved: those proved on their trained weights.
        notes: what was not proved, and why.

    """

    chains: int
    proved: int
    notes: tuple[str, ...] = ()


def score_autoregression(model: Model) -> Autoregression | None:
    """Prove every chain of a model; None if there is none."""
    found = list(prove(model))
    if not found:
        return None
    notes = {p.note for p in found if not p.proved}
    return Autoregression(len(found), sum(p.proved for p in found), tuple(sorted(notes)))


def prove(model: Model) -> Iterator[Proof]:
    """Decide for every chain in a model whether it is autoregressive.

    Args:
        model: any of the catalogue; a stack's members are taken one by one.

    Returns:
        A proof for each order of each chain; nothing for families that are no chains.

    Cost:
        One run and one backward pass of each network for every place, in masks.

    """
    if isinstance(model, Stack | StatedQuestions):
        for member in model.members:
            yield from prove(member)
    elif isinstance(model, ManyOrders):
        yield from prove(model.mixture)
    elif isinstance(model, OrderAgnostic):
        yield from (_any_order(model, order) for order in model.orders)
    elif isinstance(model, ConditionalTable):
        yield _tables(model)
    elif isinstance(model, OneOrder):
        if model.family == "boosted_trees":
            yield _trees(model)
        elif twin := TWINS.get(model.family):
            yield _network(model, twin(model))
        else:
            yield Proof(model.family, False, (), "nobody has written what its arithmetic is")


def _some_rows(model: OneOrder) -> Array:
    """Make up rows with a few gaps, (rows, places)."""
    rng = generator(0, "twin")
    codes = np.stack([rng.integers(0, n, ROWS) for n in model.places.layout.n_cats], 1)
    return model.places.encode(codes.astype(np.int32), rng.random(codes.shape) < 0.9, model.means)


def _judged(model: OneOrder, reads: Any) -> Proof:
    """Compare what places hear, (places, places heard), with the order."""
    column_of = model.places.column_of
    out, read = np.nonzero(reads & (column_of[None, :] >= column_of[:, None]))
    pairs = {
        (int(model.order[column_of[o]]), int(model.order[column_of[i]]))
        for o, i in zip(out, read, strict=True)
    }
    return Proof(model.family, not pairs, tuple(sorted(pairs)))


def _network(model: OneOrder, twin: Twin) -> Proof:
    import torch

    from anypart.lens.network.asking import dependence

    x = _some_rows(model)
    with torch.no_grad():
        same = np.allclose(twin(torch.from_numpy(x)).numpy(), model._logits(x), atol=AGREES)
    if not same:
        return Proof(model.family, False, (), NOT_ITS_OWN)
    return _judged(model, dependence(twin, torch.zeros(1, model.places.total)).numpy())


def _trees(model: OneOrder) -> Proof:
    x = _some_rows(model)
    if not np.allclose(tree_logits(model, x), model._logits(x), atol=AGREES):
        return Proof(model.family, False, (), NOT_ITS_OWN)
    total, n_cols = model.places.total, model.places.layout.n_cols
    hears = np.zeros((n_cols, total), np.bool_)  # by what its trees ask about
    for tests in model.arrays["tests"]:
        col, node = np.nonzero(tests >= 0)
        hears[col, tests[col, node] % total] = True
    return _judged(model, hears[model.places.column_of] | (model.arrays["weight"].T != 0))


def _tables(model: ConditionalTable) -> Proof:
    """A table has an axis for its column and for each before it, and no other."""
    n_cats = model.layout.n_cats
    right = [n_cats[: col + 1] for col in range(len(n_cats))]
    if [table.shape for table in model.tables] != right:
        return Proof(model.family, False, (), "its tables have other axes than the columns before")
    rng = generator(0, "twin")
    codes = np.stack([rng.integers(0, n, ROWS) for n in n_cats], 1).astype(np.int32)
    with np.errstate(divide="ignore"):
        chain = sum(np.log(t[tuple(codes[:, : t.ndim].T)]) for t in model.tables)
    said = model.log_prob(Evidence(codes, np.ones(codes.shape, np.bool_)))
    same = np.allclose(said, chain, atol=AGREES)
    return Proof(model.family, same, (), "" if same else "its answers are not those of its tables")


def _any_order(model: OrderAgnostic, order: Any) -> Proof:
    import torch

    from anypart.lens.network.asking import which_inputs
    from anypart.optim.gradient import masked_logits

    layout, n_cols = model.layout, model.layout.n_cols
    arrays = model.state()[1]
    parameters = {n: torch.from_numpy(a) for n, a in arrays.items() if n != "orders"}
    position = np.argsort(order)
    seen = position[None, :] < np.arange(n_cols)[:, None]  # row i: the first i of the order
    starts = torch.tensor([s.start for s in layout.slices])
    unseen = layout.total + torch.arange(n_cols)

    def logits(codes: torch.Tensor) -> torch.Tensor:
        tokens = torch.where(torch.from_numpy(seen), codes + starts, unseen)
        return masked_logits(parameters, tokens, 0.0, None)

    codes = np.stack(
        [generator(0, "codes", c).integers(0, n, n_cols) for c, n in enumerate(layout.n_cats)], 1
    )
    with torch.no_grad():
        raw = logits(torch.from_numpy(codes)).numpy().astype(np.float64)
    said = model.conditional(Evidence(codes.astype(np.int32), seen))
    asked = np.zeros(raw.shape, bool)
    for at, column in enumerate(np.asarray(order).tolist()):
        place = layout.slices[column]
        asked[at, place] = True
        mine = raw[at, place] - np.logaddexp.reduce(raw[at, place])
        if not np.allclose(mine, said[at, place], atol=AGREES):
            return Proof(model.family, False, (), "its answers are not those of its weights")
    reads = which_inputs(logits, torch.from_numpy(codes), torch.from_numpy(asked)).numpy()
    pairs = {(int(order[row]), int(column)) for row, column in np.argwhere(reads & ~seen)}
    return Proof(model.family, not pairs, tuple(sorted(pairs)))
