"""``make example`` begins nothing that it cannot finish, says what is missing, and leaves nothing running."""

import signal
import socket
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.example.running import fail, running
from tests.versions import first_of
from userscope.local.server import Server


@pytest.mark.breadth
def test_port_taken(folder: Path) -> None:
    """A port that is taken is named before anything is begun."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, said = fail(folder, PORT=port)
    assert code == 2
    assert said == (
        f'ERROR:  port "{port}" cannot be used: address already in use\nHINT:  Choose another: make example PORT=8001\n'
    )
    assert list(folder.iterdir()) == []


@pytest.mark.breadth
@pytest.mark.parametrize("port", first_of("99999", "many"))
def test_no_port(folder: Path, port: str) -> None:
    """What is no port is refused."""
    code, said = fail(folder, PORT=port)
    assert code == 2
    assert said.startswith(f'ERROR:  port "{port}" cannot be used: ')


@pytest.mark.breadth
@pytest.mark.parametrize("version", first_of("v18.20.4", None))
def test_no_node(folder: Path, tmp_path: Path, version: str | None) -> None:
    """Without Node.js, or with one too old, it says what to install, and begins nothing."""
    if version:
        old = tmp_path / "node"
        old.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
        old.chmod(0o755)
    code, said = fail(folder, PATH=str(tmp_path))
    assert code == 2
    assert said == (
        ("ERROR:  Node.js v18.20.4 is too old for Better Auth\n" if version else
         'ERROR:  the program "node" was not found\n'
         "DETAIL:  It is needed to run Better Auth, which is written in TypeScript.\n")
        + "HINT:  Install Node.js 20 or newer with npm (Debian and Ubuntu: apt-get install nodejs npm).\n"
    )  # fmt: skip
    assert list(folder.iterdir()) == []


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_no_secret(folder: Path) -> None:
    """Keys are never encrypted with what anybody could guess: without a password, a secret is asked for."""
    for login in ("todo_auth", "todo_auth:"):
        urls = dict.fromkeys(("DATABASE_URL", "AUTH_DATABASE_URL"), f"postgresql://{login}@localhost:1/todo")
        code, said = fail(folder, **urls)
        assert code == 2
        assert said == (
            "ERROR:  BETTER_AUTH_SECRET is not set\n"
            "DETAIL:  It names what keys are encrypted with, and AUTH_DATABASE_URL has no password to make it of.\n"
            'HINT:  Set it in the environment, for good, to what "openssl rand -base64 32" prints.\n'
        )
    _, said = fail(folder, **urls, BETTER_AUTH_SECRET="x" * 40)
    assert "ERROR:  Better Auth cannot start: " in said, "the control: with one it goes on"


@pytest.fixture
def home(folder: Path) -> Path:
    """Where a server of the test's own will be, or not be."""
    return folder / "home"


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_stop(home: Path) -> None:
    """Told to stop, it stops all of it, PostgreSQL as well; started again, what people had is still there."""
    for how, expected in ((signal.SIGTERM, "sign up"), (signal.SIGINT, "sign in")):
        with running(home) as example, example.person() as ann:
            if expected == "sign up":
                ann.signed_up("ann@example.com")
                ann.add(ann.token(), "Buy milk")
            else:
                assert ann.sign_in("ann@example.com").status_code == 200
                assert ann.titles(ann.token()) == ["Buy milk"]
            example.process.send_signal(how)
            assert example.process.wait(timeout=60) == 0
            for url in (example.page, example.auth):
                with pytest.raises(httpx.ConnectError):
                    httpx.get(url)
        assert not Server(home).running


@pytest.mark.breadth
@pytest.mark.usefixtures("node")
def test_a_server_that_ran_before(home: Path) -> None:
    """PostgreSQL is left running where it ran before."""
    Server(home).start()
    with running(home) as example:
        assert httpx.get(f"{example.page}/readyz").json() == {"status": "ready"}
    assert Server(home).running
    with psycopg.connect(Server(home).url("admin").conninfo()) as connection:
        assert connection.execute("select to_regclass('app.todos') is not null").fetchone() == (True,)
