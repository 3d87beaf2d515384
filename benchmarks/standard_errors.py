"""Whether standard errors are what they say: the share of estimates within 1.96 of them.

``python -m benchmarks.standard_errors``: divergences between two models by draws, and parts
asked of mixtures with a member along one order, both beside sums over all rows.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anypart.models.contract import Codes, Evidence, Layout, Model
from anypart.models.stack import Stack
from anypart.optim.catalogue import LEARNERS
from anypart.optim.distances.models import DENSITIES, Crossed, all_rows, log_probs
from anypart.queries import events
from anypart.queries.estimates import LEAST_DRAWS, MOST_DRAWS
from benchmarks.contest import write_result

N_COLS, REPEATS, DRAWS = 10, 1_000, 1_000
PART_COLS, FEW = 16, 300  # columns of the parts, and those that are asked one by one
LEVEL, WIDTH = 0.95, 1.96
EVENTS, LEAST_EFFECTIVE = 1_000, 30.0
HEAD = "| log p(part) inside | p(cell given part) inside | few count | draws that count |"
Reals = NDArray[np.float64]


def rows(seed: int, n_rows: int = 3_000, n_cols: int = N_COLS) -> Codes:
    """Columns that lean on those before them, every third one an exclusive or."""
    rng = np.random.default_rng(seed)
    found = np.zeros((n_rows, n_cols), np.int32)
    for col in range(n_cols):
        follows = found[:, col - 1] ^ found[:, col - 2] if col % 3 == 2 else found[:, col - 1]
        own = rng.random(n_rows) < rng.uniform(0.2, 0.8)
        found[:, col] = np.where(rng.random(n_rows) < 0.7, follows, own)
    return found


def trained(family: str, codes: Codes, steps: int) -> Model:
    """Train a family for some steps, each on all rows."""
    seen = np.ones(codes.shape, np.bool_)
    learner = LEARNERS[family](Layout((2,) * codes.shape[1]), codes, seen, {}, 0)
    for step in range(steps):
        learner.step(codes, seen, step / steps)
    return learner.model()


def distances() -> list[str]:
    """Draw anew many times, and count how often the truth is inside."""
    p, q = trained("chow_liu", rows(0), 2), trained("chow_liu", rows(1), 2)
    states = all_rows((2,) * N_COLS)
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


def silent(member: Model) -> Any:
    """The member without draws of its own."""
    names = ("family", "layout", "ability", "log_prob")
    return SimpleNamespace(**{name: getattr(member, name) for name in names})


def mixtures() -> dict[str, Stack]:
    """Boosted trees beside exact members that know the same rows, or quite other ones."""
    codes, weights = rows(0, n_cols=PART_COLS), np.log([0.3, 0.7])
    trees = trained("boosted_trees", codes, 60)
    near = trained("chow_liu", codes, 2)
    far = trained("chow_liu", rows(5, n_cols=PART_COLS), 2)
    return {
        "of the same rows": Stack([near, trees], weights),
        "of other rows": Stack([far, trees], weights),
        "of other rows, without weight": Stack([trees], np.zeros(1), far),
        "of other rows; trees draw none": Stack([far, silent(trees)], weights),
    }


def parts() -> list[str]:
    """Ask parts of mixtures of a tree and of boosted trees."""
    states, text = all_rows((2,) * PART_COLS), ["| exact member | parts | draws " + HEAD]
    text.append("|---" * 7 + "|")
    kinds = {"of drawn rows": rows(2, n_cols=PART_COLS), "of any values": states}
    for name, model in mixtures().items():
        table, rng = np.exp(log_probs(model, states)), np.random.default_rng(1)
        for kind, source in kinds.items():
            for n, draws in ((FEW, MOST_DRAWS), (EVENTS, LEAST_DRAWS)):
                least = int(np.log2(draws)) + 1  # unseen cells: more complete rows than draws
                asked = source[rng.integers(len(source), size=n)]
                seen = rng.random(asked.shape) < rng.uniform(0.1, 0.9, (n, 1))
                order = rng.random(asked.shape).argsort(axis=1)
                np.put_along_axis(seen, order[:, :least], False, axis=1)
                np.put_along_axis(seen, order[:, least : least + 1], True, axis=1)
                evidence = Evidence(asked, seen)
                alone = n == FEW  # each is a question of its own
                blocks = [evidence.rows([i]) for i in range(n)] if alone else [evidence]
                found = _asked(model, blocks, states, table)
                text.append(f"| {name} | {kind} | {draws:,} | {found} |")
                print(text[-1], flush=True)
    return text


def _asked(model: Stack, blocks: list[Evidence], states: Codes, table: Reals) -> str:
    """Ask blocks of parts, and tell how many answers and cells are within their errors."""
    right, within, left_out, n = list[bool](), list[NDArray[np.bool_]](), 0, 0
    count = list[float]()
    for evidence in blocks:
        one, cells = events.log_prob(model, evidence), events.conditional(model, evidence)
        assert one.error is not None
        assert one.effective is not None
        assert cells.error is not None
        for row in range(evidence.n_rows):
            n, seen = n + 1, evidence.seen[row]
            count.append(float(one.effective[row]))
            if one.effective[row] < LEAST_EFFECTIVE:
                left_out += 1
                continue
            at = (states[:, seen] == evidence.codes[row, seen]).all(axis=1)
            joint = table[at]
            gap = abs(one.value[row] - np.log(joint.sum()))
            right.append(bool(gap <= WIDTH * one.error[row] + 1e-6))
            gaps = np.abs(np.exp(cells.value[row, 1::2]) - joint @ states[at] / joint.sum())
            within.append((gaps <= WIDTH * cells.error[row, 1::2] + 1e-6)[~seen])
    cell = np.concatenate(within)
    return (
        f"{_share(sum(right), len(right))} | {_share(int(cell.sum()), len(cell))} | "
        f"{left_out} of {n} | {np.median(count):,.0f}"
    )


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
            f"their standard errors of the truth, which is a sum over all 2^{N_COLS} or "
            f"2^{PART_COLS} rows; {LEVEL:.0%} if errors are right and estimates normal.",
            "",
            f"## Divergences between two trees, {REPEATS:,} times {DRAWS:,} draws of each",
            "",
            *distances(),
            "",
            "## Parts under mixtures with boosted trees, by draws",
            "",
            f"{PART_COLS} columns; a Chow-Liu tree sums any part, boosted trees do not. The tree "
            "has learned the same rows, or rows whose columns hang together otherwise: a poor "
            "proposal, and poorer without the trees' own draws. A part that no more complete "
            "rows share than would be drawn is summed, and not among these. Parts of which "
            f"fewer than {LEAST_EFFECTIVE:.0f} draws count are left out: answers about them say "
            f"that their error is uncertain. A part asked by itself has {MOST_DRAWS:,} draws, "
            f"one of a thousand {LEAST_DRAWS}. Values of drawn rows are as data has them; any "
            "values are mostly unlikely ones. 'draws that count': the median of their effective "
            "number.",
            "",
            *parts(),
        ],
    )


if __name__ == "__main__":
    main()
