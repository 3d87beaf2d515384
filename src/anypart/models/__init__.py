"""Codes → p(row): one contract, one file a family, one catalogue."""
