"""p(row) → trained: learners, the one training loop, plans, checkpoints, portfolio, stacking."""
