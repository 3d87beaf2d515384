"""`anypart profile` and `anypart fit`: from a table to a saved fit."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from anypart.terminal.options import (
    AsJson,
    File,
    KindPairs,
    KindsFile,
    Missing,
    Policies,
    Whole,
    read_kinds,
    read_weights,
)


def profile(
    table: File,
    /,
    *,
    query: str | None = None,
    kind: KindPairs = None,
    kinds: KindsFile = None,
    missing: Missing = None,
    json: AsJson = False,
) -> None:
    """Show what a table's columns are, how each would be modelled, and why.

    Args:
        table: a file (csv, tsv, jsonl, parquet, arrow, also .gz), a pattern of files, or a
            SQLite or DuckDB file with --query.
        query: what to read from a SQLite or DuckDB file, as SQL.
        kind: the kind of one column, as column=kind; may be repeated.
        kinds: a JSON file from column to kind.
        missing: a word that says "no value", as ? or -; may be repeated. NA, NaN, null and
            empty cells always do, and such words among numbers or dates.
        json: print JSON, for programs.

    """
    import anypart
    from anypart.data.infer import infer_schema
    from anypart.data.profile import profile as make_profile
    from anypart.terminal.show_profile import show_profile

    source = anypart.read(table, query=query)
    schema = infer_schema(source, read_kinds(kind, kinds), missing=missing or ())
    show_profile(make_profile(source, schema), as_json=json)


def fit(
    table: File,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    minutes: float = 2.0,
    valid: File | None = None,
    purpose: Literal["any", "density", "fast", "questions", "distance"] = "any",
    policy: Policies = None,
    distance: str | None = None,
    seed: Whole = 0,
    query: str | None = None,
    kind: KindPairs = None,
    kinds: KindsFile = None,
    missing: Missing = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
    json: AsJson = False,
) -> None:
    """Fit a table, and save what was learned as a folder.

    An interrupted fit goes on where it was when the same command is run again.

    Args:
        table: a file (csv, tsv, jsonl, parquet, arrow, also .gz), a pattern of files, or a
            SQLite or DuckDB file with --query.
        output: the folder of the fit; made if it is not there. If not given, the table's
            name with .fit, in this folder: rows.csv.gz becomes rows.fit.
        minutes: how long it may take on two free cores, about.
        valid: a table of rows that end the training; a tenth of the rows if not given.
        purpose: any: exact answers to any question; density: also members that answer in
            one order only; fast: few and cheap members; questions: a network
            trained on --policy, and for each question that it states, as "income | *",
            members of its own that answer it exactly; distance: one mixture of products,
            brought near the rows by --distance.
        policy: orders, one order, subsets, spans, corruption, mixed, or a question as
            "income | *"; with a weight as "income | *=3"; may be repeated.
        distance: forward_kl or mmd; where all rows that there can be are few enough to be
            listed also reverse_kl, jensen_shannon, total_variation or hellinger.
        seed: of everything random.
        query: what to read from a SQLite or DuckDB file, as SQL.
        kind: the kind of one column, as column=kind; may be repeated.
        kinds: a JSON file from column to kind.
        missing: a word that says "no value", as ? or -; may be repeated. NA, NaN, null and
            empty cells always do, and such words among numbers or dates.
        overwrite: replace a finished fit in the folder.
        json: print JSON, for programs: one line for each event, then one for the fit.

    """
    import anypart
    from anypart.terminal.progress import FitProgress

    source = anypart.read(table, query=query)
    output = output or Path(_stem(table) + ".fit")
    with FitProgress(str(output), as_json=json) as progress:
        fitted = anypart.fit(
            source,
            valid=valid,
            minutes=minutes,
            seed=seed,
            purpose=purpose,
            kinds=read_kinds(kind, kinds),
            policy=read_weights(policy),
            distance=distance,
            missing=missing or (),
            folder=output,
            overwrite=overwrite,
            on_event=progress.on_event,
        )
    progress.show_end(fitted)


def _stem(table: File) -> str:
    """Take the name of a table without its folder and endings: of a pattern what is fixed.

    Example:
        >>> [_stem(t) for t in ("a/rows.csv.gz", "part-*.parquet", "*.csv", ".hidden.csv")]
        ['rows', 'part', 'table', 'hidden']

    """
    first = Path(table).name.lstrip(".").split(".")[0]
    return re.split(r"[*?\[]", first)[0].strip("-_ ") or "table"
