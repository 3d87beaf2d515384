"""The order-agnostic network trained for questions and by contrast, and judged by both."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from anypart.base.seeds import generator
from anypart.models.contract import Codes, Mask, Model
from anypart.models.order_agnostic import OrderAgnostic
from anypart.optim.gradient import NetworkLearner, features, seeded_orders, tokens_of
from anypart.optim.policies import level
from anypart.optim.views import View, see

if TYPE_CHECKING:
    import torch

    from anypart.optim.gradient import Noise, Parameters

COLLAPSED = 0.01  # spread of the projected views, below which all rows look alike
REMEMBERED = 0.9  # of the spread so far, at each step
FIRST_LOOK = 50  # steps after which a collapse is told


class QuestionLearner(NetworkLearner):
    """What is lost is what a policy asks, and what two views of a row do not share.

    The views' features go through a small head, of which only training knows: what is
    asked of the head is not asked of the representation (SimCLR, section 4.2).
    """

    _spread = 1.0  # of the first views, averaged over steps

    @cached_property
    def _views(self) -> tuple[View, View]:
        views = tuple(map(View.of, self._settings.views)) or (View(),)
        return views[0], views[-1]

    def _start(self, network: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        if not self._settings.contrast:
            return network
        for view in self._views:
            view.check(self._layout.n_cats)
        rng, width = generator(self._seed, "head"), self._settings.width
        bound = width**-0.5
        head = {
            name: rng.uniform(-bound, bound, (width, width)) for name in ("head_in", "head_out")
        }
        head["head_bias"] = np.zeros(width)
        return network | {name: a.astype(np.float32) for name, a in head.items()}

    def _loss(
        self, codes: Codes, seen: Mask, rng: np.random.Generator, noise: Noise
    ) -> torch.Tensor:
        weights, total = self._settings, []
        if weights.predict:
            total.append(weights.predict * super()._loss(codes, seen, rng, noise))
        if weights.contrast:
            lost, spread = self._contrast(self._descent.now, codes, seen, rng, noise)
            self._spread = REMEMBERED * self._spread + (1 - REMEMBERED) * spread
            total.append(weights.contrast * lost)
        return sum(total[1:], total[0])

    def _contrast(
        self,
        parameters: Parameters,
        codes: Codes,
        seen: Mask,
        rng: np.random.Generator,
        noise: Noise = (0.0, None),
    ) -> tuple[torch.Tensor, float]:
        """Contrastive loss between two views of each row, and the spread of the first."""
        import torch

        from anypart.calculus.contrast import nt_xent, spread

        p, sides = parameters, list[torch.Tensor]()
        for view in self._views:
            values, shown = see(view, codes, seen, rng)
            hidden = features(p, tokens_of(self._layout, values, shown), *noise)
            sides.append(torch.relu(hidden @ p["head_in"] + p["head_bias"]) @ p["head_out"])
        weights = self._settings
        first, second = sides
        lost = nt_xent(first, second, weights.temperature, negatives=weights.negatives)
        return lost, float(spread(first.detach()))

    def model(self) -> OrderAgnostic:
        """Return the network without the head; see `Learner.model`."""
        arrays = {n: a for n, a in self._descent.averaged().items() if not n.startswith("head_")}
        orders = seeded_orders(self._layout.n_cols, self._settings.orders, self._seed)
        return OrderAgnostic(self._layout, arrays, orders)

    def judge(self, model: Model, codes: Codes, seen: Mask) -> float:
        """Say how good the averaged network is at what it is trained for; see `Judge`."""
        import torch

        weights, found = self._settings, 0.0
        if weights.predict:
            found += weights.predict * level(model, weights.policies, codes, seen, self._seed)
        if weights.contrast:
            parameters = {n: torch.from_numpy(a) for n, a in self._descent.averaged().items()}
            some, rng = slice(0, 1_024), generator(self._seed, "judged views")
            with torch.no_grad():
                lost, _ = self._contrast(parameters, codes[some], seen[some], rng)
            found -= weights.contrast * float(lost)
        return found

    def trouble(self) -> str:
        """Tell of a collapse; see `Watched`."""
        if self._descent.steps < FIRST_LOOK or self._spread > COLLAPSED:
            return ""
        return (
            f"its representation has collapsed: the views of all rows point one way (spread "
            f"{self._spread:.1e} of 1). Contrast it with negatives, raise the temperature, or "
            "give more weight to predicting."
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """Return parameters, their average, AdamW's moments and the spread."""
        return super().state() | {"spread": np.array(self._spread)}

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        super().load_state(arrays)
        self._spread = float(arrays["spread"])
