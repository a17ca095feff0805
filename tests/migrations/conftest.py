"""Databases to migrate, and what is compared between them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clusters import ROOT as ROOT
from tests.clusters import Cluster, Connection, Database
from tests.clusters import dump as dump
from tests.migrations import sqitch
from tests.migrations.sqitch import COMMITTER
from userscope.migrations.projects import Project, find

NASTY = Path(__file__).with_name("nasty")
_REGISTRY = {
    "releases": "version::text, installer_name, installer_email",
    "projects": "project, uri, creator_name, creator_email",
    "changes": "change_id, script_hash, change, project, note, committer_name, committer_email, planned_at, "
    "planner_name, planner_email",
    "tags": "tag_id, tag, project, change_id, note, committer_name, committer_email, planned_at, planner_name, "
    "planner_email",
    "dependencies": "change_id, type, dependency, dependency_id",
    "events": "event, change_id, change, project, note, requires, conflicts, tags, committer_name, committer_email, "
    "planned_at, planner_name, planner_email",
}

_ORDER = {"releases": "1", "projects": "1", "dependencies": "1, 2, 3"}
_QUERIES = {
    table: f"select {columns} from sqitch.{table} order by {_ORDER.get(table, 'project, committed_at')}"
    for table, columns in _REGISTRY.items()
}

type Rows = dict[str, list[tuple[object, ...]]]


@pytest.fixture(autouse=True)
def _committer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both runners commit as the same person, whatever this machine's configuration says."""
    for name in [name for name in os.environ if name.startswith("SQITCH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SQITCH_SYSTEM_CONFIG", os.devnull)
    monkeypatch.setenv("SQITCH_USER_CONFIG", os.devnull)
    for name, value in COMMITTER.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def _end_sqitch() -> Iterator[None]:
    """End the process that runs Sqitch's commands."""
    yield
    sqitch.close()


@pytest.fixture
def other(cluster: Cluster) -> Iterator[Database]:
    """Another empty database, to compare with the first."""
    made = cluster.database()
    yield made
    made.drop()


@pytest.fixture
def nasty(tmp_path: Path) -> list[Project]:
    """A copy of the nasty pair."""
    return copied(NASTY, tmp_path / "nasty", "store", "access")


def copied(source: Path, target: Path, *names: str) -> list[Project]:
    """Copy projects to where a test may change them, and load them in this order."""
    for name in names:
        shutil.copytree(source / name, target / name)
    return find([target / name for name in names])


def rows(database: Database) -> Rows:
    """The registry, without the times of its commits, which only order it within each project."""
    with database.superuser_connection() as connection:
        return rows_of(connection)


def deployed(database: Database) -> list[str]:
    """The deployed changes, in the order of their commits."""
    with database.superuser_connection() as connection:
        query = "select project || ':' || change from sqitch.changes order by committed_at"
        return [row[0] for row in connection.execute(query)]


def rows_of(connection: Connection) -> Rows:
    """The same over a connection."""
    found: Rows = {}
    if connection.execute("select to_regclass('sqitch.changes')").fetchone() == (None,):
        return found
    with connection.pipeline():
        cursors = {table: connection.execute(query) for table, query in _QUERIES.items()}
    return {table: cursor.fetchall() for table, cursor in cursors.items()}
