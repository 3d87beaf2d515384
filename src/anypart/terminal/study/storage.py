"""`anypart study storage`: what a table costs in memory in each form."""

from __future__ import annotations

from anypart.terminal.options import AsJson, File


def storage(table: File, /, *, json: AsJson = False) -> None:
    """Show what a table costs as dicts, tuples, objects, pandas, Arrow and packed codes.

    Packed codes hold what the model sees: numbers become cells, keys and text are left out.

    Args:
        table: a file, as the other commands take it.
        json: print JSON, for programs.

    """
    from anypart.data.files import read
    from anypart.data.packed_costs import costs
    from anypart.terminal.screen import bar, grid, print_json, screen

    n_rows, found = costs(read(table))
    if json:
        print_json({"rows": n_rows, "forms": [cost.to_json() for cost in found]})
        return
    most = max(cost.row_bytes for cost in found)
    shown = grid(f"Bytes a row, of {n_rows:,} rows")
    for name, align in (("form", "left"), ("bytes", "right"), ("times packed", "right")):
        shown.add_column(name, justify=align)  # pyright: ignore[reportArgumentType]
    shown.add_column("")
    shown.add_column("")
    for cost in found:
        times = f"{cost.row_bytes / found[-1].row_bytes:,.0f}"
        share = bar(cost.row_bytes / most, 20)
        shown.add_row(cost.form, f"{cost.row_bytes:,.1f}", times, share, cost.note)
    screen().print(shown)
