"""`anypart ask`: the distribution of columns given anything."""

from __future__ import annotations

from pathlib import Path

from anypart.terminal.options import AsJson, Given


def ask(
    folder: Path,
    /,
    *columns: str,
    given: Given = None,
    json: AsJson = False,
) -> None:
    """Show the distribution of a column, or of several jointly, given anything.

    Args:
        folder: a saved fit.
        columns: what is asked.
        given: what is known, as 'age > 50', '30 <= age < 40', 'country in (Spain, Italy)'
            or sex=Female; may be repeated, all hold together.
        json: print JSON, for programs.

    """
    import anypart
    from anypart.terminal.show_answer import show_answer

    show_answer(anypart.load(folder).ask(*columns, given=given or ()), as_json=json)
