"""What docs/neon.md promises of a Neon project: its hosts, its roles, TLS, and what a service may be."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlmodel import select

from tests.neon.conftest import MakeRunner, Service
from tests.neon.rig import DOMAIN, OWNER
from userscope import Accounts, Database, Todo
from userscope.admin import seals
from userscope.admin.logins import create_login
from userscope.errors import ConfigurationError, InvalidURL, RoleBypassesRLS, SealRejected, Unavailable
from userscope.local.directory import ServerDirectory
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings


def test_deployed(make_runner: MakeRunner) -> None:
    """The owner, who is no superuser, has deployed everything over the unpooled host, and nothing is wrong with it."""
    owner = make_runner()
    assert owner("migrate").stdout == "Nothing to deploy (up-to-date)\n"
    assert "Nothing to deploy" in owner("status").stdout
    assert owner("verify").code == owner("check").code == 0
    found = json.loads(owner("audit", "--json").stdout)
    assert [finding for finding in found["findings"] if finding["level"] == "error"] == []
    assert {line["role"] for line in found["matrix"]} == {"app_user", "app_auth", "app_gate", "app_roster"}


@pytest.mark.parametrize(
    "command",
    ["migrate", "status", "verify", "check", "log", "audit", "seal-key list", "create-login more --role app_user"],
)
@pytest.mark.parametrize("variable", ["ADMIN_DATABASE_URL", "DATABASE_URL_UNPOOLED", "DATABASE_URL"])
def test_pooled_host_refused(make_runner: MakeRunner, service: Service, command: str, variable: str) -> None:
    """What needs a session of its own is refused on the pooled host, whichever variable names it, with the cure."""
    owner = make_runner()
    del owner.environment["ADMIN_DATABASE_URL"]
    owner.environment[variable] = service.project.text(OWNER, pooled=True)
    said = owner(*command.split(), code=2).stderr
    assert variable in said
    assert "-pooler" in said
    assert service.project.passwords[OWNER] not in said


@pytest.mark.parametrize("pooled", [True, False], ids=["pooled", "unpooled"])
def test_health(make_runner: MakeRunner, service: Service, pooled: bool) -> None:
    """A login made by create-login may serve on either host, sealed."""
    runner = make_runner(
        DATABASE_URL=service.project.text("todo_service", pooled=pooled), USERSCOPE_SEAL_KEY=service.key
    )
    found = json.loads(runner("health", "--json").stdout)
    assert (found["fit"], found["role"], found["sealing"], found["problems"]) == (True, "todo_service", True, [])


@pytest.mark.parametrize("pooled", [True, False], ids=["pooled", "unpooled"])
@pytest.mark.parametrize("user", ["from_console", OWNER])
def test_console_role(make_runner: MakeRunner, service: Service, user: str, pooled: bool) -> None:
    """A role made in the console, and the owner: no policy binds them, so they serve nobody, on either host."""
    if user not in service.project.passwords:
        service.project.create_console_role(user)
    with service.project.connect(user) as connection:  # the control: it reads everybody's rows
        row = connection.execute("select count(*) = (select count(*) from app.users) from app.users").fetchone()
        assert row == (True,)
        assert connection.execute("select rolbypassrls from pg_roles where rolname = current_user").fetchone() == (
            True,
        )
    url = service.project.text(user, pooled=pooled)
    runner = make_runner(DATABASE_URL=url, USERSCOPE_SEAL_KEY=service.key)
    said = runner("health", code=1).stdout
    assert "BYPASSRLS" in said
    assert "It must not serve users." in said
    with (
        Database(service.settings(database_url=url)) as db,
        pytest.raises(RoleBypassesRLS) as refused,
        db.reader(service.user(f"{user}-{pooled}".lower())) as session,
    ):
        session.exec(select(Todo)).all()
    assert "create-login" in (refused.value.hint or "")


def test_password_for_neon(service: Service) -> None:
    """On Neon the password itself is sent, over TLS, since Neon takes no hash; the server keeps a verifier."""
    url = create_login(service.project.url(OWNER), "plainly", "app_user", password="Nine-Lives-4-All-Cats")
    place = ServerDirectory.find(service.project.server.home)
    assert place is not None
    statements = [line for line in place.log.read_text().splitlines() if 'create role "plainly"' in line]
    assert len(statements) == 1
    assert "'Nine-Lives-4-All-Cats'" in statements[0]
    with service.project.superuser() as connection:
        row = connection.execute("select rolpassword from pg_authid where rolname = 'plainly'").fetchone()
    assert row is not None
    assert row[0].startswith("SCRAM-SHA-256$")
    with psycopg.connect(url.conninfo()) as own:
        assert own.pgconn.ssl_in_use


def test_startup_options(service: Service) -> None:
    """The pooled host refuses options in a URL; logins do without: app_auth's search_path is its role's own setting."""
    for name in ("todo_auth", "todo_service"):
        pooled = service.project.url(name, pooled=True)
        with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
            psycopg.connect(pooled.conninfo(options="-c search_path=app"))
    with psycopg.connect(service.project.url("todo_auth", pooled=True).conninfo(), prepare_threshold=None) as auth:
        assert auth.execute("show search_path").fetchone() == ("app",)
        assert auth.execute("select count(*) >= 0 from sessions").fetchone() == (True,)
    user = service.user("optional")
    with Database(service.settings(database_statement_timeout="7s")) as db, db.session(user) as session:
        assert session.connection().execute(text("show statement_timeout")).scalar() == "7s"


def test_tls(service: Service) -> None:
    """Encryption is required by the server and asked for by us; a certificate is judged where the URL says so."""
    project, key = service.project, service.key
    user = service.user("encrypted")

    def served(query: str, *, pooled: bool = False) -> bool:
        url = project.text("todo_service", pooled=pooled, query=query)
        settings = service.settings(database_url=url, userscope_seal_key=key)
        with Database(settings) as db, db.reader(user) as session:
            driver = session.connection().connection.driver_connection
            assert driver is not None
            return bool(driver.pgconn.ssl_in_use)

    authority = f"sslmode=verify-full&sslrootcert={project.folder / 'ca.crt'}"
    for pooled in (False, True):
        assert served("application_name=none", pooled=pooled)  # no sslmode: require
        assert served("sslmode=require", pooled=pooled)
        assert served(authority, pooled=pooled)
        with pytest.raises(ConfigurationError, match=r"no encryption|SSL required") as refused:
            served("sslmode=disable", pooled=pooled)
        assert "sslmode" in (refused.value.hint or "")
        with pytest.raises(ConfigurationError, match="certificate verify failed"):
            served("sslmode=verify-full&sslrootcert=system", pooled=pooled)  # not one of the machine's authorities
    assert served("sslmode=require&channel_binding=require")
    for mode in ("allow", "prefer"):
        with pytest.raises(InvalidURL, match=f"sslmode={mode}"):
            served(f"sslmode={mode}")
    elsewhere = project.text("todo_service", query=authority).replace(DOMAIN, "example.org")
    with (
        Database(service.settings(database_url=elsewhere)) as db,
        pytest.raises(ConfigurationError, match="does not match host name"),
        db.reader(user) as session,
    ):
        session.exec(select(Todo)).all()


def test_sealed(service: Service) -> None:
    """Users reach their own rows over the pooled host, and a service without the key reaches nobody's."""
    alice, bob = service.user("alice"), service.user("bob")
    with Database(service.settings()) as db:
        for user, title in ((alice, "alice's"), (bob, "bob's")):
            with db.session(user) as session:
                session.add(Todo(title=title))
        with db.reader(alice) as session:
            assert [todo.title for todo in session.exec(select(Todo))] == ["alice's"]
    assert (service.titles(alice), service.titles(bob)) == (["alice's"], ["bob's"])
    with (
        Database(service.settings(userscope_seal_key=None)) as db,
        pytest.raises(SealRejected),
        db.reader(alice) as session,
    ):
        session.exec(select(Todo)).all()


def test_psql(make_runner: MakeRunner, service: Service, tmp_path: Path) -> None:
    """psql reaches both hosts with encryption, as the owner and as a user; where no psql speaks TLS, it says so."""
    user = service.user("typist")
    with Database(service.settings()) as db, db.session(user) as session:
        session.add(Todo(title="typed"))
    pooled = service.project.text("todo_service", pooled=True)
    astray = {"PGHOST": "elsewhere", "PGSSLMODE": "disable"}  # of the shell, and not followed
    runner = make_runner(DATABASE_URL=pooled, USERSCOPE_SEAL_KEY=service.key, **astray)
    query = "select current_user"
    assert runner("psql", "--", "-Atc", query).stdout == f"{OWNER}\n"
    assert runner("psql", "--as", str(user), "--", "-Atc", "select title from app.todos").stdout == "typed\n"
    runner.environment["PATH"] = str(tmp_path)
    assert "with TLS" in runner("psql", "--", "-c", "select 1", code=2).stderr


def test_settings_of_neon(service: Service) -> None:
    """The names Neon gives its variables: DATABASE_URL, pooled, for services, DATABASE_URL_UNPOOLED for the owner."""
    pooled, unpooled = service.project.text("todo_service", pooled=True), service.project.text(OWNER)
    settings = Settings(_env_file=None, database_url=pooled, database_url_unpooled=unpooled)
    assert settings.url("admin") == ConnectionURL.parse(unpooled, "DATABASE_URL_UNPOOLED")
    assert settings.url("service").pooled
    assert seals.read(settings.url("admin")).required


def test_wrong_password(service: Service) -> None:
    """A wrong password is no outage, on either host, and shows nowhere."""
    for pooled in (True, False):
        url = service.project.text("todo_auth", pooled=pooled).replace("todo_auth:", "todo_auth:wrong-")
        with (
            Accounts(service.settings(auth_database_url=url)) as accounts,
            pytest.raises(Exception, match=r"password authentication failed|refused the login") as refused,
        ):
            accounts.find("alice@example.org")
        assert "wrong-" not in str(refused.value)
        assert not isinstance(refused.value, Unavailable)


@pytest.fixture
def restored(service: Service, tmp_path: Path) -> Iterator[str]:
    """A dump of the database by its owner, restored into another one by the same."""
    project = service.project
    with project.connect(dbname="postgres") as owner:
        owner.execute("create database restored")
        owner.execute("grant app_gate, app_roster to current_user with inherit true")
    with project.connect(dbname="restored") as owner:
        owner.execute("alter default privileges grant create on schemas to app_gate, app_roster")
    for program, words in (("pg_dump", ["-Fc", "-f"]), ("pg_restore", ["--exit-on-error"])):
        url = project.url(OWNER, dbname="neondb" if program == "pg_dump" else "restored")
        params = {name: value for name, value in url.params.items() if name != "password"}
        target = ["-d", psycopg.conninfo.make_conninfo(**params)]
        done = subprocess.run(
            [project.programs / program, *target, *words, tmp_path / "dump"],
            env=os.environ | {"PGPASSWORD": url.params["password"]}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    with project.connect(dbname="restored") as owner:
        owner.execute("alter default privileges revoke create on schemas from app_gate, app_roster")
        owner.execute("revoke create on schema app, app_fenced, app_private, sqitch from app_gate, app_roster")
    yield "restored"
    with project.connect(dbname="postgres") as owner:
        owner.execute("grant app_gate to current_user with inherit false")
        owner.execute("revoke app_roster from current_user")
        owner.execute("drop database restored with (force)")


@pytest.mark.breadth
def test_restored(make_runner: MakeRunner, service: Service, restored: str) -> None:
    """A restore brings everything but the database's own ACL: verify and audit notice, and name what gives it back."""
    runner = make_runner(ADMIN_DATABASE_URL=service.project.text(OWNER, dbname=restored))
    assert runner("status").code == 0
    cure = f"revoke temporary on database {restored} from public"
    assert cure in runner("verify", code=1).stderr
    found = json.loads(runner("audit", "--json", code=1).stdout)["findings"]
    errors = [finding for finding in found if finding["level"] == "error"]
    assert {finding["object"] for finding in errors} == {f"database {restored}"}
    assert all(cure in finding["cure"] for finding in errors)
    runner("psql", "--", "-c", cure)
    runner("verify")
    runner("audit")
    user = service.user("restored")  # in the other database: no such user here
    settings = service.settings(
        database_url=service.project.text("todo_service", dbname=restored),
        auth_database_url=service.project.text("todo_auth", dbname=restored),
    )
    with Accounts(settings) as accounts:
        assert accounts.get(user) is None
        here = accounts.create("here@example.org").id
    with Database(settings) as db, db.session(here) as session:
        session.add(Todo(title="after the restore"))  # the key was restored as well
