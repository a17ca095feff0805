"""The templates."""

from pathlib import Path
from string import Template

_TEMPLATES = Path(__file__).parent / "templates"


class Text(Template):
    """A template whose placeholders are ``§{name}``: SQL has dollars of its own, and Python has @."""

    delimiter = "§"

    @classmethod
    def read(cls, name: str) -> "Text":
        """Read one of the templates."""
        return cls((_TEMPLATES / name).read_text(encoding="utf-8"))
