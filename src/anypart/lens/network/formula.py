r"""The receptive field of a list of layers, followed from the bottom up.

With jump j, effective kernel k = dilation·(kernel − 1) + 1, stride s, padding p:

.. math:: r \leftarrow r + (k - 1) j, \quad \mathrm{low} \leftarrow \mathrm{low} - p j,
    \quad j \leftarrow j s

Padding does not change the size of the field, only where it lies; the field may be
larger than the input, for positions of padding are counted.

References:
    Araujo, Norris and Sim 2019, Computing receptive fields of convolutional neural
    networks, https://distill.pub/2019/computing-receptive-fields.

"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple, cast

from anypart.base.errors import LensError
from anypart.lens.network.field import UNSEEN, Field
from anypart.lens.network.layers import Branches, Layer, n_axes, parse

Items = Sequence[Layer | Branches]
Size = int | Sequence[int] | None


class Seen(NamedTuple):
    """What a position after one layer sees along one axis of the input.

    Args:
        layer: what was crossed.
        n_out: positions after the layer; None if the input's size is not given.
        step: input positions between outputs that are one period apart.
        low, high: the first output's interval.
        rule: the field, where the plain rule low + step·o does not say all.
        aligned: all paths up to here agree on stride and centre.
        depth: how many branches the layer is inside.

    """

    layer: Layer | Branches
    n_out: int | None
    step: int
    low: float
    high: float
    rule: Field | None = None
    aligned: bool = True
    depth: int = 0

    @property
    def name(self) -> str:
        """Name the layer for people."""
        if self.layer.name:
            return self.layer.name
        return str(self.layer) if isinstance(self.layer, Layer) else "paths meet"

    @property
    def field(self) -> Field:
        """The interval of every output position."""
        return self.rule or Field(self.step, ((self.low, self.high),))

    @property
    def jump(self) -> Fraction | int | None:
        """Input positions per output position; None where there is no one rule."""
        if self.rule is None:
            return self.step
        rate = self.rule.rate
        return int(rate) if rate is not None and rate.denominator == 1 else rate

    @property
    def size(self) -> float:
        """The receptive field: positions in the largest interval, padding counted."""
        return self.rule.size if self.rule else self.high - self.low + 1

    @property
    def center(self) -> float:
        """Centre of the first output's interval, in input positions."""
        return (self.low + self.high) / 2

    @property
    def padding(self) -> float:
        """Positions of the first output's interval that lie before the input."""
        return -self.low if self.low else 0


def receptive_field(layers: str | Items, size: Size = None) -> list[list[Seen]]:
    """Follow the receptive field from the input to the output, layer by layer.

    Args:
        layers: a spec (see `layers.parse`) or layers.
        size: of the input, one number or one for each axis. Without it output sizes are
            not known, and "same" padding is only where the stride is 1.

    Returns:
        For every axis that the layers tell apart, what each layer's output sees; a branch
        gives the rows of its paths, deeper by one, and then its own.

    Raises:
        LensError: a spec that cannot be read, or layers that the input is too small for.

    Cost:
        About a microsecond for a layer of a plain list.

    Example:
        >>> for seen in receptive_field("conv 3 s2, conv 3 s2, conv 3", size=31)[0]:
        ...     print(seen.n_out, seen.jump, seen.size, seen.center)
        15 2 3 1.0
        7 4 7 3.0
        5 4 15 7.0

    """
    chain = parse(layers) if isinstance(layers, str) else layers
    if size is None or isinstance(size, int):
        found, rest = _plain(chain, size)
        if not rest:
            return [found]
    axes = 1 if size is None or isinstance(size, int) else len(size)
    told = n_axes(chain)
    if told > 1 and axes not in (1, told):
        raise LensError(
            f"The size has {axes} axes and the layers tell {told} apart. Give one number, or one "
            "for each axis."
        )
    sizes = [size] * told if size is None or isinstance(size, int) else list(size)
    if len(sizes) == 1:
        sizes *= told
    return [_up(along(chain, axis), n) for axis, n in enumerate(sizes)]


def along(items: Items, axis: int) -> Items:
    """Take one axis of every layer."""
    if all(isinstance(i, Layer) and i.n_axes == 1 for i in items):
        return items
    return tuple(
        i.along(axis)
        if isinstance(i, Layer)
        else i._replace(paths=tuple(tuple(along(p, axis)) for p in i.paths))
        for i in items
    )


def _plain(items: Items, n: int | None) -> tuple[list[Seen], Items]:
    """Apply the plain formula as far as it goes; return the rows, and the items left."""
    rows = list[Seen]()
    step, low, high = 1, 0, 0
    item: Any
    for at, item in enumerate(items):
        if len(item) == 2 or item[4] == "deconv":  # branches, or phases
            return rows, items[at:]
        kernel, stride, padding, dilation, _, _, _, ceil = item
        try:
            reach = dilation * (kernel - 1)
            if padding == "same" and stride == 1:
                padding = reach // 2
            elif padding == "same" or ceil:
                padding, n = pad_and_size(item, n)
            elif n is not None:
                room = n + 2 * padding - reach - 1
                n = room // stride + 1 if room >= 0 else _n_windows(item, room)
            low -= padding * step
            high += (reach - padding) * step
            step *= stride
        except TypeError:  # a tuple: one number for each axis
            return rows, items[at:]
        rows.append(Seen(item, n, step, low, high))
    return rows, ()


def _up(items: Items, n: int | None) -> list[Seen]:
    rows, rest = _plain(items, n)
    if rest:
        rows += _up_fields(rest, rows[-1] if rows else Seen(Layer(1), n, 1, 0, 0))
    return rows


def pad_and_size(layer: Layer, n: int | None) -> tuple[int, int | None]:
    """Return (padding before, output size) of a convolution or a pool along one axis."""
    if layer.padding == "same":
        return _same(layer, n)
    padding = cast(int, layer.padding)
    reach = cast(int, layer.dilation) * (cast(int, layer.kernel) - 1)
    return padding, None if n is None else _n_windows(layer, n + 2 * padding - reach - 1)


def _n_windows(layer: Layer, room: int) -> int:
    """Count windows; `room` is how far the first one can move."""
    if room < 0:
        raise LensError(
            f"{layer.name or layer} reads {-room} positions more than there are. "
            "Give a larger input, or padding."
        )
    stride = cast(int, layer.stride)
    if layer.ceil and room % stride:
        # torch drops a window that would start in the padding at the end.
        last = -(-room // stride)
        reach = cast(int, layer.dilation) * (cast(int, layer.kernel) - 1)
        inside = last * stride < room + 1 + reach - cast(int, layer.padding)
        return last + 1 if inside else last
    return room // stride + 1


def _same(layer: Layer, n: int | None) -> tuple[int, int | None]:
    """Return (padding before, output size) of a layer with "same" padding."""
    kernel, stride = cast(int, layer.kernel), cast(int, layer.stride)
    reach = cast(int, layer.dilation) * (kernel - 1)
    if n is None:
        if stride == 1:
            return reach // 2, None
        raise LensError(
            f"The padding of {layer.name or layer} depends on the size of its input. Give the "
            "size, or the padding as a number."
        )
    n_out = -(-n // stride)
    return max((n_out - 1) * stride + reach + 1 - n, 0) // 2, n_out


def _up_fields(items: Items, before: Seen) -> list[Seen]:
    """Go on with fields, which know of phases and of several paths."""
    rows: list[Seen] = []
    now = before
    for item in items:
        if isinstance(item, Layer):
            now = _through(item, now)
            rows.append(now)
            continue
        ends: list[Seen] = []
        for path in item.paths:
            inner = _up_fields(path, now)
            rows += [row._replace(depth=row.depth + 1) for row in inner]
            ends.append(inner[-1] if inner else now)
        now = _meet(item, ends)
        rows.append(now)
    return rows


def _through(layer: Layer, before: Seen) -> Seen:
    kernel, stride, padding, dilation = cast("tuple[int, int, int, int]", layer[:4])
    n = before.n_out
    if layer.kind == "deconv":
        field = before.field.spread(kernel, stride, padding, dilation, layer.extra)
        if n is not None:
            n = (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + layer.extra + 1
    else:
        padding, n = pad_and_size(layer, n)
        field = before.field.window(kernel, stride, padding, dilation)
    return _row(layer, n, field, before.aligned)


def _row(layer: Layer | Branches, n: int | None, field: Field, aligned: bool) -> Seen:
    low, high = field.at(0)
    plain = field.period == 1 and not field.table
    return Seen(layer, n, field.jump, low, high, None if plain else field, aligned)


def _meet(branches: Branches, ends: Sequence[Seen]) -> Seen:
    sizes = {end.n_out for end in ends}
    if len(sizes) > 1:
        counts = ", ".join(map(str, sorted(cast("set[int]", sizes))))
        raise LensError(
            f"{branches.name or 'Branches'}: paths end with {counts} positions. Give every "
            "path the same strides, and padding that keeps the sizes equal."
        )
    field, n = UNSEEN, ends[0].n_out
    for end in ends:
        field = field.join(end.field, n)
    aligned = all(end.aligned for end in ends) and len({(e.jump, e.center) for e in ends}) == 1
    return _row(branches, n, field, aligned)


def size_after(item: Layer | Branches, n: int | None) -> int | None:
    """Return how many positions there are after an item, along one axis."""
    return None if n is None else _up((item,), n)[-1].n_out
