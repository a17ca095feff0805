"""docs/observability.md: what it sets up can be set up, and what it watches is there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clusters import ROOT
from tests.docs import console
from userscope.errors import Conflict
from userscope.testing import Sandbox

FILES = console.files((ROOT / "docs" / "observability.md").read_text(encoding="utf-8"))


def _run(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(FILES[name], name, "exec"), found)  # noqa: S102  # that is what the page is for
    return found


@pytest.mark.breadth
def test_sentry(tmp_path: Path) -> None:
    """Its Sentry starts; without SENTRY_DSN it sends nothing. In a process of its own: it wraps what others use."""
    said = "print(sentry_sdk.get_client().options['include_local_variables'], sentry_sdk.get_client().dsn)"
    (tmp_path / "sentry.py").write_text(f"{FILES['sentry.py']}\n{said}\n", encoding="utf-8")
    environment = {name: text for name, text in os.environ.items() if name != "SENTRY_DSN"}
    command = [sys.executable, str(tmp_path / "sentry.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "False None\n"


def test_metrics(userscope: Sandbox) -> None:
    """Its gauges follow the pool, its counter names classes."""
    page = _run("metrics.py")
    db = userscope.database
    with userscope.reading_as(userscope.user()) as session:
        session.connection()
        assert page["gauges"](db) == {"connections_in_use": 1, "connections": 5}
    assert page["gauges"](db)["connections_in_use"] == 0
    page["count"](Conflict("taken"))
    assert page["refused"] == {"Conflict": 1}
