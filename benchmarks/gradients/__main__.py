"""`python -m benchmarks.gradients [part …]`: writes benchmarks/results/gradients.md."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import torch

from anypart.calculus import gradients as g
from benchmarks.data import ROOT
from benchmarks.gradients import cost, polynomial, storch_bias
from benchmarks.peers import ONE_THREAD, home

SAMPLES = 1_000_000  # estimates of which the mean must be the gradient
RESULT = ROOT / "benchmarks" / "results" / "gradients.md"
TABLE = {  # name of ours → (bits, choices) of the record, relative bias / error
    "leave-one-out": ("0 / 2.10", "0 / 2.04"),
    "disarm": ("0 / 3.44", "–"),
    "local-expectation": ("0 / 1.17 (20)", "0 / .71 (20)"),
    "straight-through": (".118 / 1.66", ".225 / 1.05"),
    "reinmax": (".114 / 1.73", ".122 / 1.40"),
    "straight-through-gumbel": (".194 / 2.11", ".216 / 1.73"),
    "gumbel-rao": (".194 / 1.57", ".212 / 1.18"),
}
TOY = {"score": -4.16, "relax": -13.5, "leave-one-out-2": -15.2, "disarm": -math.inf}


def _measured(name: str, problem: str, samples: int) -> g.Measurement | None:
    posed = g.find_problem(problem)
    try:
        return g.measure(name, g.find_estimator(name, posed.p), posed, samples)
    except g.GradientError:
        return None


def bias_lines(samples: int) -> list[str]:
    """Every unbiased estimator on three problems: largest |bias| in standard errors."""
    problems = ("toy", "pairs", "table")
    found = [
        "| estimator | toy | pairs | table | the relative bias is below, at 95 % |",
        "|---|---|---|---|---|",
    ]
    for name in g.CATALOGUE:
        torch.manual_seed(0)
        each = [_measured(name, problem, samples) for problem in problems]
        kept = [m for m in each if m is not None]
        if not kept or not kept[0].unbiased:
            continue
        words = [f"{m.strays:.2f}{' *' if m.biased else ''}" if m else "–" for m in each]
        bounds = "/".join(f"{m.bias_high:.3f}" if m else "–" for m in each[1:])
        found.append(f"| {name} | {' | '.join(words)} | {bounds} |")
        print(found[-1], flush=True)
    return found


def table_lines(samples: int) -> list[str]:
    """The record's table, and every other estimator."""
    found = [
        "| estimator | evaluations of f | 10 bits | record | 5 choices of 4 | record |",
        "|---|---|---|---|---|---|",
    ]
    for name in g.CATALOGUE:
        torch.manual_seed(0)
        each = [_measured(name, problem, samples) for problem in ("bits", "choices")]
        kept = [m for m in each if m is not None]
        if not kept or name == "vimco":
            continue
        words = [f"{_bias(m)} / {m.error:.2f}" if m else "–" for m in each]
        records = TABLE.get(name, ("", ""))
        counts = "/".join(dict.fromkeys(f"{m.evaluations:g}" for m in kept))
        found.append(
            f"| {name} | {counts} | {words[0]} | {records[0]} | {words[1]} | {records[1]} |"
        )
        print(found[-1], flush=True)
    return found


def _bias(m: g.Measurement) -> str:
    return f"{m.bias:.3f}" if m.biased else "0"


def toy_lines(samples: int) -> list[str]:
    """Ln variance of every estimator on E[(b - .499)²] at θ = ½."""
    found = ["| estimator | evaluations of f | ln variance | record |", "|---|---|---|---|"]
    for name in g.CATALOGUE:
        torch.manual_seed(0)
        m = _measured(name, "toy", samples)
        if m is None:
            continue
        level = "exactly 0" if m.variance < 1e-30 else f"{math.log(m.variance):.2f}"
        record = TOY.get(name)
        said = "" if record is None else "exactly 0" if record == -math.inf else f"{record:.2f}"
        found.append(f"| {name} | {m.evaluations:g} | {level} | {said} |")
    return found


def cost_lines() -> tuple[list[str], list[str]]:
    """Costs in one process, that of the peers' environment where there is one."""
    python = home() / "gradients" / "bin" / "python"
    missing = [] if python.exists() else ["reinmax 0.1.0 is missing: its environment is not made."]
    env = {**os.environ, **ONE_THREAD, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [
        str(python if python.exists() else sys.executable),
        "-m",
        "benchmarks.gradients.cost",
    ]
    out = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    costs: dict[str, tuple[float, float]] = json.loads(out.stdout)
    found = ["| call | draw | draw and backward | asked, at most |", "|---|---|---|---|"]
    for name, (draw, both) in sorted(costs.items(), key=lambda item: item[1][1]):
        asked = cost.ASKED.get(name)
        found.append(f"| {name} | {draw:.2f} | {both:.2f} | {asked or ''} |")
    return found, missing


def peer_lines() -> list[str]:
    """Storchastic's DisARM and REBAR beside ours, on three bits."""
    python = home() / "gradients" / "bin" / "python"
    if not python.exists():
        return ["storchastic 0.3.7 is missing: its environment is not made."]
    script = ROOT / "benchmarks" / "gradients" / "storch_bias.py"
    env = {**os.environ, **ONE_THREAD}
    command = [str(python), str(script)]
    out = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if out.returncode:
        return [f"storchastic 0.3.7 failed: {out.stderr.strip().splitlines()[-1]}"]
    theirs = json.loads(out.stdout)
    p = g.Bernoulli(torch.tensor(storch_bias.LOGITS, dtype=torch.float64))
    posed = g.Problem("three", "", p, storch_bias.f)
    truth = posed.gradient()
    found = ["| estimator | mean gradient | largest deviation, standard errors |", "|---|---|---|"]
    found.append(f"| exact | {_vector(truth.tolist())} | |")
    for name, ours in (("DisARM", g.DisARM()), ("REBAR", g.REBAR())):
        mean, error = (torch.tensor(theirs[name][k]) for k in ("mean", "error"))
        off = ((mean - truth).abs() / error).max()
        found.append(f"| storchastic {name} | {_vector(mean.tolist())} | {off:.1f} |")
        m = g.measure(name, ours, posed, 100_000)
        found.append(f"| ours {name}, 100,000 estimates | | {m.strays:.1f} |")
    return found


def _vector(values: list[float]) -> str:
    return ", ".join(f"{v:.4f}" for v in values)


def _cost() -> list[str]:
    table, missing = cost_lines()
    said = "Of one call on logits of 256 × 32 × 8, CPU time, `F.gumbel_softmax(hard=True)` = 1.\n"
    return [said, *table, *missing]


def _polynomial() -> list[str]:
    said = (
        f"Exact objective after {polynomial.STEPS:,} steps of Adam, 256 evaluations of f a step.\n"
    )
    return [said, *polynomial.lines()]


def _toy() -> list[str]:
    note = "score-mean and the moving averages have thousands of draws for their baseline here."
    return [*toy_lines(50_000), "", note]


def _table() -> list[str]:
    note = (
        "The record's own problems are not published; `bits` (10 Bernoulli latents) and `choices` "
        "(5 choices of 4) are ours, small networks of all latents, taken so that the plain "
        "leave-one-out estimator has the record's error. Relative bias / relative root-mean-square "
        "error; a bias that is not significant is 0.\n"
    )
    return [note, *table_lines(50_000)]


def _bias() -> list[str]:
    note = (
        f"Largest deviation of a coordinate's mean over {SAMPLES:,} estimates, in standard errors; "
        "* marks what happens by chance less than once in a thousand.\n"
    )
    return [note, *bias_lines(SAMPLES)]


PARTS = {
    "cost": ("Cost", _cost),
    "polynomial": ("Polynomial programming", _polynomial),
    "toy": ("The toy E[(b − .499)²] at θ = ½", _toy),
    "peers": ("Peers' defects", peer_lines),
    "table": ("Bias and error of one estimate", _table),
    "bias": ("No bias", _bias),
}


def main(names: list[str]) -> None:
    """Measure some parts, all if none is named, and write them in their places."""
    torch.set_num_threads(1)
    text = RESULT.read_text(encoding="utf-8") if RESULT.exists() else ""
    old = {piece.partition("\n")[0]: piece for piece in text.split("\n## ")[1:]}
    pieces = [
        "# Gradient estimators\n\nWritten by `python -m benchmarks.gradients [part …]`; parts: "
    ]
    pieces[0] += ", ".join(PARTS) + ".\n"
    for name, (title, measure) in PARTS.items():
        if name in names or not names:
            pieces.append("\n".join([title, "", *measure(), ""]))
        elif title in old:
            pieces.append(old[title])
    RESULT.write_text("\n## ".join(p.rstrip("\n") + "\n" for p in pieces), encoding="utf-8")
    print(f"Wrote {RESULT.relative_to(Path.cwd())}.")


if __name__ == "__main__":
    main(sys.argv[1:])
