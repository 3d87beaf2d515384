"""What a prompt and a notebook show: the question, how far to trust it, rows as rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from anypart.queries import shown
from anypart.queries.answer import Answer
from anypart.queries.fitted import Fitted

TABLE = pa.table({"value": ["no", "任意"], "probability": [0.25, None]})


def test_a_table_is_shown_by_rows_with_columns_in_line() -> None:
    assert shown.as_text(TABLE).splitlines() == [
        "value  probability",
        "no            0.25",
        "任意             –",  # two characters of two places each
    ]


def test_the_heading_says_how_far_an_answer_can_be_trusted() -> None:
    assert repr(Answer(0.5, True, "p(a)")) == "p(a): exact\n0.5"
    guess = Answer(0.5, False, "p(a)", 0.0125, "1,024 draws", {"effective": 90, "cells": TABLE})
    assert repr(guess) == "p(a): not exact, standard error 0.0125 (1,024 draws)\n0.5\neffective 90"


def test_long_and_wide_tables_say_what_they_hide() -> None:
    long = pa.table({"n": np.arange(shown.MOST_ROWS + 1_500)})
    assert shown.as_text(long).splitlines()[-1] == "… and 1,500 rows more in .value"
    assert len(shown.as_text(long).splitlines()) == shown.MOST_ROWS + 2
    wide = pa.table({f"a_long_name_{i}": [i] for i in range(20)})
    lines = shown.as_text(wide).splitlines()
    n_shown = len(lines[0].split())
    assert max(map(len, lines)) <= shown.MOST_WIDTH
    assert lines[-1] == f"… and {20 - n_shown} columns more in .value"
    assert shown.as_text(pa.table({})) == ""


def test_a_notebook_gets_a_table_whose_cells_are_text() -> None:
    page = Answer(pa.table({"a<b": ["<script>"]}), True, "a < b")._repr_html_()
    assert "<script>" not in page
    assert "<td>&lt;script&gt;</td>" in page
    assert "<th>a&lt;b</th>" in page
    assert "<pre>" in Answer(np.zeros(3), True, "x")._repr_html_()
    frame = TABLE.to_pandas()
    assert frame._repr_html_() in Answer(frame, True, "x")._repr_html_()


def test_a_fit_and_its_schema_tell_columns_not_cells(fitted: Fitted) -> None:
    assert "Cell(" not in repr(fitted) + repr(fitted.schema)
    assert f"{fitted.schema.n_rows:,} rows" in repr(fitted)
    lines = repr(fitted.schema).splitlines()
    assert len(lines) == 1 + len(fitted.schema.columns)
    assert all(c.name in line for c, line in zip(fitted.schema.columns, lines[1:], strict=True))
