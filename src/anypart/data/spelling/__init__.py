"""How text stands for numbers, dates and gaps."""

from anypart.data.spelling.find import find_spelling
from anypart.data.spelling.form import GAP_MARKS, PLAIN, Spelling

__all__ = ["GAP_MARKS", "PLAIN", "Spelling", "find_spelling"]
