"""Change by change: deploy, verify, revert and deploy again leave what the first deploy left, whoever the owner is."""

import difflib
import re

import psycopg
import pytest

from tests.clusters import CHANGES, ROOT, Cluster, Database, dump, first_of, run_psql


def state(database: Database) -> list[str]:
    """The database's definition, and its ACL."""
    with database.superuser_connection() as connection:
        acl = connection.execute(
            "select format('%s may %s', coalesce(rolname, 'public'), privilege_type) from pg_database, "
            "aclexplode(coalesce(datacl, acldefault('d', datdba))) as acl "
            "left join pg_roles on pg_roles.oid = acl.grantee where datname = current_database() order by 1"
        ).fetchall()
    return dump(database).splitlines() + [row[0] for row in acl]


def changed(before: list[str], after: list[str]) -> list[str]:
    """The lines that went and came."""
    return [line for line in difflib.unified_diff(before, after, lineterm="", n=0) if not line.startswith("@@")]


@pytest.mark.parametrize("owned", first_of("neon", "superuser", "plain"), indirect=True)
def test_deploy_revert_deploy(owned: Database) -> None:
    """A revert undoes its deploy and nothing else; a second deploy leaves what the first one left.

    It may take ten seconds: psql and pg_dump run a hundred times.
    """
    for project, change in CHANGES:
        before = state(owned)
        run_psql(owned.url(), "-f", ROOT / project / "deploy" / f"{change}.sql")
        run_psql(owned.url(), "-f", ROOT / project / "verify" / f"{change}.sql")
        deployed = state(owned)
        assert deployed != before
        run_psql(owned.url(), "-f", ROOT / project / "revert" / f"{change}.sql")
        assert not (difference := changed(before, state(owned))), "\n".join(difference)
        run_psql(owned.url(), "-f", ROOT / project / "deploy" / f"{change}.sql")
        run_psql(owned.url(), "-f", ROOT / project / "verify" / f"{change}.sql")
        assert not (difference := changed(deployed, state(owned))), "\n".join(difference)
    for project, change in reversed(CHANGES):
        run_psql(owned.url(), "-f", ROOT / project / "revert" / f"{change}.sql")
    with owned.superuser_connection() as connection:
        assert connection.execute("select from pg_namespace where nspname like 'app%'").rowcount == 0


def test_encoding(cluster: Cluster) -> None:
    """A database that cannot name every blank of Unicode is refused."""
    cluster.drop_database("latin")
    with cluster.superuser_connection() as connection:
        connection.execute("create database latin encoding 'LATIN1' locale 'C' template template0")
    with pytest.raises(AssertionError, match="the database's encoding is LATIN1, it must be UTF8"):
        run_psql(Database(cluster, "latin").url(), "-f", ROOT / "schema" / "deploy" / "app.sql")
    cluster.drop_database("latin")


# What no operator of "userscope mutate" makes, and the words that name it; tests/mutation/test_named.py tries the rest.
DEFECTS = [
    ("schema:app", "alter role app_user login", 'role "app_user" has LOGIN'),
    ("schema:app", "grant app_auth to app_user", 'role "app_user" is a member of app_auth'),
    ("schema:app", "grant pg_read_all_data to app_user", 'role "app_user" is a member of pg_read_all_data'),
    ("schema:app", "grant temporary on database {database} to public", "may create temporary objects"),
    ("schema:app", "grant usage on schema app_fenced to app_user", "something on schema app_private or app_fenced"),
    ("schema:app", "grant create on schema app_fenced to app_gate", "something on schema app_private or app_fenced"),
    ("schema:app", "alter role app_gate login", 'role "app_gate" has LOGIN'),
    ("schema:app", "grant app_gate to app_auth", 'role "app_auth" is a member of app_gate'),
    ("schema:app", "grant usage on schema app to public", "PUBLIC has a privilege on schema app"),
    ("schema:app", "grant execute on function app.touch() to public", "app.touch() is not as it was deployed"),
    (
        "schema:app",
        "grant execute on function app_private.verify_table(text, regclass, text) to public",
        "a function of schema app_private is granted to someone",
    ),
    ("schema:identity", "alter table app_private.seal_keys force row level security", "app_private.seal_keys"),
    ("schema:users", "alter view app.account reset (security_barrier)", "{security_barrier=true}"),
    ("schema:users", "alter view app.account owner to app_auth", "app.account: view of app_gate"),
    (
        "schema:users",
        "create or replace view app.account with (security_barrier) as select id, name, email, email_verified, image, "
        "username, display_username, created_at, updated_at from app.users",
        "OFFSET 0",
    ),
    ("schema:users", "drop trigger write on app.account", "CREATE TRIGGER write INSTEAD OF UPDATE"),
    ("schema:users", "alter function app_fenced.write_account() security invoker", "volatile security definer"),
    ("schema:users", "alter function app_fenced.write_account() owner to app_auth", "owned by app_gate"),
    ("schema:users", "grant execute on function app_fenced.write_account() to public", "public may execute"),
    (
        "schema:users",
        "create or replace function app_fenced.write_account() returns trigger language plpgsql security definer "
        "set search_path = pg_catalog, pg_temp as 'begin update app.users set name = new.name; return new; end'",
        "body with md5",
    ),
    ("schema:todos", "drop index app.todos_owner_id_due_at_idx", "CREATE INDEX todos_owner_id_due_at_idx"),
    (
        "schema:todos",
        "alter table app.todos drop constraint todos_title_check, "
        "add constraint todos_title_check check (char_length(title) <= 200 and btrim(title, e' \\t\\n') <> '')",
        "(btrim(title, '<U+0009><U+000A><U+000B>",
    ),
    ("schema:better_auth", "drop index app.sessions_user_id_idx", "CREATE INDEX sessions_user_id_idx"),
    ("schema:organizations", "alter role app_roster createrole", 'role "app_roster" has CREATEROLE'),
    ("schema:organizations", "grant app_auth to app_roster", 'role "app_roster" is a member of app_auth'),
    ("policies:access", "grant execute on function app.current_user_id() to public", "app_auth has execute"),
    ("policies:access", "revoke usage on schema app_fenced from app_gate", "app_gate lacks usage"),
    ("policies:users", "grant update (email) on app.users to app_gate", "app_gate may update (name, email, image)"),
    ("policies:users", "grant update (name) on app.users to app_user", "Beyond: app.users: app_user may update (name)"),
    ("policies:users", "grant select on app.account to app_auth", "Beyond: app.account: app_auth may select"),
    ("policies:users", "revoke update (image) on app.account from app_user", "app.account: app_user may update"),
    (
        "policies:todos",
        "create policy extra on app.todos to app_user using (true)",
        "Beyond: app.todos: permissive policy extra for all",
    ),
    (
        "policies:todos",
        "create policy extra on app.todos using (true)",
        "Beyond: app.todos: permissive policy extra for all",
    ),
    (
        "policies:todos",
        "create policy extra on app.todos for select to app_user",
        "Beyond: app.todos: permissive policy extra for select to {app_user}.",
    ),
    ("policies:todos", "grant delete on app.todos to app_user with grant option", "delete with grant option"),
    ("policies:organizations", "grant create on schema app to app_roster", "Beyond: app_roster: create on app."),
    ("policies:organizations", "grant execute on function app.touch() to app_roster", "execute on app.touch()."),
    ("policies:organizations", "grant select (title) on app.todos to app_roster", "select on app.todos (title)."),
    ("policies:organizations", "grant delete on app.sessions to app_roster", "app_roster: delete on app.sessions."),
    (
        "policies:organizations",
        "create policy extra on app.todos for select to app_roster using (completed)",
        "app_roster: policy extra on app.todos for select using completed.",
    ),
]


@pytest.mark.parametrize(("change", "defect", "words"), DEFECTS, ids=[f"{c}: {d[:60]}" for c, d, _ in DEFECTS])
def test_verification_bites(any_database: Database, change: str, defect: str, words: str) -> None:
    """A verification passes on what was deployed, and names the defect once there is one."""
    project, _, name = change.partition(":")
    script = (ROOT / project / "verify" / f"{name}.sql").read_text(encoding="utf-8")
    body = re.sub(r"^(begin|rollback);$", "", script, flags=re.MULTILINE)
    with any_database.superuser_connection() as connection, connection.transaction(force_rollback=True):
        with connection.transaction(force_rollback=True):
            connection.execute(body)
        connection.execute(defect.replace("{database}", any_database.name))
        with pytest.raises(psycopg.errors.RaiseException) as raised, connection.transaction():
            connection.execute(body)
    assert words in f"{raised.value} {raised.value.diag.message_detail}"
