"""docs/observability.md: what it sets up can be set up, and what it watches is there."""

from typing import Any

import pytest
import sentry_sdk

from tests.clusters import ROOT
from tests.docs import console
from userscope.errors import Conflict
from userscope.testing import Sandbox

FILES = console.files((ROOT / "docs" / "observability.md").read_text(encoding="utf-8"))


def _run(name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(compile(FILES[name], name, "exec"), found)  # noqa: S102  # that is what the page is for
    return found


def test_sentry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its Sentry starts; without SENTRY_DSN it sends nothing."""
    monkeypatch.delenv("SENTRY_DSN", raising=False)
    _run("sentry.py")
    assert not sentry_sdk.get_client().options["include_local_variables"]
    sentry_sdk.init()


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
