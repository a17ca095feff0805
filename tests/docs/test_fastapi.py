"""docs/fastapi.md and docs/tokens.md: the service runs, answers curl as is shown, and passes its own tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.clusters import ROOT, unavailable
from tests.docs import console
from tests.issuer import Key, serving
from tests.service.served import served
from userscope.fastapi import attach, service
from userscope.testing import Sandbox

PAGE = "\n".join((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("fastapi", "tokens"))
FILES = console.files(PAGE)
(CONSOLE,) = console.blocks(PAGE, "console")


def test_console(userscope: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page shows of curl is what comes back; a good request is accepted."""
    if shutil.which("curl") is None:
        unavailable("curl is not installed")
    alice = userscope.user("Alice")
    with serving() as issuer:
        trust = issuer.settings()
        monkeypatch.setenv("DATABASE_URL", userscope.settings.url("service").text())
        monkeypatch.setenv("AUTH_JWKS_URL", trust.auth_jwks_url or "")
        monkeypatch.setenv("AUTH_ISSUER", trust.auth_issuer or "")
        monkeypatch.setenv("AUTH_AUDIENCE", trust.auth_audience or "")
        main: dict[str, Any] = {}
        exec(compile(FILES["main.py"], "main.py", "exec"), main)  # noqa: S102  # that is what the page is for
        with served(main["app"]) as client:
            variables = {"TOKEN": issuer.token(alice.id), "URL": str(client.base_url).rstrip("/"), "no_proxy": "*"}
            console.follow(CONSOLE, os.environ | variables, ROOT)
            headers = {"Authorization": f"Bearer {variables['TOKEN']}"}
            assert client.post("/todos", json={"title": "Buy milk"}, headers=headers).status_code == 201
            assert [todo["title"] for todo in client.get("/todos", headers=headers).json()] == ["Buy milk"]


def _run(name: str) -> Any:
    """A file of the page."""
    found: dict[str, Any] = {}
    exec(compile(FILES[name], name, "exec"), found)  # noqa: S102  # that is what the page is for
    return found


def test_own_login(userscope: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's service with a login of its own needs no AUTH_*."""
    alice = userscope.user("Alice")
    monkeypatch.setenv("DATABASE_URL", userscope.settings.url("service").text())
    page = _run("own_login.py")
    page["KEYS"]["hers"] = alice.id
    with TestClient(page["app"]) as client:
        assert client.get("/todos", headers={"X-Key": "hers"}).json() == []
        assert client.get("/todos", headers={"X-Key": "another"}).status_code == 401
        assert "APIKeyHeader" in client.get("/openapi.json").json()["components"]["securitySchemes"]


@pytest.mark.parametrize("algorithm", ["RS256", "HS256"])
def test_other_algorithms(userscope: Sandbox, monkeypatch: pytest.MonkeyPatch, algorithm: str) -> None:
    """The page's service takes an issuer's RS256 as well, and without a JWKS what a login of its own signs."""
    alice, bob = userscope.user("Alice"), userscope.user("Bob")
    monkeypatch.setenv("DATABASE_URL", userscope.settings.url("service").text())
    with serving(algorithm) as issuer:
        trust = issuer.settings()
        for name in ("auth_jwks_url", "auth_issuer", "auth_audience", "auth_algorithms"):
            monkeypatch.setenv(name.upper(), getattr(trust, name) or "")
        if trust.auth_secret:
            monkeypatch.delenv("AUTH_JWKS_URL")
            monkeypatch.setenv("AUTH_SECRET", trust.auth_secret.get_secret_value())
        with TestClient(_run("main.py")["app"]) as client:
            hers, his = ({"Authorization": f"Bearer {issuer.token(user.id)}"} for user in (alice, bob))
            assert client.post("/todos", json={"title": "Buy milk"}, headers=hers).status_code == 201
            assert [todo["title"] for todo in client.get("/todos", headers=hers).json()] == ["Buy milk"]
            assert client.get("/todos", headers=his).json() == []
            forged = {"Authorization": f"Bearer {issuer.token(alice.id, key=Key(algorithm))}"}
            assert client.get("/todos", headers=forged).status_code == 401


def test_later(userscope: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's background task, stream and socket see what their user owns, after the answer."""
    alice = userscope.user("Alice")
    with serving() as issuer:
        trust = issuer.settings()
        monkeypatch.setenv("DATABASE_URL", userscope.settings.url("service").text())
        for name in ("auth_jwks_url", "auth_issuer", "auth_audience"):
            monkeypatch.setenv(name.upper(), getattr(trust, name))
        headers = {"Authorization": f"Bearer {issuer.token(alice.id)}"}
        with TestClient(_run("later.py")["app"]) as client:
            assert client.post("/welcome", headers=headers).status_code == 202
            assert client.get("/titles", headers=headers).text == "Look around\n"
            with client.websocket_connect("/count", headers=headers) as socket:
                for _ in range(2):
                    socket.send_text("how many?")
                    assert socket.receive_json() == 1
                socket.send_text("enough")


def test_issuers() -> None:
    """The page's issuers can be configured, and fetch nothing yet."""
    assert "todo.example" in repr(_run("issuers.py")["verifier"])


@pytest.mark.breadth
def test_own_tests(tmp_path: Path) -> None:
    """The page's tests pass in a folder of their own."""
    ours = ("DATABASE_", "ADMIN_", "AUTH_", "USERSCOPE_", "PYTEST_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["userscope.testing"]\n', encoding="utf-8")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        # Starlette warns of every HTTP client but the newest.
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "--rootdir", tmp_path],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 passed" in done.stdout, done.stdout + done.stderr


def test_figures() -> None:
    """The page's numbers are the code's."""
    from userscope.auth import keys, verifier

    for words in (
        f"{keys.PAUSE} seconds later at the latest",
        f"one fetch in {keys.PAUSE} seconds, after the first {keys.BURST}",
        f"refused {keys.FRESH // 60} minutes and {keys.GRACE} seconds later; an hour",
        f"at most {verifier.MAX_LENGTH} characters",
        f"by\n{verifier.LEEWAY} seconds",
        f"more than {attach.MAX_BODY // 1024} KiB",
        f"at most once in {service._ASKED_EVERY:.0f} seconds",
    ):
        assert words in PAGE, words
    assert keys.LIFE == 3600
