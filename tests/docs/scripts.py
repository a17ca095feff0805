"""The SQL scripts of a page of documentation, and a database that they run in."""

import re
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tests.clusters import Connection, Database, run_psql
from tests.docs import console


@dataclass(frozen=True)
class Page:
    """The page's scripts as files, and a database that they run in."""

    folder: Path
    database: Database

    def run(self, kind: str, change: str) -> None:
        run_psql(self.database.url(), "-f", self.folder / f"{kind} {change}.sql")


def act(service: Connection, user: UUID, query: str, *values: object) -> set[object]:
    with service.transaction():
        service.execute("select app.set_user_id(%s)", [str(user)])
        cursor = service.execute(query.encode(), values)
        return {row[0] for row in cursor} if cursor.description else {cursor.rowcount}


def assert_whole(page: str, changes: list[str]) -> None:
    """Each change of a page has its three scripts and its line of a plan."""
    found = [(kind, change) for _, kind, change in console.scripts(page)]
    assert sorted(found) == sorted((kind, change) for kind in ("deploy", "revert", "verify") for change in changes)
    lines = re.findall(r"^(\w+) \[[^]]+\] \S+Z You <you@example.com> # .+$", page, re.MULTILINE)
    assert sorted(lines) == sorted(change.partition(":")[2] for change in changes)
