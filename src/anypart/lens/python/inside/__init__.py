"""What runs beside the snippet, in the other process: the standard library and nothing else.

These modules import each other relatively and nothing of anypart, so that any Python from
3.11 on can run them without having anypart installed.
"""
