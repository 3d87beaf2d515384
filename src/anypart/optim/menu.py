"""Which members a purpose asks for, the most wanted first."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any

from anypart.base.errors import FitError, suggest
from anypart.data.cells import FEW_COLUMNS
from anypart.models.continuous_mixture import GATHERED
from anypart.models.stated import Stated
from anypart.optim.policies import MIXED, Policy, all_stated
from anypart.optim.sizes import STATES, classes_for, decay_for

PURPOSES = ("any", "fast", "density", "questions", "distance")
BASELINES = frozenset({"independent", "chow_liu"})  # what others are compared with
ALONE = ("distance",)  # its first member is the fit, the others are baselines
FAST_STATES = 32  # of the tree that is cheap to ask
MANY_CATS = 16  # of a column, on average, from which the largest trees pay
SMALL = 1_000  # rows; below, many passes are cheap, and there are no larger trees
NOISE = 0.6  # how far the structures of further trees stray, so that they err differently
WHOLE = 1  # batch of a learner that holds its rows: what the loop reads for nothing
FEW_ROWS = 5_000
VARIANTS = ("structure_noise", "order")  # settings that make members differ at one cost
HATTED = ("hidden_tree", "continuous_mixture")  # whose learners use the order of categories
SCALED = {"n_states": 4, "width": 128}  # the settings that grow a member, and their least


@dataclass(frozen=True)
class Wish:
    """A member that a plan would like to have.

    Args:
        name: its name in the plan.
        family: its place in the catalogue.
        settings: what its learner takes.
        passes: over the training rows, when there is time.
        least: passes below which it is not worth training.
        patience: looks without a better one after which training ends.
        batch: rows in a mini-batch, 0 for what suits the number of rows.
        most_steps: a long table has taught a tree all it can before a pass is over.
        every: steps between looks at the validation rows, 0 for a pass.
        tried_last: its start may take long, so that it is rehearsed after all others.

    """

    name: str
    family: str
    settings: Mapping[str, Any]
    passes: int
    least: int
    patience: int = 5
    batch: int = 0
    most_steps: int = 4_000
    every: int = 0
    tried_last: bool = False

    def smaller(self) -> Wish | None:
        """Return the wish with half as many states or units, None if those are too few."""
        for name, least in SCALED.items():
            if (half := self.settings.get(name, 0) // 2) >= least:
                return dataclasses.replace(self, settings={**self.settings, name: half})
        return None


def wishes(
    n_rows: int,
    purpose: str,
    policy: Sequence[Policy] = (),
    distance: str = "forward_kl",
    questions: Sequence[Stated] = (),
    n_cols: int = 100,
    n_cats: float = 2,
    ordered: Sequence[int] = (),
) -> tuple[Wish, ...]:
    """List the members that a purpose asks for.

    `any` and `fast` hold members that answer any part exactly. The order-agnostic network
    is only in `density` and `questions`: its answers for parts depend on the order in which
    it is asked.

    Args:
        n_rows: rows to learn from.
        purpose: `any` (the best exact answers), `fast` (exact and cheap to ask), `density`
            (the best likelihood of complete rows), `questions` (a network trained on a
            policy, and for each question that the policy states members of its own) or
            `distance` (one mixture of products, brought near by a distance).
        policy: which part predicts which, for `questions`; mixed if there is none.
        distance: that distance.
        questions: those that the policy states.
        n_cols: columns; few of them can have larger trees.
        n_cats: categories of a column, on average; with many hidden trees decay faster, and a
            continuous mixture is dear to ask: `fast` has none.
        ordered: the columns whose categories have an order.

    Raises:
        FitError: there is no such purpose.

    """
    if purpose not in PURPOSES:
        known = ", ".join(PURPOSES)
        raise FitError(
            f"There is no purpose {purpose!r}; there are {known}.{suggest(purpose, PURPOSES)}"
        )
    found = [
        Wish("independent", "independent", {}, passes=2, least=1),
        Wish("chow_liu", "chow_liu", {}, passes=2, least=1),
    ]
    if purpose == "fast":
        found.append(_hidden("hidden_tree", FAST_STATES, n_rows))
        found += [_continuous(n_rows)] if n_cats < GATHERED else []
    elif purpose == "density":
        found += _along_orders(n_rows)
    elif purpose == "questions":
        found = _for_questions(n_rows, policy or MIXED, questions, found)
    elif purpose == "distance":
        found.insert(0, _classes(distance, classes_for(n_rows)))
    else:
        found += _exact(n_rows, n_cols, n_cats)
    return tuple(_suited(wish, n_cols, n_cats, n_rows, ordered) for wish in found)


def _suited(wish: Wish, n_cols: int, n_cats: float, n_rows: int, ordered: Sequence[int]) -> Wish:
    """Tell a wish which columns have an order, and a hidden tree how to learn from its table.

    Where columns have many categories, ten passes teach a large tree that decays what twenty
    do (512 states, validation rows: taxis the same, housing .1 nats more), in half of the
    time; a small one may lose by it (128 states: adult the same, taxis .13 less). Of few
    columns large trees learn more in twenty (diamonds, .04).
    """
    if ordered and wish.family in HATTED:
        wish = dataclasses.replace(wish, settings={**wish.settings, "ordered": list(ordered)})
    if wish.family != "hidden_tree":
        return wish
    decay = decay_for(wish.settings["n_states"], n_cats, n_rows)
    short = n_cats >= MANY_CATS and n_rows >= SMALL and n_cols > FEW_COLUMNS
    passes = wish.passes // 2 if short else wish.passes
    return dataclasses.replace(wish, settings={**wish.settings, "decay": decay}, passes=passes)


def _exact(n_rows: int, n_cols: int, n_cats: float) -> list[Wish]:
    """List what answers any part exactly, and best."""
    small = n_rows < SMALL
    few = n_cols <= FEW_COLUMNS and not small
    # A large tree is .2 nats better where numbers hang together closely (diamonds), .1 on
    # accidents; where they are no better (adult) they are dropped first, since they cost most.
    # Many categories, and numbers are such columns, have use for four times the states. Few
    # columns can afford them first, and such trees by themselves draw rows that are harder to
    # tell from real ones than a mixture with small ones does (diamonds).
    times = 4 if few or n_cats >= MANY_CATS else 2
    large = [
        _hidden(name, times * STATES, n_rows, noise)
        for name, noise in (("large_tree_1", 0.0), ("large_tree_2", NOISE))
    ]
    rest = [
        _hidden("hidden_tree_1", STATES, n_rows),
        _continuous(n_rows),
        _hidden("hidden_tree_2", STATES, n_rows, NOISE),
        _tree_mixture(3 if small else 8),
        _hidden("hidden_tree_3", STATES, n_rows, NOISE),
        _hidden("hidden_tree_4", STATES, n_rows, NOISE),
    ]
    if small:
        return rest
    more = [_hidden(f"hidden_tree_{k}", STATES, n_rows, NOISE) for k in (5, 6)]
    wanted = [*large, *rest] if few else [*rest[:3], large[0], *rest[3:], large[1]]
    return [*wanted, *more]


def _for_questions(
    n_rows: int,
    policy: Sequence[Policy],
    questions: Sequence[Stated],
    baselines: Sequence[Wish],
) -> list[Wish]:
    """List the network of a policy, and members for each question that it states.

    Where nothing but such questions is asked, their own members come before the network, and
    exact ones answer all others.
    """
    network = _any_order(
        n_rows, policy=[p.settings() for p in policy], width=128 if n_rows < SMALL else 512
    )
    network = dataclasses.replace(network, least=5)
    own = [_own(number, q, n_rows) for number, q in enumerate(questions, 1)]
    first, *more = ([w for w in some if w] for some in zip_longest(*own)) if own else [[]]
    later = list(chain.from_iterable(more))
    if not all_stated(policy):
        return [network, *baselines, *first, *later]
    exact = [
        _hidden("hidden_tree_1", STATES, n_rows),
        _continuous(n_rows),
        _hidden("hidden_tree_2", STATES, n_rows, NOISE),
    ]
    return [*baselines, *first, *later, network, *exact]


def _own(number: int, question: Stated, n_rows: int) -> list[Wish]:
    """List a question's own members, the most wanted first; it is told by its number.

    Measured on adult's income: leaves of a few rows are worth .012 nats, since rare gains
    settle it; depths 2 and 4 together .001 more than the better one.
    """
    few = n_rows < FEW_ROWS
    if len(question.asked) == 1:
        some = [
            _boosted("small_trees", {"depth": 2, "rate": 0.1 if few else 0.2, "ridge": 1.0}),
            _boosted("shallow_trees", {"depth": 3, "rate": 0.05, "ridge": 1.0})
            if few
            else _boosted("shallow_trees", {"depth": 4, "rate": 0.1, "ridge": 5.0}),
            _deep("deep_trees", n_rows, "chow_liu"),
        ]
    else:
        some = [
            _shallow("shallow_trees", n_rows, "chow_liu"),
            _masked("masked_network", n_rows, "chow_liu", layers=1),
            _deep("deep_trees", n_rows, "chow_liu"),
            _shallow("shallow_trees_again", n_rows, "shaken"),
        ]
    asks = {"question": question.settings()}
    return [
        dataclasses.replace(w, name=f"{w.name}_for_{number}", settings={**w.settings, **asks})
        for w in some
    ]


def _along_orders(n_rows: int) -> list[Wish]:
    """List what gives complete rows the best likelihood, whatever else it can answer."""
    return [
        # A step takes the rows that the learner holds, whatever the batch: a point of the
        # path of penalties, a round of trees.
        Wish("fvsbn", "fvsbn", {}, 25, 8, 3, WHOLE, most_steps=25, every=1, tried_last=True),
        _shallow("shallow_trees_1", n_rows, "chow_liu"),
        _masked("masked_network_1", n_rows, "chow_liu", layers=2),
        _deep("deep_trees_1", n_rows, "shaken"),
        # Trees that correct the regression: connect4's rules are nearly linear.
        _shallow("linear_trees_1", n_rows, "chow_liu", linear=True),
        _continuous(n_rows),
        _hidden("hidden_tree_1", STATES, n_rows),
        # Half as wide and half the orders: a row costs a hundred times what trees take.
        _any_order(n_rows, width=256, orders=2),
        _shallow("shallow_trees_2", n_rows, "shaken"),
        _masked("masked_network_2", n_rows, "shaken", layers=1),
        _masked("masked_network_3", n_rows, "shaken", layers=2),
        _shallow("linear_trees_2", n_rows, "shaken", linear=True),
        _shallow("shallow_trees_3", n_rows, "random"),
        _deep("deep_trees_2", n_rows, "chow_liu"),
        _shallow("shallow_trees_4", n_rows, "reversed"),
        _deep("deep_trees_3", n_rows, "shaken"),
        _shallow("shallow_trees_5", n_rows, "shaken"),
        _deep("deep_trees_4", n_rows, "random"),
        _hidden("hidden_tree_2", STATES, n_rows, NOISE),
        # Its likelihood is an estimate; the weight that validation gives it is mostly small.
        Wish("vae", "vae", {}, 60, 5, 5, 64 if n_rows < SMALL else 256, most_steps=8_000),
    ]


def _any_order(n_rows: int, **settings: Any) -> Wish:
    passes, batch = (500, 64) if n_rows < SMALL else (200, 256)
    name, settings = "order_agnostic", {"width": 512, **settings}
    return Wish(name, name, settings, passes, 20, 20, batch, most_steps=100_000)


def _masked(name: str, n_rows: int, order: str, layers: int) -> Wish:
    # Wide and few steps: 512 units cost plants and connect4 .1 nats; random orders cost
    # connect4 .6.
    settings = {"width": 1_024, "layers": layers, "orders": 1, "order": order}
    batch = 100 if n_rows < FEW_ROWS else 256
    # However few the rows, it takes 500 steps to be worth having and 2,000 to the end.
    passes, least = (
        max(some, steps * batch // max(n_rows, 1)) for some, steps in ((100, 2_000), (5, 500))
    )
    return Wish(name, "made", settings, passes, least, 4, batch, most_steps=5_000)


def _shallow(name: str, n_rows: int, order: str, **settings: Any) -> Wish:
    depth = 3 if n_rows < FEW_ROWS else 4
    wish = _boosted(name, {"order": order, "depth": depth, "ridge": 1.0, **settings})
    return dataclasses.replace(wish, tried_last="linear" in settings)  # a regression first


def _deep(name: str, n_rows: int, order: str) -> Wish:
    # Measured: many rows are learned best by leaves of a few rows each (plants: depth 4
    # -12.2, 7 -11.96), few rows by as deep trees whose steps are small (dna: depth 3 -78.6, 6
    # with a ridge of 30 -77.9).
    few = n_rows < FEW_ROWS
    how = {"depth": 6, "ridge": 30.0} if few else {"depth": 7, "ridge": 1.0, "share": 0.6}
    return _boosted(name, {"order": order, **how})


def _boosted(name: str, settings: Mapping[str, Any]) -> Wish:
    return Wish(name, "boosted_trees", settings, 600, 60, 3, WHOLE, 600, every=20)


def _classes(distance: str, n_states: int) -> Wish:
    # Its start is random, so it is looked at often and given up late.
    settings = {"distance": distance, "n_states": n_states}
    return Wish(
        "latent_classes", "latent_classes", settings, 200, 5, 8, 256, most_steps=3_000, every=50
    )


def _tree_mixture(n_trees: int) -> Wish:
    # Its trees start from counts and get better in few, large batches only.
    return Wish("tree_mixture", "tree_mixture", {"n_trees": n_trees}, 5, 2, 2, batch=1_000)


def _hidden(name: str, n_states: int, n_rows: int, noise: float = 0.0) -> Wish:
    # Measured by validation rows: plants gains .15 nats from 20 passes instead of 12, accidents
    # is at its best after ten and loses nothing.
    passes, least = (40, 8) if n_rows < SMALL else (20, 3)
    return Wish(
        name, "hidden_tree", {"n_states": n_states, "structure_noise": noise}, passes, least
    )


def _continuous(n_rows: int) -> Wish:
    passes, batch = (300, 64) if n_rows < SMALL else (40, 256)
    name = "continuous_mixture"
    return Wish(name, name, {}, passes, 5, 5, batch, most_steps=6_000)
