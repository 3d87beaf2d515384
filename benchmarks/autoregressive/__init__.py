"""Evaluation and sampling of the families along one order, as ratios."""
