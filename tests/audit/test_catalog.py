"""``userscope audit``: everything in few round trips, as text, JSON and Markdown, with its exit codes."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Connection, Database, run_psql
from userscope.audit.model import Access, Finding, Report
from userscope.audit.render import RENDERERS, Occasion
from userscope.audit.run import MATRIX, ask, audit, questions
from userscope.cli.audit import Format
from userscope.errors import ConfigurationError, DatabaseError, Unavailable
from userscope.postgres.url import ConnectionURL
from userscope.testing.proxy import Proxy

OWN = "(owner_id = ( SELECT app.current_user_id() AS current_user_id))"
CONTENT = ["title", "description", "completed", "due_at"]


def test_matrix(audited: Database) -> None:
    """The access matrix tells who may do what, by which policy, to which rows and columns."""
    matrix = [access for access in audit(audited.url()).matrix if access.object == "app.todos"]
    every = ["owner_id", "id", *CONTENT, "created_at", "updated_at"]
    assert matrix == [
        Access("app_user", "app.todos", "SELECT", every, "select_own", OWN, None),
        Access("app_user", "app.todos", "INSERT", ["id", *CONTENT], "insert_own", None, OWN),
        Access("app_user", "app.todos", "UPDATE", CONTENT, "update_own", OWN, OWN),
        Access("app_user", "app.todos", "DELETE", [], "delete_own", OWN, None),
    ]


def test_matrix_is_honest(undone: Connection) -> None:
    """What is open without a policy reads "true", what is granted without one "false", and others' roles are listed."""
    undone.execute(
        "create role job; alter table app.todos disable row level security; drop policy delete_auth on app.users;"
        "grant select (id) on app.todos to job; grant delete on app.jwks to public"
    )
    rows = undone.execute(questions()[MATRIX].encode()).fetchall()
    found = {(role, thing, what): (policy, using) for role, thing, what, _, policy, using, _ in rows}
    assert found["job", "app.todos", "SELECT"] == found["app_user", "app.todos", "DELETE"] == (None, "true")
    assert found["app_auth", "app.users", "DELETE"] == found["public", "app.jwks", "DELETE"] == (None, "false")


def test_json(any_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``--json`` prints the contract's keys; exit code 0 without an error, from any folder, and 1 with one."""
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=any_database.url().text())
    done = userscope("audit", "--json")
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert list(told) == ["matrix", "findings"]
    assert told["findings"] == []
    assert {tuple(row) for row in told["matrix"]} == {
        ("role", "object", "command", "columns", "policy", "using", "check")
    }
    with any_database.superuser_connection() as connection:
        connection.execute("alter table app.users alter name set statistics 10")
        userscope("audit", "--json")  # a warning alone is no failure
        connection.execute("alter table app.todos disable row level security")
    findings = json.loads(userscope("audit", "--json", code=1).stdout)["findings"]
    assert {tuple(row) for row in findings} == {("level", "rule", "object", "finding", "detail", "cure")}
    assert [(row["level"], row["rule"], row["object"]) for row in findings] == [
        ("error", "rls_disabled", "app.todos"),
        ("warning", "statistics", "app.users"),
    ]
    done = userscope("audit", code=1)
    assert "\nERROR:  app.todos: row-level security is off [rls_disabled]\nDETAIL:  " in done.stdout
    assert done.stdout.endswith("\n1 error, 1 warning\n")


def test_sql(any_database: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``--sql`` prints what psql runs as it is: every question, or the one that is named."""
    userscope = Runner(tmp_path, capfd)  # it asks no server
    every, one = tmp_path / "audit.sql", tmp_path / "one.sql"
    every.write_text(userscope("audit", "--sql").stdout, encoding="utf-8")
    one.write_text(userscope("audit", "--sql", "rls_disabled").stdout, encoding="utf-8")

    def told(path: Path) -> list[list[str]]:
        lines = run_psql(any_database.url(), "-A", "-t", "-f", path).splitlines()
        return [row for line in lines if (row := line.split("|"))[0] in {"error", "warning", "info", "app_user"}]

    matrix = told(every)
    assert {row[0] for row in matrix} == {"app_user"}
    assert told(one) == []
    with any_database.superuser_connection() as connection:
        connection.execute("alter table app.todos disable row level security")
    found = [row for row in told(every) if row[0] != "app_user"]
    assert [row[:4] for row in found] == [["error", "rls_disabled", "app.todos", "row-level security is off"]]
    assert told(one) == found


def test_settings_last(any_database: Database) -> None:
    """What a database is told to audit by ALTER DATABASE … SET counts for the command as for psql."""
    with any_database.superuser_connection() as connection:
        connection.execute("create schema billing; create table billing.invoices (id int)")
        connection.execute(f"alter database {any_database.name} set userscope.audit_schemas = 'app, billing'".encode())
    assert [found.object for found in audit(any_database.url()).findings] == ["billing.invoices"]


def test_could_not(audited: Database, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with a cure, for options that exclude each other and for a folder without questions."""
    userscope = Runner(tmp_path, capfd, ADMIN_DATABASE_URL=audited.url().text())
    userscope("audit", "--json", "--format", "markdown", code=2)
    assert "There are: access_matrix, " in userscope("audit", "--sql", "nothing", code=2).stderr
    userscope("audit", "policy_open", code=2)
    assert "HINT:  " in userscope("audit", "--questions", str(tmp_path), code=2).stderr
    url = audited.url()
    nowhere = ConnectionURL(url.variable, {**url.params, "port": "1"})
    with pytest.raises(Unavailable):
        audit(nowhere)
    with pytest.raises(ConfigurationError):
        questions(tmp_path)


def test_broken_question(superuser: Connection) -> None:
    """A question that PostgreSQL refuses is an error, not a silence, and leaves the connection usable."""
    asked = {**questions(), "broken": "select from nowhere"}
    with pytest.raises(DatabaseError, match='relation "nowhere" does not exist') as caught:
        ask(superuser, asked)
    assert caught.value.sqlstate == "42P01"
    assert ask(superuser, questions()).findings == []


def test_findings_in_order() -> None:
    """Errors come first, and a failure is an error, not a warning."""
    found = [Finding(level, "a_rule", "app.a", "is so", "Because.", "do") for level in ("info", "error", "warning")]
    report = Report([], [], {}).with_findings(found)
    assert [finding.level for finding in report.findings] == ["error", "warning", "info"]
    assert report.failed()
    assert not Report([], [], {}).with_findings(found[2:]).failed()
    assert Report([], [], {}).with_findings(found[2:]).failed("warning")
    assert "| error | `a_rule` | app.a | is so | Because. | `do` |" in RENDERERS["markdown"](report, Occasion())


def test_every_format_has_its_renderer() -> None:
    """What --format takes is what can be written."""
    assert [form.value for form in Format] == list(RENDERERS)


SCALE = """
do $$
begin
    for number in 1..1000 loop
        execute format('create table app.t%s (
            owner_id uuid not null references app.users on delete cascade, id uuid, title text,
            primary key (owner_id, id)
        )', number);
        execute replace('alter table app.T enable row level security, force row level security,
                alter owner_id set statistics 0, alter id set statistics 0, alter title set statistics 0;
            create policy s on app.T for select to app_user using (owner_id = (select app.current_user_id()));
            create policy i on app.T for insert to app_user with check (owner_id = (select app.current_user_id()));
            create policy u on app.T for update to app_user using (owner_id = (select app.current_user_id()));
            create policy d on app.T for delete to app_user using (owner_id = (select app.current_user_id()));
            grant select (owner_id, id, title), insert (id, title), update (title), delete on app.T to app_user
        ', 'app.T', 'app.t' || number);
    end loop;
end
$$;
alter policy s on app.t500 using (true);
"""


@pytest.mark.breadth
def test_scale(database: Database) -> None:
    """A thousand tables with four policies each: no more than 40 round trips, and the one bad policy is found."""
    with database.superuser_connection() as connection:
        connection.execute(SCALE.encode())
    with Proxy(database.url()) as proxy, proxy.counting() as count:
        report = audit(proxy.url)
    assert 0 < count.trips <= 40
    assert len(report.matrix) >= 4000
    assert [(found.level, found.object) for found in report.findings] == [("error", "policy s on app.t500")]
