"""A fit for stated questions whose members are trained to their end, however busy the machine."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from typing import Any

from anypart.base.seeds import generator
from anypart.data.codec import Codec
from anypart.data.files import read
from anypart.data.infer import infer_schema
from anypart.data.packed import pack
from anypart.optim.events import Combined, Measured
from anypart.optim.menu import wishes
from anypart.optim.plan import choose
from anypart.optim.plan_file import Plan
from anypart.optim.policies import read_policy, stated, write_question
from anypart.optim.portfolio import train
from anypart.optim.rows import fingerprint, split
from anypart.queries.fitted import Fitted
from benchmarks.contest import work_folder

FREE = 1e9  # seconds


def fit_to_the_end(
    name: str, table: Any, policy: Mapping[str, float], without: tuple[str, ...] = ()
) -> tuple[Fitted, dict[str, dict[str, float]]]:
    """Do what `ap.fit(purpose="questions")` does, all members with all their steps.

    Args:
        name: of the fit; what was trained before an interrupt is kept under it until the end.
        table: anything that `read` takes.
        policy: of stated questions.
        without: names of members that are left out.

    Returns:
        The fit, and the weights of each question's members.

    """
    folder = work_folder("self_supervision") / name
    source = read(table)
    codec = Codec(infer_schema(source))
    folder.mkdir(parents=True, exist_ok=True)
    packed = pack(source, codec, folder / "rows")
    names = [c.name for c in codec.columns]
    policies = read_policy(policy, names)
    questions = stated(policies, len(names))
    rows, n_cats = split(packed, None, 0).train, sum(codec.n_cats) / len(names)
    wanted = [
        w
        for w in wishes(rows.n_rows, "questions", policies, questions=questions, n_cats=n_cats)
        if w.name not in without
    ]
    costs = {w.name: Measured(w.name, 1.0, 0.0, 0.0) for w in wanted}
    members = tuple(
        dataclasses.replace(m, seed=int(generator(0, "member", m.name).integers(2**31)))
        for m in choose(tuple(wanted), costs, rows.n_rows, FREE)
    )
    asked = tuple(p.settings() for p in policies)
    plan = Plan(0, "questions", 0.0, fingerprint(packed), 0, members, asked)
    events = list[Any]()
    model = train(packed, None, plan, folder / "fit", events.append)
    combined = next(e for e in events if isinstance(e, Combined))
    found = {
        write_question(q, names): dict(w)
        for q, w in zip(questions, combined.questions, strict=True)
    }
    fitted = Fitted.of(codec, model, packed, {})
    shutil.rmtree(folder)
    return fitted, found
