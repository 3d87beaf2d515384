"""Python seen running: snippets step by step, generators, growth, costs, what a type can do.

Everything is measured on an interpreter that runs, and told as data; `print` of any answer
writes it as text, `anypart.studio` draws it.
"""

from anypart.lens.python.trace import Change, Frame, Raised, Step, Thing, Trace
from anypart.lens.python.watching import TESTED, Limits, watch

__all__ = ["TESTED", "Change", "Frame", "Limits", "Raised", "Step", "Thing", "Trace", "watch"]
