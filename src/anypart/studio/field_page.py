"""A page about the receptive field of a torch module: the picture and the figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anypart.base.whole import write_whole
from anypart.lens.network.effective import chain_of, effective_field, uniform_spread
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
    spread = _shown(found.spread)
    facts = [
        ("input", "x".join(map(str, shape))),
        ("receptive field", sizes),
        ("effective: standard deviation by gradients", spread),
    ]
    chain = chain_of(module)
    if chain:
        even = [uniform_spread(chain, axis) for axis in range(len(top.axes))]
        facts.append(("of equal weights: closed form", _shown(even)))
    ellipse = ", the dashed ellipse two standard deviations" if len(middle) == 2 else ""
    picture = figure(
        f"Middle output ({', '.join(map(str, middle))}). The frame is all that can move it "
        f"({sizes} positions), the shade how much each position does{ellipse}.",
        drawing,
        wide=True,
    )
    lines = [
        [r.name or r.kind, "x".join(map(str, r.shape)), " x ".join(f"{s.size:g}" for s in r.axes)]
        for r in rows[:-1]
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


def _shown(sizes: Sequence[float]) -> str:
    texts = [f"{size:.1f}" for size in sizes]
    return texts[0] if len(set(texts)) == 1 else " x ".join(texts)
