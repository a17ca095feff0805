"""No frame of an error tells a password: tools that report errors show the variables of each."""

import asyncio
import gc
import socket
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from uuid import uuid4

import psycopg
import pytest

from userscope.accounts import Accounts
from userscope.database import AsyncDatabase, Database
from userscope.errors import InvalidURL, UserscopeError
from userscope.migrations import inspection
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

SECRET = "Zx9qWv7k"
REFUSED = f"postgresql://me:{SECRET}@127.0.0.1:1/app"
UNRESOLVED = f"postgresql://me:{SECRET}@nowhere.invalid/app"
NO_NAME = f"postgresql://me:{SECRET}@/app?host=./.userscope/run"


def service(url: str) -> None:
    with Database(Settings(_env_file=None, database_url=url)) as database, database.reader(uuid4()) as session:
        session.connection()


def asynchronous(url: str) -> None:
    async def ask() -> None:
        settings = Settings(_env_file=None, database_url=url)
        async with AsyncDatabase(settings) as database, database.reader(uuid4()) as session:
            await session.connection()

    asyncio.run(ask())


def accounts(url: str) -> None:
    with Accounts(Settings(_env_file=None, auth_database_url=url)) as made:
        made.find("alice@example.org")


def health(url: str) -> None:
    with Database(Settings(_env_file=None, database_url=url)) as database:
        database.health()


def admin(url: str) -> None:
    connect(ConnectionURL.parse(url, "ADMIN_DATABASE_URL"))


def migrations(url: str) -> None:
    inspection.status(ConnectionURL.parse(url, "ADMIN_DATABASE_URL"))


def bare(url: str) -> None:
    psycopg.connect(url)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def frames(trace: TracebackType | None) -> Iterator[tuple[str, dict[str, object]]]:
    for frame, _ in traceback.walk_tb(trace):
        if "/tests/" not in frame.f_code.co_filename:  # what a caller does with a URL is theirs
            yield frame.f_code.co_qualname, frame.f_locals


def telling(raised: BaseException) -> list[str]:
    """The variables that hold the password, by function."""
    return [
        f"{name}: {variable}"
        for error in chain(raised)
        for name, variables in frames(error.__traceback__)
        for variable, value in variables.items()
        if SECRET in repr(value)
    ]


@pytest.mark.parametrize("url", [REFUSED, UNRESOLVED, NO_NAME], ids=["refused", "unresolved", "no name"])
@pytest.mark.parametrize("work", [service, asynchronous, accounts, health, admin, migrations])
def test_frames_tell_no_password(work: Callable[[str], None], url: str) -> None:
    """Wherever a connection fails, neither the error nor what caused it holds the password."""
    with pytest.raises(UserscopeError) as raised:
        work(url)
    assert telling(raised.value) == []


def test_a_host_that_is_no_name() -> None:
    """A path that is not absolute is looked up as a name, which it is not: the variable is named."""
    with pytest.raises(InvalidURL, match="DATABASE_URL cannot be used: its host is no name of a host"):
        service(NO_NAME)


def test_the_driver_tells_it() -> None:
    """The control: the driver's own frames do."""
    with pytest.raises(psycopg.OperationalError) as raised:
        bare(REFUSED)
    assert telling(raised.value) != []


@pytest.mark.parametrize(
    "url", [f"postgresql://me:{SECRET}%@localhost/app", f"postgresql://me:{SECRET}@@localhost/app"]
)
def test_a_refused_url_tells_no_password(url: str) -> None:
    """Nor do those of a URL that cannot be used."""
    settings = Settings(_env_file=None, database_url=url)
    with pytest.raises(InvalidURL) as raised:
        settings.url("service")
    assert telling(raised.value) == []


def test_cancelled() -> None:
    """A task that is cancelled while it connects hangs up at once, whoever keeps the error; that tells no password."""

    async def connecting(port: int) -> None:
        url = f"postgresql://me:{SECRET}@127.0.0.1:{port}/app?sslmode=disable"
        settings = Settings(_env_file=None, database_url=url, database_pool_timeout=600)
        async with AsyncDatabase(settings) as database, database.reader(uuid4()) as session:
            await session.connection()

    async def cancelled() -> BaseException:
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.setblocking(False)
            task = asyncio.create_task(connecting(listening.getsockname()[1]))
            server, _ = await loop.sock_accept(listening)
            with server:
                server.setblocking(False)
                assert await loop.sock_recv(server, 4096)  # it waits for an answer now
                task.cancel()
                with pytest.raises(asyncio.CancelledError) as raised:
                    await task
                assert await asyncio.wait_for(loop.sock_recv(server, 4096), 60) == b""
        return raised.value

    gc.disable()
    try:
        assert telling(asyncio.run(cancelled())) == []
    finally:
        gc.enable()
