"""A pytest plugin for services built on userscope: ``pytest_plugins = ["userscope.testing"]`` in conftest.py.

The fixture ``userscope`` is a migrated database of one's own for each test. It stands on an embedded server that is
thrown away at the end; where ADMIN_DATABASE_URL is set, and local, on clones of that database instead, so that
"userscope mutate" reaches it. See docs/testing.md.

PYTEST_DONT_REWRITE: nothing is asserted here, and a conftest.py may import it before pytest does.
"""

from userscope.errors import MissingExtra

try:
    import pytest_postgresql  # noqa: F401  # whether it is there
except ModuleNotFoundError as error:
    raise MissingExtra("pytest-postgresql", "testing") from error

from userscope.testing.asynchronous import AsyncSandbox
from userscope.testing.plugin import (
    userscope,
    userscope_async,
    userscope_clone,
    userscope_migrated,
    userscope_projects,
    userscope_server,
    userscope_template,
)
from userscope.testing.proxy import Proxy, Trips
from userscope.testing.reach import reach
from userscope.testing.sandbox import Sandbox, Target, denied

__all__ = [
    "AsyncSandbox",
    "Proxy",
    "Sandbox",
    "Target",
    "Trips",
    "denied",
    "reach",
    "userscope",
    "userscope_async",
    "userscope_clone",
    "userscope_migrated",
    "userscope_projects",
    "userscope_server",
    "userscope_template",
]
