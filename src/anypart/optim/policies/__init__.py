"""Mask policies: which part of a row predicts which, in the one training loop."""

from anypart.optim.policies.exercise import Exercise, corrupt, draw, level
from anypart.optim.policies.kinds import KINDS, Policy, Question, all_stated, stated
from anypart.optim.policies.text import MIXED, Written, read_policy, read_question, write_question

__all__ = [
    "KINDS",
    "MIXED",
    "Exercise",
    "Policy",
    "Question",
    "Written",
    "all_stated",
    "corrupt",
    "draw",
    "level",
    "read_policy",
    "read_question",
    "stated",
    "write_question",
]
