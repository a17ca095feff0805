"""What is written about each rule, for formats that carry it along."""

import re
from collections.abc import Mapping

from userscope.errors import PlanError
from userscope.migrations import projects

_ROW = re.compile(r"^\| `(\w+)` \| (.+) \|$", re.MULTILINE)
_SECTION = re.compile(r"^### `(\w+)`\nWhat: (.+?)\. Why:", re.MULTILINE | re.DOTALL)


def described() -> Mapping[str, str]:
    """Return, by rule, when it finds something, in Markdown: what the pages about audits say; nothing without them."""
    try:
        docs = projects.shipped() / "docs"
        judged = _SECTION.findall((docs / "audit-rules.md").read_text(encoding="utf-8"))
        asked = _ROW.findall((docs / "audit.md").read_text(encoding="utf-8"))
        return {**{rule: " ".join(what.split()) for rule, what in judged}, **dict(asked)}
    except (OSError, PlanError):
        return {}


def plain(markdown: str) -> str:
    """Return the words without marks: links by their names."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")
