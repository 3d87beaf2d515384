"""The contract of a learner: batches of codes → a model. One learner trains one member."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from anypart.models.contract import Codes, Mask, Model


class Learner(Protocol):
    """Turns mini-batches into a better model; its whole state is arrays."""

    def step(self, codes: Codes, seen: Mask, progress: float) -> float:
        """Learn from one mini-batch.

        Args:
            codes: (rows, cols), as in `Evidence`.
            seen: (rows, cols); unseen cells are summed out.
            progress: share of the planned steps already done, in [0, 1).

        Returns:
            The mean objective of the batch before the step, nats per row.

        """
        ...

    def model(self) -> Model:
        """Return the model learned so far (a snapshot: later steps do not change it)."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that `load_state` needs to go on with the same bits."""
        ...

    def load_state(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Go on from `state`."""
        ...


@runtime_checkable
class Judge(Protocol):
    """A learner that is trained for something else than whole rows, and judged by that."""

    def judge(self, model: Model, codes: Codes, seen: Mask) -> float:
        """Say how good the model it has just made is on validation rows; more is better."""
        ...


@runtime_checkable
class Watched(Protocol):
    """A learner that notices when its training goes wrong."""

    def trouble(self) -> str:
        """Say what is wrong and what to do, or nothing."""
        ...
