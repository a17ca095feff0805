"""What is written about each rule, for formats that carry it along."""

import re
from collections.abc import Mapping

from userscope.errors import PlanError
from userscope.migrations import projects

_ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)


def described() -> Mapping[str, str]:
    """Return, by rule, when it finds something, in Markdown: the rows of docs/audit.md; nothing where it is missing."""
    try:
        page = projects.shipped() / "docs" / "audit.md"
        return dict(_ROW.findall(page.read_text(encoding="utf-8")))
    except (OSError, PlanError):
        return {}


def plain(markdown: str) -> str:
    """Return the words without marks: links by their names."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")
