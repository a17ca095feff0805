"""A server that accepts and never answers: every command ends by itself, and names what it tried to reach."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.versions import first_of

COMMANDS = [
    "migrate", "status", "verify", "check", "log", "revert --all --yes", "health", "create-login x --role app_user",
    "audit", "seal-key new", "seal-key list", "seal-key retire x", "seal-key require --yes", "seal-key relax --yes",
    "sample-data", "psql --as 0f4d3f8c-58b4-4b8e-9a3e-2f0f3f1c2d3e", "psql", "probe",
    "audit --drift", "protect public.item --owner owner_id", "mutate -- true",
]  # fmt: skip


@pytest.fixture
def silent(folder: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Runner]:
    """The command line, configured for such a server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"postgresql://me:Zx9qWv7k@127.0.0.1:{listening.getsockname()[1]}/app?sslmode=disable"
        variables = dict.fromkeys(("DATABASE_URL", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL"), url)
        yield Runner(folder, capfd, DATABASE_POOL_TIMEOUT="1", **variables)


@pytest.mark.parametrize("command", first_of(*COMMANDS))
def test_ends(silent: Runner, command: str) -> None:
    """The same words everywhere, with the variable and the host."""
    said = silent(*command.split(), code=2).stderr
    assert '127.0.0.1" does not answer' in said
    assert "DATABASE_URL" in said
    assert "last statement" not in said
    assert "Zx9qWv7k" not in said
