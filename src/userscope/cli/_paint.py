"""Colour where a person looks: on a terminal, unless NO_COLOR is set; never in a pipe or a file."""

import os
import re
import shutil
from typing import TextIO

_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "bold": "1"}
_LEVELS = {"ERROR": "red", "WARNING": "yellow", "INFO": "blue"}


def painted(text: str, colour: str, stream: TextIO) -> str:
    """Return the text for a stream: in a colour (``red``, ``green``, …) where that is a terminal that has some."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\x1b[{_CODES[colour]}m{text}\x1b[0m"


def levels(text: str, stream: TextIO) -> str:
    """Return a report with the level that each finding begins with in its colour."""
    pattern = rf"^(?:{'|'.join(_LEVELS)}):"
    return re.sub(pattern, lambda found: painted(found[0], _LEVELS[found[0][:-1]], stream), text, flags=re.MULTILINE)


def width(stream: TextIO) -> int:
    """Return how many columns a terminal has; 0 for what is none, where lines may be of any length."""
    return shutil.get_terminal_size().columns if stream.isatty() else 0
