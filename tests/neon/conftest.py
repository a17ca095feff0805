"""A project for the tests of a module, migrated and sealed as docs/neon.md tells, and the command line for it."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from tests.cli.runner import Runner
from tests.neon.rig import OWNER, Project, project
from tests.versions import binaries
from userscope import Accounts
from userscope.admin import seals
from userscope.admin.logins import create_login
from userscope.migrations import projects, runner
from userscope.settings import Settings

type MakeRunner = Callable[..., Runner]
"""``make(**settings)``: the command line with these settings, for the owner unless they say otherwise."""


@dataclass(frozen=True)
class Service:
    """A migrated and sealed project with the logins todo_service and todo_auth."""

    project: Project
    key: str

    def settings(self, *, pooled: bool = True, **values: object) -> Settings:
        """What a service is configured with."""
        given = {
            "database_url": self.project.text("todo_service", pooled=pooled),
            "auth_database_url": self.project.text("todo_auth", pooled=pooled),
            "userscope_seal_key": self.key,
            "database_pool_timeout": 20,
        }
        return Settings(_env_file=None, **(given | values))

    def user(self, name: str) -> UUID:
        """Make a user, over the pooled host."""
        with Accounts(self.settings()) as accounts:
            return accounts.create(f"{name}@example.org", name=name).id

    def titles(self, user: UUID) -> list[str]:
        """What is really stored for a user, in order."""
        with self.project.superuser() as connection:
            rows = connection.execute("select title from app.todos where owner_id = %s order by title", [user])
            return [title for (title,) in rows]


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """A service that is ready to run."""
    with project() as made:
        admin = made.url(OWNER)
        runner.migrate(admin, projects.find())
        logins: dict[str, str] = {"todo_service": "app_user", "todo_auth": "app_auth"}
        for name, role in logins.items():
            made.adopt(create_login(admin, name, role).text())
        key, _ = seals.add(admin)
        seals.require(admin)
        yield Service(made, key.text())


@pytest.fixture
def make_runner(folder: Path, capfd: pytest.CaptureFixture[str], service: Service) -> MakeRunner:
    """Makes command lines; the psql on their PATH speaks TLS, which the embedded one does not."""

    def make(**settings: str) -> Runner:
        given = {"ADMIN_DATABASE_URL": service.project.text(OWNER)} | settings
        made = Runner(folder, capfd, **given)
        made.environment["PATH"] = f"{binaries(17, tls=True).bindir}:{os.environ['PATH']}"
        return made

    return make
