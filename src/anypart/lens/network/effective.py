r"""The effective receptive field: how much each input position moves an output.

.. math:: E_i = \overline{|\partial y / \partial x_i|}

Of a stack of equal weights the gradient is a convolution of boxes, so its variance is the
sum of theirs, and the field is near a Gaussian that grows as √depth where the theoretical
one grows as depth:

.. math:: \sigma^2 = \sum_l \frac{k_l^2 - 1}{12} \Bigl( d_l \prod_{m < l} s_m \Bigr)^2

References:
    Luo, Li, Urtasun and Zemel 2016, Understanding the effective receptive field in deep
    convolutional neural networks.

"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from anypart.base.errors import LensError
from anypart.lens.network.formula import Items, along
from anypart.lens.network.layers import Layer, parse

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Effective:
    """How much each input position moves one output.

    Args:
        weight: (*input axes after the channels) mean size of the gradient; sums to 1.

    """

    weight: NDArray[np.float64]

    @property
    def spread(self) -> tuple[float, ...]:
        """Standard deviation along each axis, in input positions."""
        found: list[float] = []
        for axis in range(self.weight.ndim):
            others = tuple(a for a in range(self.weight.ndim) if a != axis)
            share = self.weight.sum(others)
            places = np.arange(len(share))
            mean = (share * places).sum()
            found.append(float(np.sqrt((share * (places - mean) ** 2).sum())))
        return tuple(found)

    @property
    def seen(self) -> tuple[tuple[int, int], ...]:
        """First and last position along each axis that move the output at all."""
        found: list[tuple[int, int]] = []
        for axis in range(self.weight.ndim):
            others = tuple(a for a in range(self.weight.ndim) if a != axis)
            places = np.flatnonzero(self.weight.max(others))
            found.append((int(places[0]), int(places[-1])) if len(places) else (0, -1))
        return tuple(found)


def effective_field(
    module: Callable[..., Any],
    shape: Sequence[int],
    position: Sequence[int] | None = None,
    *,
    draws: int = 8,
    seed: int = 0,
) -> Effective:
    """Measure the effective receptive field by gradients on random inputs.

    Args:
        module: a torch module, as it is; its output has axes behind batch and channels.
        shape: of the input, with batch and channels.
        position: of the output behind batch and channels; its middle if not given.
        draws: random inputs to average over.
        seed: of the inputs.

    Raises:
        LensError: an output without axes behind the channels, or a position not in it.

    Cost:
        A forward and a backward pass for each draw.

    Example:
        >>> from torch import nn
        >>> net = nn.Conv1d(1, 1, 3, bias=False)
        >>> _ = nn.init.ones_(net.weight)
        >>> effective_field(net, (1, 1, 5), (1,)).weight.round(2).tolist()
        [0.0, 0.33, 0.33, 0.33, 0.0]

    """
    import torch

    noise = torch.Generator().manual_seed(seed)
    total = np.zeros(tuple(shape[2:]))
    for _ in range(draws):
        with torch.enable_grad():
            x = torch.randn(tuple(shape), generator=noise).requires_grad_()
            y = cast("torch.Tensor", module(x))
            place = tuple(n // 2 for n in y.shape[2:]) if position is None else tuple(position)
            if (
                y.dim() < 3
                or len(place) != y.dim() - 2
                or not all(0 <= p < n for p, n in zip(place, y.shape[2:], strict=True))
            ):
                raise LensError(
                    f"The output has the shape {tuple(y.shape)}; the field is of a position "
                    f"{place} behind batch and channels. Give a network without its head, and a "
                    "position that is there."
                )
            # Random signs over channels, so that channels do not cancel each other.
            at = y[(slice(None), slice(None), *place)]
            signs = torch.randint(0, 2, at.shape, generator=noise) * 2.0 - 1
            (gradient,) = torch.autograd.grad((at * signs).sum(), x, materialize_grads=True)
        total += gradient.abs().flatten(0, 1).sum(0).double().numpy()
    return Effective(total / total.sum() if total.sum() > 0 else total)


def uniform_spread(layers: str | Items, axis: int = 0) -> float:
    """Return the closed form of the spread, for layers of equal weights.

    Args:
        layers: a spec or layers, without branches.
        axis: along which.

    Returns:
        Standard deviation in input positions.

    Raises:
        LensError: branches or transposed convolutions, for which the form does not hold.

    Example:
        >>> round(uniform_spread("2*(conv 3), pool 2, 2*(conv 3), pool 2, 3*(conv 3), pool 2, "
        ...       "3*(conv 3), pool 2, 3*(conv 3), pool 2"), 2)  # VGG-16
        27.64

    """
    variance, jump = 0.0, 1
    for layer in along(parse(layers) if isinstance(layers, str) else layers, axis):
        if not isinstance(layer, Layer) or layer.kind == "deconv":
            raise LensError(
                "The closed form is for convolutions and pools one after another. Measure "
                "branches and transposed convolutions with effective_field."
            )
        kernel, stride = cast(int, layer.kernel), cast(int, layer.stride)
        variance += (kernel**2 - 1) / 12 * (cast(int, layer.dilation) * jump) ** 2
        jump *= stride
    return math.sqrt(variance)


PLAIN = (  # what moves no position, by the start of its class's name
    *("ReLU", "LeakyReLU", "ELU", "SELU", "GELU", "SiLU", "Mish", "Tanh", "Sigmoid", "Softplus"),
    *("Hard", "Dropout", "Identity", "BatchNorm", "PReLU"),
)


def chain_of(module: Any) -> tuple[Layer, ...] | None:
    """Read the layers of a plain chain off a torch module; None if it is none.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv1d(1, 1, 3, 2), nn.ReLU(), nn.MaxPool1d(2))
        >>> [str(layer) for layer in chain_of(net)]
        ['conv 3 s2', 'pool 2 s2']

    """
    kind = type(module).__name__
    if kind == "Sequential":
        parts = [chain_of(part) for part in module]
        known = [part for part in parts if part is not None]
        return tuple(x for part in known for x in part) if len(known) == len(parts) else None
    if kind.startswith(PLAIN):
        return ()
    pool = kind[:-2] in ("MaxPool", "AvgPool")
    if not pool and kind[:-2] != "Conv":
        return None
    if not pool and module.padding_mode != "zeros":
        return None
    names = ("kernel_size", "stride", "padding", "dilation")
    sizes = [_one(getattr(module, n, 1)) for n in names]
    return (Layer(*sizes, kind="pool" if pool else "conv"),)


def _one(sizes: Any) -> Any:
    """Write sizes that agree as one."""
    agree = isinstance(sizes, tuple) and len(cast("set[int]", set(sizes))) == 1
    return cast("tuple[int, ...]", sizes)[0] if agree else sizes
