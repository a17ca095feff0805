"""The todo service of examples/, on a database and an issuer of its own."""

from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from examples.todo_api.app import create_app
from tests.issuer import Issuer, serving
from tests.service.served import served
from userscope.models import User
from userscope.settings import Settings
from userscope.testing import Sandbox


@pytest.fixture(scope="session")
def shared_issuer() -> Iterator[Issuer]:
    """An identity provider for tests that leave it as it is."""
    with serving() as issuer:
        yield issuer


@pytest.fixture
def settings(userscope: Sandbox, shared_issuer: Issuer) -> Settings:
    """What the service is configured by."""
    trusted = shared_issuer.settings()
    return userscope.settings.model_copy(
        update={name: getattr(trusted, name) for name in ("auth_jwks_url", "auth_issuer", "auth_audience")}
    )


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the service, which runs."""
    with served(create_app(settings)) as made:
        yield made


class As:
    """Headers of a request that a user makes."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def __call__(self, user: User | UUID) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.issuer.token(user.id if isinstance(user, User) else user)}"}


@pytest.fixture
def bearer(shared_issuer: Issuer) -> As:
    """``bearer(user)``: headers of a request that a user makes."""
    return As(shared_issuer)
