"""A page about the receptive field of a torch module: the picture and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anypart.base.whole import write_whole
from anypart.lens.network.effective import effective_field
from anypart.lens.network.tracing import trace
from anypart.studio.field_picture import field_picture
from anypart.studio.page import Section, figure, page, rows_table


def field_page(module: Any, name: str, shape: Sequence[int], path: Path) -> None:
    """Write the page.

    Args:
        module: a torch module, as it is.
        name: for its title.
        shape: of the input, with batch and channels.
        path: the file.

    Raises:
        LensError: a module that cannot be traced, or an output without positions.

    """
    rows = trace(module, shape)
    top = rows[-1]
    found = effective_field(module, shape)
    middle = tuple(n // 2 for n in top.shape[2:])
    spans = [top.interval((0, 0, *middle), axis) for axis in range(len(top.axes))]
    drawing = field_picture(found.weight, spans, f"What {name} sees", found.spread)
    sizes = " x ".join(f"{seen.size:g}" for seen in top.axes)
    spread = " x ".join(f"{s:.1f}" for s in found.spread)
    facts = [
        ("input", "x".join(map(str, shape))),
        ("receptive field", sizes),
        ("effective: two deviations", " x ".join(f"{2 * s:.1f}" for s in found.spread)),
    ]
    picture = figure(
        f"Middle output {middle}. The frame is all that can move it ({sizes} positions), the "
        f"shade how much each position does, the dashed ellipse two standard deviations "
        f"({spread} each).",
        drawing,
        wide=True,
    )
    lines = [
        [r.name or r.kind, "x".join(map(str, r.shape)), " x ".join(f"{s.size:g}" for s in r.axes)]
        for r in rows
    ]
    columns = ["module", "output", "receptive field"]
    sections = [
        Section(
            "field",
            "Theoretical and effective field",
            "The gradient of one output on random inputs: near its middle an input counts most.",
            picture,
        ),
        Section(
            "modules",
            "Module by module",
            "What one position of each output sees, padding counted.",
            rows_table("Receptive fields", columns, lines, [False, False, True]),
        ),
    ]
    write_whole(path, page(f"Receptive field of {name}", facts, sections).encode())
