"""The example's auth server starts only where it can serve, says why not, and survives what happens around it."""

import os
import secrets
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from examples.todo_api.better_auth import FOLDER
from tests.better_auth.people import PASSWORD, Running, auth_server, refusal, variables
from tests.clusters import Cluster, Database, first_of
from tests.pooling.pgbouncer import pgbouncer
from tests.processes import eventually
from userscope.postgres.url import ConnectionURL

pytestmark = pytest.mark.usefixtures("node")


def fail(environment: dict[str, str]) -> tuple[int, str]:
    """Start it where it cannot start: its exit code and what it says; it says nothing of being ready."""
    whole = {"PATH": os.environ["PATH"], "PORT": "0", **environment}
    command = ["node", "server.js"]
    done = subprocess.run(command, cwd=FOLDER, env=whole, capture_output=True, text=True, check=False)
    assert "ready" not in done.stdout
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "variable",
    first_of("AUTH_DATABASE_URL", "AUTH_ISSUER", "AUTH_AUDIENCE", "BETTER_AUTH_SECRET", "BETTER_AUTH_TRUSTED_ORIGINS"),
)
def test_unset(auth_database: Database, variable: str) -> None:
    """Without a variable it ends at once, and says what to set it to."""
    environment = {name: text for name, text in variables(auth_database, "x" * 40).items() if name != variable}
    code, said = fail(environment)
    assert code == 2
    assert said.startswith(f"ERROR:  {variable} is not set\nHINT:  Set it to ")


def test_port_taken(auth_database: Database) -> None:
    """A port that is taken is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = fail({**variables(auth_database, "x" * 40), "PORT": port})
    assert code == 2
    assert said == f"ERROR:  port {port} cannot be used: EADDRINUSE\nHINT:  Set PORT to one that is free.\n"


@pytest.mark.breadth
def test_not_migrated(cluster: Cluster, auth_database: Database) -> None:
    """A database without the tables, one that is not there, and a wrong password: refused, and no secret is told."""
    empty = cluster.database()
    params = auth_database.url("auth").params
    for changes in (
        {"dbname": empty.name},
        {"dbname": "nowhere"},
        {"host": "/nowhere"},
        {"password": "wrong-password"},
    ):
        url = ConnectionURL("AUTH_DATABASE_URL", {**params, **changes})
        code, said = fail({**variables(auth_database, "x" * 40), "AUTH_DATABASE_URL": url.text()})
        assert code == 2, changes
        assert "ERROR:  Better Auth cannot start: " in said
        assert "HINT:  Is the database there, and migrated?" in said
        assert params["password"] not in said
        assert "wrong-password" not in said
    empty.drop()


@pytest.mark.parametrize("how", first_of(signal.SIGTERM, signal.SIGINT))
def test_stop(database: Database, how: signal.Signals) -> None:
    """It ends by itself, with code 0, although a browser keeps its connection, and told twice as well."""
    with auth_server(database) as running, running.browser() as browser:
        assert browser.session() is None
        running.process.send_signal(how)
        running.process.send_signal(how)
        assert running.process.wait(timeout=60) == 0


@pytest.mark.breadth
def test_one_key(database: Database) -> None:
    """The first key is there before the first request, so many who come at once find one, and make no more."""
    with auth_server(database) as running, running.browser() as browser:
        assert running.rows("select count(*) from app.jwks") == [(1,)]
        browser.signed_up("ann@example.com")
        with ThreadPoolExecutor(6) as pool:
            tokens = set(pool.map(lambda _: browser.token(), range(6)))
        assert tokens
        assert running.rows("select count(*) from app.jwks") == [(1,)]


@pytest.mark.breadth
def test_restart(database: Database) -> None:
    """Sessions and keys outlive the server, as long as its secret stays."""
    secret = secrets.token_urlsafe(32)
    with auth_server(database, secret=secret) as running, running.browser() as browser:
        browser.signed_up("ann@example.com")
        cookies = dict(browser.cookies)
    with auth_server(database, secret=secret) as running, running.browser() as browser:
        browser.headers["Cookie"] = "; ".join("=".join(pair) for pair in cookies.items())
        assert browser.session()
        assert browser.token()
        assert running.rows("select count(*) from app.jwks") == [(1,)]


@pytest.mark.breadth
def test_another_secret(database: Database) -> None:
    """Another secret cannot read the keys: no token any more, until the old one stands beside it."""
    old, new = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    with auth_server(database, secret=old) as running, running.browser() as browser:
        browser.signed_up("ann@example.com")
        assert browser.token()
    with auth_server(database, secret=new) as running, running.browser() as browser:
        assert browser.sign_in("ann@example.com").status_code == 200
        assert [browser.get(path).status_code for path in ("/token", "/get-session")] == [500, 500]
        assert "decrypt" in running.log.lower()
        assert httpx.get(f"{running.url}/api/auth/jwks").status_code == 200
    with (
        auth_server(database, secret=old, BETTER_AUTH_SECRETS=f"2:{new},1:{old}") as running,
        running.browser() as browser,
    ):
        assert browser.sign_in("ann@example.com").status_code == 200
        assert browser.token()
    running.rows("delete from app.jwks")
    with auth_server(database, secret=new) as running, running.browser() as browser:
        assert browser.sign_in("ann@example.com").status_code == 200
        assert browser.token(), "without the old keys it makes a new one"


@pytest.mark.breadth
def test_connections_end(auth: Running) -> None:
    """PostgreSQL may end every connection: the server lives, and the next request is served."""
    with auth.browser() as browser:
        browser.signed_up("ends@example.com")
        ended = auth.rows(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and usename = %s",
            auth.database.url("auth").user,
        )
        assert ended
        eventually(lambda: auth.log.count("a database connection ended") >= len(ended))  # it has noticed them all
        assert auth.process.poll() is None, auth.log
        assert browser.session()


@pytest.mark.breadth
def test_behind_a_pooler(database: Database) -> None:
    """A transaction pooler suits it: its search_path is a setting of the login, and nothing else is kept."""
    with pgbouncer(database, size=2) as pooler:
        pooled = {name: pooler.url.params[name] for name in ("host", "port")}
        url = ConnectionURL("AUTH_DATABASE_URL", {**database.url("auth").params, **pooled})
        with auth_server(database, AUTH_DATABASE_URL=url.text()) as running, running.browser() as browser:
            browser.signed_up("ann@example.com")
            assert browser.token()
            assert browser.post("/delete-user", json={"password": PASSWORD}).status_code == 200
            assert running.rows("select from app.users") == []


def test_no_secret_is_logged(auth: Running) -> None:
    """Neither a password nor a token nor a URL stands in its log, whatever goes wrong."""
    with auth.browser() as browser:
        browser.signed_up("log@example.com")
        token = browser.token()
        session = browser.session()
        assert session
        browser.sign_in("log@example.com", "wrong horse battery")
        assert refusal(browser.sign_up(f"{'a' * 250}@example.com"))[0] == 422
    assert "users_email_check" in auth.log, "something was logged"
    for secret in (PASSWORD, "wrong horse", token, session["session"]["token"],
                   auth.database.url("auth").params["password"]):  # fmt: skip
        assert secret not in auth.log


@pytest.mark.breadth
def test_many_at_once(auth: Running) -> None:
    """Twenty browsers at once are served, though the pool holds ten connections."""
    with auth.browser() as browser:
        browser.signed_up("many@example.com")
        cookie = "; ".join("=".join(pair) for pair in browser.cookies.items())

    def ask(_: int) -> bool:
        with auth.browser() as other:
            other.headers["Cookie"] = cookie
            return other.session() is not None

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [True] * 20
