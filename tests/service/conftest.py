"""The todo service of examples/, running, on one database: its tests make people of their own, who meet nobody else."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from pytest_postgresql.executors import NoopExecutor
from sqlmodel import Session, col, select

from examples.todo_api.app import create_app
from tests.issuer import Issuer, serving
from tests.service.served import served
from userscope.auth import keys, verifier
from userscope.fastapi import current_user_id, install, lifespan
from userscope.models import Todo, User
from userscope.postgres import clones
from userscope.settings import Settings
from userscope.testing import Sandbox, Target


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """The identity provider."""
    with serving() as made:
        yield made


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the issuer is waited for longer than a service would."""
    for module in (keys, verifier):
        monkeypatch.setattr(module, "PATIENCE", 60)


@contextmanager
def sandbox(server: Target, template: NoopExecutor) -> Iterator[Sandbox]:
    """A migrated database until the end of the block, for more tests than one."""
    name = f"sandbox_{secrets.token_hex(4)}"
    clones.clone(server.admin, template.template_dbname, name)
    made = Sandbox(server.settings(name))
    yield made
    made.close()
    clones.drop(server.admin, name)


@pytest.fixture(scope="session")
def world(
    userscope_server: Target,
    userscope_template: NoopExecutor,
    userscope_migrated: object,  # noqa: ARG001  # the template is migrated by then
) -> Iterator[Sandbox]:
    """A migrated database for all tests of this folder that change no more than rows."""
    with sandbox(userscope_server, userscope_template) as made:
        yield made


def trusting(settings: Settings, issuer: Issuer) -> Settings:
    """The settings of a service on that database that trusts this issuer."""
    trusted = issuer.settings()
    names = ("auth_jwks_url", "auth_issuer", "auth_audience")
    return settings.model_copy(update={name: getattr(trusted, name) for name in names})


@pytest.fixture(scope="session")
def settings(world: Sandbox, issuer: Issuer) -> Settings:
    """What the service is configured by."""
    return trusting(world.settings, issuer)


@pytest.fixture(scope="session")
def client(settings: Settings) -> Iterator[httpx.Client]:
    """A client of the service."""
    with served(create_app(settings)) as made:
        yield made


type As = Callable[[User | UUID], dict[str, str]]


@pytest.fixture(scope="session")
def bearer(issuer: Issuer) -> As:
    """``bearer(user)``: headers of a request that a user makes."""
    return lambda user: {"Authorization": f"Bearer {issuer.token(user.id if isinstance(user, User) else user)}"}


@pytest.fixture
def alice(world: Sandbox) -> UUID:
    """A user."""
    return world.user("Alice").id


def titles(session: Session) -> list[str]:
    """What a session sees."""
    return list(session.exec(select(Todo.title).order_by(col(Todo.title))).all())


def attached(settings: Settings, **options: Any) -> FastAPI:
    """An application with all that is installed."""
    app = FastAPI(lifespan=lifespan(settings, **options))
    install(app)
    return app


@pytest.fixture
def acting(settings: Settings, alice: UUID) -> FastAPI:
    """A service whose every request is Alice's."""
    app = attached(settings)
    app.dependency_overrides[current_user_id] = lambda: alice
    return app
