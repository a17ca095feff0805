"""Times as PostgreSQL writes them: a whole number of milliseconds, or of a unit that is named."""

from functools import lru_cache

_UNITS = {"": 0.001, "us": 0.000_001, "ms": 0.001, "s": 1, "min": 60, "h": 3600, "d": 86_400}


@lru_cache
def seconds(text: str) -> float:
    """Return how long a time is. Raises ValueError for what is none."""
    digits = text.rstrip("dhminsu").rstrip()
    unit = text[len(digits) :].strip()
    if not digits.isascii() or not digits.isdigit() or unit not in _UNITS:
        raise ValueError('a time in PostgreSQL\'s notation is needed, such as "30s", "500ms" or 0 for none')
    return int(digits) * _UNITS[unit]
