"""A mistake is no outage: what only somebody's hand can mend says so; what may pass is waited for."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from userscope.errors import ConfigurationError, InvalidURL, Unavailable
from userscope.postgres.connect import connect
from userscope.postgres.url import ConnectionURL

MISTAKES = [
    # PgBouncer
    "unsupported startup parameter: options", "unsupported startup parameter in options: search_path",
    "no such database: app", "no such user: me", "SASL authentication failed", "bouncer config error",
    # PostgreSQL
    'pg_hba.conf rejects connection for host "127.0.0.1", user "me", database "app", no encryption',
    'no pg_hba.conf entry for host "10.0.0.7", user "me", database "app", SSL encryption',
    'unrecognized configuration parameter "nonsense"', 'invalid value for parameter "work_mem": "much"',
    'database "app" does not exist', 'role "me" does not exist', 'role "me" is not permitted to log in',
    'password authentication failed for user "me"', "unsupported frontend protocol 3.2",
    # Supavisor, Neon, Odyssey, RDS
    "Tenant or user not found", "(ENOTFOUND) tenant/user me.abc not found", "Endpoint ID is not specified.",
    "The requested endpoint could not be found, or you don't have access to it.", "The endpoint has been disabled.",
    'route for "app.me" is not found', "PAM authentication failed for user \"me\"",
]  # fmt: skip
PASSING = [
    "the database system is starting up", "the database system is shutting down", "sorry, too many clients already",
    "the database system is not yet accepting connections", "the database system is in recovery mode",
    'database "app" is not currently accepting connections', 'too many connections for role "me"',
    "remaining connection slots are reserved for roles with the SUPERUSER attribute",
    "no more connections allowed (max_client_conn)", "query_wait_timeout", "client_login_timeout",
    "pgbouncer cannot connect to server", "server login has been failing, cached error: … (server_login_retry)",
    "Max client connections reached", "MaxClientsInSessionMode: max clients reached",
    "Couldn't connect to compute node", "terminating connection due to administrator command", "out of memory",
]  # fmt: skip


class _Refusing:
    """A server that answers every login with a sentence."""

    sentence = ""

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"postgresql://me:Zx9qWv7k@127.0.0.1:{self.listening.getsockname()[1]}/app"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self.listening.accept()
                with client, suppress(OSError, struct.error):
                    while struct.unpack("!II", client.recv(8))[1] in (80877103, 80877104):  # TLS? GSS?
                        client.sendall(b"N")
                    body = b"SFATAL\0VFATAL\0C08P01\0M" + self.sentence.encode() + b"\0\0"
                    client.sendall(b"E" + struct.pack("!I", len(body) + 4) + body)


@pytest.fixture(scope="module")
def refusing() -> Iterator[_Refusing]:
    """Such a server."""
    made = _Refusing()
    yield made
    made.listening.close()


@pytest.mark.parametrize(("kind", "sentences"), [(ConfigurationError, MISTAKES), (Unavailable, PASSING)])
def test_said_by_a_server(refusing: _Refusing, kind: type[Exception], sentences: list[str]) -> None:
    """Whatever a server or a pooler gives as its reason is told, with the variable, and without the password."""
    for refusing.sentence in sentences:
        with pytest.raises((ConfigurationError, Unavailable)) as refused:
            connect(ConnectionURL.parse(refusing.url, "DATABASE_URL"))
        assert (refusing.sentence, type(refused.value)) == (refusing.sentence, kind)
        assert refusing.sentence in (refused.value.detail or "")
        assert "DATABASE_URL" in (refused.value.hint or "")
        assert "127.0.0.1" in (refused.value.detail or "")
        assert "last statement" not in str(refused.value)
        assert "Zx9qWv7k" not in str(refused.value)


@pytest.mark.parametrize(
    "query",
    [
        "keepalives_idle=soon", "target_session_attrs=rw", "connect_timeout=soon", "port=1,2,3", "port=99999", "port=0",
        "load_balance_hosts=some", "sslmode=require&ssl_min_protocol_version=TLSv9", "gssencmode=maybe",
        "channel_binding=maybe", "tcp_user_timeout=long", "require_auth=magic", "sslcertmode=never",
    ],
)  # fmt: skip
def test_malformed(query: str) -> None:
    """A parameter that means nothing to libpq is a mistake as well."""
    with pytest.raises(InvalidURL, match="DATABASE_URL cannot be used: ") as refused:
        connect(ConnectionURL.parse(f"postgresql://me:Zx9qWv7k@127.0.0.1/app?{query}", "DATABASE_URL"))
    assert "Zx9qWv7k" not in str(refused.value)


def test_without_tls(refusing: _Refusing) -> None:
    """A server without TLS, as in a Docker network, is told from one that wants more of it."""
    url = ConnectionURL.parse(f"{refusing.url}?sslmode=require", "DATABASE_URL")
    with pytest.raises(ConfigurationError, match="the server has no TLS") as refused:
        connect(url)
    assert "sslmode=disable" in (refused.value.hint or "")


def test_patience() -> None:
    """Connecting ends in time where somebody listens and never answers, and says who."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = ConnectionURL("ADMIN_DATABASE_URL", {"host": "127.0.0.1", "port": str(silent.getsockname()[1]),
                                                   "dbname": "app", "sslmode": "disable"}, patience=1)  # fmt: skip
        with pytest.raises(Unavailable, match=r'the server at "127\.0\.0\.1" does not answer') as refused:
            connect(url)
    assert "ADMIN_DATABASE_URL" in (refused.value.hint or "")
