"""Python seen running: snippets step by step, generators, growth, costs, what a type can do.

Everything is measured on an interpreter that runs, and told as data; `print` of any answer
writes it as text, `anypart.studio` draws it.
"""

from anypart.lens.python.classify import Classified, classify
from anypart.lens.python.copies import Copied, copies
from anypart.lens.python.costs import Costs, costs
from anypart.lens.python.generators import GeneratorTrace, step_expression, step_generator
from anypart.lens.python.growth import Growth, growth
from anypart.lens.python.operations import Operations, operations, recommend
from anypart.lens.python.trace import Change, Frame, Raised, Step, Thing, Trace
from anypart.lens.python.watching import TESTED, Limits, watch

__all__ = [
    "TESTED",
    "Change",
    "Classified",
    "Copied",
    "Costs",
    "Frame",
    "GeneratorTrace",
    "Growth",
    "Limits",
    "Operations",
    "Raised",
    "Step",
    "Thing",
    "Trace",
    "classify",
    "copies",
    "costs",
    "growth",
    "operations",
    "recommend",
    "step_expression",
    "step_generator",
    "watch",
]
