"""A service starts only where it may serve users, tells whether it can, and waits for what is away."""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlmodel import select

from examples.todo_api.app import create_app
from tests.issuer import Issuer, nobody_there, serving
from tests.processes import eventually
from tests.service.conftest import As, trusting
from tests.service.served import served
from tests.service.test_requests import problem
from userscope.database import AsyncDatabase
from userscope.errors import ConfigurationError, InvalidURL, MissingSetting, UserscopeError
from userscope.fastapi import UserId, install, lifespan, service
from userscope.fastapi.service import Service
from userscope.models import Todo
from userscope.settings import Settings
from userscope.testing import Proxy, Sandbox


def _started(settings: Settings) -> None:
    """Start a service, and stop it."""

    async def run() -> None:
        async with lifespan(settings)(FastAPI()):
            pass

    asyncio.run(run())


def _admins(settings: Settings) -> Settings:
    return settings.model_copy(update={"database_url": settings.admin_database_url})


def _without(name: str) -> Callable[[Settings], Settings]:
    return lambda settings: settings.model_copy(update={name: None})


UNFIT: dict[str, tuple[Callable[[Settings], Settings], type[UserscopeError], str]] = {
    "the owner's login": (_admins, ConfigurationError, "bypasses row-level security"),
    "no JWKS": (_without("auth_jwks_url"), MissingSetting, "AUTH_JWKS_URL is not set"),
    "no issuer": (_without("auth_issuer"), MissingSetting, "AUTH_ISSUER is not set"),
    "no audience": (_without("auth_audience"), MissingSetting, "AUTH_AUDIENCE is not set"),
    "no database": (_without("database_url"), MissingSetting, "DATABASE_URL is not set"),
    "keys without TLS": (lambda s: s.model_copy(update={"auth_jwks_url": "http://a.example/jwks"}), InvalidURL, "TLS"),
}  # fmt: skip


@pytest.mark.parametrize("case", UNFIT)
def test_refuses_to_start(settings: Settings, case: str) -> None:
    """What would serve everybody everything, or trust anybody, does not start."""
    change, error, words = UNFIT[case]
    _started(settings)
    with pytest.raises(error) as refused:
        _started(change(settings))
    assert words in str(refused.value)


def test_unmigrated(userscope: Sandbox, issuer: Issuer) -> None:
    """Nor does a service whose tables are missing or open."""
    with userscope.admin() as connection:
        connection.execute("alter table app.todos no force row level security")
    with pytest.raises(ConfigurationError, match=r'"app\.todos" is not under forced row-level security'):
        _started(trusting(userscope.settings, issuer))


def test_probes(client: httpx.Client) -> None:
    """The process is alive, and users can be served."""
    assert (client.get("/healthz").status_code, client.get("/healthz").json()) == (200, {"status": "alive"})
    assert (client.get("/readyz").status_code, client.get("/readyz").json()) == (200, {"status": "ready"})


def test_away_and_back(
    userscope: Sandbox, issuer: Issuer, bearer: As, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A service whose database is away starts, says so, tells nobody where it is, and serves when it is back."""
    monkeypatch.setattr(service, "_ASKED_EVERY", 0)
    alice = bearer(userscope.user("Alice"))
    userscope.close()
    url = userscope.settings.url("admin")
    elsewhere = Sandbox(userscope.settings.model_copy(update={"admin_database_url": SecretStr(_other(userscope))}))
    name = url.params["dbname"]
    with elsewhere.admin() as connection:
        connection.execute(f'alter database "{name}" allow_connections false')
        with served(create_app(trusting(userscope.settings, issuer))) as client:
            assert client.get("/healthz").status_code == 200
            for path in ("/readyz", "/todos"):
                answer = client.get(path, headers=alice)
                assert problem(answer) == (503, "The service cannot answer now.")
                assert answer.headers["retry-after"].isdecimal()
                assert name not in answer.text
            connection.execute(f'alter database "{name}" allow_connections true')
            assert client.get("/readyz").status_code == 200
            assert client.get("/todos", headers=alice).json()["items"] == []
    assert "the database cannot be reached yet" in caplog.text
    assert "not ready" in caplog.text


def _other(sandbox: Sandbox) -> str:
    """The URL of another database of the same server."""
    url = sandbox.settings.url("admin")
    return url.on("postgres").text()


def test_unready(
    userscope: Sandbox, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What makes a running service unfit is in its log, and in no answer."""
    monkeypatch.setattr(service, "_ASKED_EVERY", 0)
    with served(create_app(trusting(userscope.settings, issuer))) as client:
        assert client.get("/readyz").status_code == 200
        with userscope.admin() as connection:
            connection.execute("alter table app.todos disable row level security")
        answer = client.get("/readyz")
    assert problem(answer) == (503, "The service cannot answer now.")
    assert 'not ready: table "app.todos" is not under forced row-level security' in caplog.text


def test_never_judged(userscope: Sandbox, issuer: Issuer, bearer: As, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that was away at the start serves nobody before it was found fit: here policies are off in it."""
    monkeypatch.setattr(service, "_ASKED_EVERY", 0)
    alice = userscope.user("Alice")
    with userscope.acting_as(alice) as session:
        session.add(Todo(title="hers"))
    settings = trusting(userscope.settings, issuer)
    there = settings.url("service")
    with Proxy(there) as proxy:
        proxy.target = type(there)(there.variable, {**there.params, "host": "/nowhere"})
        behind = settings.model_copy(update={"database_url": SecretStr(proxy.url.text())})
        with served(create_app(behind)) as client, userscope.admin() as connection:
            assert client.get("/healthz").status_code == 200  # it has started, without the database
            connection.execute("alter table app.todos disable row level security")
            proxy.target = there
            for headers in (bearer(uuid4()), bearer(alice)):
                answer = client.get("/todos", headers=headers)
                assert problem(answer) == (503, "The service cannot answer now.")
            assert client.get("/todos").status_code == 401
            connection.execute("alter table app.todos enable row level security")
            assert [item["title"] for item in client.get("/todos", headers=bearer(alice)).json()["items"]] == ["hers"]


def test_asked_rarely(settings: Settings) -> None:
    """However often anybody asks whether it is ready, the database is asked once in a while."""
    with Proxy(settings.url("service")) as proxy:
        behind = settings.model_copy(update={"database_url": SecretStr(proxy.url.text())})
        with served(create_app(behind)) as client, ThreadPoolExecutor(8) as pool, proxy.counting() as count:
            answers = list(pool.map(lambda _: client.get("/readyz").status_code, range(24)))
    assert set(answers) == {200}
    assert count.connections < 8


def test_keys_away(world: Sandbox, issuer: Issuer, bearer: As) -> None:
    """Without the issuer's keys nobody can be told apart: that is an outage, and no fault of the token's."""
    settings = trusting(world.settings, issuer)
    settings = settings.model_copy(update={"auth_jwks_url": f"{nobody_there()}/jwks"})
    with served(create_app(settings)) as client:
        assert client.get("/readyz").status_code == 200
        answer = client.get("/todos", headers=bearer(uuid4()))
        assert problem(answer) == (503, "The service cannot answer now.")
        assert answer.headers["retry-after"].isdecimal()
        assert client.get("/todos", headers={"Authorization": "Bearer x"}).status_code == 401


def test_keys_change(world: Sandbox, bearer: As) -> None:
    """A service that runs accepts what the issuer signs with a new key, and somebody else's key never."""
    alice = world.user("Alice")
    with serving() as issuer, served(create_app(trusting(world.settings, issuer))) as client:
        first = {"Authorization": f"Bearer {issuer.token(alice.id)}"}
        assert client.get("/me", headers=first).status_code == 200
        assert client.get("/me", headers=bearer(alice)).status_code == 401  # of the other issuer
        issuer.rotate()
        second = {"Authorization": f"Bearer {issuer.token(alice.id)}"}
        assert [client.get("/me", headers=headers).status_code for headers in (first, second)] == [200, 200]


def test_not_started() -> None:
    """Without its lifespan an application has no database, and answers nobody."""
    app = FastAPI()
    install(app)

    @app.get("/me")
    def me(user_id: UserId) -> object:
        return user_id

    with served(app) as client:
        answer = client.get("/me", headers={"Authorization": "Bearer x"})
    assert problem(answer) == (500, None)


def test_closed(userscope: Sandbox, issuer: Issuer, bearer: As) -> None:
    """A service that has ended leaves no connection behind."""
    alice = bearer(userscope.user("Alice"))
    userscope.close()
    with served(create_app(trusting(userscope.settings, issuer))) as client:
        assert client.get("/todos", headers=alice).status_code == 200
        eventually(lambda: _connections(userscope) == 1)
    eventually(lambda: _connections(userscope) == 0)


@pytest.mark.parametrize("failure", [OSError, asyncio.CancelledError])
def test_closed_by_halves(
    userscope: Sandbox, issuer: Issuer, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]
) -> None:
    """Nor does one whose first pool cannot be closed, or is not closed in time."""
    alice = userscope.user("Alice")
    userscope.close()

    async def fail(_: AsyncDatabase) -> None:
        raise failure

    async def run() -> None:
        async with Service.opened(trusting(userscope.settings, issuer)) as opened:
            with opened.database.reader(alice.id) as session:
                assert session.exec(select(Todo)).all() == []
            eventually(lambda: _connections(userscope) == 1)
            monkeypatch.setattr(AsyncDatabase, "close", fail)

    with pytest.raises(failure):
        asyncio.run(run())
    eventually(lambda: _connections(userscope) == 0)


def _connections(userscope: Sandbox) -> int:
    with userscope.admin() as connection:
        found = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and backend_type = 'client backend'"
        ).fetchone()
    return int(found[0]) if found else -1


def test_logs(client: httpx.Client, world: Sandbox, issuer: Issuer, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is logged, no token is: not a good one, and not one that was refused."""
    caplog.set_level(logging.DEBUG)
    tokens = [issuer.token(world.user().id), issuer.token(exp=1), issuer.token() + "x", "x" * 9000]
    for token in tokens:
        client.get("/todos", headers={"Authorization": f"Bearer {token}"})
    parts = [part for token in tokens for part in token.split(".")[1:] or [token]]
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    assert not [part for part in parts if any(part in line for line in ours)]
    assert caplog.records
