"""`fit`: from a table to a `Fitted`, joining what `data`, `optim` and `queries` do."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import FitError
from anypart.base.frozen import freeze, thaw
from anypart.base.whole import write_whole
from anypart.data.codec import Codec
from anypart.data.files import Table, read
from anypart.data.infer import infer_schema
from anypart.data.packed import PackedCodes, pack
from anypart.optim.distances.minimised import require_minimisable
from anypart.optim.events import Combined, Event, Finished, Warned
from anypart.optim.menu import BASELINES
from anypart.optim.plan import make_plan
from anypart.optim.plan_file import Member, Plan, load_plan, save_plan
from anypart.optim.policies import Policy, Written, read_policy, stated, write_question
from anypart.optim.portfolio import members_in, train, trained
from anypart.optim.rows import fingerprint
from anypart.queries.fitted import Fitted
from anypart.queries.gaps import count_gaps

BLOCK = 65_536  # rows looked at together


@dataclass(frozen=True)
class Prepared:
    """The table is read and the plan is made; training begins. The first event of a fit.

    Args:
        table: its name.
        n_rows: rows to learn from, those that end the training among them.
        n_cols: columns that are modelled.
        members: names of what will be trained.
        resumed: whether the fit goes on where one was interrupted.

    """

    table: str
    n_rows: int
    n_cols: int
    members: tuple[str, ...]
    resumed: bool


@dataclass(frozen=True)
class Wanted:
    """What was asked of a fit; an interrupted one goes on only if the same is asked again."""

    minutes: float
    seed: int
    purpose: str
    kinds: Mapping[str, str]
    policy: Mapping[str, float]
    distance: str = ""
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("kinds", "policy"):
            object.__setattr__(self, name, freeze(getattr(self, name)))

    @staticmethod
    def of(
        minutes: float,
        seed: int,
        purpose: str,
        kinds: Mapping[str, str] | None,
        policy: Any,
        distance: str | None,
        missing: Iterable[str] = (),
    ) -> Wanted:
        """Put what was asked in the form in which it is kept.

        Raises:
            FitError: no time, or a policy or a distance for a purpose that has none.

        """
        if not 0 < minutes < math.inf:
            raise FitError(f"A fit needs more than 0 minutes, {minutes:g} were given.")
        if distance is not None and purpose != "distance":
            raise FitError(
                f"A distance is chosen for one mixture of products; purpose {purpose!r} is fitted "
                "by likelihood, forward KL. Fit with purpose='distance', or without a distance."
            )
        if policy is not None and purpose != "questions":
            raise FitError(
                f"A policy says which questions a network is trained for; purpose {purpose!r} "
                "has no such network. Fit with purpose='questions', or without a policy."
            )
        if isinstance(policy, str):
            policy = [policy]
        weights = policy if isinstance(policy, Mapping) else dict.fromkeys(policy or (), 1.0)
        chosen = (distance or "forward_kl") if purpose == "distance" else ""
        words = (missing,) if isinstance(missing, str) else tuple(missing)
        return Wanted(minutes, seed, purpose, kinds or {}, weights, chosen, words)

    def policies(self, names: list[str]) -> tuple[Policy, ...]:
        """Read the policy for the columns of a table."""
        return read_policy(self.policy, names) if self.policy else ()

    def require_minimisable(self, *tables: PackedCodes | None) -> None:
        """Refuse a distance that cannot be minimised on the tables."""
        for packed in tables:
            if self.distance and packed is not None:
                gaps = not all(mask.all() for mask in _seen(packed))
                require_minimisable(self.distance, packed.n_cats, gaps=gaps)


def fit(
    source: Any,
    *,
    valid: Any = None,
    minutes: float = 2.0,
    seed: int = 0,
    purpose: str = "any",
    kinds: Mapping[str, str] | None = None,
    policy: Written | None = None,
    distance: str | None = None,
    missing: Iterable[str] = (),
    folder: str | Path | None = None,
    overwrite: bool = False,
    on_event: Callable[[Any], object] | None = None,
) -> Fitted:
    """Fit a table.

    Args:
        source: a table, as `read` takes it.
        valid: a table of rows that end the training and weigh its members; None takes a
            seeded tenth of the rows.
        minutes: how long training may take on two free cores, about.
        seed: of everything random.
        purpose: `any`: exact answers to any question; `density`: also members that answer
            in one order only; `fast`: exact and cheap members; `questions`: a network trained
            on `policy`, and for each question that it states members of its own, which answer
            it exactly; `distance`: one mixture of products, brought near by `distance`.
        kinds: column → kind, where the inferred one is not wanted.
        policy: which part predicts which, for `questions`: mixed if not given, `spans`, a
            question as `income | *` (income given all others), several of them, or a
            mapping to how often each is trained; see `optim.policies.read_policy`.
        distance: what is minimised, for `distance`: forward_kl or mmd; where rows can be
            listed also reverse_kl, jensen_shannon, total_variation, hellinger. The mixture
            has a density, so it answers everything exactly, whichever is chosen; only under
            forward_kl is that density the likeliest, and only it takes rows with gaps.
        missing: words that say "no value", as `?`, besides NA, N/A, NaN, NULL, null and
            those that stand among the numbers or dates of a column.
        folder: where the fit is saved, and where an interrupted fit goes on when the same
            is asked again; None keeps it in memory only.
        overwrite: replace a finished fit in the folder.
        on_event: called with `Prepared`, then with the events of `optim.events`.

    Raises:
        DataError: the table cannot be read or modelled.
        FitError: the folder holds another fit, or nothing can be trained.

    """
    wanted = Wanted.of(minutes, seed, purpose, kinds, policy, distance, missing)
    tell = on_event or (lambda event: None)
    table = read(source)
    with ExitStack() as after:
        if folder is None:
            work = Path(after.enter_context(tempfile.TemporaryDirectory(prefix="anypart-")))
        else:
            work = _claim(Path(folder), wanted, overwrite=overwrite)
        codec = Codec(infer_schema(table, wanted.kinds, seed, wanted.missing))
        packed = pack(table, codec, work / "rows")
        judged = pack(read(valid), codec, work / "valid") if valid is not None else None
        wanted.require_minimisable(packed, judged)
        modelled = [c.name for c in codec.schema.modelled]
        policies = wanted.policies(modelled)
        plan, resumed = _plan(work, packed, codec.ordered, wanted, policies, table)
        names = tuple(member.name for member in plan.members)
        tell(Prepared(table.name, packed.n_rows, len(codec.n_cats), names, resumed))
        questions = stated(policies, len(modelled))
        levels = _Levels(tell, [write_question(q, modelled) for q in questions])
        model = train(packed, judged, plan, work, levels)
        gaps = count_gaps(packed.rows, packed.n_rows, codec.schema.modelled)
        about = _about(table, wanted, members_in(plan, work)) | levels.found
        baselines = trained(plan, work, BASELINES)
        fitted = Fitted(codec.schema, model, gaps, about, baselines)
    if folder is not None:
        fitted.save(folder)
        _discard(work)
    return fitted


class _Levels:
    """Passes events on, and keeps what they say about validation rows."""

    def __init__(self, tell: Callable[[Any], object], questions: list[str]) -> None:
        self._tell, self._questions = tell, questions
        self.found: dict[str, Any] = {"valid_log_lik": {}, "weights": {}, "warnings": []}

    def __call__(self, event: Event) -> None:
        if isinstance(event, Finished):
            self.found["valid_log_lik"][event.member] = event.log_lik
        if isinstance(event, Warned):
            self.found["warnings"].append(f"{event.member}: {event.text}")
        if isinstance(event, Combined):
            self.found["valid_log_lik"]["together"] = event.log_lik
            self.found["weights"] = dict(event.weights)
            asked = zip(self._questions, event.questions, strict=True)
            self.found["questions"] = {text: dict(weights) for text, weights in asked}
        self._tell(event)


def _seen(packed: PackedCodes) -> Iterator[NDArray[np.bool_]]:
    for start in range(0, packed.n_rows, BLOCK):
        yield packed.rows(slice(start, start + BLOCK))[1]


def unfinished(folder: Path) -> Path:
    """Say where the states of a fit that is not finished lie: beside its folder."""
    whole = folder.absolute()
    return whole.with_name(f".{whole.name}.unfinished")


def _claim(folder: Path, wanted: Wanted, *, overwrite: bool) -> Path:
    """Return the place of a fit's states in its folder, or say why it cannot be used."""
    if folder.exists() and not folder.is_dir():
        raise FitError(f"{folder} is a file. Name a folder for the fit.")
    work = unfinished(folder)
    note = work / "wanted.json"
    if note.exists() and load_plan(work) is not None:  # else it ended before anything was learned
        before = _read_note(note)
        changed = [k for k, v in thaw(wanted).items() if before.get(k) != v]
        if not changed:
            return work
        if not overwrite:
            said = ", ".join(f"{k} {before.get(k)!r}" for k in changed)
            raise FitError(
                f"{folder} holds an unfinished fit with {said}. Ask for the same to go on with "
                f"it, overwrite it (--overwrite), or delete {work}."
            )
    elif folder.is_dir() and any(folder.iterdir()):
        if not (folder / "fit.json").exists():
            raise FitError(f"{folder} holds something else than a fit. Name another folder.")
        if not overwrite:
            raise FitError(
                f"{folder} holds a fit. Overwrite it (--overwrite), or name another folder."
            )
    _discard(work)  # of a fit that was finished or given up, and killed while it was cleared
    work.mkdir(parents=True, exist_ok=True)
    write_whole(note, json.dumps(thaw(wanted)).encode())
    return work


def _discard(work: Path) -> None:
    """Clear the states of a fit; the note that makes them count goes first."""
    (work / "wanted.json").unlink(missing_ok=True)
    shutil.rmtree(work, ignore_errors=True)


def _read_note(note: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}  # then it is a fit of something else


def _plan(
    work: Path,
    packed: PackedCodes,
    ordered: tuple[int, ...],
    wanted: Wanted,
    policies: tuple[Policy, ...],
    table: Table,
) -> tuple[Plan, bool]:
    """Return the plan that is there or a new one, and whether it was there."""
    plan = load_plan(work)
    if plan is None:
        plan = make_plan(
            packed,
            minutes=wanted.minutes,
            seed=wanted.seed,
            purpose=wanted.purpose,
            policy=policies,
            distance=wanted.distance,
            ordered=ordered,
        )
        save_plan(plan, work)
        return plan, False
    if plan.table != fingerprint(packed):
        raise FitError(
            f"{work} holds an unfinished fit of another table than {table.name}. "
            "Fit that table to go on, overwrite it (--overwrite), or name another folder."
        )
    return plan, True


def _about(table: Table, wanted: Wanted, joined: Sequence[Member]) -> dict[str, Any]:
    """Say what was fitted and how, for people."""
    from anypart import __version__

    members = {m.name: {"family": m.family, **thaw(m.settings)} for m in joined}
    return {"table": table.name, "version": __version__, **thaw(wanted), "members": members}
