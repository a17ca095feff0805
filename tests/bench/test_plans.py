"""Every operation finds a user's rows by an index that the owner leads, with statistics off and with statistics on."""

from pathlib import Path

import psycopg
import pytest

from bench import teams
from bench.growth import named
from bench.operations import OPERATIONS
from bench.plans import plan, problems
from bench.world import EACH, fill
from tests.clusters import Connection, Database
from tests.versions import first_of

COLUMNS = ("owner_id", "id", "title", "description", "completed", "due_at", "created_at", "updated_at")
ESTIMATES = (Path(__file__).parent / "estimates.sql").read_text(encoding="utf-8")
USERS = 1_000


def fill_app(database: Database, todos: int) -> None:
    fill(database.url("admin"), todos, users=USERS)


def wrong(database: Database) -> dict[str, list[str]]:
    """What is wrong with whose plan, as user 7 sees it."""
    with psycopg.connect(database.url("service").conninfo()) as connection:
        connection.execute("select app.set_user_id(%s)", [named("user 7")])
        found = {
            operation.name: problems(operation, plan(connection, operation, id=named("todo 3 of 7")))
            for operation in OPERATIONS
        }
    return {name: told for name, told in found.items() if told}


def keep_statistics(connection: Connection) -> None:
    alters = ", ".join(f"alter {column} set statistics -1" for column in COLUMNS)
    connection.execute(f"alter table app.todos {alters}".encode())
    connection.execute("analyze app.todos")


def estimate(connection: Connection) -> None:
    """Give the planner fixed estimates, as a deploy script can while the table is empty."""
    with connection.transaction():
        connection.execute("set local session_replication_role = replica")  # the row's owner does not exist
        connection.execute(ESTIMATES.encode())


@pytest.mark.breadth
def test_plans(any_database: Database) -> None:
    """Statistics are off; then they are on, and nothing changes: the plans are not owed to what the planner ignores."""
    fill_app(any_database, 100_000)
    assert wrong(any_database) == {}
    with any_database.superuser_connection() as connection:
        assert connection.execute("select count(*) from pg_stats where schemaname = 'app'").fetchone() == (0,)
        keep_statistics(connection)
    assert wrong(any_database) == {}


@pytest.mark.breadth
@pytest.mark.parametrize(
    ("defect", "found"),
    first_of(
        ("drop index app.todos_owner_id_created_at_id_idx", {"list"}),
        ("drop index app.todos_owner_id_due_at_idx", {"due soon"}),
        (
            "alter policy select_own on app.todos using (owner_id = app.current_user_id())",
            {"list", "get", "count", "due soon", "update", "delete"},
        ),
        (
            "alter policy select_own on app.todos using (owner_id::text = (select app.current_user_id())::text)",
            {"list", "get", "count", "due soon", "update", "delete"},
        ),
    ),
    ids=["no index for the page", "no index for what is due", "asked for every row", "no index fits"],
)
def test_notices(database: Database, defect: str, found: set[str]) -> None:
    """A plan that has lost its index, or its InitPlan, is noticed."""
    fill_app(database, 100_000)
    with database.superuser_connection() as connection:
        connection.execute(defect.encode())
    assert set(wrong(database)) == found


@pytest.mark.parametrize("todos", first_of(10_000, 2 * EACH, 100_000))
def test_estimates(any_database: Database, todos: int) -> None:
    """With fixed estimates the plans are those of a large table from the start, and stay when ANALYZE comes again."""
    with any_database.superuser_connection() as connection:
        estimate(connection)
    fill_app(any_database, todos)
    if todos >= 10_000:  # a few pages are read as fast as an index
        assert wrong(any_database) == {}
    with any_database.superuser_connection() as connection:
        connection.execute("analyze app.todos")
        found = connection.execute(
            "select attname, n_distinct, most_common_vals, histogram_bounds from pg_stats"
            " where schemaname = 'app' and tablename = 'todos' order by 1"
        ).fetchall()
    assert [(name, round(share, 4), *rest) for name, share, *rest in found] == [
        ("id", -1.0, None, None),
        ("owner_id", -0.002, None, None),
    ]


@pytest.mark.breadth
def test_organizations(database: Database) -> None:
    """An organization's rows are found by an index that it leads, with statistics as well; a wrong policy is seen."""
    teams.fill(database.url("admin"), teams.Size("some", 1_000, 1_000))
    service = database.url("service")
    assert teams.wrong(service) == {}
    with database.superuser_connection() as connection:
        columns = ("organization_id", "id", "title", "completed", "created_by", "created_at", "updated_at")
        alters = ", ".join(f"alter {column} set statistics -1" for column in columns)
        connection.execute(f"alter table app.bench_boards {alters}".encode())
        connection.execute("analyze app.bench_boards")
    assert teams.wrong(service) == {}
    with database.superuser_connection() as connection:
        connection.execute(
            "alter policy select_own on app.bench_boards "
            "using (organization_id::text = app.current_organization_id()::text)"
        )
    assert set(teams.wrong(service)) == {"get", "page"}


PROBES = {
    "owners": ("owner_id = %s", [named("user 7"), named("user 8"), named("nobody")]),
    "ids": ("id = %s", [named("todo 3 of 7"), named("todo 3 of 8"), named("nothing")]),
    "ranges of owners": ("owner_id < %s", ["0" * 32, "7" * 32, "f" * 32]),
    "ranges of ids": ("id between %s and 'ffffffffffffffffffffffffffffffff'", ["0" * 32, "7" * 32, "f" * 32]),
}


def told(connection: Connection) -> dict[str, int]:
    """How many different answers EXPLAIN gives to each probe: one is silence."""
    answers = {}
    for name, (condition, values) in PROBES.items():
        statement = f"explain (format json) select title from app.todos where {condition}".encode()
        plans = [connection.execute(statement, [value]).fetchone() for value in values]
        answers[name] = len({(row[0][0]["Plan"]["Plan Rows"], row[0][0]["Plan"]["Total Cost"]) for row in plans if row})
    return answers


def test_silence(any_database: Database) -> None:
    """Fixed estimates tell nobody how many todos another has, or whether an id exists; statistics do."""
    with any_database.superuser_connection() as connection:
        estimate(connection)
    fill_app(any_database, 20_000)
    with any_database.superuser_connection() as connection:
        connection.execute("delete from app.todos where owner_id = %s and not completed", [named("user 8")])
        connection.execute("vacuum analyze app.todos")
        with psycopg.connect(any_database.url("service").conninfo(), autocommit=True) as service:
            service.execute("select set_config('app.user_id', %s, false)", [named("user 7")])
            assert told(service) == dict.fromkeys(PROBES, 1)
            keep_statistics(connection)
            assert [name for name, answers in told(service).items() if answers > 1] != []
