"""``opentelemetry-instrument`` around the example: it starts, serves, and its spans tell statements and no values."""

import json
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clusters import ROOT
from tests.docs.console import PATH
from tests.issuer import Issuer
from tests.processes import eventually
from tests.service.conftest import trusting
from userscope.testing import Sandbox


def _spans(printed: str) -> list[dict[str, Any]]:
    """What the console exporter wrote: one JSON object after another."""
    return [json.loads(text) for text in re.findall(r"^\{\n.*?^\}", printed, re.MULTILINE | re.DOTALL)]


def _up(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.breadth
def test_example(world: Sandbox, issuer: Issuer, tmp_path: Path) -> None:
    """A todo is written and read; both statements have a span below their request's."""
    alice = world.user("Alice")
    settings = trusting(world.settings, issuer)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {name: text for name, text in os.environ.items() if "DATABASE" not in name} | {
        "PATH": PATH,
        "DATABASE_URL": settings.url("service").text(),
        "AUTH_JWKS_URL": settings.auth_jwks_url or "",
        "AUTH_ISSUER": settings.auth_issuer or "",
        "AUTH_AUDIENCE": settings.auth_audience or "",
        "OTEL_TRACES_EXPORTER": "console",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_BSP_SCHEDULE_DELAY": "100",  # milliseconds
    }
    command = ["opentelemetry-instrument", "uvicorn", "--factory", "examples.todo_api.app:create_app"]
    log = tmp_path / "spans"
    with log.open("w") as spans:
        service = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, env=environment, stdout=spans)
        try:
            headers = {"Authorization": f"Bearer {issuer.token(alice.id)}"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, trust_env=False) as client:
                eventually(lambda: _up(client))
                assert client.post("/todos", json={"title": "Zx9q"}).status_code == 201
                assert [todo["title"] for todo in client.get("/todos").json()["items"]] == ["Zx9q"]
            eventually(lambda: '"GET /todos"' in log.read_text(encoding="utf-8"))
        finally:
            service.terminate()
            service.wait(60)
    printed = log.read_text(encoding="utf-8")
    found = _spans(printed)
    requests = {span["context"]["span_id"]: span["name"] for span in found if "/todos" in span["name"]}
    below = {(requests.get(span["parent_id"], ""), span["name"].split()[0]) for span in found if span["parent_id"]}
    assert {("POST /todos", "INSERT"), ("GET /todos", "SELECT")} <= below
    password = settings.url("service").params["password"]
    assert [secret for secret in (str(alice.id), "Zx9q", "set_user_id", password) if secret in printed] == []
