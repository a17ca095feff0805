"""A fenced twin of todos, and everything that the tests of todos ask for, so that they run on it as they are."""

from collections.abc import Iterator

import pytest

from tests.clusters import Cluster, Connection, cloned
from tests.clusters import Database as Clone
from tests.fenced import add_fenced
from tests.service.conftest import bearer, client, issuer, patient, settings
from tests.service.conftest import world as plain_world
from userscope.models import Todo
from userscope.postgres.url import ConnectionURL
from userscope.testing import Sandbox

__all__ = ["bearer", "client", "issuer", "patient", "plain_world", "settings"]

IN_THE_PLACE_OF_TODOS = """
alter table app_fenced.fenced_todos drop constraint fenced_todos_title_check;
alter table app_fenced.fenced_todos add constraint fenced_todos_title_check
    check (char_length(title) <= 200 and title ~ '[^[:space:]]');
comment on constraint fenced_todos_title_check on app_fenced.fenced_todos is
    'A title has 1 to 200 characters and is not blank.';
drop table app.todos;
create view app.todos as table app_fenced.fenced_todos;
"""
"""What the adopter adds by hand; the last line is the superuser's looking glass."""


def fence(owner: Connection) -> None:
    """Put the twin in the place of todos, as the owner would who migrates."""
    add_fenced(owner, "fenced_todos", "todo")
    owner.execute(IN_THE_PLACE_OF_TODOS)


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
def world(plain_world: Sandbox) -> Sandbox:
    """What the tests of the service ask for, with the twin."""
    with plain_world.admin() as connection:
        fence(connection)
    return plain_world
