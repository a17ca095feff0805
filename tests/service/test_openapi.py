"""The OpenAPI description holds: what is generated from it gets no 5xx, and no answer that it does not describe."""

import os
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from examples.todo_api.app import create_app
from tests.service.conftest import As
from tests.versions import first_of
from userscope.testing import Sandbox

EXAMPLES = int(os.environ.get("USERSCOPE_SCHEMATHESIS", "12"))
"""How many requests of each kind to generate for each operation."""

OPERATIONS = [
    (path, method, mode)
    for path, methods in create_app().openapi()["paths"].items()
    for method, operation in methods.items()
    for mode in ("positive", "negative")
    if mode == "positive" or operation.keys() & {"parameters", "requestBody"}
]


@pytest.fixture(scope="module")
def described(client: httpx.Client) -> Any:
    """The description that the service gives of itself."""
    import schemathesis  # here, since it is slow to import, and every worker would

    return schemathesis.openapi.from_url(str(client.base_url.join("/openapi.json")))


@pytest.fixture(scope="module")
def somebody(world: Sandbox, bearer: As) -> dict[str, str]:
    """Whose todos they are."""
    return bearer(world.user("Somebody"))


@pytest.mark.parametrize(("path", "method", "mode"), first_of(*reversed(OPERATIONS)))
def test_as_described(described: Any, somebody: dict[str, str], path: str, method: str, mode: str) -> None:
    """Every answer to every operation has a status, a media type, headers and a body that are described.

    Requests are generated that fit the description, which must be accepted, and that do not, which must be refused.
    """

    from schemathesis import GenerationMode

    @given(case=described[path][method].as_strategy(generation_mode=GenerationMode(mode)))
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(headers=somebody)

    ask()
