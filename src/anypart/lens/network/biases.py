r"""Which biases of a network do nothing, for a normalisation right behind takes them away.

.. math:: (z + b) - \overline{(z + b)} = z - \bar z

Batch normalisation subtracts each channel's mean: in training a bias before it cancels and
its gradient is 0. In evaluation the running mean is subtracted instead, and the bias cancels
only once that has absorbed it; a rewritten module therefore takes it out of the running mean.
Instance normalisation, and group normalisation with one channel in a group, cancel it too.
Not so: a function between the two (ReLU), layer normalisation or larger groups (their mean is
over channels with different biases), an output that somebody else reads as well.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from anypart.base.errors import LensError
from anypart.lens.network.calls import tensors

_aten = torch.ops.aten
_BATCH_NORM = (_aten.native_batch_norm.default,)


@dataclass(frozen=True)
class Bias:
    """One bias of a network, and whether it can go.

    Args:
        name: of the parameter.
        redundant: it can go.
        why: in words.
        parameters: numbers in it.
        bytes: it takes.

    """

    name: str
    redundant: bool
    why: str
    parameters: int
    bytes: int


@dataclass(frozen=True)
class Biases:
    """The biases of a network.

    Args:
        biases: all that are added by a layer, in the order of the parameters.
        rewritten: a copy without the redundant ones; same outputs, same gradients of all
            other parameters, in training and in evaluation.

    """

    biases: tuple[Bias, ...]
    rewritten: nn.Module

    @property
    def redundant(self) -> tuple[Bias, ...]:
        """Those that can go."""
        return tuple(b for b in self.biases if b.redundant)

    @property
    def saved_parameters(self) -> int:
        """Numbers saved."""
        return sum(b.parameters for b in self.redundant)

    @property
    def saved_bytes(self) -> int:
        """Bytes saved, in the weights alone (an optimizer's moments come on top)."""
        return sum(b.bytes for b in self.redundant)


def redundant_biases(module: nn.Module, *example: Any) -> Biases:
    """Find the biases that a normalisation right behind takes away.

    The module runs twice on the example, in training and in evaluation, on a copy; every
    use of every output that carries a bias is watched.

    Args:
        module: a torch module; it is left as it is.
        example: its inputs; at least two rows where batch normalisation needs them.

    Returns:
        Every bias with its reason, and the module without the redundant ones.

    Raises:
        LensError: the module does not run on the example.

    Cost:
        Two runs and a copy.

    Example:
        >>> net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
        >>> found = redundant_biases(net, torch.randn(5, 3))
        >>> [(b.name, b.redundant) for b in found.biases]
        [('0.bias', True), ('1.bias', False), ('3.bias', False)]
        >>> found.saved_parameters, found.rewritten[0].bias is None
        (4, True)

    """
    seen = [_watch(module, example, training) for training in (True, False)]
    names = _by_storage(module.named_parameters())
    found: list[Bias] = []
    norms: dict[str, set[str]] = {}
    for key, name in names.items():
        if not any(key in w.used for w in seen):
            continue
        parameter = module.get_parameter(name)
        why, behind = _judge(key, name, seen, names, module)
        if not why:
            norms[name] = behind
        size = parameter.numel()
        by = "the mean that " + " and ".join(sorted(behind)) + " takes away"
        found.append(
            Bias(name, not why, why or f"part of {by}", size, size * parameter.element_size())
        )
    order = {name: at for at, (name, _) in enumerate(module.named_parameters())}
    found.sort(key=lambda b: order[b.name])
    return Biases(tuple(found), _rewrite(module, norms))


@dataclass
class _Watched:
    """Uses of biases in one run.

    Args:
        used: storage of a bias → storages of its normalisations' running means (None where
            there is none), or the words of a use that keeps it.
        fed: storage of a running mean → what its normalisation was fed: biases, or None.

    """

    used: dict[int, list[str | tuple[int | None, str]]] = field(default_factory=dict)
    fed: dict[int, set[int | None]] = field(default_factory=dict)


def _judge(
    key: int, name: str, seen: Sequence[_Watched], names: dict[int, str], module: nn.Module
) -> tuple[str, set[str]]:
    """Return (why it is kept, names of the normalisations behind it)."""
    means = _by_storage((n, b) for n, b in module.named_buffers())
    behind: set[str] = set()
    for watched in seen:
        for use in watched.used.get(key, ["it is not used in every mode"]):
            if isinstance(use, str):
                return use, behind
            mean, what = use
            if mean is None:
                behind.add(what)
                continue
            if mean not in means:
                return "its normalisation keeps a running mean that is not followed", behind
            others = watched.fed[mean] - {key}
            if others:
                known = sorted(names.get(o, "?") for o in others if o is not None)
                also = " and ".join(known) or "an input without this bias"
                return f"its normalisation is shared with {also}", behind
            behind.add(means[mean].rpartition(".")[0] or what)
    return "", behind


def _rewrite(module: nn.Module, norms: dict[str, set[str]]) -> nn.Module:
    made = copy.deepcopy(module)
    for name, behind in norms.items():
        bias = made.get_parameter(name).detach().clone()
        for norm in behind:
            mean = dict(made.named_buffers()).get(f"{norm}.running_mean")
            if mean is not None:
                with torch.no_grad():
                    mean.sub_(bias)
    removed = {id(made.get_parameter(name)) for name in norms}
    for layer in made.modules():
        for own, parameter in list(layer.named_parameters(recurse=False)):
            if id(parameter) in removed:
                layer.register_parameter(own, None)
    return made


def _watch(module: nn.Module, example: Sequence[Any], training: bool) -> _Watched:
    # The copy would have other storages: run on the module itself, and put its buffers back.
    modes = [(m, m.training) for m in module.modules()]
    buffers = [(b, b.detach().clone()) for b in module.buffers()]
    watch = _Watch({key for key, _ in _by_storage(module.named_parameters()).items()})
    try:
        module.train(training)
        with torch.no_grad(), torch.random.fork_rng(devices=[]), watch:
            found = module(*example)
        watch.end(tensors(found))
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


def _by_storage(named: Iterable[tuple[str, Tensor]]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, tensor in named:
        found.setdefault(tensor.untyped_storage()._cdata, name)
    return found


class _Watch(TorchDispatchMode):
    """Follows the outputs that carry a bias to whoever reads them."""

    def __init__(self, parameters: set[int]) -> None:
        super().__init__()
        self.found = _Watched()
        self._parameters = parameters
        self._carries: dict[int, tuple[set[int], torch.Size]] = {}  # storage → biases, shape
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
                self.found.used[bias].append(_use(func, args, x, carried[1]))
        if func in _BATCH_NORM and args[3] is not None:
            fed = self._carries.get(_storage(args[0]))
            biases: set[int | None] = {*fed[0]} if fed else {None}
            self.found.fed.setdefault(_storage(args[3]), set()).update(biases)
        bias = _bias_of(func, args)
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
        for uses in self.found.used.values():
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


def _use(func: Any, args: Any, x: Tensor, shape: torch.Size) -> str | tuple[int | None, str]:
    """Say what an operation does with a bias: a running mean's storage, or why it stays."""
    if func in _BATCH_NORM and x is args[0]:
        mean = args[3]
        same = x.shape == shape
        each = x.shape == (1, shape[0] * shape[1], *shape[2:])  # instance normalisation
        if mean is not None and same:
            return _storage(mean), "batch normalisation"
        if mean is None and (same or each) and args[5]:
            return None, "instance normalisation" if each else "batch normalisation"
    if func is _aten.native_group_norm.default and x is args[0] and x.shape == shape:
        if args[6] == shape[1]:
            return None, "group normalisation"
        return "group normalisation means over channels with different biases"
    if func is _aten.native_layer_norm.default:
        return "layer normalisation means over numbers with different biases"
    name = func._schema.name.split("::")[-1].strip("_")
    return f"{name} reads it before any normalisation"
