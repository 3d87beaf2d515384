r"""The policies: each draws, for every row, the part that is asked and the part that is given.

A question asks the cells A given the cells C. It is answered along an order a of A: a number
k of its cells, uniform in [0, |A|), is told first, and the next cell is predicted from C and
those. The mean of what is lost is

.. math:: E_{a, k} [-\log p(x_{a_{k+1}} | x_C, x_{a_1}, …, x_{a_k})]
    = \frac{1}{|A|} E_a \big[ -\log p_a(x_A | x_C) \big].

If all orders of A are as likely, each cell that is not told is as likely the next one, so
all of them are predicted at once, with weight 1 / (|A| − k). A policy is its distribution
over questions and orders, and nothing else.

What is drawn for the rows of a batch is spread evenly over them (stratified), which keeps
the mean and takes away noise.

References:
    Uria, Murray and Larochelle 2014, A deep and tractable density estimator, eq. 7.
    Yang et al. 2019, XLNet, section 2.3 (predicting a part of an order).
    Vincent et al. 2008, Extracting and composing robust features with denoising autoencoders.
    Owen 2013, Monte Carlo theory, methods and examples, section 8.4 (stratification).

"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Mask
from anypart.models.stated import Stated

Reals = NDArray[np.float64]
REPLACED = 0.2  # share of the cells that corruption replaces, if no share is said


@dataclass(frozen=True)
class Policy:
    """Which part predicts which, as settings.

    Args:
        kind: a name in `KINDS`.
        weight: how often it is drawn, relative to others beside it.
        share: of a row's seen cells that is asked (replaced, by corruption), in (0, 1];
            None for a number that is uniform from one to all.
        columns: those that are asked, or the order of `one order`; empty for all.
        given: columns that are given; None for all that are not asked.

    """

    kind: str
    weight: float = 1.0
    share: float | None = None
    columns: tuple[int, ...] = ()
    given: tuple[int, ...] | None = None

    def settings(self) -> dict[str, Any]:
        """Return the fields as JSON has them, for the settings of a member."""
        given = None if self.given is None else list(self.given)
        return {**dataclasses.asdict(self), "columns": list(self.columns), "given": given}

    @staticmethod
    def of(settings: Mapping[str, Any]) -> Policy:
        """Read what `settings` wrote."""
        given = settings["given"]
        return Policy(
            settings["kind"],
            settings["weight"],
            settings["share"],
            tuple(settings["columns"]),
            None if given is None else tuple(given),
        )


def stated(policies: Iterable[Policy], n_cols: int) -> tuple[Stated, ...]:
    """List the questions that policies of columns state, each once.

    Example:
        >>> stated([Policy("spans"), Policy("columns", columns=(1,))], 3)
        (Stated(asked=(1,), given=(0, 2)),)

    """
    found: dict[Stated, None] = {}
    for policy in policies:
        if policy.kind == "columns":
            given = range(n_cols) if policy.given is None else policy.given
            asked = tuple(sorted(policy.columns))
            found[Stated(asked, tuple(sorted(set(given) - set(asked))))] = None
    return tuple(found)


def all_stated(policies: Iterable[Policy]) -> bool:
    """Whether nothing is asked but questions that are stated."""
    return all(p.kind == "columns" for p in policies)


@dataclass(frozen=True)
class Question:
    """What is asked of each row, given what.

    Args:
        asked: (rows, cols) seen cells that are asked.
        given: (rows, cols) seen cells that are given, none of them asked.
        ranks: (rows, cols) the order along which asked cells are told, least first.
        fixed: whether the order is not a uniform one, so that only its next cell is asked.
        replaced: (rows, cols) cells that show another row's value; None for no cell. All
            cells are then asked at once, the shown ones too.

    """

    asked: Mask
    given: Mask
    ranks: Reals
    fixed: bool = False
    replaced: Mask | None = None


Draw = Callable[[Policy, Mask, np.random.Generator], Question]


def orders(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Ask the whole row along a random order."""
    return Question(seen, np.zeros_like(seen), rng.random(seen.shape))


def one_order(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Ask the whole row along one order: `columns`, or the table's."""
    order = np.array(policy.columns or range(seen.shape[1]))
    ranks = np.empty(seen.shape)
    ranks[:, order] = np.arange(len(order))
    return Question(seen, np.zeros_like(seen), ranks, fixed=True)


def subsets(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Ask random cells given all others."""
    asked = seen & (_places(seen, rng.random(seen.shape)) < _how_many(policy, seen, rng)[:, None])
    return Question(asked, seen & ~asked, rng.random(seen.shape))


def spans(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Ask neighbouring cells given all others; every start is as likely."""
    place = np.cumsum(seen, axis=1) - 1  # (rows, cols), among the seen cells
    long = _how_many(policy, seen, rng)
    start = rng.integers(0, np.maximum(seen.sum(1) - long, 0) + 1)
    asked = seen & (place >= start[:, None]) & (place < (start + long)[:, None])
    return Question(asked, seen & ~asked, rng.random(seen.shape))


def columns(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Ask the same columns of every row, given all others or the columns that are given."""
    asked, given = np.zeros_like(seen), np.zeros_like(seen)
    asked[:, list(policy.columns)] = True
    given[:, slice(None) if policy.given is None else list(policy.given)] = True
    return Question(seen & asked, seen & given & ~asked, rng.random(seen.shape))


def corruption(policy: Policy, seen: Mask, rng: np.random.Generator) -> Question:
    """Show every cell, some with another row's value, and ask what each one was."""
    share = REPLACED if policy.share is None else policy.share
    replaced = seen & (rng.random(seen.shape) < share)
    return Question(seen, np.zeros_like(seen), np.zeros(seen.shape), replaced=replaced)


KINDS: Mapping[str, Draw] = {
    "orders": orders,
    "one order": one_order,
    "subsets": subsets,
    "spans": spans,
    "columns": columns,
    "corruption": corruption,
}


def _how_many(policy: Policy, seen: Mask, rng: np.random.Generator) -> NDArray[np.int64]:
    """Number of cells that are asked, (rows,), at least 1 where any is seen."""
    n_seen = seen.sum(1)
    if policy.share is None:
        return (spread(len(seen), rng) * np.maximum(n_seen, 1)).astype(np.int64) + 1
    return np.maximum(np.round(policy.share * n_seen), 1).astype(np.int64)


def _places(cells: Mask, ranks: Reals) -> NDArray[np.int64]:
    """Place of each of the cells in their order, from 0, (rows, cols); others come later."""
    along = np.where(cells, ranks, np.inf).argsort(1)
    places = np.empty_like(along)
    np.put_along_axis(places, along, np.arange(cells.shape[1])[None], axis=1)
    return places


def spread(n: int, rng: np.random.Generator) -> Reals:
    """Draw n numbers, each uniform in [0, 1), one in every n-th of it."""
    return (rng.permutation(n) + rng.random(n)) / max(n, 1)


def told(question: Question, rng: np.random.Generator) -> tuple[Mask, Mask]:
    """Choose the asked cells that are told, and those that are then predicted.

    A uniform number below all is told, along the order; what is predicted is the rest of
    them, or the next one of a fixed order.
    """
    n_asked = np.maximum(question.asked.sum(1), 1)
    n_told = (spread(len(n_asked), rng) * n_asked).astype(np.int64)[:, None]
    places = _places(question.asked, question.ranks)
    left = places == n_told if question.fixed else places >= n_told
    return question.asked & (places < n_told), question.asked & left
