"""Minutes become a plan of steps, by a rehearsal on the real rows."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from anypart.base.errors import FitError
from anypart.base.seeds import generator
from anypart.optim.events import Measured, Sought
from anypart.optim.menu import BASELINES, NOISE, VARIANTS, Wish, wishes
from anypart.optim.plan_file import (
    Member,
    Plan,
    load_plan,
    plan_from_json,
    plan_to_json,
    save_plan,
)
from anypart.optim.policies import Policy, stated
from anypart.optim.rows import fingerprint, split
from anypart.optim.sizes import batch_size
from anypart.optim.tree_search import worth_seeking
from anypart.optim.workers import Job, Tables, run_jobs

if TYPE_CHECKING:
    from anypart.data.packed import PackedCodes

__all__ = [
    "Member",
    "Plan",
    "load_plan",
    "make_plan",
    "plan_from_json",
    "plan_to_json",
    "save_plan",
]

WORKERS = 2
SHARE_TRAINING = 0.9  # of the time; the rest is for starting, saving and combining
SHARE_REHEARSING = 0.25  # of the time, after which nothing more is tried out: a busy machine
SECONDS_TO_REHEARSE = 10.0  # that it takes at least, however little time there is
SHARE_SEEKING, MOST_SEEKING = 0.07, 8.0  # of the time, and seconds, to seek trees in
LEAST_SEEKING = 1.0  # seconds; in less there is hardly a second trial
SHARE_LOOKING = 0.1  # of a member's training, at most
LOOKS = 10  # at least, over a member's steps
SECONDS_TO_COMBINE = 2.0
WITH_RESERVE = ("any", "fast", "density")  # purposes whose members all join one mixture
NEARLY_ALL = 0.7  # of the steps that a wish may have: then it is not asked for again
SHARE_OVER = 0.5  # of the time again, for a first member where a busy machine left none
TINY = 5.0  # CPU seconds; below, processes cost more than they save


def make_plan(
    packed: PackedCodes,
    *,
    minutes: float = 2.0,
    seed: int = 0,
    purpose: str = "any",
    policy: Sequence[Policy] = (),
    distance: str = "forward_kl",
    ordered: Sequence[int] = (),
) -> Plan:
    """Turn minutes into members and steps.

    Every kind of member is rehearsed on the rows: its learner is started and takes some
    steps. Where there are rows enough, the trees of hidden trees are sought by trying out
    (`tree_search`), from the strongest pairs and from a strayed tree. Then the members are
    taken in the order of `menu.wishes` while there is time
    for them on `WORKERS` processes; one that does not fit gets fewer states, then fewer
    passes, and is left out below its least. The first member is always there. What could not
    be rehearsed in a quarter of the time, or ten seconds, is left out, too. What was left out
    or made smaller is the plan's reserve, for the time that members leave by stopping early.
    A plan of baselines only knows little: it has one more member that takes up to half of the
    minutes again.

    Args:
        packed: the training rows, on disk.
        minutes: how long training may take, above 0; all but a few seconds of it.
        seed: of the fit.
        purpose: `any`: exact answers to any part, the default; the order-agnostic network
            is not in it, since its answers depend on the order in which it is asked.
            `fast`: exact and cheap to ask. `density`: with the network. `questions`: the
            network trained on the policy, and members for each question that it states.
            `distance`: one mixture of products.
        policy: which part predicts which, for `questions`.
        distance: what is minimised, for `distance`.
        ordered: the columns whose codes have an order, as those of numbers have.

    Raises:
        FitError: no such purpose, no time, or too few rows.

    """
    if not minutes > 0:
        raise FitError(f"A fit needs more than 0 minutes, {minutes} were given.")
    began = time.monotonic()
    rows = split(packed, None, seed).train
    questions = stated(policy, len(packed.n_cats))
    n_cols, n_cats = len(packed.n_cats), sum(packed.n_cats) / len(packed.n_cats)
    wanted = wishes(rows.n_rows, purpose, policy, distance, questions, n_cols, n_cats, ordered)
    rehearsing = max(minutes * 60 * SHARE_REHEARSING, SECONDS_TO_REHEARSE)
    trees = [w for w in wanted if w.family == "hidden_tree"]
    seeking = min(minutes * 60 * SHARE_SEEKING, MOST_SEEKING)
    searches = [
        Job(name, {"seek": [name, list(ordered), stray, seeking, seed]})
        for name, stray in (("tree", 0.0), ("strayed tree", NOISE))
        if trees and seeking >= LEAST_SEEKING and worth_seeking(rows.n_rows, n_cols)
    ]
    costs, found = _try_out(wanted, searches, packed, seed, began + rehearsing)
    wanted = with_trees([w for w in wanted if w.name in costs], found)
    spent = time.monotonic() - began
    seconds = max((minutes * 60 - spent) * SHARE_TRAINING - SECONDS_TO_COMBINE, 0.1)
    chosen = choose(wanted, costs, rows.n_rows, seconds)
    if {m.family for m in chosen} <= BASELINES:
        chosen += _more_than_baselines(wanted, costs, rows.n_rows, minutes * 60 * SHARE_OVER)
    made = tuple(_with_seed(m, seed) for m in chosen)
    tiny = sum(m.seconds for m in made) < TINY and purpose in ("any", "fast", "distance")
    workers, asked = 0 if tiny else WORKERS, tuple(p.settings() for p in policy)
    reserve: tuple[Member, ...] = ()
    if purpose in WITH_RESERVE:
        kept = reserve_of(wanted, costs, rows.n_rows, made)
        reserve = tuple(_with_seed(m, seed) for m in kept if m.seconds <= seconds)
    return Plan(seed, purpose, minutes, fingerprint(packed), workers, made, asked, reserve)


def _try_out(
    wanted: tuple[Wish, ...], searches: list[Job], packed: PackedCodes, seed: int, until: float
) -> tuple[Mapping[str, Measured], Mapping[str, Sought]]:
    """Measure each wish, then seek trees; wishes that differ in their variant cost the same.

    The most wanted come first; what is not done at `until` (of `time.monotonic`) is given up,
    but for the first that is no baseline.
    """
    found: dict[str, Measured] = {}
    sought: dict[str, Sought] = {}

    def note(event: object) -> None:
        if isinstance(event, Sought):
            sought[event.name] = event
        elif isinstance(event, Measured):
            found[event.name] = event

    kinds: dict[str, list[Wish]] = {}
    for wish in wanted:
        costly = {k: v for k, v in wish.settings.items() if k not in VARIANTS}
        if "question" in costly:  # questions about as many columns cost the same
            costly["question"] = len(costly["question"]["asked"])
        kinds.setdefault(f"{wish.family} {costly}", []).append(wish)
    firsts = sorted((alike[0] for alike in kinds.values()), key=lambda wish: wish.tried_last)
    jobs = [
        Job(w.name, {"rehearse": [w.name, w.family, dict(w.settings), batch, seed]})
        for w in firsts
        for batch in [w.batch or batch_size(packed.n_rows)]
    ]
    # Waited for: what is in every plan, and one that knows more than baselines.
    real = [w.name for w in firsts if w.family not in BASELINES]
    awaited = {wanted[0].name, *real[:1]}
    run_jobs(
        [*jobs, *searches],
        Tables(packed, None, seed),
        WORKERS,
        note,
        lambda: awaited <= found.keys() and time.monotonic() > until,
    )
    known = [alike for alike in kinds.values() if alike[0].name in found]
    return {w.name: found[alike[0].name] for alike in known for w in alike}, sought


def with_trees(wanted: Sequence[Wish], found: Mapping[str, Sought]) -> tuple[Wish, ...]:
    """Give hidden trees the edges that were found, so that they differ.

    Those that do not stray take the best tree; of those that do, every other one takes what
    the search from a strayed tree ended with, the rest find their own.
    """
    given: list[Wish] = []
    n_strayed = 0
    for wish in wanted:
        name = "tree"
        if wish.settings.get("structure_noise"):
            name = "strayed tree" if n_strayed % 2 == 0 else ""
            n_strayed += 1
        if wish.family == "hidden_tree" and name in found:
            edges = [list(e) for e in found[name].edges]
            wish = dataclasses.replace(wish, settings={**wish.settings, "edges": edges})
        given.append(wish)
    return tuple(given)


def choose(
    wanted: tuple[Wish, ...], costs: Mapping[str, Measured], n_rows: int, seconds: float
) -> list[Member]:
    """Take wishes in their order while there is time for them.

    Args:
        wanted: the most wanted first; the first is taken whatever it costs.
        costs: of each wish, by its name.
        n_rows: rows to learn from.
        seconds: of CPU time that each of the `WORKERS` processes has.

    Returns:
        Members without their seed, with what they are expected to cost.

    """
    loads = [0.0] * WORKERS
    taken: list[Member] = []
    for wish in wanted:
        free = seconds - min(loads)
        member = _fit_in(wish, costs[wish.name], n_rows, free)
        if member is None and not taken:
            member = _member(wish, costs[wish.name], n_rows, wish.least)
        if member is not None:
            taken.append(member)
            loads[loads.index(min(loads))] += member.seconds
    return taken


def _more_than_baselines(
    wanted: tuple[Wish, ...], costs: Mapping[str, Measured], n_rows: int, seconds: float
) -> list[Member]:
    """Take one member that is no baseline over the time, if it needs no more than `seconds`."""
    for wish in wanted:
        if wish.family not in BASELINES:
            member = _fit_in(wish, costs[wish.name], n_rows, seconds)
            if member is not None:
                return [member]
    return []


def reserve_of(
    wanted: tuple[Wish, ...], costs: Mapping[str, Measured], n_rows: int, made: Sequence[Member]
) -> list[Member]:
    """List the wishes that a plan has not, or only in a smaller form, the cheapest first.

    Members mostly stop long before the last of their steps, which leaves time for these.

    Args:
        wanted: all wishes.
        costs: of each wish, by its name.
        n_rows: rows to learn from.
        made: the members of the plan.

    """
    found: list[Member] = []
    there = {m.name: m for m in made}
    for wish in wanted:
        whole = _member(wish, costs[wish.name], n_rows, wish.passes)
        made_so = there.get(wish.name)
        if made_so is None:
            found.append(whole)
        elif made_so.settings != whole.settings or made_so.steps < NEARLY_ALL * whole.steps:
            found.append(dataclasses.replace(whole, name=f"{whole.name}_again"))
    return sorted(found, key=lambda m: m.seconds)


def _fit_in(wish: Wish | None, cost: Measured, n_rows: int, free: float) -> Member | None:
    """Find the largest form of a wish that the free seconds allow, or None."""
    while wish is not None:
        least = _member(wish, cost, n_rows, wish.least).seconds
        if least <= free:
            most = _member(wish, cost, n_rows, wish.passes)
            if most.seconds <= free:
                return most
            share = (free - least) / (most.seconds - least)
            return _member(wish, cost, n_rows, wish.least + share * (wish.passes - wish.least))
        smaller = wish.smaller()
        # Half the states cost between half and a quarter; the careful half is assumed.
        cost = Measured(cost.name, cost.start, cost.step / 2, cost.look / 2)
        wish = smaller
    return None


def _member(wish: Wish, cost: Measured, n_rows: int, passes: float) -> Member:
    batch = wish.batch or batch_size(n_rows)
    per_pass = max(n_rows // batch, 1)
    # A share of the largest number of steps, so that less time is fewer steps always.
    longest = min(per_pass * wish.passes, wish.most_steps)
    steps = max(int(longest * passes / wish.passes), 1)
    every = wish.every or min(per_pass, max(steps // LOOKS, 1))
    every = max(every, round(cost.look / (SHARE_LOOKING * max(cost.step, 1e-6))))
    every = min(every, steps)
    seconds = round(cost.start + steps * cost.step + (steps // every) * cost.look, 3)
    return Member(
        wish.name,
        wish.family,
        wish.settings,
        seed=0,
        steps=steps,
        batch=batch,
        validate_every=every,
        patience=wish.patience,
        seconds=seconds,
    )


def _with_seed(member: Member, seed: int) -> Member:
    own = int(generator(seed, "member", member.name).integers(2**31))
    return dataclasses.replace(member, seed=own)
