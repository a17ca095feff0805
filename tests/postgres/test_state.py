"""The embedded server's state file tells how to connect, and shows no password by itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from userscope.errors import LocalServerError
from userscope.postgres import origin
from userscope.postgres.state import ServerState, embedded_url, fallback_home


def test_embedded_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state file of the home counts, then that of the folder that stands in for it; a damaged one is named."""
    monkeypatch.setattr("userscope.postgres.state._ROOT_STATE", tmp_path / "state")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    home = tmp_path / "home"
    with pytest.raises(LocalServerError, match="there is no embedded server yet"):
        embedded_url(home, "admin")
    login = {"user": "postgres", "password": "pw"}
    state = ServerState("/elsewhere", {"admin": login})
    for host, folder in (("/elsewhere", fallback_home(home)), ("/here", home)):
        folder.mkdir(parents=True)
        origin.claim(folder, made=True)
        (folder / "server.json").write_text(replace(state, host=host).text())
        assert embedded_url(home, "admin").params == {**login, "host": host, "port": "5432", "dbname": "app"}
    for text in (
        "{",
        "[]",
        "{}",
        '{"host": "/x", "port": 1, "dbname": "app", "logins": {"admin": {"user": "postgres"}}}',
    ):
        (home / "server.json").write_text(text)
        with pytest.raises(LocalServerError, match="is missing or damaged"):
            embedded_url(home, "admin")


def test_no_secret_shown() -> None:
    """A state that gets into a log shows no password."""
    state = ServerState("/x", {"admin": {"user": "postgres", "password": "Zx9q"}})
    assert "Zx9q" not in repr(state)
    assert "Zx9q" in state.text()
