"""userscope.admin.logins: LOGIN roles that are members of one of our roles and can do nothing else."""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.clusters import Cluster, Database, deploy
from userscope.admin.logins import create_login, ensure_login
from userscope.errors import ConfigurationError, NotPermitted

NAME = f'Log"in {secrets.token_hex(4)}'
"""A role that does not exist, and needs quoting."""


def drop(cluster: Cluster) -> None:
    with cluster.superuser_connection() as connection:
        connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(NAME)))


@pytest.fixture
def migrated(any_database: Database) -> Iterator[Database]:
    """A migrated database of each version; the role is dropped at the end."""
    yield any_database
    drop(any_database.cluster)


@pytest.mark.parametrize("role", ["app_user", "app_auth"])
def test_create(migrated: Database, role: str) -> None:
    """The URL logs in; the role has no attribute and is in one role; app_auth's finds tables without their schema."""
    url = create_login(migrated.url(), NAME, role)
    with psycopg.connect(url.conninfo()) as connection:
        found = connection.execute(
            "select current_user::text, rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication, "
            "pg_has_role('app_user', 'member'), pg_has_role('app_auth', 'member'), current_schemas(false)::text[] "
            "from pg_roles where rolname = current_user"
        ).fetchone()
    path = ["app"] if role == "app_auth" else ["public"]
    assert found == (NAME, False, role == "app_user", role == "app_auth", path)


def test_the_password_is_not_sent(migrated: Database) -> None:
    """The server gets a SCRAM verifier: neither the statement nor the log holds the password."""
    url = create_login(migrated.url(), NAME, "app_user", password="the password")
    with migrated.superuser_connection() as connection:
        row = connection.execute("select rolpassword from pg_authid where rolname = %s", [NAME]).fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    assert "the password" not in str(url)
    assert "the password" not in repr(url)


def test_exists_already(migrated: Database) -> None:
    """A role that exists is neither changed nor taken over."""
    create_login(migrated.url(), NAME, "app_user")
    with pytest.raises(ConfigurationError, match="exists already"):
        create_login(migrated.url(), NAME, "app_auth")
    with migrated.superuser_connection() as connection:
        assert connection.execute("select pg_has_role(%s, 'app_auth', 'member')", [NAME]).fetchone() == (False,)


@pytest.mark.parametrize("name", ["", "x" * 64, "é" * 32], ids=["none", "64", "bytes"])
def test_no_name(database: Database, name: str) -> None:
    """What PostgreSQL would cut off, or takes for none, is refused: the URL would name another role."""
    with pytest.raises(ConfigurationError, match="is no name for a login"):
        create_login(database.url(), name, "app_user")
    with database.superuser_connection() as connection:
        assert connection.execute("select from pg_roles where rolname = left(%s, 63)", [name]).fetchone() is None


def test_ensure(migrated: Database) -> None:
    """What is there already is left alone."""
    assert ensure_login(migrated.url(), NAME, "app_user", "first") is True
    assert ensure_login(migrated.url(), NAME, "app_user", "second") is False
    url = migrated.url().conninfo(user=NAME, password="first")
    with psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_own_role(migrated: Database) -> None:
    """Logins of a role of one's own as well; of none that logs in, is above policies or is nobody's to become."""
    for role in ("postgres", "app_gate", "pg_read_all_data", "app_service"):
        with pytest.raises(ConfigurationError, match=f'logins cannot be made of the role "{role}"'):
            create_login(migrated.url(), NAME, role)
    with migrated.superuser_connection() as connection:
        connection.execute("create role own_staff")
        try:
            url = create_login(migrated.url(), NAME, "own_staff")
            with psycopg.connect(url.conninfo()) as login:
                assert login.execute("select pg_has_role('own_staff', 'member')").fetchone() == (True,)
        finally:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(NAME)))
            connection.execute("drop role own_staff")


def test_missing_role(migrated: Database) -> None:
    """A role that nothing has made yet is named, with what makes it."""
    with pytest.raises(ConfigurationError, match='the role "app_other" does not exist') as raised:
        create_login(migrated.url(), NAME, "app_other")
    assert "userscope protect … --every-row app_other" in (raised.value.hint or "")


def test_without_admin(cluster: Cluster) -> None:
    """From 16 on only who has ADMIN on a role grants it: the error names who can mend it, and no login is left."""
    made = cluster.database("neon")
    with cluster.superuser_connection() as connection:
        for role in ("app_user", "app_auth"):
            connection.execute(f"do $$ begin create role {role}; exception when duplicate_object then null; end $$")
            connection.execute(f"revoke {role} from {made.owner}")
    deploy(made.url())
    if cluster.version >= 16:
        with pytest.raises(NotPermitted, match=f'role "{made.owner}" may not make a login of "app_user"') as raised:
            create_login(made.url(), NAME, "app_user")
        assert f'grant app_user to "{made.owner}" with admin option' in str(raised.value.hint)
        with cluster.superuser_connection() as connection:
            assert connection.execute("select count(*) from pg_roles where rolname = %s", [NAME]).fetchone() == (0,)
            connection.execute(f"grant app_user to {made.owner} with admin option")
    with psycopg.connect(create_login(made.url(), NAME, "app_user").conninfo()) as login:
        assert login.execute("select 1").fetchone() == (1,)
    made.drop()
    drop(cluster)
