"""Gradient estimators: bias, error, a program to minimise, and cost, beside the peers."""
