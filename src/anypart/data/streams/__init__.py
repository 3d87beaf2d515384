"""Streams that can be stopped anywhere, saved as small JSON, and resumed at the same item."""

from anypart.data.streams.sources import Source, code_batches, table_rows
from anypart.data.streams.stream import Cursor, Stream

__all__ = ["Cursor", "Source", "Stream", "code_batches", "table_rows"]
