"""Covering windows: the shortest stretch of a sequence that holds what is required."""

from anypart.data.windows.excerpt import Excerpt, excerpt
from anypart.data.windows.find import minimum_window_substring, shortest_window
from anypart.data.windows.ranges import Range, smallest_range
from anypart.data.windows.stream import minimal_windows
from anypart.data.windows.trace import WindowTrace, trace_window
from anypart.data.windows.window import Window

__all__ = [
    "Excerpt",
    "Range",
    "Window",
    "WindowTrace",
    "excerpt",
    "minimal_windows",
    "minimum_window_substring",
    "shortest_window",
    "smallest_range",
    "trace_window",
]
