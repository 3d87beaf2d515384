"""Readers: any usual source → `Table`, a replayable stream of Arrow record batches."""

from anypart.data.files.door import read
from anypart.data.files.table import Table

__all__ = ["Table", "read"]
