"""`anypart study receptive-field`: what every layer of a network sees of its input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from anypart.terminal.options import AsJson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anypart.lens.network.formula import Seen

Size = Annotated[str | None, Parameter(name="--size")]
Html = Annotated[Path | None, Parameter(name="--html", negative=())]


def receptive_field(
    network: str, /, *, size: Size = None, html: Html = None, json: AsJson = False
) -> None:
    """Show what every layer sees: output size, jump, receptive field, first centre, padding.

    Args:
        network: layers as a spec, from the input on: 'conv 3 s2 p1, pool 2, [ | conv 3 same]'.
            Kinds conv, pool, avgpool, deconv; options s2 (stride), p1 or same (padding),
            d2 (dilation); 3x5 for two axes; [a | b] for paths that meet, 4 * (a, b) to repeat.
            Or module:factory, a Python function that returns a torch module: it is traced.
        size: of the input: 224, or 224x320; of a module with batch and channels: 1x3x224x224.
        html: a page with the theoretical and the effective field drawn on the input.
        json: print JSON, for programs.

    """
    from anypart.lens.network.named import load_module, names_module

    sizes = read_size(size)
    if names_module(network):
        shape = (sizes,) if isinstance(sizes, int) else sizes
        _show_module(load_module(network), network, shape, html, as_json=json)
        return
    if html is not None:
        from anypart.base.errors import LensError

        raise LensError("--html draws the field of a module; give module:factory.")
    _show_spec(network, sizes, as_json=json)


def read_size(size: str | None) -> int | tuple[int, ...] | None:
    """Read '224' or '224x320'.

    Raises:
        LensError: it is no such thing.

    Example:
        >>> read_size("224"), read_size("224x320"), read_size(None)
        (224, (224, 320), None)

    """
    from anypart.base.errors import LensError

    if size is None:
        return None
    parts = size.replace(",", "x").split("x")
    if not all(p.isascii() and p.isdigit() and int(p) for p in parts):
        raise LensError(f"--size {size!r} is no size. Write --size 224, or --size 224x320.")
    sizes = tuple(map(int, parts))
    return sizes[0] if len(sizes) == 1 else sizes


def _show_spec(spec: str, size: int | tuple[int, ...] | None, *, as_json: bool) -> None:
    from anypart.lens.network.formula import receptive_field as follow
    from anypart.terminal.screen import grid, print_json, screen

    axes = follow(spec, size)
    if as_json:
        print_json({"axes": [[_as_json(seen) for seen in rows] for rows in axes]})
        return
    drawn = grid(
        "What one position after each layer sees of the input",
        "Positions of padding are counted. Padding: where the first position's field begins "
        "before the input.",
    )
    drawn.add_column("layer")
    for name in ("output size", "jump", "receptive field", "first centre", "padding"):
        drawn.add_column(name, justify="right")
    for rows in zip(*axes, strict=True):
        drawn.add_row("  " * rows[0].depth + rows[0].name, *_cells(rows))
    screen().print(drawn)
    last = [rows[-1] for rows in axes]
    if not all(seen.aligned for seen in last):
        print("Paths meet that disagree on stride or centre: the field is that of all together.")
    _show_phases(last)


def _show_phases(last: Sequence[Seen]) -> None:
    """Say what each position sees, where that is more than a shift."""
    for at, seen in enumerate(last):
        if seen.rule is not None:
            shown = "; ".join(f"{o}: {span(i)}" for o, i in enumerate(seen.rule.phases[:16]))
            more = " …" if len(seen.rule.phases) > 16 else ""
            again = "" if seen.rule.table else f"; then again, {seen.rule.jump} further on"
            print(f"Axis {at}: the field depends on the output's position. {shown}{more}{again}.")


def _show_module(
    module: Any, name: str, shape: tuple[int, ...] | None, html: Path | None, *, as_json: bool
) -> None:
    from anypart.base.errors import LensError
    from anypart.lens.network.tracing import trace
    from anypart.terminal.screen import grid, print_json, screen

    if shape is None:
        raise LensError(
            "A module needs the size of its input with batch and channels: --size 1x3x224x224."
        )
    rows = trace(module, shape)
    if as_json:
        print_json(
            {
                "layers": [
                    {
                        "module": row.name,
                        "kind": row.kind,
                        "shape": row.shape,
                        "whole_batch": row.whole_batch,
                        "exact": row.exact,
                        "axes": [_as_json(seen) for seen in row.axes],
                    }
                    for row in rows
                ]
            }
        )
    else:
        drawn = grid(
            f"What one position after each module of {name} sees of the input",
            "Positions of padding are counted; all channels of a position together.",
        )
        drawn.add_column("module", overflow="fold")
        for column in ("kind", "output"):
            drawn.add_column(column)
        for column in ("jump", "receptive field", "first centre", "padding"):
            drawn.add_column(column, justify="right")
        for row in rows[:-1] if rows[-2:-1] and rows[-2].sight == rows[-1].sight else rows:
            shown = "x".join(map(str, row.shape))
            drawn.add_row(row.name or "–", row.kind, shown, *_cells(row.axes)[1:])
        screen().print(drawn)
        _show_phases(rows[-1].axes)
        if rows[-1].whole_batch:
            print("Every example sees the whole batch (a normalisation in training).")
        if not rows[-1].exact:
            print("Some intervals may be larger than they have to be; which_inputs is exact.")
    if html is not None:
        from anypart.studio.field_page import field_page

        field_page(module, name, shape, html)
        print(f"{html} is written.")


def span(interval: tuple[float, float]) -> str:
    """Write an interval for people.

    Example:
        >>> span((-2, 4)), span((float("inf"), -float("inf")))
        ('-2 to 4', 'nothing')

    """
    low, high = interval
    if low > high:
        return "nothing"
    return f"{low:g} to {high:g}" if high < float("inf") else "everything"


def _cells(rows: tuple[Seen, ...]) -> list[str]:
    """Write the figures of one layer; axes that agree are written once."""
    columns = [
        [str(seen.n_out) if seen.n_out is not None else "–" for seen in rows],
        [str(seen.jump) if seen.jump is not None else "varies" for seen in rows],
        [f"{seen.size:g}" for seen in rows],
        [f"{seen.center:g}" for seen in rows],
        [f"{seen.padding:g}" for seen in rows],
    ]
    return [texts[0] if len(set(texts)) == 1 else " x ".join(texts) for texts in columns]


def _as_json(seen: Seen) -> dict[str, Any]:
    jump = seen.jump
    return {
        "layer": seen.name,
        "depth": seen.depth,
        "output_size": seen.n_out,
        "jump": jump if jump is None or isinstance(jump, int) else float(jump),
        "receptive_field": seen.size,
        "first_center": seen.center,
        "padding": seen.padding,
        "aligned": seen.aligned,
        "intervals": [list(i) for i in seen.field.phases],
    }
