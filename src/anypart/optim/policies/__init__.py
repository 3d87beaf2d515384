"""Mask policies: which part of a row predicts which, in the one training loop."""

from anypart.optim.policies.exercise import Exercise, corrupt, draw, level
from anypart.optim.policies.kinds import KINDS, Policy, Question
from anypart.optim.policies.text import MIXED, Written, read_policy

__all__ = [
    "KINDS",
    "MIXED",
    "Exercise",
    "Policy",
    "Question",
    "Written",
    "corrupt",
    "draw",
    "level",
    "read_policy",
]
