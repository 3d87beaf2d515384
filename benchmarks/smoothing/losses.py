"""The losses of the imbalanced sets, each of (models, rows) scores: ours and the published."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from anypart.calculus.smoothing.metrics import f1, logits
from benchmarks.smoothing import many
from benchmarks.smoothing.many import Rows

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


def soft_auc(temperature: float) -> many.Loss:
    """Our AUC over pairs of every positive with some negatives."""

    def loss(z: Tensor, rows: Rows) -> Tensor:
        pos, neg, real = _pairs(z, rows)
        wins = torch.sigmoid((pos[:, :, None] - neg[:, None, :]) / temperature).mean(2)
        return 1 - (wins * real).sum(1) / real.sum(1)

    return loss


def pairs(z: Tensor, rows: Rows) -> Tensor:
    """Our logistic loss of pairs of every positive with some negatives."""
    pos, neg, real = _pairs(z, rows)
    each = torch.nn.functional.softplus(neg[:, None, :] - pos[:, :, None]).mean(2)
    return (each * real).sum(1) / real.sum(1)


def by_spread(loss_of: many.Loss, start: Tensor, rows: Rows) -> many.Loss:
    """Take a loss of scores over their spread at the start: its temperature is in that unit."""
    spread = torch.stack([z[real].std() for z, real in zip(start, rows.real, strict=True)])
    spread = torch.where(spread > 0, spread, 1.0)  # some models have not moved yet

    def loss(z: Tensor, some: Rows) -> Tensor:
        return loss_of(torch.where(some.real, z / spread[:, None], many.NEVER), some)

    return loss


def squared_hinge(z: Tensor, rows: Rows) -> Tensor:
    """Pairs whose scores are less than 1 apart, squared (as LibAUC's pairwise loss)."""
    pos, neg, real = _pairs(z, rows)
    short = torch.relu(1 - (pos[:, :, None] - neg[:, None, :])).square().mean(2)
    return (short * real).sum(1) / real.sum(1)


def auc_margin(z: Tensor, rows: Rows) -> Tensor:
    """LibAUC's AUCM loss on probabilities (Yuan et al. 2021), its inner problem solved exactly."""
    p = torch.sigmoid(z)
    yes, no = rows.y, (rows.real & (rows.y == 0)).float()

    def moments(w: Tensor) -> tuple[Tensor, Tensor]:
        mean = (p * w).sum(1) / w.sum(1)
        return mean, (w * (p - mean[:, None]) ** 2).sum(1) / w.sum(1)

    (a, va), (b, vb) = moments(yes), moments(no)
    return va + vb + torch.relu(1 - a + b) ** 2


def soft_ap(temperature: float) -> many.Loss:
    """Our average precision, each positive among all positives and some negatives."""

    def loss(z: Tensor, rows: Rows) -> Tensor:
        pos, neg, real = _pairs(z / temperature, rows)
        n_neg = (rows.real & (rows.y == 0)).sum(1)
        above = torch.sigmoid(neg[:, None, :] - pos[:, :, None]).mean(2) * n_neg[:, None]
        among = torch.sigmoid(pos[:, None, :] - pos[:, :, None]) * real[:, None, :]
        hits = among.sum(2) + 0.5  # a row counts ½ against itself, and is 1
        return 1 - (hits / (hits + above) * real).sum(1) / real.sum(1)

    return loss


def ranked(measure: Callable[..., float]) -> Callable[[Tensor, Rows], np.ndarray]:
    def judge(z: Tensor, rows: Rows) -> np.ndarray:
        each = zip(z.numpy(), rows.y.numpy(), rows.real.numpy(), strict=True)
        return np.array([measure(y[r], s[r]) for s, y, r in each])

    return judge


def own_aucm(start: many.Weights, rows: Rows, valid: Rows, version: str) -> many.Weights:
    """Fine-tune one model after another by LibAUC's own loss and optimiser, 40 full steps.

    Of each the step that is best by the formula on validation rows.
    """
    from libauc.losses import AUCMLoss
    from libauc.optimizers import PESG

    kept = [w.clone() for w in start]
    for i in range(len(start[-1])):
        only, judge = (
            Rows(part.x[i : i + 1], part.y[i : i + 1], part.real[i : i + 1])
            for part in (rows, valid)
        )
        n = int(only.real.sum())
        only = Rows(only.x[:, :n], only.y[:, :n], only.real[:, :n])
        moving = [w[i : i + 1].clone().requires_grad_() for w in start]
        loss, best = AUCMLoss(version=version), float("inf")
        pesg = PESG(moving, loss_fn=loss, lr=0.1, margin=1.0, verbose=False)
        for step in range(41):
            if step % 10 == 0:
                with torch.no_grad():
                    found = float(auc_margin(many.scores(moving, judge), judge))
                    if found < best:
                        best = found
                        for k, w in zip(kept, moving, strict=True):
                            k[i] = w[0]
            pesg.zero_grad()
            loss(torch.sigmoid(many.scores(moving, only))[0], only.y[0]).backward()
            pesg.step()
    return kept


def aucm_at_its_best() -> dict[str, float]:
    """What LibAUC's two versions give where their inner problem is solved, and the formula."""
    from libauc.losses import AUCMLoss

    rng = torch.Generator().manual_seed(0)
    y = (torch.rand(400, generator=rng) < 0.1).float()
    z = torch.randn(400, generator=rng) + y
    p, share = torch.sigmoid(z), float(y.mean())
    a, b = p[y > 0].mean(), p[y == 0].mean()
    found = {"share": share}
    for name in ("v1", "v2"):
        loss = AUCMLoss(version=name)
        for own, value in ((loss.a, a), (loss.b, b), (loss.alpha, torch.relu(1 - a + b))):
            own.data.fill_(float(value))
        found[name] = float(loss(p[:, None], y[:, None]).detach())
    found["v1"] /= share * (1 - share)  # its own factor
    found["formula"] = float(auc_margin(z[None], Rows(z[None, :, None], y[None], y[None] >= 0)))
    return found


def aucm_check() -> str:
    """Say what LibAUC's two versions give where their inner problem is solved."""
    from importlib.metadata import version

    found = aucm_at_its_best()
    return (
        f"LibAUC {version('libauc')}, 400 rows of which {found['share']:.1%} are positive, its "
        f"inner problem solved: AUCMLoss v1 over its factor p(1 - p) is {found['v1']:.4f}, the "
        f"formula here {found['formula']:.4f}, AUCMLoss v2 {found['v2']:.4f}: v2 takes the mean "
        "of the negatives' scores over all rows (a bracket of `self.mean` closes one term late), "
        "so it is not the published loss."
    )
