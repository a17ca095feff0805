"""Databases to measure in: migrated, with users who have todos."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from userscope.admin.logins import ensure_login
from userscope.local.server import Server
from userscope.local.throwaway import throwaway
from userscope.migrations import projects, runner
from userscope.postgres.url import ConnectionURL

USERS = 100_000
EACH = 100
"""How many todos each user has, of those that have any: as many in a small table as in a large one."""

_SETTINGS = {"shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "1h", "autovacuum": "off"}
"""A table that fits into memory, and nobody who works in the background."""

_BATCH = 1_000_000

_ADD_USERS = """
insert into app.users (id, name, email)
select md5('user ' || number)::uuid, '', 'user' || number || '@example.org' from generate_series(1, %s) as number
"""
# By turns, a todo of each owner: what a user has lies scattered over the table, as if it had come over time.
_ADD_TODOS = """
insert into app.todos (owner_id, id, title, completed, due_at, created_at)
select md5('user ' || number %% %(owners)s + 1)::uuid,
       md5('todo ' || number / %(owners)s || ' of ' || number %% %(owners)s + 1)::uuid,
       'Something to do, in about as many words as people use',
       number / %(owners)s %% 3 = 0,
       case when number / %(owners)s %% 2 = 0 then now() + number / %(owners)s * interval '1 hour' end,
       now() - number / %(owners)s * interval '1 hour'
  from generate_series(%(first)s::bigint, %(last)s::bigint) as number
"""


@dataclass(frozen=True)
class World:
    """A running server and its databases."""

    server: Server

    def url(self, login: str, database: str = "app") -> ConnectionURL:
        """How the owner or a service connects."""
        return self.server.url(login).on(database)

    def database(self, name: str) -> ConnectionURL:
        """Make and migrate another database; return its owner's URL."""
        admin = self.url("admin")
        with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        runner.migrate(self.url("admin", name), projects.find(()))
        return self.url("admin", name)


@contextmanager
def world(settings: Mapping[str, str] = _SETTINGS) -> Iterator[World]:
    """Run a server of its own with the database ``app``, migrated, and the login of a service."""
    with throwaway(settings=settings) as server:
        made = World(server)
        service = made.url("service")
        runner.migrate(made.url("admin"), projects.find(()))
        ensure_login(made.url("admin"), service.user, "app_user", service.params["password"])
        yield made


def fill(admin: ConnectionURL, todos: int, *, users: int = USERS) -> None:
    """Add users, and todos of the first ``todos / EACH`` of them, as a superuser; then vacuum and analyze."""
    owners = todos // EACH
    if not EACH <= todos <= users * EACH:
        raise ValueError(f"{users} users cannot have {todos} todos, {EACH} each")
    with psycopg.connect(admin.conninfo(), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # foreign keys hold by construction
        connection.execute(_ADD_USERS, [users])
        for first in range(0, owners * EACH, _BATCH):
            last = min(first + _BATCH, owners * EACH) - 1
            connection.execute(_ADD_TODOS, {"owners": owners, "first": first, "last": last})
        connection.execute("vacuum (analyze) app.users, app.todos")
        connection.execute("checkpoint")
