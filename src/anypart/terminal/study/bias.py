"""`anypart study bias`: what a bias does, and which biases of a network do nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from anypart.terminal.options import AsJson

Size = Annotated[str | None, Parameter(name="--size")]
Html = Annotated[Path | None, Parameter(name="--html", negative=())]


def bias(
    network: str | None = None, /, *, size: Size = None, html: Html = None, json: AsJson = False
) -> None:
    """Show what a bias does in one unit, or which biases of a network can go and why.

    Args:
        network: module:factory, a Python function that returns a torch module; without it, a
            perceptron learns data that no line through the origin separates.
        size: of the network's input, with a batch of two or more: 4x3x32x32.
        html: a page with the boundaries that the perceptron learned.
        json: print JSON, for programs.

    """
    if network is None:
        _show_perceptron(html, as_json=json)
    elif html is not None:
        from anypart.base.errors import LensError

        raise LensError("--html draws the perceptron's boundaries; leave out the network.")
    else:
        _show_network(network, size, as_json=json)


def _show_perceptron(html: Path | None, *, as_json: bool) -> None:
    import numpy as np

    from anypart.base.seeds import generator
    from anypart.lens.network.perceptron import fires_above, learn, opposed
    from anypart.terminal.screen import grid, print_json, screen

    x = generator(0, "study", "bias").uniform(0, 6, (40, 2)).round(1)
    x = np.concatenate([x[abs(x.sum(1) - 6) > 1], [[2.0, 2.0], [4.0, 4.0]]])
    y = x.sum(1) > 6
    with_bias, without = learn(x, y), learn(x, y, bias=False)
    pair = opposed(x, y)
    same = bool(
        (fires_above(x, with_bias.weights, with_bias.threshold) == with_bias.fires(x)).all()
    )
    if as_json:
        found = {
            name: {
                "weights": unit.weights,
                "bias": unit.bias,
                "threshold": unit.threshold,
                "mistakes": unit.mistakes,
                "passes": unit.passes,
            }
            for name, unit in (("with_bias", with_bias), ("without_bias", without))
        }
        print_json({**found, "rows": len(x), "same_decisions": same, "opposed_rows": pair})
    else:
        drawn = grid(f"{len(x)} points that shall fire where x1 + x2 > 6")
        drawn.add_column("unit")
        for name in ("weights", "bias b", "threshold T", "mistakes", "passes"):
            drawn.add_column(name, justify="right")
        for name, unit in (("with a bias", with_bias), ("without", without)):
            weights = ", ".join(f"{w:.1f}" for w in unit.weights)
            figures = (f"{unit.bias:g}", f"{unit.threshold + 0:g}", str(unit.mistakes))
            drawn.add_row(name, weights, *figures, str(unit.passes))
        screen().print(drawn)
        print(f"w·x > T and w·x + b > 0 with b = −T decide the same: {'yes' if same else 'no'}.")
        if pair is not None:
            quiet, loud = (tuple(x[i].tolist()) for i in pair)
            print(
                f"No unit without a bias can: {quiet} and {loud} lie on one ray from the origin, "
                "and only the second shall fire."
            )
    if html is not None:
        from anypart.base.whole import write_whole
        from anypart.studio.boundary_picture import boundary_picture
        from anypart.studio.page import Section, figure, page

        units = [(u.weights, u.bias) for u in (with_bias, without)]
        drawing = boundary_picture(x, y, units, "Boundaries with and without a bias")
        words = "The same points, learned by a unit with a bias and by one without."
        legend = "Solid: with a bias. Dashed: without, through the origin. Orange shall fire."
        section = Section("boundary", "Where the unit decides", words, figure(legend, drawing))
        facts = [
            ("mistakes with a bias", str(with_bias.mistakes)),
            ("without", str(without.mistakes)),
        ]
        write_whole(html, page("What a bias does", facts, [section]).encode())
        print(f"{html} is written.")


def _show_network(network: str, size: str | None, *, as_json: bool) -> None:
    import torch

    from anypart.base.errors import LensError
    from anypart.lens.network.biases import redundant_biases
    from anypart.lens.network.named import load_module, names_module
    from anypart.terminal.screen import grid, print_json, screen
    from anypart.terminal.study.receptive_field import read_size

    if not names_module(network):
        raise LensError(f"{network!r} is not module:factory, as in torchvision.models:vgg16.")
    shape = read_size(size)
    if shape is None:
        raise LensError("A network needs the size of its input: --size 4x3x32x32.")
    example = torch.randn(shape if isinstance(shape, tuple) else (shape,))
    found = redundant_biases(load_module(network), example)
    if as_json:
        print_json(
            {
                "biases": [vars(b) for b in found.biases],
                "saved_parameters": found.saved_parameters,
                "saved_bytes": found.saved_bytes,
            }
        )
        return
    drawn = grid(f"The biases of {network}")
    drawn.add_column("bias", overflow="fold")
    drawn.add_column("numbers", justify="right")
    drawn.add_column("can go")
    drawn.add_column("why")
    for b in found.biases:
        goes, style = ("yes", "") if b.redundant else ("no", "dim")
        drawn.add_row(b.name, f"{b.parameters:,}", goes, b.why, style=style)
    screen().print(drawn)
    print(
        f"{len(found.redundant)} of {len(found.biases)} can go: "
        f"{found.saved_parameters:,} numbers, {found.saved_bytes:,} bytes."
    )
