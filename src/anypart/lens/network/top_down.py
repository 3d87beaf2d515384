r"""The receptive field of one output position, followed from the top down.

.. math:: RF_{n-1} = (RF_n - 1) \cdot s + k

It shares nothing with the way from the bottom up but the sizes of the layers' outputs, and
agrees with it. Below a transposed convolution positions inside an interval may read nothing;
there sets of positions are followed instead of intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from anypart.lens.network.field import NOTHING, Interval
from anypart.lens.network.formula import Items, Size, along, pad_and_size, size_after
from anypart.lens.network.layers import Layer, parse

Places = range | frozenset[int]


def top_down(
    layers: str | Items, size: Size = None, position: int = 0, axis: int = 0
) -> list[Interval]:
    """Follow one output position from the top down to the input.

    Args:
        layers: a spec or layers.
        size: of the input; needed where "same" padding depends on it.
        position: of the output.
        axis: along which to look.

    Returns:
        (first, last) position seen: in the input first, then after each item of the list.

    Example:
        >>> top_down("conv 3 s2, conv 3 s2, conv 3")  # 15, 7 and 3 positions
        [(0, 14), (0, 6), (0, 2), (0, 0)]

    """
    chain = along(parse(layers) if isinstance(layers, str) else layers, axis)
    n = size if size is None or isinstance(size, int) else size[axis]
    top = frozenset({position}) if _has_deconv(chain) else range(position, position + 1)
    return [(min(p), max(p)) if p else NOTHING for p in _down(chain, n, top)]


def _has_deconv(items: Items) -> bool:
    return any(
        item.kind == "deconv" if isinstance(item, Layer) else any(map(_has_deconv, item.paths))
        for item in items
    )


def _down(items: Items, n: int | None, top: Places) -> list[Places]:
    """Return the positions read before each item, and `top`: ranges while they are dense."""
    sizes = [n]
    for item in items:
        sizes.append(size_after(item, sizes[-1]))
    found: list[Places] = [top]
    for item, before in zip(reversed(items), reversed(sizes[:-1]), strict=True):
        if isinstance(item, Layer):
            found.append(_read(item, before, found[-1]))
        else:
            read = [_down(path, before, found[-1])[0] for path in item.paths]
            found.append(_together(read))
    return found[::-1]


def _together(parts: Sequence[Places]) -> Places:
    dense = all(isinstance(p, range) for p in parts)
    ends = [p for p in parts if p]
    if dense and ends:
        return range(min(p[0] for p in cast("list[range]", ends)), 1 + max(map(max, ends)))
    return frozenset[int]().union(*parts)


def _read(layer: Layer, n: int | None, top: Places) -> Places:
    kernel, stride, padding, dilation = cast("tuple[int, int, int, int]", layer[:4])
    if layer.kind == "deconv":
        steps = (o + padding - dilation * tap for o in top for tap in range(kernel))
        return frozenset(x // stride for x in steps if x % stride == 0)
    padding = pad_and_size(layer, n)[0]
    if isinstance(top, range):
        # RF below = (RF above − 1)·stride + kernel: holes between taps are counted.
        first = top[0] * stride - padding
        return range(first, first + (len(top) - 1) * stride + dilation * (kernel - 1) + 1)
    taps = range(0, dilation * kernel, dilation)
    return frozenset(o * stride - padding + t for o in top for t in taps)
