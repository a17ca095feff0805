"""Where in the files of a repository something was made that a finding is about."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from userscope.migrations.projects import Project

_OTHERS = ("supabase/migrations", "db/migrations", "migrations", "drizzle")
"""Where other tools keep their migrations."""
_POLICY = re.compile(r"policy (.+) on (.+)")


@dataclass(frozen=True)
class Place:
    """A line of a file; ``file`` is relative to the current folder, with slashes, ``line`` counts from 1."""

    file: str
    line: int


class Places:
    """Looks objects up in migrations below the current folder: what is applied last, and makes one, counts."""

    def __init__(self, files: Iterable[Path]) -> None:
        here = Path.cwd()
        inside = [path.resolve() for path in files if path.resolve().is_relative_to(here)]
        texts = [(path.relative_to(here).as_posix(), path.read_text("utf-8", "replace")) for path in inside]
        self._texts = [(name, text) for name, text in reversed(texts) if text]

    def of(self, thing: str) -> Place | None:
        """Return where the object of a finding was made, or named, last; None where no file names it."""
        policy = _POLICY.fullmatch(thing)
        relation = policy[2] if policy else thing.rpartition(" ")[2].partition("(")[0]
        name = _identifier(relation)
        wanted = [rf"create\s[^;]*?{name}", name]
        if policy:
            wanted = [rf"(?:create|alter)\s+policy\s+{_identifier(policy[1])}\s+on\s+{name}", *wanted]
        for pattern in wanted:
            searched = re.compile(rf"{pattern}(?![\w.\"])", re.IGNORECASE)
            for file, text in self._texts:
                if found := searched.search(text):
                    return Place(file, text.count("\n", 0, found.start()) + 1)
        return None


def _identifier(name: str) -> str:
    return rf"(?<![\w.\"]){re.escape(name)}"


def files_of(projects: Iterable[Project]) -> list[Path]:
    """Return the scripts that deploy ``projects``, then other tools' migrations in the current folder, in order."""
    ours = [project.script_of("deploy", change) for project in projects for change in project.plan.changes]
    others = [path for folder in _OTHERS for path in sorted(Path(folder).rglob("*.sql"))]
    return [path for path in [*ours, *others] if path.is_file()]
