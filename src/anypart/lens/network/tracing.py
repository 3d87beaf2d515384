"""The receptive field of any torch module, by tracing it on shapes.

The module runs once without computing anything: every operation says what its output's
positions see along each axis of the input. Weights count by their shape, not their values
(`which_inputs` looks at those); a mask before a softmax is looked at. An operation without a
rule is named in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from anypart.base.errors import LensError
from anypart.lens.network.calls import Call, Traced, mapped, plain, tensors
from anypart.lens.network.field import SELF, UNSEEN, WHOLE, Field, Interval
from anypart.lens.network.formula import Seen
from anypart.lens.network.layers import Branches
from anypart.lens.network.pieces import piece_of, put_together
from anypart.lens.network.quick import quick_shape
from anypart.lens.network.rules.pointwise import SHAPE_ONLY
from anypart.lens.network.sight import Part, Sight, regroup
from anypart.lens.network.sight_rules import sight_rule_of
from anypart.lens.network.tracer import Tracer


class Row(NamedTuple):
    """What the output of one module of the network sees.

    Args:
        name: of the module, dotted.
        kind: its class.
        sight: what every element sees.

    """

    name: str
    kind: str
    sight: Sight

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the output."""
        return self.sight.shape

    @property
    def axes(self) -> tuple[Seen, ...]:
        """What a position sees, for each axis of the input that is followed."""
        last = Branches((), self.name or self.kind)
        return tuple(_summary(last, self.sight, at) for at in range(1, len(self.sight.ends)))

    @property
    def whole_batch(self) -> bool:
        """An example sees other examples of the batch."""
        return self.sight.rest[0] != UNSEEN and self.sight.ends[0] > 1

    @property
    def exact(self) -> bool:
        """No interval is larger than it has to be, if no weight and no shown element is 0."""
        return not self.sight.loose

    def interval(self, position: Sequence[int], axis: int = 0) -> Interval:
        """Return what one element sees along one of the followed axes.

        Args:
            position: of the element, one number for each axis of the output.
            axis: number among those that are followed.

        """
        if len(position) != len(self.shape) or not all(
            0 <= p < n for p, n in zip(position, self.shape, strict=True)
        ):
            raise LensError(
                f"The output of {self.name or self.kind} has the shape {self.shape}; "
                f"{tuple(position)} is no position in it."
            )
        return self.sight.interval(position, axis + 1)


def trace(
    module: Callable[..., Any], shape: Sequence[int], axes: Sequence[int] | None = None
) -> list[Row]:
    """Follow the receptive field through a module.

    What a position sees is what all its channels together see, unless channels are followed.

    Args:
        module: a torch module (as it is: training or evaluation), or a function of a tensor.
        shape: of its input, with the batch.
        axes: of the input that are followed; from the third on if not given, or the second
            of an input with two axes.

    Returns:
        A row for every module in the order in which they end, the last for the output.

    Raises:
        LensError: an operation without a rule, which is named.

    Cost:
        No arithmetic on data; tens of microseconds for an operation.

    Example:
        >>> from torch import nn
        >>> net = nn.Sequential(nn.Conv1d(1, 4, 3, 2), nn.ReLU(), nn.MaxPool1d(2))
        >>> top = trace(net, (1, 1, 32))[-1]
        >>> top.axes[0].size, top.axes[0].jump, top.interval((0, 0, 3))
        (5, 4, (12, 16))

    """
    followed = tuple(axes) if axes is not None else tuple(range(min(2, len(shape) - 1), len(shape)))
    if not all(0 < a < len(shape) for a in followed):
        raise LensError(
            f"An input of shape {tuple(shape)} has no axes {followed} behind the batch. "
            f"Give some of 1 to {len(shape) - 1}."
        )
    ends = (shape[0], *(shape[a] for a in followed))
    tracer = Fields(ends)
    blank = (UNSEEN,) * len(ends)
    seen = {a: (*blank[:at], SELF, *blank[at + 1 :]) for at, a in enumerate((0, *followed))}
    parts = tuple((Part(n, seen.get(a, blank)),) for a, n in enumerate(shape))
    sight = Sight(parts, blank, ends)
    with torch.no_grad():
        x = Traced(torch.empty(tuple(shape), device="meta"), sight)
    found = tensors(tracer.run(module, (x,)))
    if not found or not isinstance(found[0], Traced):
        raise LensError("The module's output does not depend on its input, or is no tensor.")
    return [*tracer.rows, Row("", "output", found[0].state)]


def _summary(name: Branches, sight: Sight, at: int) -> Seen:
    carrying = [p for parts in sight.axes for p in parts if p.fields[at] != UNSEEN]
    rest = sight.rest[at]
    if rest == WHOLE or any(p.fields[at] == WHOLE for p in carrying):
        return Seen(name, carrying[0].size if carrying else None, 0, 0, sight.ends[at] - 1)
    if not carrying:
        low, high = rest.at(0)
        return Seen(name, None, 0, low, high)
    field, n = carrying[0].fields[at], carrying[0].size
    if len(carrying) > 1:
        field = Field(0, (sight.total(carrying)[at].at(0),))
    if rest != UNSEEN:
        field = field.join(rest, n)
    low, high = field.at(0)
    plain = field.period == 1 and not field.table
    return Seen(name, n, field.jump, low, high, None if plain else field)


class Fields(Tracer):
    """Follows intervals along the input's axes; values are shapes only."""

    def __init__(self, ends: tuple[int, ...]) -> None:
        super().__init__()
        self.rows: list[Row] = []
        self._ends = ends
        self._shapes: dict[int, tuple[Tensor, Tensor]] = {}

    def knows(self, name: str, func: Any) -> bool:
        """Look the operation up in the table of rules."""
        return sight_rule_of(name, func) is not None

    def states(self, call: Call) -> list[Any]:
        """Apply the rule of an operation."""
        rule = sight_rule_of(call.name, call.func)
        assert rule is not None
        found = rule(self, call)
        for sight, value in zip(found, call.values, strict=True):
            if sight is not None and sight.shape != tuple(value.shape):
                raise self.unknown(call, f"its output of shape {tuple(value.shape)} is cut across")
        return list(found)

    def compute(self, func: Any, args: Any, kwargs: Any) -> Any:
        """Compute shapes."""
        quick = quick_shape(func, args)
        if quick is not None:
            return quick
        if func._schema.name.split("::")[-1] in SHAPE_ONLY:
            return func(*mapped(_stand_in, args), **mapped(_stand_in, kwargs))
        if _is_view(func):  # of the same storage, so that writes are seen
            return func(*mapped(plain, args), **mapped(plain, kwargs))
        if _writes_first(func):
            return plain(args[0])
        if func is torch.ops.aten.index.Tensor:
            args = (args[0], [_numbers(x) for x in args[1]])
        if "device" in kwargs:
            kwargs = {**kwargs, "device": torch.device("meta")}
        return func(*mapped(self._shape, args), **mapped(self._shape, kwargs))

    def _shape(self, x: Any) -> Any:
        x = plain(x)
        if not isinstance(x, Tensor) or x.is_meta:
            return x
        if x.dtype in (torch.bool, torch.long) and x.dim() == 0:
            return x
        kept = self._shapes.get(id(x))
        if kept is None:
            kept = self._shapes[id(x)] = (x, x.to("meta"))
        return kept[1]

    def left(self, name: str, module: Any, found: Any) -> None:
        """Note what a module's output sees."""
        first = tensors(found)
        if first and isinstance(first[0], Traced):
            self.rows.append(Row(name, type(module).__name__, first[0].state))

    def constant(self, value: Tensor) -> Sight:
        """Return the state of a tensor that no longer depends on the input."""
        blank = (UNSEEN,) * len(self._ends)
        parts = tuple((Part(n, blank),) for n in value.shape)
        return Sight(parts, blank, self._ends)

    def write(self, whole: Any, storage: Any, target: Tensor, state: Any) -> Any:
        """Keep what was written, by the view through which it was."""
        if whole is None:
            return ()  # what was there before is known to who looks at it
        written = (target, state, self._writes)
        if storage.nbytes() == target.numel() * target.element_size():
            return (written,)
        there = _places(target)
        kept = [w for w in whole if not torch.isin(_places(w[0]), there).all()]
        return (*kept, written)

    def read(self, whole: Any, target: Tensor, since: int, before: Any) -> Sight | None:
        """Put together what was written into a view; None if nothing was."""
        late = [
            w for w in whole if w[2] > since and (_same(w[0], target) or _overlap(w[0], target))
        ]
        if not late:
            return None
        view, state, _ = late[-1]
        if _same(view, target):
            return state
        if view.numel() == target.numel() and view.is_contiguous() and target.is_contiguous():
            return regroup(state, target.shape)
        found = [piece_of(w[0], w[1], target) for w in late]
        pieces = [piece for piece in found if piece is not None]
        if len(pieces) == len(found):
            return put_together(self.constant(target) if before is None else before, pieces)
        raise LensError(
            f"{self._place()}a tensor is read after a part of it was written in place that is no "
            "box of it; intervals do not follow that. Use which_inputs, or write the parts with "
            "torch.cat."
        )


def _numbers(places: Any) -> Any:
    """Write a list of yes and no as numbers, for its length is a shape."""
    known = isinstance(places, Tensor) and not isinstance(places, Traced) and not places.is_meta
    return places.nonzero().unbind(1)[0] if known and places.dtype == torch.bool else places


@cache
def _is_view(func: Any) -> bool:
    alias = [r.alias_info for r in func._schema.returns[:1]]
    return bool(alias) and alias[0] is not None and not alias[0].is_write


@cache
def _writes_first(func: Any) -> bool:
    """Whether it writes its first argument and returns it, with the shape that it had."""
    own = func._schema.name.endswith("_") and torch.Tag.inplace_view not in func.tags
    return own and func._schema.is_mutable


def _stand_in(x: Tensor) -> Tensor:
    """Make zeros of a traced tensor's shape, in one element of memory."""
    return torch.zeros((), dtype=x.dtype).expand(x.shape) if isinstance(x, Traced) else x


def _same(one: Tensor, other: Tensor) -> bool:
    return (
        one.shape == other.shape
        and one.stride() == other.stride()
        and one.storage_offset() == other.storage_offset()
    )


def _places(view: Tensor) -> Tensor:
    """Say where the elements of a view lie in its storage."""
    n = int(view.untyped_storage().nbytes() // view.element_size())
    return torch.arange(n).as_strided(view.shape, view.stride(), view.storage_offset()).flatten()


def _overlap(one: Tensor, other: Tensor) -> bool:
    return bool(torch.isin(_places(one), _places(other)).any())
