"""Questions and answers: `Fitted`, with a verb for every question, and `load`."""

from anypart.queries.answer import Answer
from anypart.queries.fitted import Fitted
from anypart.queries.gaps import Gaps, count_gaps
from anypart.queries.saved import load

__all__ = ["Answer", "Fitted", "Gaps", "count_gaps", "load"]
