"""What a browser shows: the report page."""

from anypart.studio.report import report

__all__ = ["report"]
