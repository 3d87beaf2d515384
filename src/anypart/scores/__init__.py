"""How good the answers are: likelihood, imputation, calibration, consistency, fidelity."""

from anypart.scores.evaluate import Scores, evaluate

__all__ = ["Scores", "evaluate"]
