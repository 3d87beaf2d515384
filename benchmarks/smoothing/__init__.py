"""Smooth stand-ins beside their peers: see benchmarks/README.md."""
