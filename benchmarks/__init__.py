"""Quality and speed, measured: one file a claim, results in `results/`."""
