"""Pages of the searches for runs and windows: what they show, and that they stay small."""

import re

import numpy as np
import pytest

from anypart.data.runs import trace_run
from anypart.data.windows import trace_window
from anypart.studio.traces import MOST_STEPS, run_page, window_page


def test_a_page_of_days_shows_days():
    days = np.array(["2024-02-28", "2024-03-01", "2024-02-29"], "M8[D]")
    page = run_page(trace_run(days))
    assert "2024-02-28 to 2024-03-01, 3 long" in page
    assert '<li class="now best">2024-02-28</li>' in page


@pytest.mark.parametrize("n", [50, 5000])
def test_a_page_of_many_values_draws_those_around_the_one_that_is_visited(n):
    values = np.random.default_rng(0).permutation(n).tolist()
    window = trace_window([*values, *values[:9]], values[:9])
    for page, steps in ((run_page(trace_run(values)), n), (window_page(window), window.steps)):
        panels = page.split('<article class="panel"')[1:]
        assert len(panels) == min(steps, MOST_STEPS) + 1
        assert max(panel.count("<li") for panel in panels) <= 121
        assert all(panel.count("now") >= 1 for panel in panels[:-1])
        assert (f"the first {MOST_STEPS} of" in page) == (steps > MOST_STEPS)
        assert len(page) < 5_000_000
    if n == 50:
        assert not re.search(r"more (before|after)\.", page)
