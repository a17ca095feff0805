"""The fixtures: a server for the run, a migrated template, and a clone of it for each test."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pytest_postgresql import factories
from pytest_postgresql.executors import NoopExecutor

from userscope.admin.logins import ensure_all
from userscope.local.throwaway import throwaway
from userscope.migrations import projects, runner
from userscope.migrations.projects import Project
from userscope.postgres import clones
from userscope.postgres.connect import connect
from userscope.settings import Settings
from userscope.testing.asynchronous import AsyncSandbox
from userscope.testing.sandbox import Sandbox, Target


@pytest.fixture(scope="session")
def userscope_server() -> Iterator[Target]:
    """The server: the one of ADMIN_DATABASE_URL, which must be local, or one that is thrown away.

    Only the environment counts: a .env file is for development, and names a database that tests must not touch.
    """
    settings = Settings(_env_file=None)
    if settings.admin_database_url is not None:
        settings.require_local("userscope.testing")
        admin, service = settings.url("admin"), settings.url("service")
        auth = settings.url("auth") if settings.auth_database_url else None
        yield Target(admin, service, auth, settings.userscope_seal_key, admin.params["dbname"])
        return
    with throwaway() as server:
        yield Target(server.url("admin"), server.url("service"), server.url("auth"))


@pytest.fixture(scope="session")
def userscope_projects() -> list[Project]:
    """What is deployed: ours and what ``[tool.userscope]`` names, as "userscope migrate" would.

    Override it for projects that stand elsewhere: ``return projects.find([Path("db/schema"), Path("db/policies")])``.
    """
    return projects.find()


# A name of its own: two runs may share a server, and what a killed run left behind must not stop the next.
userscope_template = factories.postgresql_noproc(
    depends_on="userscope_server", dbname=f"userscope_tests_{secrets.token_hex(4)}"
)
"""The database that is migrated once; pytest-postgresql's own fixture."""
userscope_clone = factories.postgresql("userscope_template")
"""A connection of the admin's to a copy of it, which lasts for one test."""


@pytest.fixture(scope="session")
def userscope_migrated(
    userscope_server: Target, userscope_projects: list[Project], userscope_template: NoopExecutor
) -> list[tuple[str, str]]:
    """Migrate the template, unless it is a copy; return who has which privilege on the database itself."""
    template = userscope_template.template_dbname
    if userscope_server.template_dbname is None:
        runner.migrate(userscope_server.admin.on(template), userscope_projects)
        ensure_all(userscope_server.settings(template))
    with connect(userscope_server.admin.on("postgres")) as connection:
        return clones.acl(connection, userscope_server.template_dbname or template)


@pytest.fixture
def userscope(
    userscope_server: Target,
    userscope_migrated: list[tuple[str, str]],
    userscope_clone: psycopg.Connection[tuple[Any, ...]],
) -> Iterator[Sandbox]:
    """A migrated database for this test alone; what the test commits is gone afterwards."""
    name = userscope_clone.info.dbname
    userscope_clone.close()
    with connect(userscope_server.admin.on("postgres"), autocommit=True) as connection:
        clones.set_acl(connection, name, userscope_migrated)
    sandbox = Sandbox(userscope_server.settings(name))
    yield sandbox
    sandbox.close()


@pytest.fixture
def userscope_async(userscope: Sandbox) -> Iterator[AsyncSandbox]:
    """The same database, as asyncio services use it: for tests that pytest-asyncio or anyio run."""
    sandbox = AsyncSandbox(userscope.settings)
    yield sandbox
    asyncio.run(sandbox.close())
