"""Layers as numbers, and the short way to write a network of them.

A spec is layers between commas: a kind, a kernel and options, for instance
``conv 3 s2 p1``, ``pool 2 s2``, ``conv 1x7 same``, ``deconv 4 s2 p1``, ``conv 3 d4``.
``[a | b, c]`` are paths that start at one place and meet again (an empty path is a skip),
``4 * [a | b]`` and ``3 * (a, b)`` repeat, ``name: conv 3`` names a layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, cast

from anypart.base.errors import LensError

Kind = Literal["conv", "pool", "deconv"]
Sizes = int | tuple[int, ...]
Padding = Sizes | Literal["same"]

_KINDS: dict[str, Kind] = {
    "conv": "conv",
    "pool": "pool",
    "maxpool": "pool",
    "avgpool": "pool",
    "deconv": "deconv",
}
_TOKEN = re.compile(r"\s*(?:(\d+)\s*\*|([\[\]()|,])|([A-Za-z_][\w./-]*)\s*:|([^\[\]()|,*:\s]+))")


class Layer(NamedTuple):
    """A convolution, a pool or a transposed convolution; a number stands for every axis.

    Args:
        kernel: positions that one output reads.
        stride: input positions between two outputs (between two reads of a deconv).
        padding: positions added at both ends; "same" pads until n_out = ⌈n_in / stride⌉,
            the odd one at the end (TensorFlow's rule).
        dilation: positions between two taps.
        kind: deconv is the transposed convolution.
        name: of the layer, for people.
        extra: positions that a deconv adds at its end ("output padding").
        ceil: a pool whose last window may hang over the end.

    """

    kernel: Sizes
    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    kind: Kind = "conv"
    name: str = ""
    extra: int = 0
    ceil: bool = False

    @property
    def n_axes(self) -> int:
        """Count the axes that the layer tells apart."""
        sizes = (self.kernel, self.stride, self.padding, self.dilation)
        return max((len(s) for s in sizes if isinstance(s, tuple)), default=1)

    def along(self, axis: int) -> Layer:
        """Return the layer along one axis, its sizes plain numbers."""
        if self.n_axes == 1:
            return self

        def at(sizes: Sizes) -> int:
            return sizes if isinstance(sizes, int) else sizes[axis]

        padding = self.padding if isinstance(self.padding, str) else at(self.padding)
        return self._replace(
            kernel=at(self.kernel),
            stride=at(self.stride),
            padding=padding,
            dilation=at(self.dilation),
        )

    def __str__(self) -> str:
        """Write the layer as a spec does."""

        def wrote(sizes: Sizes) -> str:
            return str(sizes) if isinstance(sizes, int) else "x".join(map(str, sizes))

        words = [self.kind, wrote(self.kernel)]
        for letter, value, usual in (("s", self.stride, 1), ("d", self.dilation, 1)):
            words += [letter + wrote(value)] if value != usual else []
        if self.padding == "same":
            words.append("same")
        elif self.padding != 0:
            words.append("p" + wrote(self.padding))
        words += [f"e{self.extra}"] if self.extra else []
        words += ["ceil"] if self.ceil else []
        return " ".join(words)


class Branches(NamedTuple):
    """Paths that start at one place and meet again; an empty path is a skip."""

    paths: tuple[Chain, ...]
    name: str = ""


Chain = tuple[Layer | Branches, ...]


def parse(spec: str) -> Chain:
    """Read a network from a spec; see the head of this file.

    Raises:
        LensError: the spec cannot be read; the message points at the word.

    Example:
        >>> parse("conv 3 s2, [ | conv 3 same]")[0]
        Layer(kernel=3, stride=2, padding=0, dilation=1, kind='conv', name='', extra=0, ceil=False)
        >>> parse("conf 3")
        Traceback (most recent call last):
        anypart.base.errors.LensError: 'conf' in the spec is no kind of layer. Kinds: conv, pool, \
maxpool, avgpool, deconv; for instance 'conv 3 s2 p1'.

    """
    words = list(_words(spec))
    chain, rest = _chain(words, 0)
    if rest < len(words):
        raise _unread(words[rest], "does not close anything")
    if not chain:
        raise LensError("The spec has no layers. Write for instance 'conv 3 s2, conv 3'.")
    return chain


class _Word(NamedTuple):
    kind: Literal["times", "mark", "name", "word"]
    text: str
    start: int


def _words(spec: str) -> Iterator[_Word]:
    at, end = 0, len(spec.rstrip())
    while at < end:
        found = _TOKEN.match(spec, at)
        if not found:
            raise LensError(f"Cannot read the spec at {spec[at : at + 12]!r} (character {at}).")
        kinds = ("times", "mark", "name", "word")
        kind = kinds[cast(int, found.lastindex) - 1]
        yield _Word(kind, cast(str, found[cast(int, found.lastindex)]), found.end())
        at = found.end()


def _unread(word: _Word, why: str) -> LensError:
    return LensError(f"{word.text!r} in the spec (character {word.start}) {why}.")


def _chain(words: Sequence[_Word], at: int) -> tuple[Chain, int]:
    """Read items up to a mark that closes them."""
    items: list[Layer | Branches] = []
    while at < len(words) and not (words[at].kind == "mark" and words[at].text in "|])"):
        if words[at].text == ",":
            at += 1
            continue
        times, name = 1, ""
        if words[at].kind == "times":
            times, at = int(words[at].text), at + 1
        if at < len(words) and words[at].kind == "name":
            name, at = words[at].text, at + 1
        if at == len(words):
            raise LensError("The spec ends before the layer that it announces.")
        found, at = _item(words, at, name)
        items += found * times
    return tuple(items), at


def _item(words: Sequence[_Word], at: int, name: str) -> tuple[list[Layer | Branches], int]:
    opening = words[at]
    if opening.kind == "mark" and opening.text in "[(":
        close = "]" if opening.text == "[" else ")"
        paths: list[Chain] = []
        while True:
            path, at = _chain(words, at + 1)
            paths.append(path)
            if at == len(words):
                raise _unread(opening, f"is never closed by {close!r}")
            if words[at].text != "|" or close == ")":
                break
        if words[at].text != close:
            raise _unread(words[at], f"stands where {close!r} is expected")
        if close == ")":
            return list(paths[0]), at + 1
        return [Branches(tuple(paths), name)], at + 1
    layer: list[str] = []
    while at < len(words) and words[at].kind == "word":
        layer.append(words[at].text)
        at += 1
    if not layer:
        raise _unread(words[at], "stands where a layer is expected")
    return [_layer(layer, name)], at


def _layer(words: Sequence[str], name: str) -> Layer:
    kind = _KINDS.get(words[0].lower())
    if kind is None:
        raise LensError(
            f"{words[0]!r} in the spec is no kind of layer. Kinds: {', '.join(_KINDS)}; "
            "for instance 'conv 3 s2 p1'."
        )
    if len(words) < 2:
        raise LensError(f"{words[0]!r} in the spec has no kernel. Write for instance 'conv 3'.")
    layer = Layer(_sizes(words[1], words), kind=kind, name=name)
    if kind == "pool" and not any(w.startswith("s") and w != "same" for w in words[2:]):
        layer = layer._replace(stride=layer.kernel)  # as torch does
    for word in words[2:]:
        layer = _with(layer, word, words)
    if kind == "deconv" and layer.padding == "same":
        raise LensError("A deconv takes a number as its padding, for instance 'deconv 4 s2 p1'.")
    return layer


def _with(layer: Layer, word: str, words: Sequence[str]) -> Layer:
    """Apply one option."""
    if word == "same":
        return layer._replace(padding="same")
    if word == "ceil":
        return layer._replace(ceil=True)
    names = {"s": "stride", "p": "padding", "d": "dilation", "k": "kernel", "e": "extra"}
    if word[0] not in names:
        raise LensError(
            f"{word!r} in '{' '.join(words)}' is no option. Options: s2 (stride), p1 (padding), "
            "same, d2 (dilation), e1 (extra output of a deconv), ceil."
        )
    least = 0 if word[0] in "pe" else 1
    return layer._replace(**{names[word[0]]: _sizes(word[1:], words, least)})


def _sizes(word: str, words: Sequence[str], least: int = 1) -> Sizes:
    parts = word.split("x")
    if not all(p.isascii() and p.isdigit() and int(p) >= least for p in parts):
        raise LensError(
            f"{word!r} in '{' '.join(words)}' is no size. Write a whole number from {least} on, "
            "or one for each axis: 3x5."
        )
    sizes = tuple(map(int, parts))
    return sizes[0] if len(sizes) == 1 else sizes


def n_axes(chain: Sequence[Layer | Branches]) -> int:
    """Count the axes that a chain tells apart.

    Raises:
        LensError: two layers tell different numbers of axes apart.

    """
    found = {1}
    for item in chain:
        if isinstance(item, Branches):
            found |= {n_axes(path) for path in item.paths}
        else:
            found.add(item.n_axes)
    if len(found - {1}) > 1:
        raise LensError(
            f"Layers have {' and '.join(map(str, sorted(found - {1})))} axes in one network. "
            "Give every kernel one number, or one for each axis."
        )
    return max(found)
