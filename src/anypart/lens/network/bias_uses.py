"""What becomes of the biases that a network's layers add, in one run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from anypart.base.errors import LensError
from anypart.lens.network.calls import tensors

_aten = torch.ops.aten
_BATCH_NORM = (_aten.native_batch_norm.default,)


@dataclass
class Uses:
    """Uses of biases in one run.

    Args:
        used: storage of a bias → storages of its normalisations' running means (None where
            there is none), or the words of a use that keeps it.
        fed: storage of a running mean → what its normalisation was fed: biases, or None.

    """

    used: dict[int, list[str | tuple[int | None, str]]] = field(default_factory=dict)
    fed: dict[int, set[int | None]] = field(default_factory=dict)


def uses_of(module: nn.Module, example: Sequence[Any], *, training: bool) -> Uses:
    """Run a module in one mode, and put its buffers and modes back.

    Raises:
        LensError: it does not run on the example, or returns what tensors cannot be found in.

    """
    # The copy would have other storages: run on the module itself, and put its buffers back.
    modes = [(m, m.training) for m in module.modules()]
    buffers = [(b, b.detach().clone()) for b in module.buffers()]
    watch = _Watch(set(by_storage(module.named_parameters())), learning=training)
    try:
        module.train(training)
        with torch.no_grad(), torch.random.fork_rng(devices=[]), watch:
            found = module(*example)
        watch.end(_outputs(found))
    except (RuntimeError, TypeError, ValueError) as error:
        mode = "training" if training else "evaluation"
        raise LensError(
            f"The module does not run on the example in {mode} ({error}). Give inputs that it "
            "takes, with two rows or more for batch normalisation."
        ) from None
    finally:
        for part, mode in modes:
            part.training = mode
        with torch.no_grad():
            for buffer, kept in buffers:
                buffer.copy_(kept)
    return watch.found


def by_storage(named: Iterable[tuple[str, Tensor]]) -> dict[int, str]:
    """Name tensors by what identifies their memory; of those that share it, the first."""
    found: dict[int, str] = {}
    for name, tensor in named:
        found.setdefault(tensor.untyped_storage()._cdata, name)
    return found


def _outputs(found: Any) -> list[Tensor]:
    for x in tree_leaves(found):
        if not isinstance(x, Tensor | int | float | str | None):
            raise LensError(
                f"The module returns {type(x).__name__}, in which tensors cannot be found. "
                "Wrap it in a module that returns tensors, in lists, tuples or dicts."
            )
    return tensors(found)


class _Watch(TorchDispatchMode):
    """Follows the outputs that carry a bias to whoever reads them."""

    def __init__(self, parameters: set[int], *, learning: bool) -> None:
        super().__init__()
        self._learning = learning
        self.found = Uses()
        self._parameters = parameters
        self._carries: dict[int, tuple[set[int], torch.Size]] = {}  # storage → biases, shape
        self._read: set[int] = set()  # parameters that are more than a bias
        self._alive: list[Tensor] = []  # a storage that dies could come back as another

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and note which biases it reads."""
        found = func(*args, **(kwargs or {}))
        made = tensors(found)
        results = {_storage(x) for x in made}
        views = not func._schema.is_mutable and bool(made)
        for x in tensors((args, kwargs)):
            carried = self._carries.get(_storage(x))
            if carried is None or (views and results == {_storage(x)}):
                continue  # a view is no use
            for bias in carried[0]:
                use = _use(func, args, x, carried[1], learning=self._learning)
                self.found.used[bias].append(use)
        if func in _BATCH_NORM and args[3] is not None:
            fed = self._carries.get(_storage(args[0]))
            biases: set[int | None] = {*fed[0]} if fed else {None}
            self.found.fed.setdefault(_storage(args[3]), set()).update(biases)
        bias = _bias_of(func, args)
        for x in tensors((args, kwargs)):
            if x is not bias and _storage(x) in self._parameters:
                self._read.add(_storage(x))
        if bias is not None and _storage(bias) in self._parameters:
            key = _storage(bias)
            self.found.used.setdefault(key, [])
            self._carries[_storage(made[0])] = ({key}, made[0].shape)
        self._alive += made
        return found

    def end(self, outputs: Sequence[Tensor]) -> None:
        """Note the biases that the module's outputs carry, and those that nothing read."""
        for x in outputs:
            for bias in self._carries.get(_storage(x), (set[int](), None))[0]:
                self.found.used[bias].append("it is part of the output")
        for bias, uses in self.found.used.items():
            if bias in self._read:
                uses.append("it is read as something else as well")
            if not uses:
                uses.append("nothing reads it here")


def _storage(x: Tensor) -> int:
    return x.untyped_storage()._cdata


def _bias_of(func: Any, args: Any) -> Tensor | None:
    """Return the bias that an operation adds to axis 1 of its output, a number a channel."""
    if func in (_aten.convolution.default, *_BATCH_NORM):
        return cast("Tensor | None", args[2])
    if func is _aten.addmm.default and args[0].dim() == 1:
        return cast(Tensor, args[0])
    return None


def _use(
    func: Any, args: Any, x: Tensor, shape: torch.Size, *, learning: bool
) -> str | tuple[int | None, str]:
    """Say what an operation does with a bias: a running mean's storage, or why it stays."""
    if func in _BATCH_NORM and x is args[0]:
        mean, training = args[3], args[5]
        same = x.shape == shape
        if learning and not training:
            return "its normalisation is frozen: it takes away the same mean whatever the bias"
        each = x.shape == (1, shape[0] * shape[1], *shape[2:])  # instance normalisation
        if mean is not None and same:
            return _storage(mean), "batch normalisation"
        if mean is None and (same or each) and training:
            return None, "instance normalisation" if each else "batch normalisation"
    if func is _aten.native_group_norm.default and x is args[0] and x.shape == shape:
        if args[6] == shape[1]:
            return None, "group normalisation"
        return "group normalisation means over channels with different biases"
    if func is _aten.native_layer_norm.default:
        return "layer normalisation means over numbers with different biases"
    if func in _BATCH_NORM:
        return "batch normalisation reads it along other axes"
    name = func._schema.name.split("::")[-1].strip("_")
    return f"{name} reads it before any normalisation"
