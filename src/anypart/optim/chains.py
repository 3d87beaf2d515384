r"""Training of networks along orders by stochastic gradients, in torch.

.. math:: \max_\theta \; \frac1{|B|} \sum_{x \in B} \sum_i \log p_\theta(x_{o_i} | x_{o_{<i}})

The families differ in where their parameters begin and in their logits; batches, the loss
of the cells that are seen, the steps and the average are the same for all. A family that
reads several orders takes another one at each step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Layout, Mask, Model
from anypart.models.places import Array, Places
from anypart.models.stated import Stated
from anypart.optim.descent import Descent, Pace

if TYPE_CHECKING:
    import torch

    Parameters = dict[str, torch.Tensor]

STEADY = 0.3  # share of the steps after which the rate falls


@dataclass(frozen=True)
class ChainSettings:
    """How a network along orders is made and trained.

    Args:
        width: hidden units of a layer.
        layers: hidden layers, where the family has several.
        orders: how many, where the family has several.
        order: the single order, or the first of several; see `models.orders.make_order`.
        mixes: normal densities of a conditional, where the family is of real numbers.
        direct: whether inputs reach outputs directly, where the family can.
        rate: largest step of AdamW.
        decay: weight decay of AdamW.
        question: the stated question that it is for, as `Stated.settings` has it: see
            `boosting.BoostSettings`.

    """

    width: int = 128
    layers: int = 1
    orders: int = 4
    order: str | Sequence[int] = "chow_liu"
    mixes: int = 5
    direct: bool = True
    rate: float = 3e-3
    decay: float = 0.01
    question: Mapping[str, Sequence[int]] | None = None

    @property
    def stated(self) -> Stated | None:
        """The question."""
        return None if self.question is None else Stated.of(self.question)


@dataclass(frozen=True)
class Start:
    """What a family begins with.

    Args:
        layout: the columns, as the table has them.
        places: of the columns, as they lie in the parameters.
        means: (places,) for a cell that is not seen.
        order: (cols,) the order of the settings.
        settings: of the network.
        seed: of everything random.

    """

    layout: Layout
    places: Places
    means: Array
    order: NDArray[np.int64]
    settings: ChainSettings
    seed: int

    def uniform(self, name: str, fan_in: int, *shape: int) -> Array:
        """Draw weights whose sums over `fan_in` inputs have variance of about 1/3."""
        bound = max(fan_in, 1) ** -0.5
        drawn = generator(self.seed, name).uniform(-bound, bound, shape)
        return drawn.astype(np.float32)


class Network(Protocol):
    """How one family begins, computes and ends."""

    def __init__(self, start: Start) -> None: ...

    def initial(self) -> dict[str, Array]:
        """Return the parameters to begin with; with output weights 0, the independent model."""
        ...

    def logits(self, parameters: Parameters, x: torch.Tensor, step: int) -> torch.Tensor:
        """Compute the logits of all places from encoded rows, (rows, places)."""
        ...

    def model(self, arrays: dict[str, Array]) -> Model:
        """Make the model of trained parameters."""
        ...


def nats(places: Places, logits: torch.Tensor, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """Mean −log p of the seen cells, nats per row.

    Args:
        places: of the columns.
        logits: (rows, places).
        x: (rows, places) the encoded rows.
        seen: (rows, cols) the cells that count.

    """
    import torch
    from torch.nn import functional

    starts = torch.tensor(places.starts)[torch.from_numpy(places.binary)]
    one, said = logits[:, starts], x[:, starts]
    total = ((functional.softplus(one) - said * one) * seen[:, places.binary]).sum()
    for col in places.larger:
        logs = torch.log_softmax(logits[:, places.slices[col]], 1)
        total = total - ((logs * x[:, places.slices[col]]).sum(1) * seen[:, col]).sum()
    return total / len(x)


class ChainLearner:
    """AdamW on a network along orders, with averaged parameters.

    Args:
        network: the family, ready to begin.
        start: what it began with.
        in_order: whether its places lie in the order of `start`, not as the table's.

    """

    def __init__(self, network: Network, start: Start, *, in_order: bool) -> None:
        self._network, self._start = network, start
        self._columns = start.order if in_order else np.arange(start.layout.n_cols)
        question = start.settings.stated
        asked = None if question is None else question.cells(start.layout.n_cols)[0]
        self._learned = True if asked is None else asked[self._columns]  # (cols,)
        pace = Pace(start.settings.rate, start.settings.decay, norm=5.0, steady=STEADY)
        self._descent = Descent(network.initial(), pace)

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch; see `Learner.step`."""
        import torch

        places, means = self._start.places, self._start.means
        codes, seen = codes[:, self._columns], np.ascontiguousarray(seen[:, self._columns])
        x = torch.from_numpy(places.encode(codes, seen, means))
        logits = self._network.logits(self._descent.now, x, self._descent.steps)
        lost = nats(places, logits, x, torch.from_numpy(seen & self._learned))
        return -self._descent.down(lost, progress)

    def model(self) -> Model:
        """Return the model with the averaged parameters; later steps leave it alone."""
        return self._network.model(self._descent.averaged())

    def state(self) -> dict[str, NDArray[Any]]:
        """Return parameters, their average and AdamW's moments."""
        return self._descent.state()

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        self._descent.load_state(arrays)
