"""Tables that ``new-table`` wrote, deployed, and their classes."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest
from sqlmodel import SQLModel

from tests.cli.runner import Done, Runner
from tests.clusters import ROOT, Cluster, Database, cluster_of, make_logins
from tests.fenced import COLUMNS
from userscope.generate.columns import TYPES
from userscope.generate.table import Table
from userscope.migrations import projects, runner

EVERY_TYPE = ["code:text:2", *(f"c_{name}:{name}" for name in TYPES), *(f"n_{name}:{name}:null" for name in TYPES)]


@dataclass(frozen=True)
class Written:
    """A table in a database, with the module of its class: ``Thing`` and what goes with it."""

    table: Table
    database: Database
    module: ModuleType

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)

    @property
    def home(self) -> str:
        """The table itself, behind the fence if there is one."""
        return f"{'app_fenced' if self.table.fenced else 'app'}.{self.table.name}"


def imported(table: Table, folder: Path) -> ModuleType:
    """Write the module of a table's class and import it."""
    path = folder / f"{table.name}.py"
    path.write_text(table.mapping(), encoding="utf-8")
    spec = spec_from_file_location(table.name, path)
    assert spec
    assert spec.loader
    module = sys.modules[table.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def deployed(database: Database, table: Table, folder: Path) -> Written:
    """Run a table's scripts and import its class."""
    scripts = table.scripts("schema", "policies")
    with database.superuser_connection() as connection:
        for project in ("schema", "policies"):
            for kind in ("deploy", "verify"):
                connection.execute(scripts[project, kind].encode())
    return Written(table, database, imported(table, folder))


@pytest.fixture(params=["plain", "fenced"])
def things(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Written]:
    """Things, with a column of every type, without a fence and behind one."""
    name = f"{request.param}_things"
    yield deployed(database, Table.of(name, EVERY_TYPE, "thing", fenced=request.param == "fenced"), tmp_path)
    forget(name)


@pytest.fixture
def secrets(database: Database, tmp_path: Path) -> Iterator[Written]:
    """A fenced table with the columns of todos."""
    yield deployed(database, Table.of("fenced_secrets", COLUMNS, "secret", fenced=True), tmp_path)
    forget("fenced_secrets")


def forget(name: str) -> None:
    """Forget a class that was imported: the next test imports its own."""
    module = sys.modules.pop(name)
    for kind in vars(module).values():
        if isinstance(kind, type) and issubclass(kind, SQLModel) and hasattr(kind, "__table__"):
            SQLModel.metadata.remove(kind.__table__)
            kind._sa_registry._dispose_cls(kind)


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The classes alone, of a table that is nowhere."""
    yield imported(Table.of("other_things", EVERY_TYPE, "thing"), tmp_path_factory.mktemp("classes"))
    forget("other_things")


class Run(Protocol):
    """Runs a module in a folder, on a database; ours in this process, which is quicker."""

    def __call__(
        self, folder: Path, *words: str, database: Database | None = None, more: dict[str, str] | None = None
    ) -> Done: ...


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a module in a folder: ours in this process."""

    def run(folder: Path, *words: str, database: Database | None = None, more: dict[str, str] | None = None) -> Done:
        runner = Runner(folder, capfd, **(database.environment if database else {}), **(more or {}))
        if words[0] == "userscope":
            return runner(*words[1:], code=None)
        command, environment = [sys.executable, "-m", *words], runner.environment
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="module")
def lone() -> Iterator[Cluster]:
    """A cluster of one's own: an audit sees the roles of every test beside it."""
    with cluster_of() as made:
        yield made


@pytest.fixture
def migrated(lone: Cluster) -> Iterator[Database]:
    """A database that the migrations deployed, with their registry."""
    made = lone.database()
    runner.migrate(made.url(), projects.find([ROOT / "schema", ROOT / "policies"]))
    make_logins(made)
    yield made
    made.drop()


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The two projects, as somebody who cloned the repository has them."""
    for name in ("schema", "policies"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
