"""What the auth server prints is read to the end, whatever it is: its own lines are understood, others are logged."""

from pathlib import Path
from queue import SimpleQueue

import pytest

from examples.todo_api.better_auth import AuthServer, AuthServerError

_ODD = [b"{ no JSON", b"{", b'{"level": "warn"}', b"[1]", b"7", b"{\xff}", b"[" * 100_000, b"plain"]
_MAIL = {"subject": "Verify", "to": "ann@example.com", "url": "http://127.0.0.1/"}


def _prints(folder: Path, monkeypatch: pytest.MonkeyPatch, *lines: bytes) -> None:
    """Let "node" be a program that prints these lines, and ends."""
    (folder / "lines").write_bytes(b"\n".join([*lines, b""]))
    program = folder / "node"
    program.write_text(f"#!/bin/sh\nexec /bin/cat '{folder}/lines'\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_odd_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is neither readiness nor a mail goes to the log, and stops nothing: not even very many do."""
    ready, mail = b'{"ready": true, "url": "http://127.0.0.1:1"}', str(_MAIL).replace("'", '"').encode()
    _prints(tmp_path, monkeypatch, *_ODD, ready, *[b"{ and on"] * 100_000, mail)
    mails: SimpleQueue[dict[str, str]] = SimpleQueue()
    with (tmp_path / "log").open("w", encoding="utf-8") as log, AuthServer({}, mail=mails.put, log=log) as server:
        assert server.url == "http://127.0.0.1:1"
        assert mails.get(timeout=30) == _MAIL
        assert server.process.wait(timeout=30) == 0
    said = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert said == [*(line.decode(errors="replace") for line in _ODD), *["{ and on"] * 100_000]


def test_never_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that ends before it is ready is not waited for."""
    _prints(tmp_path, monkeypatch, *_ODD)
    with (
        (tmp_path / "log").open("w", encoding="utf-8") as log,
        pytest.raises(AuthServerError, match="did not start"),
        AuthServer({}, mail=print, log=log),
    ):
        pass
    assert (tmp_path / "log").read_text(encoding="utf-8").endswith("plain\n")
