"""Our tables are Better Auth's tables: it finds nothing to create or change, nor do we in what it does not look at."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from examples.todo_api.better_auth import FOLDER, AuthServerError
from tests.better_auth.people import Browser, Running, auth_server
from tests.better_auth.programs import run
from tests.clusters import Connection, Database

NOTHING: dict[str, Any] = {
    "toBeCreated": [],
    "toBeAdded": [],
    "toBeAddedIndexes": [],
    "unsafeChanges": [],
    "schemaProblems": [],
    "sql": ";",
}


def plan(database: Database) -> dict[str, Any]:
    """What Better Auth would do, asked as app_auth."""
    found: dict[str, Any] = json.loads(run("schema.js", database))
    return found


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_nothing_to_do(auth_database: Database) -> None:
    """It finds every table and column that it wants, of a type that fits."""
    assert plan(auth_database) == NOTHING


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_it_looks(database: Database) -> None:
    """It does look: a column that is missing, and one that it could never write, are both found."""
    with database.connect() as admin:
        admin.execute("alter table app.sessions drop column user_agent")
        admin.execute("alter table app.users add plan text not null")
    found = plan(database)
    assert [(item["table"], set(item["fields"])) for item in found["toBeAdded"]] == [("sessions", {"user_agent"})]
    assert "plan" in json.dumps(found["unsafeChanges"] + found["schemaProblems"])


# What it does not look at, and would not notice.
KEYS = {
    ("users", "p", ("id",), None),
    ("users", "u", ("email",), None),
    ("users", "u", ("username",), None),
    ("sessions", "p", ("id",), None),
    ("sessions", "u", ("token",), None),
    ("sessions", "f", ("user_id",), "app.users on delete cascade"),
    ("accounts", "p", ("id",), None),
    ("accounts", "u", ("provider_id", "account_id"), None),
    ("accounts", "f", ("user_id",), "app.users on delete cascade"),
    ("verifications", "p", ("id",), None),
    ("jwks", "p", ("id",), None),
    ("organizations", "p", ("id",), None),
    ("organizations", "u", ("slug",), None),
    ("members", "p", ("id",), None),
    ("members", "u", ("organization_id", "user_id"), None),
    ("members", "f", ("organization_id",), "app.organizations on delete cascade"),
    ("members", "f", ("user_id",), "app.users on delete cascade"),
    ("invitations", "p", ("id",), None),
    ("invitations", "f", ("organization_id",), "app.organizations on delete cascade"),
    ("invitations", "f", ("inviter_id",), "app.users on delete cascade"),
    ("sessions", "f", ("active_organization_id",), "app.organizations"),
}
INDEXES = {
    ("sessions", "user_id"),
    ("sessions", "active_organization_id"),
    ("accounts", "user_id"),
    ("verifications", "identifier"),
    ("members", "user_id"),
    ("invitations", "organization_id"),
    ("invitations", "email"),
    ("invitations", "inviter_id"),
}


@pytest.fixture
def catalog(any_database: Database) -> Iterator[Connection]:
    with any_database.superuser_connection() as connection:
        yield connection


def test_keys(catalog: Connection) -> None:
    """Every unique constraint, and every foreign key with what it does when a user goes."""
    found = catalog.execute(
        """
        select relname, contype::text,
               array(select attname::text from unnest(conkey) with ordinality as key (attnum, place)
                       join pg_attribute using (attnum) where attrelid = conrelid order by place),
               confrelid::regclass || case confdeltype when 'c' then ' on delete cascade' else '' end
          from pg_constraint join pg_class on pg_class.oid = conrelid
         where relnamespace = 'app'::regnamespace and relname <> 'todos' and contype in ('p', 'u', 'f')
        """
    ).fetchall()
    assert {(table, kind, tuple(columns), target if kind == "f" else None)
            for table, kind, columns, target in found} == KEYS  # fmt: skip


def test_indexes(catalog: Connection) -> None:
    """What is looked up by a column that is no key has an index that begins with it."""
    found = catalog.execute(
        """
        select relname, attname from pg_index join pg_class on pg_class.oid = indrelid
          join pg_attribute on attrelid = indrelid and attnum = indkey[0]
         where relnamespace = 'app'::regnamespace and relname <> 'todos' and not indisunique and indisvalid
        """
    ).fetchall()
    assert set(found) == INDEXES


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_a_column_of_ones_own(database: Database) -> None:
    """A column that one adds to app.users must have a default or be nullable; a generated one is fine as well."""
    with database.connect() as admin:
        admin.execute("alter table app.users add plan text not null default 'free', add nick text")
        admin.execute("alter table app.users add domain text generated always as (split_part(email, '@', 2)) stored")
        admin.execute("grant select (plan, nick, domain) on app.users to app_auth")
    assert plan(database) == NOTHING
    with auth_server(database) as running, running.browser() as browser:
        browser.signed_up("ann@example.com")
        assert running.rows("select plan, nick, domain from app.users") == [("free", None, "example.com")]


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_a_column_that_it_never_writes(database: Database) -> None:
    """A column that must be given, and that Better Auth knows nothing of, stops it at the start."""
    with database.connect() as admin:
        admin.execute("alter table app.users add plan text not null")
    with pytest.raises(AuthServerError), auth_server(database):
        pass


@pytest.mark.breadth
def test_a_column_hidden_from_it(auth: Running, browser: Browser) -> None:
    """A column that app_auth may not read stops it altogether: it reads whole rows."""
    auth.rows("alter table app.users add secret text")
    try:
        assert browser.sign_up("hidden@example.com").status_code >= 400
        assert "permission denied for table users" in auth.log
    finally:
        auth.rows("alter table app.users drop secret")
    assert browser.sign_up("hidden@example.com").status_code == 200


def test_it_owns_nothing(auth_database: Database) -> None:
    """As app_auth, nothing can be made or changed, and no todo read."""
    for statement, complaint in {
        "create table app.more ()": "permission denied for schema app",
        "create table public.more ()": "permission denied for schema public",
        "create temp table more ()": "permission denied to create temporary tables",
        "alter table app.users add more text": "must be owner of table users",
        "select from app.todos": "permission denied for table todos",
        "set role postgres": "permission denied to set role",
    }.items():
        with auth_database.connect("auth") as connection, pytest.raises(psycopg.Error, match=complaint):
            connection.execute(statement.encode())


def test_lock_file() -> None:
    """The lock file pins every package by its hash, and names no registry."""
    lock = json.loads(Path(FOLDER, "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert "node_modules/better-auth" in packages
    assert all("integrity" in package and "resolved" not in package for package in packages.values())
