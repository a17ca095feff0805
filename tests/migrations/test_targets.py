"""--target is the database, and what else sqitch.conf says of it, as for Sqitch; what it does not name runs nothing."""

from pathlib import Path

import pytest

from tests.cli.runner import Runner, ledger
from tests.clusters import Database
from tests.migrations import sqitch
from tests.migrations.conftest import rows
from tests.migrations.sketch import Sketch, write
from userscope.errors import ConfigurationError, InvalidURL, PooledHost
from userscope.migrations.projects import find, load
from userscope.migrations.targets import url_of

A = Sketch(
    "a", "begin;\ncreate table public.:name (id integer);\ncommit;\n", "drop table public.:name;\n", "select 1;\n"
)
B, C = Sketch.table("b"), Sketch.table("c")
SERVER = ("host", "port", "user", "password")


@pytest.fixture
def cli(folder: Path, empty: Database, other: Database, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line, whose admin's database is another than the targets'."""
    server = {f"PG{name.upper()}": empty.url().params[name] for name in SERVER}
    return Runner(folder, capfd, ADMIN_DATABASE_URL=other.url().text(), **server, **sqitch.environment())


def configured(folder: Path, uri: str, *more: str, name: str = "prod") -> Path:
    """Add a target to a project's sqitch.conf."""
    lines = "".join(f"\t{line}\n" for line in more)
    with (folder / "sqitch.conf").open("a", encoding="utf-8") as file:
        file.write(f'[target "{name}"]\n\turi = {uri}\n{lines}[target "{name}.variables"]\n\tname = thing\n')
    return folder


def test_with_sqitch(cli: Runner, empty: Database, other: Database) -> None:
    """Deployed half by us and half by Sqitch, found up to date by both, reverted by both: a target is one place."""
    folder = write(cli.folder / "p", A, B, C).folder
    configured(folder, f"db:pg:{empty.name}", "registry = ops", "top_dir = sql", "extension = ddl")
    (folder / "sql").mkdir()
    (folder / "sqitch.plan").rename(folder / "sql" / "sqitch.plan")
    for kind in ("deploy", "revert", "verify"):
        for script in (folder / kind).iterdir():
            script.rename(script.with_suffix(".ddl"))
        (folder / kind).rename(folder / "sql" / kind)
    on = ("--target", "prod", "--project", "p")
    assert ledger(cli("migrate", *on, "--to", "b").stdout) == ["  + p:a .. ok", "  + p:b .. ok"]
    sqitch.run(folder, empty.url(), "deploy", "--verify", target="prod")
    assert "up-to-date" in cli("status", *on).stdout
    assert "up-to-date" in sqitch.run(folder, empty.url(), "status", target="prod").output
    assert cli("migrate", *on).stdout == "Nothing to deploy (up-to-date)\n"
    assert "Verify successful" in cli("verify", *on).stdout
    assert "Check successful" in cli("check", *on).stdout
    assert cli("log", *on).stdout.count("Deploy ") == 3
    with empty.superuser_connection() as connection:
        query = "select relnamespace::regnamespace::text from pg_class where relname in ('thing', 'changes') order by 1"
        assert connection.execute(query).fetchall() == [("ops",), ("public",)]
    assert rows(other) == {}, "the admin's database was not asked for"
    cli("revert", *on, "--to", "a", "--yes")
    sqitch.run(folder, empty.url(), "revert", "-y", target="prod")
    assert "No changes deployed" in cli("status", *on, code=1).stdout


@pytest.mark.parametrize(
    ("uri", "params"),
    [
        ("db:pg:shop", {"dbname": "shop", "host": "/run/pg", "user": "eve"}),
        ("db:postgresql:shop?connect_timeout=7", {"dbname": "shop", "connect_timeout": "7"}),
        ("db:postgres://ada:s%40fe@localhost:5433/shop%20two", {"user": "ada", "password": "s@fe", "port": "5433"}),
        ("db:pgsql:///shop", {"dbname": "shop", "host": "/run/pg"}),
        ("db:PG://ada@localhost", {"dbname": "ada", "user": "ada"}),
        ("db:pg:", {"dbname": "eve"}),
        ("db:pg://far.example/shop", {"host": "far.example", "sslmode": "require"}),
    ],
)  # fmt: skip
def test_uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, params: dict[str, str]) -> None:
    """A target's URI is read as Sqitch reads it; what it leaves out comes from libpq's variables."""
    monkeypatch.setenv("PGHOST", "/run/pg")
    monkeypatch.setenv("PGUSER", "eve")
    project = load(configured(write(tmp_path / "p", B).folder, uri))
    found = url_of([project], "prod").params
    assert found.items() >= params.items()
    assert url_of([project], uri).params == found, "or it is given itself"


def test_login_from_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sqitch's own variables go before what the URI says."""
    monkeypatch.setenv("SQITCH_USERNAME", "owner")
    monkeypatch.setenv("SQITCH_PASSWORD", "s e")
    project = load(configured(write(tmp_path / "p", B).folder, "db:pg://ada:x@localhost/shop"))
    found = url_of([project], "prod").params
    assert (found["user"], found["password"]) == ("owner", "s e")


REFUSED = {
    "prodd": ('cannot find target "prodd"', 'has the targets "empty", "mysql", "pooled", "prod"'),
    "empty": ('no URI is associated with target "empty"', "target.empty.uri"),
    "mysql": ('target "mysql" is no PostgreSQL database', '"db:mysql:"'),
    "postgresql://u:Zx9q@localhost/shop": ("--target is no PostgreSQL database", "db:pg://USER@HOST/DATABASE"),
    "pooled": ('target "pooled" names the pooled host "ep-a-pooler.neon.tech"', ""),
}


@pytest.mark.parametrize("target", REFUSED)
def test_refused(tmp_path: Path, target: str) -> None:
    """A target that is not there, or nowhere we could go, is told; never with its password."""
    folder = configured(write(tmp_path / "p", B).folder, "db:pg:shop")
    for name, uri in (
        ("empty", ""),
        ("mysql", "db:mysql://u:Zx9q@h/shop"),
        ("pooled", "db:pg://ep-a-pooler.neon.tech/x"),
    ):
        configured(folder, uri, name=name)
    with pytest.raises((ConfigurationError, InvalidURL, PooledHost)) as refused:
        url_of([load(folder, target)], target)
    for words in REFUSED[target]:
        assert words in str(refused.value)
    assert "Zx9q" not in str(refused.value)


def test_two(cli: Runner, empty: Database, other: Database) -> None:
    """Two targets, or one that is two databases in two projects, are one error, and nothing is run."""
    one = configured(write(cli.folder / "one", B).folder, f"db:pg:{empty.name}")
    two = configured(write(cli.folder / "two", C, name="q").folder, f"db:pg:{other.name}")
    both = ("--project", str(one), "--project", str(two))
    refused = cli("migrate", "--target", "prod", *both, code=2).stderr
    assert 'target "prod" is one database in "p" and another in "q"' in refused
    refused = cli("migrate", "--target", "prod", "--target", "test", *both, code=2).stderr
    assert "--target was given 2 times: prod, test" in refused
    assert rows(empty) == rows(other) == {}


def test_ours_go_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What userscope brings has no targets: it goes where the own projects' target is."""
    own = configured(write(tmp_path / "db", Sketch.table("b", "policies:access"), name="own").folder, "db:pg:shop")
    (tmp_path / "pyproject.toml").write_text('[tool.userscope]\nprojects = ["db"]\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    projects = find(target="prod")
    assert [project.name for project in projects] == ["schema", "policies", "own"]
    assert url_of(projects, "prod").params["dbname"] == "shop"
    assert projects[-1].folder == own
    with pytest.raises(ConfigurationError, match='cannot find target "none"'):
        url_of(find(target="none"), "none")
