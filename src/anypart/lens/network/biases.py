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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from anypart.lens.network.bias_uses import Uses, by_storage, uses_of


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
    seen = [uses_of(module, example, training=training) for training in (True, False)]
    names = by_storage(module.named_parameters())
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
        by = "the mean that " + " and ".join(map(_norm, sorted(behind))) + " takes away"
        found.append(
            Bias(name, not why, why or f"part of {by}", size, size * parameter.element_size())
        )
    order = {name: at for at, (name, _) in enumerate(module.named_parameters())}
    found.sort(key=lambda b: order[b.name])
    return Biases(tuple(found), _rewrite(module, norms))


def _norm(mean: str) -> str:
    """Name a normalisation by its running mean."""
    return mean.removesuffix(".running_mean")


def _judge(
    key: int, name: str, seen: Sequence[Uses], names: dict[int, str], module: nn.Module
) -> tuple[str, set[str]]:
    """Return (why it is kept, running means, or normalisations without one, behind it)."""
    means = by_storage((n, b) for n, b in module.named_buffers())
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
            behind.add(means[mean])
    return "", behind


def _rewrite(module: nn.Module, norms: dict[str, set[str]]) -> nn.Module:
    made = copy.deepcopy(module)
    means = dict(made.named_buffers())
    for name, behind in norms.items():
        bias = made.get_parameter(name).detach().clone()
        for mean in behind & set(means):
            with torch.no_grad():
                means[mean].sub_(bias)
    removed = {id(made.get_parameter(name)) for name in norms}
    for layer in made.modules():
        for own, parameter in list(layer.named_parameters(recurse=False)):
            if id(parameter) in removed:
                layer.register_parameter(own, None)
    return made
