"""Node.js, which pip cannot bring."""

import pytest

from examples.todo_api.better_auth import install
from tests.clusters import unavailable
from userscope.errors import ConfigurationError


@pytest.fixture(scope="session")
def node() -> None:
    """Node.js with Better Auth installed."""
    try:
        install(print)
    except ConfigurationError as error:
        unavailable(error.message)
