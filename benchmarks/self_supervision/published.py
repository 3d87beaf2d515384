"""VIME's and SCARF's recipes as their papers have them, in torch.

Yoon, Zhang, Jordon and van der Schaar 2020, VIME: extending the success of self- and
semi-supervised learning to tabular domain (NeurIPS); what the paper leaves open is as in the
authors' code: p_m = .3, α = 2, K = 3, β = 1, 10 epochs of 128 rows, 1,000 iterations.

Bahri, Jiang, Tay and Metzler 2022, SCARF: self-supervised contrastive learning using random
feature corruption (ICLR); section 4 and appendix: corruption .6, τ = 1, batches of 128,
Adam at .001, four layers of 256, patience 3 on a tenth of the rows.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from anypart.calculus.contrast import info_nce
from anypart.optim.probe import Labels, Reals
from anypart.scores.rows import ScoredRows

BATCH = 128
HIDDEN = 256  # SCARF's layers
PATIENCE = 3  # epochs of SCARF without a better one
PRETRAINED, TUNED = 1_000, 200  # epochs of SCARF, at most
CORRUPTED, MASKED = 0.6, 0.3
ALPHA, BETA, VIEWS, EPOCHS, ITERATIONS, UNITS = 2.0, 1.0, 3, 10, 1_000, 100  # VIME's


def blocks(rows: ScoredRows, n_cats: Sequence[int]) -> list[slice]:
    """Say where each column of a table lies in `raw_vectors`."""
    numeric = ~np.isnan(rows.reals).all(0)
    ends = np.cumsum([1 if one else n for one, n in zip(numeric, n_cats, strict=True)]).tolist()
    return [slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]


def layers(*sizes: int) -> nn.Sequential:
    """Linear layers with a ReLU between."""
    made: list[nn.Module] = []
    for wide, narrow in pairwise(sizes):
        made += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*made[:-1])


class Vime:
    """VIME: an encoder that tells which values were replaced, and what they were.

    Args:
        rows: (rows, dims) without labels; scaled to [0, 1] as in the authors' code.
        seed: of everything random.

    """

    def __init__(self, rows: Reals, seed: int) -> None:
        self._low, self._high = rows.min(0), rows.max(0)
        self._rows, dims = self._scaled(rows), rows.shape[1]
        self._noise = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        # Section 4.1: z = e(x~), one layer; s_m and s_r read the mask and the row off it.
        self._encoder = nn.Sequential(nn.Linear(dims, dims), nn.ReLU())
        mask, feature = nn.Linear(dims, dims), nn.Linear(dims, dims)
        heads = nn.ModuleList([self._encoder, mask, feature])
        optimizer = torch.optim.RMSprop(heads.parameters(), lr=1e-3, alpha=0.9)
        x = self._rows
        spoilt = self._corrupt(x)
        changed = (spoilt != x).float()
        for _ in range(EPOCHS):
            for ix in torch.randperm(len(x), generator=self._noise).split(BATCH):
                z = self._encoder(spoilt[ix])
                lost = functional.binary_cross_entropy_with_logits(mask(z), changed[ix])
                lost = lost + ALPHA * functional.mse_loss(torch.sigmoid(feature(z)), x[ix])
                optimizer.zero_grad()
                lost.backward()
                optimizer.step()

    def _scaled(self, rows: Reals) -> Tensor:
        wide = np.where(self._high > self._low, self._high - self._low, 1.0)
        return torch.from_numpy(((rows - self._low) / wide).astype(np.float32))

    def _corrupt(self, x: Tensor) -> Tensor:
        """Eq. 3: each value is replaced with probability p_m by its column's in another row."""
        chosen = torch.rand(x.shape, generator=self._noise) < MASKED
        mixed = torch.rand(x.shape, generator=self._noise).argsort(0)
        return torch.where(chosen, x.gather(0, mixed), x)

    @torch.no_grad()
    def encode(self, rows: Reals) -> Reals:
        """Represent rows, (rows, dims)."""
        return self._encoder(self._scaled(rows)).double().numpy()

    def predict(self, known: Reals, labels: Labels, n_classes: int, asked: Reals) -> Labels:
        """Section 4.2: a predictor that also agrees with itself on K corrupted rows."""
        torch.manual_seed(int(labels.sum()))
        predictor = layers(known.shape[1], UNITS, UNITS, n_classes)
        optimizer = torch.optim.Adam(predictor.parameters(), lr=1e-3)
        y, n_held = torch.from_numpy(labels), max(len(labels) // 10, 1)
        with torch.no_grad():
            z = self._encoder(self._scaled(known))
        order = torch.randperm(len(y), generator=self._noise)
        held, kept = order[:n_held], order[n_held:]
        best = _Best(predictor, 100)
        for _ in range(ITERATIONS):
            some = kept[torch.randint(len(kept), (BATCH,), generator=self._noise)]
            others = torch.randint(len(self._rows), (BATCH,), generator=self._noise)
            with torch.no_grad():
                spoilt = [self._encoder(self._corrupt(self._rows[others])) for _ in range(VIEWS)]
            apart = torch.stack([predictor(s) for s in spoilt]).var(0, unbiased=False).mean()
            lost = functional.cross_entropy(predictor(z[some]), y[some]) + BETA * apart  # eq. 8
            optimizer.zero_grad()
            lost.backward()
            optimizer.step()
            with torch.no_grad():
                if best.enough(float(functional.cross_entropy(predictor(z[held]), y[held]))):
                    break
        best.restore()
        with torch.no_grad():
            return predictor(self._encoder(self._scaled(asked))).argmax(1).numpy()


class Scarf:
    """SCARF: an encoder that knows a row again when six columns in ten are another row's.

    Args:
        rows: (rows, dims) without labels, numbers centred and scaled, categories one-hot.
        columns: where each column lies in them; a column is replaced whole.
        seed: of everything random.

    """

    def __init__(self, rows: Reals, columns: Sequence[slice], seed: int) -> None:
        self._noise = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)
        x = torch.from_numpy(rows.astype(np.float32))
        order = torch.randperm(len(x), generator=self._noise)
        held, kept = order[: len(x) // 10], order[len(x) // 10 :]
        self._encoder = layers(x.shape[1], *[HIDDEN] * 4)
        head = layers(HIDDEN, HIDDEN, HIDDEN)
        pair = nn.ModuleList([self._encoder, head])
        owner = torch.cat([torch.full((c.stop - c.start,), i) for i, c in enumerate(columns)])

        def lose(ix: Tensor, spoilt: Tensor) -> Tensor:  # algorithm 1
            one, two = (functional.normalize(head(self._encoder(v))) for v in (x[ix], spoilt))
            return info_nce(one @ two.T)

        def corrupt(ix: Tensor) -> Tensor:
            chosen = torch.rand((len(ix), len(columns)), generator=self._noise) < CORRUPTED
            donors = kept[torch.randint(len(kept), chosen.shape, generator=self._noise)]
            values = x[donors[:, owner], torch.arange(x.shape[1])]
            return torch.where(chosen[:, owner], values, x[ix])

        parts = held.split(BATCH)
        fixed = [(ix, corrupt(ix)) for ix in parts]  # the same at every look (section 4)
        _train(
            pair,
            lambda: (lose(ix, corrupt(ix)) for ix in self._shuffled(kept) if len(ix) > 1),
            lambda: sum(float(lose(*one)) * len(one[0]) for one in fixed),
            PRETRAINED,
        )

    def _shuffled(self, rows: Tensor) -> Sequence[Tensor]:
        return rows[torch.randperm(len(rows), generator=self._noise)].split(BATCH)

    @torch.no_grad()
    def encode(self, rows: Reals) -> Reals:
        """Represent rows, (rows, 256)."""
        return self._encoder(torch.from_numpy(rows.astype(np.float32))).double().numpy()

    def predict(self, known: Reals, labels: Labels, n_classes: int, asked: Reals) -> Labels:
        """Section 3: encoder and a new head of two layers are tuned on the labels."""
        torch.manual_seed(int(labels.sum()))
        whole = nn.Sequential(
            copy.deepcopy(self._encoder), nn.ReLU(), layers(HIDDEN, HIDDEN, n_classes)
        )
        x, y = torch.from_numpy(known.astype(np.float32)), torch.from_numpy(labels)
        order = torch.randperm(len(y), generator=self._noise)
        n_held = max(len(y) // 10, 1)
        held, kept = order[:n_held], order[n_held:]

        def lose(ix: Tensor) -> Tensor:
            return functional.cross_entropy(whole(x[ix]), y[ix])

        _train(
            whole,
            lambda: (lose(ix) for ix in self._shuffled(kept)),
            lambda: float(lose(held)),
            TUNED,
        )
        with torch.no_grad():
            return whole(torch.from_numpy(asked.astype(np.float32))).argmax(1).numpy()


class _Best:
    """Keeps the best weights seen, and says when there were none better for long enough."""

    def __init__(self, module: nn.Module, patience: int) -> None:
        self._module, self._patience = module, patience
        self._least, self._since, self._kept = float("inf"), 0, module.state_dict()

    def enough(self, lost: float) -> bool:
        """Note a look."""
        self._since += 1
        if lost < self._least:
            self._least, self._since = lost, 0
            self._kept = copy.deepcopy(self._module.state_dict())
        return self._since >= self._patience

    def restore(self) -> None:
        """Put the best weights back."""
        self._module.load_state_dict(self._kept)


def _train(
    module: nn.Module,
    batches: Callable[[], Iterable[Tensor]],
    judge: Callable[[], float],
    epochs: int,
) -> None:
    optimizer, best = torch.optim.Adam(module.parameters(), lr=1e-3), _Best(module, PATIENCE)
    for _ in range(epochs):
        for lost in batches():
            optimizer.zero_grad()
            lost.backward()
            optimizer.step()
        with torch.no_grad():
            if best.enough(judge()):
                break
    best.restore()
