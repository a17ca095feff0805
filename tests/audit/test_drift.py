"""Drift: whatever the live database has beyond or below its migrations is told, by meaning, and nothing else."""

import pytest

from tests.clusters import Cluster, Database, OwnerKind, deploy, first_of
from userscope.audit.drift import drifted
from userscope.errors import ConfigurationError

CHANGES = """
create policy peek on app.todos for select to app_user using (completed);
drop policy delete_own on app.todos;
alter policy select_own on app.todos using (true);
grant update (owner_id), truncate on app.todos to app_user;
revoke delete on app.todos from app_user;
alter table app.users no force row level security;
alter table app.sessions disable row level security;
alter function app.touch() security definer;
create function app.extra() returns int return 1;
create view app.everything as select * from app.todos;
alter table app.todos add column mood text default 'good', alter description set not null;
alter table app.todos drop constraint todos_title_check;
create index todos_title_idx on app.todos (title);
drop index app.todos_owner_id_due_at_idx;
alter table app.users disable trigger touch;
create type app.mood as enum ('good', 'bad');
create role else_one;
alter table app.accounts owner to else_one;
alter default privileges in schema app grant select on tables to app_user;
grant create on schema app to app_user;
alter view app.account reset (security_barrier);
drop trigger write on app.account;
alter function app_fenced.write_account() owner to else_one;
alter function app.seal_required() owner to app_gate;
create table app_fenced.extra (id int);
grant temporary on database {database} to public;
"""

BEYOND, MISSING, OTHER = "beyond the migrations", "missing from the database", "not as the migrations make it"
FOUND = {
    ("error", "policy peek on app.todos", BEYOND),
    ("error", "policy delete_own on app.todos", MISSING),
    ("error", "policy select_own on app.todos", OTHER),
    ("error", "grant truncate on app.todos to app_user", BEYOND),
    ("error", "grant update on app.todos to app_user", OTHER),
    ("error", "grant delete on app.todos to app_user", MISSING),
    ("error", "relation app.users", OTHER),
    ("error", "relation app.sessions", OTHER),
    ("error", "relation app.accounts", OTHER),
    ("error", "function app.touch()", OTHER),
    ("error", "function app.extra()", BEYOND),
    ("error", "grant execute on app.extra() to public", BEYOND),
    ("error", "relation app.everything", BEYOND),
    ("error", "trigger touch on app.users", OTHER),
    ("warning", "column app.todos.mood", BEYOND),
    ("warning", "column app.todos.description", OTHER),
    ("warning", "constraint todos_title_check on app.todos", MISSING),
    ("warning", "index app.todos_title_idx", BEYOND),
    ("warning", "index app.todos_owner_id_due_at_idx", MISSING),
    ("warning", "type app.mood", BEYOND),
    ("error", "grant create on schema app to app_user", BEYOND),
    ("error", "relation app.account", OTHER),
    ("error", "trigger write on app.account", MISSING),
    ("error", "function app_fenced.write_account()", OTHER),
    ("error", "function app.seal_required()", OTHER),
    ("error", "relation app_fenced.extra", BEYOND),
    ("error", "grant temporary on database to public", BEYOND),
}


@pytest.mark.parametrize("required", [True, False])
def test_required_seals_are_no_drift(database: Database, required: bool) -> None:
    """The helper has either of two bodies, as app_private.sealing says."""
    with database.superuser_connection() as superuser:
        superuser.execute("update app_private.sealing set required = %s", [required])
    assert drifted(database.url()) == []


def test_drift(any_database: Database) -> None:
    """None on a database as deployed; every kind of difference is found where there is one."""
    assert drifted(any_database.url()) == []
    with any_database.superuser_connection() as connection:
        databases = connection.execute("select datname from pg_database order by 1").fetchall()
        try:
            connection.execute(CHANGES.replace("{database}", any_database.name).encode())
            found = set(drifted(any_database.url()))
            assert (
                connection.execute("select datname from pg_database order by 1").fetchall() == databases
            )  # no scratch is left
        finally:
            connection.execute(
                "alter table app.accounts owner to postgres; "
                "alter function app_fenced.write_account() owner to app_gate; drop role else_one"
            )
    told = {(finding.level, finding.object, finding.finding) for finding in found}
    assert told >= FOUND
    # What goes with those: the new view's columns and rule, NOT NULL as a constraint since 18, the default privilege.
    rest = {thing for _, thing, _ in told - FOUND}
    assert all(
        "app.everything" in thing or "app_fenced.extra" in thing or "not_null" in thing or "makes in app" in thing
        for thing in rest
    ), rest


@pytest.mark.parametrize("kind", first_of("neon", "plain"))
def test_owners(any_cluster: Cluster, kind: OwnerKind) -> None:
    """An owner that may create databases compares on its server, another on an embedded one of that version."""
    database = any_cluster.database(kind)
    try:
        deploy(database.url())
        if kind == "plain" and any_cluster.version != 18:
            with pytest.raises(ConfigurationError, match="may not create a scratch database"):
                drifted(database.url())
        else:
            assert drifted(database.url()) == []
    finally:
        database.drop()
