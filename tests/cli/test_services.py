"""``userscope health``, ``create-login`` and ``sample-data``."""

import json
import re
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from userscope.postgres.url import ConnectionURL


@pytest.fixture
def userscope(database: Database, folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line, configured for a migrated database."""
    return Runner(folder, capfd, **database.environment)


def test_health(userscope: Runner, database: Database) -> None:
    """A fit login: what it is, and exit code 0."""
    said = userscope("health").stdout
    assert re.fullmatch(
        rf'  role "app_service" on database "{database.name}", PostgreSQL {database.cluster.version}\.\d+\n'
        r"  one round trip takes \d+\.\d ms\n"
        r"  identities are not sealed: USERSCOPE_SEAL_KEY is not set\n"
        r"It may serve users\.\n",
        said,
    )
    found = json.loads(userscope("health", "--json").stdout)
    assert (found["fit"], found["role"], found["sealing"], found["problems"]) == (True, "app_service", False, [])


def test_unfit(userscope: Runner, database: Database) -> None:
    """An unfit one: why, and exit code 1."""
    userscope.environment["DATABASE_URL"] = database.url("admin").text()
    said = userscope("health", code=1).stdout
    assert '  not ok: role "postgres" bypasses row-level security: Role "postgres" is a superuser.\n' in said
    assert said.endswith("It must not serve users.\n")
    assert json.loads(userscope("health", "--json", code=1).stdout)["fit"] is False


def test_unreachable(userscope: Runner, database: Database, folder: Path) -> None:
    """No answer: exit code 2, and the cure where it is the embedded server."""
    url = database.url("service")
    userscope.environment["DATABASE_URL"] = type(url)(url.variable, {**url.params, "port": "1"}).text()
    assert userscope("health", code=2).stderr.startswith("ERROR:  the server cannot be reached\n")
    for name in database.environment:
        del userscope.environment[name]
    userscope.environment["USERSCOPE_HOME"] = str(folder / "home")
    userscope("up")
    userscope("down")
    assert userscope("health", code=2).stderr == (
        'ERROR:  the embedded server cannot be reached\nHINT:  Run "userscope up".\n'
    )


@pytest.mark.parametrize("role", ["app_user", "app_auth"])
def test_create_login(userscope: Runner, database: Database, role: str) -> None:
    """The URL that is printed logs in, as a member of that role and as nothing more; a second time it is refused."""
    url = ConnectionURL.parse(userscope("create-login", f"made_{role}", "--role", role).stdout.strip(), "printed")
    with psycopg.connect(url.conninfo()) as connection:
        member = connection.execute("select rolname from pg_roles where pg_has_role(rolname, 'member')").fetchall()
    assert {name for (name,) in member} == {f"made_{role}", role}
    assert "exists already" in userscope("create-login", f"made_{role}", "--role", role, code=2).stderr
    if role == "app_user":
        userscope.environment["DATABASE_URL"] = url.text()
        userscope("health")
    with database.superuser_connection() as superuser:
        superuser.execute(f"drop role made_{role}".encode())


def test_create_login_json(userscope: Runner, database: Database) -> None:
    """As JSON the parts are named."""
    made = json.loads(userscope("create-login", "made_json", "--role", "app_user", "--json").stdout)
    assert (made["name"], made["role"], made["url"].startswith("postgresql://made_json:")) == (
        "made_json",
        "app_user",
        True,
    )
    assert 'missing option "--role"' in userscope("create-login", "made_json", code=2).stderr
    refused = userscope("create-login", "pg_made", "--role", "app_user", code=2).stderr
    assert refused.startswith('ERROR:  role name "pg_made" is reserved\n')
    with database.superuser_connection() as superuser:
        superuser.execute("drop role made_json")


def _content(database: Database) -> list[tuple[object, ...]]:
    with database.superuser_connection() as connection:
        return connection.execute(
            "select users.id, email, username, name, todos.id, title, description, completed, due_at "
            "from app.users left join app.todos on owner_id = users.id order by users.id, todos.id"
        ).fetchall()


def test_sample_data(userscope: Runner, database: Database) -> None:
    """The same seed writes the same content, also a second time; another seed adds other users."""
    said = userscope("sample-data", "--users", "3", "--todos", "4").stdout
    first = _content(database)
    assert (len({row[0] for row in first}), len(first)) == (3, 12)
    shown = UUID(said.split()[-1])
    assert shown in {row[0] for row in first}
    userscope("sample-data", "--users", "3", "--todos", "4", "--seed", "0")
    assert _content(database) == first
    userscope("sample-data", "--users", "2", "--todos", "0", "--seed", "1")
    both = _content(database)
    assert set(first) < set(both)
    assert len({row[0] for row in both}) == 5
    for seed in ("-1", "1000000000"):  # it stands in usernames
        assert 'invalid value for "--seed"' in userscope("sample-data", "--seed", seed, code=2).stderr


def test_sample_data_is_local(userscope: Runner) -> None:
    """A server elsewhere is never filled with samples."""
    userscope.environment["DATABASE_URL"] = "postgresql://u:p@db.example.org/app"
    assert "runs only against a server on this machine" in userscope("sample-data", code=2).stderr
