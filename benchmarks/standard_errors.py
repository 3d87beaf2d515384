"""Whether standard errors are what they say: the share of estimates within 1.96 of them.

``python -m benchmarks.standard_errors``: divergences between two models by draws, and parts
asked of a mixture with a member along one order, both beside sums over all 1,024 rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout, Model
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.optim.distances.models import DENSITIES, Crossed, all_rows, log_probs
from anypart.queries import events
from benchmarks.contest import write_result

N_COLS, REPEATS, DRAWS = 10, 1_000, 1_000
LEVEL, WIDTH = 0.95, 1.96
EVENTS, LEAST_EFFECTIVE = 1_000, 30.0
LAYOUT = Layout((2,) * N_COLS)
Reals = NDArray[np.float64]


def rows(seed: int, n_rows: int = 3_000) -> Codes:
    """Columns that lean on those before them, every third one an exclusive or."""
    rng = np.random.default_rng(seed)
    found = np.zeros((n_rows, N_COLS), np.int32)
    for col in range(N_COLS):
        follows = found[:, col - 1] ^ found[:, col - 2] if col % 3 == 2 else found[:, col - 1]
        own = rng.random(n_rows) < rng.uniform(0.2, 0.8)
        found[:, col] = np.where(rng.random(n_rows) < 0.7, follows, own)
    return found


def trained(family: str, codes: Codes, steps: int) -> Model:
    """Train a family for some steps, each on all rows."""
    seen = np.ones(codes.shape, np.bool_)
    learner = LEARNERS[family](LAYOUT, codes, seen, {}, 0)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    return learner.model()


def distances() -> list[str]:
    """Draw anew many times, and count how often the truth is inside."""
    p, q = trained("chow_liu", rows(0), 2), trained("chow_liu", rows(1), 2)
    states = all_rows(LAYOUT.n_cats)
    of_p, of_q = log_probs(p, states), log_probs(q, states)
    table_p, table_q = (np.exp(o) / np.exp(o).sum() for o in (of_p, of_q))
    rng = np.random.default_rng(0)
    inside = dict.fromkeys(DENSITIES, 0)
    for _ in range(REPEATS):
        i, j = (rng.choice(len(t), DRAWS, p=t) for t in (table_p, table_q))
        for name, one in Crossed(of_p[i], of_q[i], of_p[j], of_q[j]).measure().items():
            assert one.value is not None
            assert one.error is not None
            truth = float(DENSITIES[name](table_p, table_q))
            inside[name] += abs(one.value - truth) <= WIDTH * one.error
    text = ["| distance | inside |", "|---|---|"]
    return text + [f"| {name} | {_share(n, REPEATS)} |" for name, n in inside.items()]


def parts() -> list[str]:
    """Ask random parts of a mixture of a tree and of boosted trees."""
    codes = rows(0)
    members = [trained("chow_liu", codes, 2), trained("boosted_trees", codes, 60)]
    model, states = Stack(members, np.log([0.3, 0.7])), all_rows(LAYOUT.n_cats)
    table, rng = np.exp(log_probs(model, states)), np.random.default_rng(1)
    asked = states[rng.integers(len(states), size=EVENTS)]
    seen = rng.random(asked.shape) < rng.uniform(0.1, 0.9, (EVENTS, 1))
    each = np.arange(EVENTS)  # a cell that is seen and one that is not, in every row
    seen[each, each % N_COLS], seen[each, (each + 5) % N_COLS] = True, False
    matches = ((states[None] == asked[:, None]) | ~seen[:, None]).all(axis=2)  # (events, states)
    truth = np.log(matches @ table)
    text = ["| draws | log p(part) inside | p(cell given part) inside | parts left out |"]
    text.append("|---|---|---|---|")
    for together in (1, EVENTS):
        found, errors, effective = np.empty(EVENTS), np.empty(EVENTS), np.empty(EVENTS)
        cells = list[NDArray[np.bool_]]()
        for start in range(0, EVENTS if together > 1 else 100, together):
            block = slice(start, start + together)
            evidence = Evidence(asked[block], seen[block])
            one = events.log_prob(model, evidence)
            assert one.error is not None
            assert one.effective is not None
            found[block], errors[block], effective[block] = one.value, one.error, one.effective
            cells.append(_cells(model, evidence, matches[block] * table, states))
        n = EVENTS if together > 1 else 100
        some = effective[:n] >= LEAST_EFFECTIVE
        right = np.abs(found[:n] - truth[:n]) <= WIDTH * errors[:n] + 1e-6
        within = np.concatenate(cells)
        text.append(
            f"| {'4,096' if together == 1 else '65'} | {_share(int(right[some].sum()), some.sum())}"
            f" | {_share(int(within.sum()), len(within))} | {int((~some).sum())} of {n} |"
        )
    return text


def _cells(model: Stack, evidence: Evidence, joint: Reals, states: Codes) -> NDArray[np.bool_]:
    """Whether each unseen cell's probability of 1 is within its error of the truth."""
    found = events.conditional(model, evidence)
    if found.error is None:
        return np.zeros(0, np.bool_)
    right = joint @ states / joint.sum(axis=1, keepdims=True)  # (rows, cols)
    ones = np.exp(found.value[:, 1::2])
    inside = np.abs(ones - right) <= WIDTH * found.error[:, 1::2] + 1e-6
    assert found.effective is not None
    enough = found.effective >= LEAST_EFFECTIVE
    return inside[enough][~evidence.seen[enough]]


def _share(n: int, of: int) -> str:
    share = n / max(of, 1)
    return f"{share:.1%} ± {(share * (1 - share) / max(of, 1)) ** 0.5:.1%}"


def main() -> None:
    """Measure both, and write the tables."""
    write_result(
        "standard_errors",
        [
            "# Whether standard errors are what they say",
            "",
            f"`python -m benchmarks.standard_errors`: the share of estimates within {WIDTH} of "
            f"their standard errors of the truth, which is a sum over all 2^{N_COLS} rows; "
            f"{LEVEL:.0%} if errors are right and estimates normal.",
            "",
            f"## Divergences between two trees, {REPEATS:,} times {DRAWS:,} draws of each",
            "",
            *distances(),
            "",
            "## Parts under a mixture with boosted trees, by draws from its exact member",
            "",
            f"Parts with fewer than {LEAST_EFFECTIVE:.0f} effective draws are left out: answers "
            "about them say that their error is uncertain. "
            "A part asked by itself has 4,096 draws, one of a thousand 65.",
            "",
            *parts(),
        ],
    )


if __name__ == "__main__":
    main()
