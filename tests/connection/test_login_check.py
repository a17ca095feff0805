"""A login that is, or can become, more than a service is refused before it sends anything for a user."""

import secrets
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.clusters import Database, deploy
from tests.connection.conftest import MakeServed, settings_for
from tests.connection.served import run
from userscope.connection.engine import Connector
from userscope.connection.login_check import LoginCheck
from userscope.database import Database as Served
from userscope.errors import ConfigurationError, NotSealed, RoleBypassesRLS, SealRejected
from userscope.identity import SealKey
from userscope.postgres.url import ConnectionURL
from userscope.testing.proxy import Proxy

FIT: dict[str, list[str]] = {
    "a member of app_user": ["create role {x} login in role app_user"],
    "a member of app_auth": ["create role {x} login in role app_auth"],
    "one of app_auth with its search_path": [
        "create role {x} login in role app_auth", "alter role {x} set search_path = app",
    ],
    "a member of a member": [
        "create role {x}_group in role app_user", "create role {x} login in role {x}_group",
    ],
}  # fmt: skip
UNFIT: dict[str, tuple[str, list[str]]] = {
    "a superuser": ("is a superuser", ["create role {x} login superuser"]),
    "a role with BYPASSRLS": ("has BYPASSRLS", ["create role {x} login bypassrls in role app_user"]),
    "a member of one": ("has BYPASSRLS", [
        "create role {x}_group bypassrls", "create role {x} login in role app_user, {x}_group"]),
    "one that does not inherit it": ("has BYPASSRLS", [
        "create role {x}_group bypassrls", "create role {x} login noinherit in role app_user, {x}_group"]),
    "a member of a member of one": ("has BYPASSRLS", [
        "create role {x}_high bypassrls", "create role {x}_group in role {x}_high",
        "create role {x} login in role app_user, {x}_group"]),
    "who may grant it to itself": ("has BYPASSRLS", [
        "create role {x}_group bypassrls", "create role {x} login in role app_user",
        "grant {x}_group to {x} with admin option"]),
    "a member of the owner": ("owns this database", ["create role {x} login in role app_user, {owner}"]),
    "the owner of a table of ours": ("owns this database", [
        "create role {x} login in role app_user", "create table app.{x} ()", "alter table app.{x} owner to {x}"]),
    "the owner of a table elsewhere, with policies": ("owns this database", [
        "create role {x} login in role app_user", "create table public.{x} ()",
        "alter table public.{x} enable row level security", "alter table public.{x} owner to {x}"]),
    "the owner of a function of ours": ("owns this database", [
        "create role {x} login in role app_user", "create function app_private.{x}() returns int return 1",
        "alter function app_private.{x} owner to {x}"]),
    "a role like Neon's console makes": ("has BYPASSRLS", [
        "create role {x}_superuser bypassrls createrole createdb", "grant pg_read_all_data to {x}_superuser",
        "create role {x} login in role app_user, {x}_superuser"]),
    "a role with REPLICATION": ("has REPLICATION", ["create role {x} login replication in role app_user"]),
    "who reads all data": ("pg_read_all_data", ["create role {x} login in role app_user, pg_read_all_data"]),
    "who writes all data": ("pg_write_all_data", ["create role {x} login in role app_user, pg_write_all_data"]),
    "who watches everything": ("pg_monitor", ["create role {x} login in role app_user, pg_monitor"]),
    "who reads files": ("pg_read_server_files", ["create role {x} login in role app_user, pg_read_server_files"]),
    "who runs programs": ("pg_execute_server_program", [
        "create role {x} login in role app_user, pg_execute_server_program"]),
    "who can become app_gate": ('a member of "app_gate"', ["create role {x} login in role app_user, app_gate"]),
    "service and identity provider at once": ("app_user and of app_auth at once", [
        "create role {x} login in role app_user, app_auth"]),
    "with settings of its own": ("settings of its own: TimeZone", [
        "create role {x} login in role app_user", "alter role {x} set timezone = 'Asia/Tokyo'"]),
    "with a search_path": ("settings of its own: search_path", [
        "create role {x} login in role app_user", "alter role {x} set search_path = app"]),
    "with another search_path": ("settings of its own: search_path", [
        "create role {x} login in role app_auth", "alter role {x} set search_path = evil, app"]),
    "with a search_path of this database": ("settings of its own: search_path", [
        "create role {x} login in role app_auth", "alter role {x} set search_path = app",
        "alter role {x} in database {database} set search_path = app, evil"]),
    "with settings for this database": ("settings of its own: default_transaction_read_only", [
        "create role {x} login in role app_user",
        "alter role {x} in database {database} set default_transaction_read_only = on"]),
}  # fmt: skip


@pytest.fixture
def home(any_shared: Database) -> Database:
    """Each version in turn."""
    return any_shared


class Logins:
    """Makes logins as whoever is connected, and drops them."""

    def __init__(self, database: Database, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        self.database, self.connection = database, connection
        self.made: list[str] = []

    def make(self, statements: list[str]) -> ConnectionURL:
        """Run the statements, with {x} for the login's name, and return its URL."""
        name = f"guarded_{secrets.token_hex(4)}"
        self.made.append(name)
        for statement in statements:
            self.connection.execute(
                statement.format(x=name, owner=self.database.owner, database=self.database.name).encode()
            )
        self.connection.execute(f"alter role {name} password 'secret'".encode())
        url = self.database.url("service")
        return ConnectionURL(url.variable, {**url.params, "user": name, "password": "secret"})


@pytest.fixture
def logins(home: Database) -> Iterator[Logins]:
    """Logins made by the superuser."""
    with closing(home.superuser_connection()) as connection:
        connection.execute("create role plain_owner")
        made = Logins(home, connection)
        yield made
        connection.execute("drop role plain_owner")
        for name in made.made:
            for row in connection.execute(
                "select rolname from pg_roles where rolname like %s", [f"{name}%"]
            ).fetchall():
                connection.execute(f"drop owned by {row[0]} cascade".encode())
                connection.execute(f"drop role {row[0]}".encode())


def _judge(url: ConnectionURL) -> str | None:
    """Connect as the engine does, and return why it was refused."""
    engine = Connector(url, LoginCheck(None), 1, 5).engine()
    try:
        engine.raw_connection().close()
    except RoleBypassesRLS as error:
        return error.detail
    finally:
        engine.dispose()
    return None


def test_fit(logins: Logins) -> None:
    """Each of these may serve."""
    assert {name: _judge(logins.make(statements)) for name, statements in FIT.items()} == dict.fromkeys(FIT)


def test_unfit(logins: Logins) -> None:
    """Each of these is refused, and told why."""
    said = {name: _judge(logins.make(statements)) or "" for name, (_, statements) in UNFIT.items()}
    assert {name: why in said[name] for name, (why, _) in UNFIT.items()} == dict.fromkeys(UNFIT, True), said


def test_altered_by_itself(make_served: MakeServed, logins: Logins, alice: UUID) -> None:
    """What a session writes into its own role, search_path too, is refused when the next connection is made."""
    url = logins.make(["create role {x} login in role app_user"])
    for setting in ("search_path = evil, app, pg_catalog", "search_path = app", "timezone = 'Asia/Tokyo'"):
        served = make_served(url)
        served.session(alice, partial(run, statement=f"alter role current_user set {setting}"))
        for database in (make_served(url), make_served(url)):
            with pytest.raises(RoleBypassesRLS, match=f"(?i)carries settings of its own: {setting.split()[0]}"):
                database.reader(alice, lambda session: run(session, "select 1"))
        logins.connection.execute(f"alter role {url.user} reset all".encode())


def test_createrole(logins: Logins, home: Database) -> None:
    """CREATEROLE could grant itself anything before PostgreSQL 16, and cannot since."""
    said = _judge(logins.make(["create role {x} login createrole in role app_user"]))
    assert ("has CREATEROLE" in (said or "")) == (home.cluster.version < 16)


def test_made_by_neons_owner(home: Database) -> None:
    """A database that belongs to a Neon-like owner: the logins it makes serve, the owner and its members do not."""
    database = home.cluster.database("neon")
    with closing(database.superuser_connection()) as superuser:
        superuser.execute("grant app_user, app_auth to owner_neon with admin option")
    deploy(database.url("admin"))
    with closing(database.connect("admin")) as owner:
        logins = Logins(database, owner)
        fit = {name: _judge(logins.make(statements)) for name, statements in FIT.items()}
        for name in logins.made:
            owner.execute(f"drop role if exists {name}".encode())
            owner.execute(f"drop role if exists {name}_group".encode())
    itself = _judge(database.url("admin"))
    with closing(database.superuser_connection()) as superuser:
        member_login = Logins(database, superuser).make(["create role {x} login in role app_user, owner_neon"])
        member = _judge(member_login)
        superuser.execute(f"drop role {member_login.user}".encode())
    database.drop()
    with closing(home.superuser_connection()) as superuser:
        superuser.execute("revoke app_user, app_auth from owner_neon")
    assert fit == dict.fromkeys(FIT)
    assert "BYPASSRLS" in (member or "")
    assert "BYPASSRLS" in (itself or "")


def test_refused_before_the_first_statement(make_served: MakeServed, logins: Logins, alice: UUID) -> None:
    """The statement of an unfit login never leaves the process; the next attempt is refused as well."""
    with Proxy(logins.make(["create role {x} login bypassrls in role app_user"])) as proxy:
        served = make_served(proxy.url)
        for _ in range(2):
            with proxy.counting() as count, pytest.raises(RoleBypassesRLS) as refused:
                served.session(alice, lambda session: run(session, "select 'unsaid'"))
            assert (count.connections, count.trips, b"unsaid" in count.sent) == (1, 1, False)
        assert str(refused.value).endswith(
            'HINT:  Connect services as a role made by "userscope create-login", and keep this one for migrations.'
        )
        assert served.pool.checkedout() == 0


def test_no_member(make_served: MakeServed, logins: Logins) -> None:
    """A login of neither role is told what it lacks."""
    with pytest.raises(ConfigurationError, match="may not use schema app"):
        make_served(logins.make(["create role {x} login"])).reader(uuid4(), lambda session: run(session, "select 1"))


def test_noinherit(make_served: MakeServed, logins: Logins) -> None:
    """One that does not inherit bypasses nothing, but can do nothing either: it is told so, rather than served."""
    url = logins.make(["create role {x} login noinherit in role app_user"])
    with pytest.raises(ConfigurationError, match="does not inherit"):
        make_served(url).reader(uuid4(), lambda session: run(session, "select 1"))


def test_not_migrated(make_served: MakeServed, home: Database) -> None:
    """A database without our schema is told so."""
    url = home.url("service")
    elsewhere = url.on("postgres")
    with pytest.raises(ConfigurationError, match="the database was not migrated"):
        make_served(elsewhere).reader(uuid4(), lambda session: run(session, "select 1"))


def test_a_worker(database: Database) -> None:
    """With Citus, a node that has our functions and not our tables is none to serve on; the one that has both is.

    Where Citus is not, this is what tells that it is there; tests/citus asks a worker.
    """
    with database.superuser_connection() as superuser, Served(settings_for(database.url("service"))) as db:
        superuser.execute("set allow_system_table_mods = on")
        superuser.execute(
            "insert into pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion) "
            "select 1, 'citus', 10, 'pg_catalog'::regnamespace, false, '14.0-1'"
        )
        with db.reader(uuid4()) as session:
            assert run(session, "select 1") == [1]
        db.engine.dispose()
        superuser.execute("alter table app_private.sealing rename to elsewhere")
        with pytest.raises(ConfigurationError, match="this node of Citus is a worker"), db.reader(uuid4()) as session:
            run(session, "select 1")
        superuser.execute("drop function app.seal_required()")  # without the project distributed workers lack it
        with pytest.raises(ConfigurationError, match="this node of Citus is a worker"), db.reader(uuid4()) as session:
            run(session, "select 1")
        superuser.execute("drop function app.set_user_id")  # not migrated at all
        with pytest.raises(ConfigurationError, match="was not migrated"), db.reader(uuid4()) as session:
            run(session, "select 1")


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("optional", [False, True])
@pytest.mark.parametrize("key", [None, SealKey.generate()], ids=["unsealed", "sealing"])
def test_sealing(database: Database, required: bool, optional: bool, key: SealKey | None) -> None:
    """A key protects only where seals are required; while they are being introduced it may be used before."""
    with database.superuser_connection() as superuser:
        superuser.execute("update app_private.sealing set required = %s", [required])
    settings = settings_for(
        database.url("service"), userscope_seal_key=key.text() if key else None, userscope_seal_optional=optional
    )
    expected = {(False, True): SealRejected, (True, False): None if optional else NotSealed}.get((bool(key), required))
    with Served(settings) as db, db.reader(uuid4()) as session:
        if expected:
            with pytest.raises(expected):
                run(session, "select 1")
        else:
            assert run(session, "select 1") == [1]
