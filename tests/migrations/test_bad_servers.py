"""Servers that cannot be migrated: one clear sentence with its cure, no secret, nothing half done."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from tests.clusters import Cluster, Database
from tests.migrations.conftest import dump, rows
from tests.migrations.proxy import proxy
from tests.migrations.sketch import Sketch, write
from userscope.errors import ConfigurationError, MigrationError, RegistryError, Unavailable, UserscopeError
from userscope.local.throwaway import throwaway
from userscope.migrations import inspection, runner
from userscope.migrations.projects import Project
from userscope.postgres.url import ConnectionURL

A = Sketch.table("a")
SECRET = "s3cr3t-pa55"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project of one change."""
    return write(tmp_path / "p", A)


def refused(url: ConnectionURL, project: Project, error: type[UserscopeError], message: str) -> UserscopeError:
    """Expect an error with its cure and without a secret."""
    with pytest.raises(error) as failed:
        runner.migrate(url, [project])
    assert message in failed.value.message
    assert failed.value.hint
    assert SECRET not in str(failed.value)
    return failed.value


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[ConnectionURL]:
    """A server of something else on a TCP port: ``answer`` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                while True:
                    connection = listener.accept()[0]
                    with connection:
                        answer(connection)
            except OSError:
                return

        thread = threading.Thread(target=serve)
        thread.start()
        port = listener.getsockname()[1]
        url = f"postgresql://ada:{SECRET}@127.0.0.1:{port}/x?connect_timeout=2"
        yield ConnectionURL.parse(url, "ADMIN_DATABASE_URL")
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_nobody_listens(project: Project) -> None:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = ConnectionURL.parse(f"postgresql://ada:{SECRET}@127.0.0.1:{port}/x", "ADMIN_DATABASE_URL")
    failure = refused(url, project, Unavailable, "the server cannot be reached")
    assert "Connection refused" in (failure.detail or "")
    assert f"The URL is postgresql://ada:***@127.0.0.1:{port}/x." in (failure.detail or "")
    assert "ADMIN_DATABASE_URL" in (failure.hint or "")


def test_unknown_host(project: Project) -> None:
    """A host that does not exist."""
    url = ConnectionURL.parse(f"postgresql://ada:{SECRET}@nowhere.invalid/x", "ADMIN_DATABASE_URL")
    failure = refused(url, project, Unavailable, "the server cannot be reached")
    assert "postgresql://ada:***@nowhere.invalid/x" in (failure.detail or "")


def test_other_server(project: Project) -> None:
    """A server that speaks another language."""

    def http(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(http) as url:
        refused(url, project, Unavailable, "the server cannot be reached")


def test_silent_server(project: Project) -> None:
    """A server that takes the connection and never says a word: waiting has an end."""
    done = threading.Event()

    def say_nothing(_connection: socket.socket) -> None:
        done.wait()

    with listening(say_nothing) as url:
        refused(url, project, Unavailable, 'the server at "127.0.0.1" does not answer')
        done.set()


def test_wrong_password(empty: Database, project: Project) -> None:
    """A password that the server does not accept."""
    url = ConnectionURL("ADMIN_DATABASE_URL", {**empty.url().params, "password": SECRET})
    failure = refused(url, project, ConfigurationError, "PostgreSQL refused the login")
    assert 'password authentication failed for user "owner_superuser"' in (failure.detail or "")
    assert "ADMIN_DATABASE_URL" in (failure.hint or "")


def test_no_database(empty: Database, project: Project) -> None:
    """A database that does not exist."""
    url = empty.url().on("nowhere")
    failure = refused(url, project, ConfigurationError, "PostgreSQL refused the login")
    assert 'database "nowhere" does not exist' in (failure.detail or "")


def test_old_server(empty: Database, project: Project) -> None:
    """PostgreSQL 14: the server is 18, but the proxy lets it tell another version."""
    version = b"%06d" % _version(empty)
    with proxy(empty.url()) as through:
        through.rewrite = (version, b"140020")
        refused(through.through, project, RegistryError, "is too old")
        through.rewrite = (version, b"150000")
        assert runner.migrate(through.through, [project]) == ["p:a"]


def _version(database: Database) -> int:
    with database.superuser_connection() as connection:
        return connection.info.server_version


def test_replica(project: Project) -> None:
    """A standby is refused for writing; it can be asked how things stand."""
    with throwaway() as server:
        database = Cluster(server, 18).database()
        runner.migrate(database.url(), [project])
        server.stop()
        assert server.folder is not None
        (server.folder / "data" / "standby.signal").touch()
        server.start()
        more = write(project.folder, A, Sketch.table("b"))
        failure = refused(database.url(), more, RegistryError, "the server is a read-only replica")
        assert "primary" in (failure.hint or "")
        assert inspection.status(database.url(), [more])[0].pending == ["p:b"]
        assert runner.migrate(database.url(), [more], dry_run=True) == ["p:b"]
        verified, _ = inspection.verify(database.url(), [more])
        assert [result.problems for result in verified] == [[]]


def test_read_only_database(empty: Database, project: Project) -> None:
    """A database that only reads by default."""
    with empty.superuser_connection() as connection:
        name = sql.Identifier(empty.name)
        connection.execute(sql.SQL("alter database {} set default_transaction_read_only = on").format(name))
    refused(empty.url(), project, RegistryError, "the session only reads")


def test_role_without_rights(cluster: Cluster, project: Project, tmp_path: Path) -> None:
    """A role that may not create anything, and one that may not make roles: told with the right that is missing."""
    database = cluster.database("plain")
    cluster.create_login("bystander")
    params = {**database.url().params, "user": "bystander", "password": cluster.passwords["bystander"]}
    failure = refused(ConnectionURL("URL", params), project, RegistryError, "permission denied for database")
    assert "owner" in (failure.hint or "")
    with database.superuser_connection() as connection:
        connection.execute(sql.SQL("grant create on database {} to bystander").format(sql.Identifier(database.name)))
    makes_role = replace(A, deploy="begin;\ncreate role made_by_bystander;\ncommit;\n")
    failure = refused(
        ConnectionURL("URL", params),
        write(tmp_path / "q", makes_role, name="q"),
        MigrationError,
        "permission denied to create role",
    )
    assert failure.hint or failure.detail
    assert "CREATEROLE" in str(failure)
    database.drop()


def test_no_space(empty: Database, tmp_path: Path) -> None:
    """A disk that is full: the change is gone, and the cure is told."""
    full = "begin; create table public.a (id integer); copy (select generate_series(1, 99999)) to '/dev/full'; commit;"
    failure = refused(empty.url(), write(tmp_path / "p", replace(A, deploy=full)), MigrationError, "No space left")
    assert "disk space" in (failure.hint or "")
    assert "public.a" not in dump(empty)


def test_connection_ended(empty: Database, tmp_path: Path) -> None:
    """A connection that an administrator ends: the change is gone, and running again is the cure."""
    suicide = "begin;\ncreate table public.a (id integer);\nselect pg_terminate_backend(pg_backend_pid());\ncommit;\n"
    failure = refused(
        empty.url(),
        write(tmp_path / "p", replace(A, deploy=suicide)),
        Unavailable,
        "the connection to the server was lost",
    )
    assert "again" in (failure.hint or "")
    assert "public.a" not in dump(empty)
    assert not rows(empty)["changes"]


def test_too_many_connections(cluster: Cluster, empty: Database, project: Project) -> None:
    """A database that takes no more connections."""
    cluster.create_login("crowd")
    with empty.superuser_connection() as connection:
        connection.execute("alter role crowd connection limit 0")
    params = {**empty.url().params, "user": "crowd", "password": cluster.passwords["crowd"]}
    refused(ConnectionURL("URL", params), project, Unavailable, "the server cannot be reached")
