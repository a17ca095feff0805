"""Client programs reach a URL's server, and nobody who looks at the processes of this machine sees a secret of it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

import pytest

from tests.clusters import Database, first_of
from userscope.errors import ConfigurationError
from userscope.postgres import programs
from userscope.postgres.url import ConnectionURL

SECRETS = {"sslpassword": "s3cr3t-ssl", "oauth_client_secret": "s3cr3t-oauth", "oauth_client_id": "an id"}
USERSCOPE = [sys.executable, "-m", "userscope"]


def command_lines(command: list[str], environment: Mapping[str, str], stdin: str = "") -> dict[str, set[str]]:
    """Run a command, and return the command lines of what it started, by program, as everybody can read them."""
    found: dict[str, set[str]] = {}
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin
        process.stdin.write(stdin)
        process.stdin.close()
        while process.poll() is None:
            for child in _children(process.pid):
                try:
                    words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
                except OSError:
                    continue  # it has ended meanwhile
                found.setdefault(Path(words[0]).name, set()).add(" ".join(words))
    assert process.returncode == 0
    return found


def _children(pid: int) -> list[int]:
    children: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += map(int, path.read_text().split())
        except OSError:
            continue
    return children


def secrets_of(url: ConnectionURL) -> set[str]:
    """What must not be seen of a URL."""
    return {url.params[name] for name in ("password", "sslpassword", "oauth_client_secret")}


@pytest.fixture
def urls(database: Database) -> dict[str, ConnectionURL]:
    """The URLs of a migrated database, by variable, with every kind of secret in them."""
    return {
        variable: ConnectionURL(variable, {**ConnectionURL.parse(text, variable).params, **SECRETS})
        for variable, text in database.environment.items()
    }


def environment(urls: Mapping[str, ConnectionURL]) -> dict[str, str]:
    return dict(os.environ) | {variable: url.text() for variable, url in urls.items()}


@pytest.mark.breadth
def test_mutate_shows_no_secret(urls: dict[str, ConnectionURL]) -> None:
    """While a database is copied, the command lines of pg_dump and psql hold nothing of its URL."""
    seen: dict[str, set[str]] = {}
    for _ in range(30):  # on a busy machine one may come and go between two looks
        for program, lines in command_lines([*USERSCOPE, "mutate", "--list"], environment(urls)).items():
            seen.setdefault(program, set()).update(lines)
        if {"pg_dump", "psql"} <= seen.keys():
            break
    assert {"pg_dump", "psql"} <= seen.keys()  # we do look at them
    shown = "".join(line for lines in seen.values() for line in lines)
    assert "--schema-only" in shown
    assert [secret for secret in secrets_of(urls["ADMIN_DATABASE_URL"]) if secret in shown] == []


@pytest.mark.parametrize("acting", first_of(True, False), ids=["user", "admin"])
def test_psql_shows_no_secret(urls: dict[str, ConnectionURL], acting: bool) -> None:
    """Nor does that of ``userscope psql``, whoever it acts for."""
    words = ["--as", str(uuid4())] if acting else []
    command = [*USERSCOPE, "psql", *words, "--", "-c", "select pg_sleep(0.5)"]
    seen = command_lines(command, environment(urls))
    shown = "".join(seen["psql"])
    assert "pg_sleep" in shown  # we do look at it
    url = urls["DATABASE_URL" if acting else "ADMIN_DATABASE_URL"]
    assert [secret for secret in secrets_of(url) if secret in shown] == []


def test_environment(urls: dict[str, ConnectionURL], monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a URL says reaches the program, privately, and nothing else that libpq knows."""
    monkeypatch.setenv("PGHOSTADDR", "192.0.2.1")
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    monkeypatch.setenv("PGOPTIONS", "-c role=postgres")
    url = urls["DATABASE_URL"]
    with programs.environment(url) as made:
        told = {name: text for name, text in made.items() if name.startswith("PG") and name != "PG"}
        service = Path(told.pop("PGSERVICEFILE"))
        assert service.stat().st_mode & 0o777 == 0o600
        assert service.read_text().splitlines() == ["[userscope]", *(f"{k}={v}" for k, v in SECRETS.items())]
        assert told == {
            "PGHOST": url.host,
            "PGPORT": url.params["port"],
            "PGDATABASE": url.params["dbname"],
            "PGUSER": url.user,
            "PGPASSWORD": url.params["password"],
            "PGSERVICE": "userscope",
            "PGCONNECT_TIMEOUT": "10",
        }
    assert not service.exists()


def test_environment_that_no_file_can_hold() -> None:
    """A secret that would be cut short is refused by its name."""
    for text in ("a\nhost=elsewhere", "ends with a blank ", "x" * 2000):
        url = ConnectionURL("DATABASE_URL", {"dbname": "app", "sslpassword": text})
        refused = 'the parameter "sslpassword" of DATABASE_URL cannot be handed to a program'
        with pytest.raises(ConfigurationError, match=refused), programs.environment(url):
            pass
