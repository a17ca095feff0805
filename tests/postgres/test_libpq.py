"""libpq's environment leads no URL of ours elsewhere and weakens none; what asks for more safety is kept."""

import asyncio
import getpass
import os
import socket
import struct
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import run
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import text

from tests.clusters import ROOT, Database, lone
from tests.versions import first_of
from userscope.database import AsyncDatabase
from userscope.database import Database as Service
from userscope.errors import ConfigurationError
from userscope.migrations import projects, runner
from userscope.postgres import libpq
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL
from userscope.settings import Settings

REMOTE = "postgresql://me:pw@db.example.com/app"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("PG") and name != "PG":
            monkeypatch.delenv(name)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Have these variables for the time of the block, so before any fixture cleans up."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


class Fake:
    """A server on a port of this machine that asks whoever comes for the password in clear, and notes it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self._listener.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            with suppress(OSError, struct.error):
                client, _ = self._listener.accept()
                with client:
                    startup = b""
                    while not startup.startswith(b"\0\3\0"):  # what asks for TLS or GSS is told no
                        startup = client.recv(struct.unpack("!i", client.recv(4))[0] - 4)
                        if not startup.startswith(b"\0\3\0"):
                            client.sendall(b"N")
                    client.sendall(b"R" + struct.pack("!ii", 8, 3))
                    self.heard.append(client.recv(1000))
            if self._listener.fileno() < 0:
                return

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    yield made
    made.close()


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    """With its registry, and nobody beside it for the audit to see."""
    with lone(lambda url: runner.migrate(url, projects.find([ROOT / "schema", ROOT / "policies"]))) as made:
        yield made


@pytest.fixture
def urls(database: Database, fake: Fake, tmp_path: Path) -> dict[str, ConnectionURL]:
    """A database's URLs by variable: the port that names its socket is the fake server's as well."""
    admin = database.url("admin")
    (tmp_path / f".s.PGSQL.{fake.port}").symlink_to(f"{admin.host}/.s.PGSQL.{admin.params['port']}")
    where = {"host": str(tmp_path), "port": fake.port}
    return {
        variable: ConnectionURL(variable, {**ConnectionURL.parse(url, variable).params, **where})
        for variable, url in database.environment.items()
    }


@pytest.fixture
def hostile(fake: Fake, tmp_path: Path) -> dict[str, str]:
    """An environment that leads whoever heeds it to the fake server, or makes any other use of a variable of libpq."""
    service = tmp_path / "service.conf"
    service.write_text("[x]\nhostaddr=127.0.0.1\nsslmode=disable\noptions=-c statement_timeout=1\n")
    named = {variable: "nonsense" for variable in libpq.VARIABLES.values() if variable}
    return {
        **{name: value for name, value in named.items() if name not in {"PGUSER", "PGPASSWORD", "PGCLIENTENCODING"}},
        "PGHOST": "127.0.0.1",
        "PGHOSTADDR": "127.0.0.1",
        "PGPORT": fake.port,
        "PGSERVICE": "x",
        "PGSERVICEFILE": str(service),
        "PGSSLMODE": "disable",
        "PGTARGETSESSIONATTRS": "standby",
        "PGREQUIREPEER": "nobody" if os.geteuid() == 0 else getpass.getuser(),
        "PGREQUIREAUTH": "scram-sha-256",
        "PGOPTIONS": "-c statement_timeout=1 -c nonsense",
        "PGCONNECT_TIMEOUT": "5",
    }


@pytest.mark.parametrize("way", ["PGHOSTADDR", "PGSERVICE"])
def test_the_fake_server_is_reached(
    urls: dict[str, ConnectionURL], hostile: dict[str, str], fake: Fake, way: str
) -> None:
    """The control: whoever gives libpq the bare URL hands the password to the fake server."""
    url = urls["DATABASE_URL"]
    led = {name: hostile[name] for name in (way, "PGSERVICEFILE")}
    with environment(led), pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.text())
    assert url.params["password"].encode() in fake.heard[0]


def test_services(urls: dict[str, ConnectionURL], hostile: dict[str, str], fake: Fake) -> None:
    """Services, sync and async, and an admin's connection go where the URL says."""
    settings = Settings(_env_file=None, database_url=urls["DATABASE_URL"].text())
    question = text("select current_setting('statement_timeout')")
    with environment(hostile), Service(settings) as database, database.reader(uuid4()) as session:
        assert session.scalar(question) == "30s"

    async def ask() -> object:
        async with AsyncDatabase(settings) as database, database.reader(uuid4()) as session:
            return await session.scalar(question)

    with environment(hostile):
        assert asyncio.run(ask()) == "30s"
    with environment(hostile), connect(urls["ADMIN_DATABASE_URL"]) as connection:
        assert connection.execute("show statement_timeout").fetchone() == ("0",)
    assert fake.heard == []


@pytest.mark.parametrize(
    "command",
    first_of("check", "migrate --log-only", "audit", "seal-key list", "health", "psql -- -c select", "mutate --list"),
)
def test_commands(urls: dict[str, ConnectionURL], hostile: dict[str, str], fake: Fake, command: str) -> None:
    """So do the commands, and the programs that they start."""
    variables = dict(os.environ) | {variable: url.text() for variable, url in urls.items()} | hostile
    words = [sys.executable, "-m", "userscope", *command.split()]
    done = run(words, env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert fake.heard == []


def test_every_parameter_is_considered() -> None:
    """What libpq could still take from a variable or a service names nobody else's server and no weaker connection."""
    told = conninfo_to_dict(ConnectionURL.parse(REMOTE, "DATABASE_URL").conninfo())
    assert libpq.VARIABLES.keys() - told.keys() == {
        *("service", "passfile", "application_name", "fallback_application_name", "connect_timeout"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        *("scram_client_key", "scram_server_key", "require_auth", "requirepeer"),
    }


def test_unknown_service(urls: dict[str, ConnectionURL]) -> None:
    """libpq insists on reading a service that is named: one that is not there is refused by its variable."""
    with environment({"PGSERVICE": "nowhere"}), pytest.raises(ConfigurationError, match="PGSERVICE") as refused:
        connect(urls["ADMIN_DATABASE_URL"])
    assert refused.value.detail == 'libpq said: definition of service "nowhere" not found.'


@pytest.mark.parametrize(
    ("url", "environment", "expected"),
    [
        (REMOTE, {}, {"sslmode": "require"}),
        (REMOTE, {"PGSSLMODE": "verify-full"}, {"sslmode": "verify-full"}),
        (REMOTE, {"PGSSLMODE": "disable"}, {"sslmode": "require"}),
        (REMOTE, {"PGSSLMODE": "nonsense"}, {"sslmode": "require"}),
        (f"{REMOTE}?sslmode=require", {"PGSSLMODE": "verify-ca"}, {"sslmode": "verify-ca"}),
        (f"{REMOTE}?sslmode=verify-full", {"PGSSLMODE": "require"}, {"sslmode": "verify-full"}),
        (f"{REMOTE}?sslmode=disable", {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": "system"}, {"sslmode": "disable"}),
        (f"{REMOTE}?sslrootcert=system", {}, {"sslmode": "verify-full", "sslrootcert": "system"}),
        (REMOTE, {"PGSSLROOTCERT": "system"}, {"sslmode": "verify-full", "sslrootcert": "system"}),
        (REMOTE, {"PGSSLROOTCERT": "/ca.pem"}, {"sslmode": "require", "sslrootcert": "/ca.pem"}),
        (f"{REMOTE}?sslrootcert=/mine", {"PGSSLROOTCERT": "/ca.pem"}, {"sslmode": "require", "sslrootcert": "/mine"}),
        (REMOTE, {"PGCHANNELBINDING": "require"}, {"sslmode": "require", "channel_binding": "require"}),
        (REMOTE, {"PGCHANNELBINDING": "disable"}, {"sslmode": "require"}),
        (REMOTE, {"PGSSLCRL": "/crl.pem"}, {"sslmode": "require", "sslcrl": "/crl.pem"}),
        (REMOTE, {"PGSSLMINPROTOCOLVERSION": "TLSv1"}, {"sslmode": "require"}),
        (
            REMOTE,
            {"PGSSLMINPROTOCOLVERSION": "TLSv1.3", "PGSSLMAXPROTOCOLVERSION": "TLSv1.2"},
            {"sslmode": "require", "ssl_min_protocol_version": "TLSv1.3"},
        ),
        (REMOTE, {"PGHOSTADDR": "192.0.2.1", "PGPORT": "1", "PGOPTIONS": "-c role=x"}, {"sslmode": "require"}),
        ("postgresql://me:pw@localhost/app", {}, {}),
        ("postgresql://me:pw@localhost/app", {"PGHOSTADDR": "192.0.2.1", "PGSSLMODE": "prefer"}, {}),
        ("postgresql://me:pw@localhost/app", {"PGSSLMODE": "require"}, {"sslmode": "require"}),
        ("postgresql://me:pw@localhost/app", {"PGREQUIRESSL": "1"}, {"sslmode": "require"}),
        ("postgresql://me:pw@/app?host=/run", {"PGSSLMODE": "verify-full", "PGHOSTADDR": "192.0.2.1"}, {}),
        ("postgresql://me:pw@/app", {"PGHOST": "db.example.com"}, {}),
    ],
)
def test_what_is_kept(
    url: str, environment: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the environment a URL takes what is stricter; where it leads is the URL's alone to say."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    params = ConnectionURL.parse(url, "DATABASE_URL").params
    said = {"user", "password", "host", "dbname"}
    assert {name: value for name, value in params.items() if name not in said} == expected
