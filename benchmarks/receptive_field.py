"""What a network sees: errors and time of the ways to find it, and what log-odds biases save.

``python -m benchmarks.receptive_field [inputs] [speed] [peers] [start]``; without names, all.
"""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch
from tests.lens.network.architectures import PUBLISHED, VGG_16
from tests.lens.network.perturb import brute_force, first_tensor, run
from tests.lens.network.suite import MODULES, POINTS, build
from tests.lens.network.torch_nets import resnet50

from anypart.base.seeds import generator
from anypart.lens.network import dependence, parse, receptive_field, trace, which_inputs
from anypart.models.contract import Codes, Evidence, Layout
from anypart.models.places import Places
from anypart.optim import gradient
from anypart.optim.catalogue import LEARNERS
from benchmarks.contest import write_result
from benchmarks.data import ROOT, data_file
from benchmarks.peers import python_of

Mask = torch.Tensor
PEERS = ("torchscan", "rf-calc", "receptivefield", "receptive-field-calculation")
MISSING = (
    "Not in the table: rfa_toolbox (its releases do not install on this Python), Fangyh09's "
    "pytorch-receptive-field (no release), the TensorFlow library (no TensorFlow here)."
)


def by_nan(module: torch.nn.Module, x: torch.Tensor) -> Mask:
    """Put a NaN into one input at a time, and look where it comes out."""
    columns: list[Mask] = []
    for place in range(x.numel()):
        poisoned = x.flatten().clone()
        poisoned[place] = torch.nan
        columns.append(run(module, poisoned.reshape(x.shape), 0).isnan().flatten())
    return torch.stack(columns, 1)


def by_gradient(module: torch.nn.Module, x: torch.Tensor) -> Mask:
    """Take one gradient of every output."""
    torch.manual_seed(0)
    with torch.enable_grad():
        leaf = x.clone().requires_grad_()
        y = first_tensor(module(leaf)).flatten()
        rows = [
            torch.autograd.grad(out, leaf, retain_graph=True, materialize_grads=True)[0]
            for out in y
        ]
    return torch.stack([r.flatten() != 0 for r in rows])


def by_perturbation(module: torch.nn.Module, x: torch.Tensor) -> Mask:
    """Replace one input at a time by 16 random values, at one point."""
    noise = torch.Generator().manual_seed(0)
    before = run(module, x, 0)
    found = torch.zeros(before.numel(), x.numel(), dtype=torch.bool)
    for place in range(x.numel()):
        for value in torch.randn(16, generator=noise) * 3:
            moved = x.flatten().clone()
            moved[place] = value
            found[:, place] |= (run(module, moved.reshape(x.shape), 0) != before).flatten()
    return found


WIDTH = {"width": 64}
WAYS: dict[str, Callable[[torch.nn.Module, torch.Tensor], Mask]] = {
    "index sets (which_inputs)": dependence,
    "NaN probing": by_nan,
    "one gradient": by_gradient,
    "16 random perturbations": by_perturbation,
}


def inputs() -> list[str]:
    """Which inputs an output depends on: each way beside brute force."""
    wrong: dict[str, list[str]] = {way: [] for way in WAYS}
    missed, accused, failed = (dict.fromkeys(WAYS, 0) for _ in range(3))
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for name in MODULES:
        module, x = build(name)
        right = brute_force(module, x, POINTS.get(name, 3))
        for way, find in WAYS.items():
            start = time.process_time()
            try:
                found = find(module, x)
            except (RuntimeError, ValueError, IndexError):
                failed[way] += 1
                wrong[way].append(name)
                continue
            times[way].append(time.process_time() - start)
            missed[way] += bool((right & ~found).any())
            accused[way] += bool((found & ~right).any())
            if not torch.equal(found, right):
                wrong[way].append(name)
    fastest = statistics.median(times["index sets (which_inputs)"])
    lines = [
        f"{len(MODULES)} small modules, every output; right: equal to brute-force perturbation "
        "(at three or twelve points, three or two changes each).",
        "",
        "| way | right | misses some | accuses some | does not run | median time, index sets = 1 |",
        "|---|---|---|---|---|---|",
    ]
    for way in WAYS:
        n_right = len(MODULES) - len(wrong[way])
        ratio = statistics.median(times[way]) / fastest
        lines.append(
            f"| {way} | {n_right} of {len(MODULES)} | {missed[way]} | {accused[way]} | "
            f"{failed[way]} | {ratio:.2f} |"
        )
    lines.append("")
    lines += [f"- {way}, wrong on: {', '.join(names)}." for way, names in wrong.items() if names]
    return lines


def best(action: Callable[[], object], times: int) -> tuple[float, float]:
    """Least seconds by the clock and of this process's CPU, after a warm-up."""
    action()
    wall, cpu = list[float](), list[float]()
    for _ in range(times):
        start, spent = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - spent)
    return min(wall), min(cpu)


def probe(module: torch.nn.Module, x: torch.Tensor) -> int:
    """Find the field's height by the gradient of one output on the input's size."""
    leaf = x.clone().requires_grad_()
    y = module(leaf)
    middle = y[0, :, y.shape[2] // 2, y.shape[3] // 2].sum()
    (g,) = torch.autograd.grad(middle, leaf)
    rows = g[0].abs().sum((0, 2)).nonzero().flatten()
    return int(rows[-1] - rows[0] + 1)


def speed() -> list[str]:
    """Time of a trace and of a layer list, and what they answer."""
    net, layers = resnet50(), parse(VGG_16)
    plain = [layer._replace(padding=(layer.kernel - 1) // 2) for layer in layers]
    x = torch.randn(1, 3, 224, 224)
    found = {
        "trace of ResNet-50": (best(lambda: trace(net, x.shape), 15), 50e-3, "427"),
        "gradient probe of ResNet-50 at 224": (best(lambda: probe(net, x), 3), None, ""),
        "which_inputs of ResNet-50, one output": (
            best(lambda: which_inputs(net, x, (0, 0, 3, 3)), 1),
            None,
            "",
        ),
        "layer list, VGG-16 (18 layers)": (best(lambda: receptive_field(plain), 300), 20e-6, ""),
        "layer list, 3 layers": (best(lambda: receptive_field(plain[:3]), 300), 20e-6, ""),
    }
    answers = {
        "trace of ResNet-50": f"{trace(net, x.shape)[-1].axes[0].size:g}",
        "gradient probe of ResNet-50 at 224": f"{probe(net, x)} (cut at the rim)",
        "which_inputs of ResNet-50, one output": "a mask of the input",
        "layer list, VGG-16 (18 layers)": f"{receptive_field(VGG_16)[0][-1].size:g}",
        "layer list, 3 layers": f"{receptive_field(layers[:3])[0][-1].size:g}",
    }
    asked = {what: limit for what, (_, limit, _) in found.items()}
    rows = [(what, *spent, answers[what]) for what, (spent, _, _) in found.items()]
    lines = [
        "| what | by the clock | by CPU | asked | met by CPU | answer |",
        "|---|---|---|---|---|---|",
    ]
    for what, wall, cpu, answer in rows:
        limit = asked.get(what)
        met = "–" if limit is None else "yes" if cpu <= limit else "**no**"
        bound = "–" if limit is None else f"{limit * 1e3:g} ms"
        clocks = f"{wall * 1e3:.3g} ms | {cpu * 1e3:.3g} ms"
        lines.append(f"| {what} | {clocks} | {bound} | {met} | {answer} |")
    n_right = 0
    for spec, size, stride, *paddings in PUBLISHED.values():
        top = receptive_field(spec, 224)[0][-1]
        n_right += (top.size, top.jump, top.padding) == (size, stride, paddings[0])
    table = f"Published table: {n_right} of {len(PUBLISHED)} networks right at 224 px."
    return [*lines, "", table]


def peers() -> list[str]:
    """The field of ResNet-50 and of dilated layers, beside the peers that install."""
    net = resnet50()
    spec = ", ".join(f"conv 3 d{d} p{d}" for d in (1, 2, 4))
    wall, cpu = best(lambda: trace(net, (1, 3, 224, 224)), 3)
    answer = f"{trace(net, (1, 3, 224, 224))[-1].axes[0].size:g}"
    line = best(lambda: receptive_field(spec), 3)
    found: dict[str, dict[str, Any]] = {
        "anypart": {
            "ResNet-50": [wall, cpu, answer],
            "dilated": [*line, f"{receptive_field(spec)[0][-1].size:g}"],
        }
    }
    python = python_of("field")
    for peer in PEERS if python else ():
        nets = ROOT / "tests" / "lens" / "network" / "torch_nets.py"
        script = ROOT / "benchmarks" / "peers" / "run_field.py"
        command = [python, script, peer, nets]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = done.stdout.splitlines()[-1:] or ['{"ResNet-50": "no answer", "dilated": ""}']
        found[peer] = json.loads(said[0])
    lines = [
        "| who | ResNet-50 (427) | CPU | three layers dilated 1, 2, 4 (15) | CPU |",
        "|---|---|---|---|---|",
    ]
    for who, answers in found.items():
        cells = [
            f"{a[2]} | {a[1] * 1e3:,.3g} ms" if isinstance(a, list) else f"{a} | –"
            for a in answers.values()
        ]
        lines.append(f"| {who} | {' | '.join(cells)} |")
    missing = "" if python else " The peers are missing: make their environment, `field`."
    return [*lines, "", MISSING + missing]


SETS = ("nltcs", "plants", "mushrooms", "dna")
EPOCHS, TRAINED_ON, JUDGED_ON = 20, 1_000, 300


def synthetic() -> tuple[Codes, Codes]:
    """Make rows of 30 columns, few of them ones."""
    rng = generator(0, "benchmarks", "start")
    n_cols = 30
    latent = rng.random((TRAINED_ON + JUDGED_ON, 4)) < 0.5
    weight = rng.normal(size=(4, n_cols)) * 1.5
    logits = latent @ weight - weight.sum(0) / 2 - 2.5
    codes = (rng.random(logits.shape) < 1 / (1 + np.exp(-logits))).astype(np.int32)
    return codes[:TRAINED_ON], codes[TRAINED_ON:]


def real(name: str) -> tuple[Codes, Codes]:
    """Read some training and validation rows of a set."""
    packed = np.load(data_file(f"density/{name}.npz"))
    n_cols = int(packed["cols"])
    found: list[Codes] = []
    for part, most in (("train", TRAINED_ON), ("valid", JUDGED_ON)):
        bits = np.unpackbits(packed[part], axis=1, count=n_cols).astype(np.int32)
        rows = generator(0, "benchmarks", "start", part).permutation(len(bits))[:most]
        found.append(bits[rows])
    return found[0], found[1]


def start() -> list[str]:
    """Epochs that output biases at the data's log-odds save."""
    lines = [
        f"{TRAINED_ON:,} training rows in batches of 200, {EPOCHS} epochs; losses in nats per row, "
        f"on {JUDGED_ON} validation rows. FVSBN's path of fits has no epochs.",
        "",
        "| rows | ones | network | independent model | first loss, log-odds | first loss, 0 | "
        "epochs until 0 is at the independent model | epochs saved at the level of "
        f"{EPOCHS} epochs from 0 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in ("made up", *SETS):
        train, valid = real(name) if name in SETS else synthetic()
        share = (train.sum(0) + 0.5) / (len(train) + 1)
        level = -float((valid * np.log(share) + (1 - valid) * np.log1p(-share)).sum(1).mean())
        for family in ("made", "nade", "order_agnostic"):
            told = _curve(family, train, valid, zero=False)
            bare = _curve(family, train, valid, zero=True)
            reached = next((e for e, loss in enumerate(bare) if loss <= level), None)
            meets = next((e for e, loss in enumerate(told) if loss <= bare[-1]), None)
            saved = "none" if meets is None else str(len(bare) - 1 - meets)
            lines.append(
                f"| {name} | {train.mean():.0%} | {family} | {level:.2f} | {told[0]:.2f} | "
                f"{bare[0]:.2f} | {f'more than {EPOCHS}' if reached is None else reached} | "
                f"{saved} |"
            )
            print(lines[-1], flush=True)
    return lines


def _curve(family: str, train: Codes, valid: Codes, *, zero: bool) -> list[float]:
    """Mean loss before each epoch, nats per row."""
    none = mock.MagicMock(side_effect=lambda *a: np.zeros(sum(a[2])))
    seen = np.ones(train.shape, bool)
    with (
        mock.patch.object(Places, "log_odds", (lambda self, m: 0 * m) if zero else Places.log_odds),
        mock.patch.object(gradient, "log_odds", none if zero else gradient.log_odds),
    ):
        learner = LEARNERS[family](Layout((2,) * train.shape[1]), train, seen, WIDTH, 0)
    found: list[float] = []
    judged = Evidence(valid, np.ones(valid.shape, bool))
    for epoch in range(EPOCHS + 1):
        found.append(-float(learner.model().log_prob(judged).mean()))
        order = generator(epoch, "order").permutation(len(train))
        for at in range(0, len(train), 200):
            rows = order[at : at + 200]
            learner.step(train[rows], seen[rows], min(epoch / (EPOCHS + 1), 0.99))
    return found


PARTS = {"inputs": inputs, "speed": speed, "peers": peers, "start": start}


def main(names: list[str]) -> None:
    for name in names or list(PARTS):
        lines = [
            f"# {PARTS[name].__doc__}",
            "",
            f"`python -m benchmarks.receptive_field {name}`, {platform.machine()}, Python "
            f"{platform.python_version()}, torch {torch.__version__}",
            "",
            *PARTS[name](),
        ]
        write_result(f"receptive_field_{name}", lines)


if __name__ == "__main__":
    main(sys.argv[1:])
