"""`python -m benchmarks.gradients [part …]`: writes benchmarks/results/gradients.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import torch

from anypart.calculus import gradients as g
from benchmarks.data import ROOT
from benchmarks.gradients import cost, polynomial, storch_bias, truth
from benchmarks.peers import ONE_THREAD, home

RESULT = ROOT / "benchmarks" / "results" / "gradients.md"


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
        f"Exact objective after {polynomial.STEPS:,} steps of Adam at rate {polynomial.RATE:g}, "
        f"{polynomial.EVALUATIONS} evaluations of f a step, mean of {polynomial.SEEDS} seeds: the "
        "protocol of the ReinMax authors' program.\n"
    )
    return [said, *polynomial.lines()]


def _toy() -> list[str]:
    note = "score-mean and the moving averages have thousands of draws for their baseline here."
    return [*truth.toy_lines(), "", note]


def _table() -> list[str]:
    note = (
        "The record's own problems are not published, and a bias is the problem's as much as the "
        "estimator's: `bits` (10 Bernoulli latents) and `choices` (5 choices of 4) are ours, small "
        "networks of all latents, taken so that the plain leave-one-out estimator has nearly the "
        "record's error. Relative bias / relative root-mean-square error; a bias that is not "
        "significant is 0. What counts between estimators is the error times the root of the "
        "evaluations of f that one estimate takes.\n"
    )
    return [note, *truth.table_lines()]


def _no_bias() -> list[str]:
    return [_BIAS, *truth.bias_lines([name for name in g.CATALOGUE if name != truth.LISTING])]


def _no_bias_listing() -> list[str]:
    return [_BIAS, *truth.bias_lines([truth.LISTING])]


_BIAS = (
    f"Largest deviation of a coordinate's mean over {truth.SAMPLES:,} estimates, in standard "
    "errors; * marks what happens by chance less than once in a thousand.\n"
)
PARTS = {
    "cost": ("Cost", _cost),
    "polynomial": ("Polynomial programming", _polynomial),
    "toy": ("The toy E[(b − .499)²] at θ = ½", _toy),
    "peers": ("Peers' defects", peer_lines),
    "table": ("Bias and error of one estimate", _table),
    "bias": ("No bias", _no_bias),
    "listing": ("No bias of draws without replacement", _no_bias_listing),
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
