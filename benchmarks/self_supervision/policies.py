"""Any-part likelihood of one network under each mask policy it may be trained on.

``python -m benchmarks.self_supervision policies [SET …]`` trains the order-agnostic network
on each policy, and asks every one of them the questions of every policy. What is found of a
network is kept in a file, so that a stopped run goes on.
"""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any

import numpy as np

from anypart.models.contract import Layout
from anypart.models.orders import make_order
from anypart.optim.in_memory import train_held
from anypart.optim.policies import MIXED, Policy, level
from benchmarks.contest import work_folder
from benchmarks.data import data_file

SETS = ("nltcs", "plants", "baudio", "accidents", "dna")
MORE = "mixed, longer"
SETTINGS = {"width": 128, "blocks": 2, "rate": 3e-3}
FEW_ROWS = 5_000  # with fewer all networks drop out more, or they know dna by heart
DROPOUT = 0.25
STEPS, BATCH, VALID, TEST, DRAWS = 2_400, 128, 1_000, 1_000, 3
LONGER = 4  # times the steps, for the mixed policy once more: it replaces five specialists
WITHIN = 0.005  # of the best, asked
BESIDE = "With four times as many, beside five networks,"
GROUPS = 5  # parts of the Chow-Liu order: columns that hang together


def policies_of(order: np.ndarray) -> dict[str, tuple[Policy, ...]]:
    """The questions that are asked, by name; groups are stretches of a Chow-Liu order."""
    groups = tuple(
        Policy("columns", columns=tuple(int(c) for c in part))
        for part in np.array_split(order, GROUPS)
    )
    return {
        "random 10 %": (Policy("subsets", share=0.1),),
        "random 50 %": (Policy("subsets", share=0.5),),
        "random 90 %": (Policy("subsets", share=0.9),),
        "spans": (Policy("spans"),),
        "groups": groups,
    }


def groups_of(groups: tuple[Policy, ...]) -> tuple[Policy, ...]:
    """Give all groups together the weight of spans in the mixed policy."""
    return tuple(dataclasses.replace(g, weight=1 / len(groups)) for g in groups)


def measure(name: str, only: tuple[str, ...] = ()) -> dict[str, Any]:
    """Train on every policy, or some, ask every question, nats per asked cell."""
    packed = np.load(data_file(f"density/{name}.npz"))
    n_cols = int(packed["cols"])
    train, valid, test = (
        np.unpackbits(packed[p], axis=1)[:, :n_cols].astype(np.int32)
        for p in ("train", "valid", "test")
    )
    layout = Layout((2,) * n_cols)
    seen = np.ones(train.shape, np.bool_)
    asked = policies_of(make_order("chow_liu", layout, train[:4_000], seen[:4_000], 0))
    mixed = (*MIXED, *groups_of(asked["groups"]))
    trained = {**asked, "mixed": mixed, MORE: mixed}
    rows, judged = (train, seen), (valid[:VALID], seen[: len(valid[:VALID])])
    test, found = test[:TEST], dict[str, dict[str, float]]()
    folder = work_folder("policies") / name
    folder.mkdir(parents=True, exist_ok=True)
    for way, some in trained.items():
        if only and way not in only:
            continue
        kept = folder / f"{way}.json"
        if kept.exists():
            found[way] = json.loads(kept.read_text())
            continue
        began = time.process_time()
        settings = SETTINGS | {"policy": [p.settings() for p in some]}
        if len(train) < FEW_ROWS:
            settings |= {"dropout": DROPOUT}
        model = train_held(
            "order_agnostic",
            settings,
            layout,
            rows,
            valid=judged,
            steps=STEPS * (LONGER if way == MORE else 1),
            batch=BATCH,
        ).model
        there = np.ones(test.shape, np.bool_)
        found[way] = {
            question: float(
                np.mean([level(model, p, test, there, seed) for seed in range(DRAWS)]) / n_cols
            )
            for question, p in asked.items()
        }
        kept.write_text(json.dumps(found[way]))
        spent = f"{time.process_time() - began:.0f} s"
        print(name, way, {q: round(v, 4) for q, v in found[way].items()}, spent, flush=True)
    return {"levels": found}


def report(results: dict[str, Any]) -> list[str]:
    """Write the table: every question, the policy made for it, and the mixed one."""
    text = [
        "## Any-part likelihood under each policy",
        "",
        f"`python -m benchmarks.self_supervision policies`. One network a policy (width "
        f"{SETTINGS['width']}, dropout .1, on sets of fewer than {FEW_ROWS:,} rows {DROPOUT}, "
        f"{STEPS:,} steps of {BATCH} rows for every one, the best of 12 "
        f"snapshots on at most {VALID:,} validation rows by what it is trained on; training ends "
        f"after four looks without a better one), and the mixed one again with at most {LONGER} "
        f"times the steps; at most {TEST:,} test rows, {DRAWS} questions each, the same for all; "
        "nats per asked cell, all asked cells jointly. 'best' is the best of the five that are "
        "trained on one kind of question. 'equal steps': what the mixed policy loses more than "
        "it, with the steps of one; 'fewer than the five': with four times as many, which is "
        "less than the five networks took that it replaces. Asked: at most .5 % more. Groups "
        "are fifths of a Chow-Liu order; the mixed policy is `mixed` and they.",
        "",
        "| set | asked | own policy | best (which) | mixed | equal steps | mixed, longer "
        "| fewer than the five |",
        "|" + "---|" * 8,
    ]
    gaps: dict[str, list[float]] = {"mixed": [], MORE: []}
    for name, one in results.items():
        levels = one["levels"]
        for question in levels["mixed"]:
            special = {w: v[question] for w, v in levels.items() if w in levels["mixed"]}
            best = max(special, key=lambda w: special[w])
            line = f"| {name} | {question} | {special[question]:.4f} | {special[best]:.4f} ({best})"
            for way, found in gaps.items():
                found.append(levels[way][question] / special[best] - 1)
                line += f" | {levels[way][question]:.4f} | {found[-1]:+.2%}"
            text.append(line + " |")
    return [*text, "", _said("With the steps of one", gaps["mixed"]), "", _said(BESIDE, gaps[MORE])]


def _said(how: str, gaps: list[float]) -> str:
    met = sum(gap <= WITHIN for gap in gaps)
    return (
        f"{how} the mixed policy is within .5 % in {met} of {len(gaps)}; {max(gaps):+.2%} at worst."
    )
