"""A fence that is whole gives no reason for a finding; what is missing of it is named."""

from tests.audit.test_questions import QUESTIONS, ask
from tests.clusters import Connection
from tests.fenced import COLUMNS
from userscope.generate.table import Table

LOOKING_GLASS = "create view app.all_todos as table app_fenced.fenced_todos"
READS = """
create function app.one_todo(wanted uuid) returns setof app.fenced_todos language sql stable security definer
    set search_path = pg_catalog, pg_temp
begin atomic
    select owner_id, id, title, description, completed, due_at, created_at, updated_at
      from app_fenced.fenced_todos where id = wanted;
end;
revoke all on function app.one_todo(uuid) from public;
grant execute on function app.one_todo(uuid) to app_user;
"""


def found(connection: Connection) -> set[tuple[str, ...]]:
    """Every finding: its rule, what it is about, and what is wrong."""
    return {(name, *row[1:3]) for name in QUESTIONS for row in ask(connection, name)}


def test_whole(undone: Connection) -> None:
    """A fenced table, and a function of app_gate's with parameters, are as they should be."""
    scripts = Table.of("fenced_todos", COLUMNS, "todo", fenced=True).scripts("schema", "policies")
    for project in ("schema", "policies"):
        script = scripts[project, "deploy"]
        undone.execute(script.replace("\nbegin;\n", "\n").replace("\ncommit;\n", "\n").encode())
    undone.execute(READS.encode())
    assert found(undone) == {
        ("function_definer", "function app.one_todo(uuid)", "a service can run a function with its owner's rights"),
        ("fence_passed", "function app.one_todo(uuid)", "a function goes past a fence"),
    }
    undone.execute("alter function app.one_todo(uuid) owner to app_gate")
    assert found(undone) == set()
    undone.execute(LOOKING_GLASS.encode())
    assert found(undone) == {
        ("fence_view", "app.all_todos", thing)
        for thing in ("a fence belongs to another than app_gate", "a fence has no barrier", "a fence has no offset 0")
    }


def test_connect_decides(undone: Connection) -> None:
    """Who may become app_gate for another database's sake, and may not connect to this one, gives no reason."""
    undone.execute("create role a_deployer; grant app_gate to a_deployer")
    assert found(undone) == {("fence_role", "role app_gate", "a role can become app_gate")}
    undone.execute(f"revoke connect on database {undone.info.dbname} from public".encode())
    assert found(undone) == set()
