"""Derivatives for discrete things: gradients of expectations, smooth stand-ins for functions."""
