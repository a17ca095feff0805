"""A fenced twin of todos, and everything that the tests of todos ask for, so that they run on it as they are."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_postgresql.executors import NoopExecutor

from tests.clusters import ROOT, Cluster, Connection, cloned
from tests.clusters import Database as Clone
from tests.service.conftest import bearer, client, issuer, sandbox, settings
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.testing import Sandbox, Target

__all__ = ["bearer", "client", "issuer", "settings"]

_BY_HAND = (ROOT / "tests" / "search" / "fence.sql").read_text(encoding="utf-8")
_WRITE = "".join(
    re.findall(r"^create function app_fenced\.write_secrets\(\).*?^\$\$;\n", _BY_HAND, re.MULTILINE | re.DOTALL)
)
FENCED = re.sub(
    r"^-- app_fenced\.write_todos\(\) is put here.*\n",
    lambda _: _WRITE.replace("secrets", "todos"),
    (Path(__file__).parent / "todos.sql").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def fence(connection: Connection) -> None:
    """Put the twin in the place of todos, as the owner would who migrates."""
    connection.execute(FENCED.encode())


@pytest.fixture(autouse=True)
def mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mapping is Todo's, of another relation."""
    monkeypatch.setattr(Todo.metadata.tables["app.todos"], "name", "fenced_todos")


@pytest.fixture
def database(database: Clone) -> Clone:
    """A migrated database with the twin, for this test alone."""
    with database.superuser_connection() as connection:
        fence(connection)
    return database


@pytest.fixture(scope="session")
def migrated_urls(cluster: Cluster) -> Iterator[dict[str, ConnectionURL]]:
    """One migrated database with the twin, for tests that leave it as they found it: its URLs by purpose."""
    with cloned(cluster) as made:
        with made.superuser_connection() as connection:
            fence(connection)
        yield made.urls


@pytest.fixture(scope="session")
def world(
    userscope_server: Target,
    userscope_template: NoopExecutor,
    userscope_migrated: object,  # noqa: ARG001  # the template is migrated by then
) -> Iterator[Sandbox]:
    """What the tests of the service ask for, with the twin."""
    with sandbox(userscope_server, userscope_template) as made:
        with made.admin() as connection:
            fence(connection)
        yield made
