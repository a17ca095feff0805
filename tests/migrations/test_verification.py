"""A verification does not trust the database that it judges: the functions that verify scripts share are compared."""

import re

import pytest

from tests.clusters import ROOT, Database, first_of, run_psql
from tests.migrations.conftest import deployed
from userscope.errors import MigrationError
from userscope.migrations import inspection, runner, verification

VERIFY = "app_private.verify(text, text, text, text[], boolean)"
LIAR = (
    "create or replace function {} returns void language plpgsql stable set search_path = pg_catalog, pg_temp "
    "as $$ begin end $$"
)
CHANGES = {
    "body": LIAR.format("app_private.verify_access(change text, relation regclass, wanted text)"),
    "empty facts": "do $do$ begin execute replace(pg_get_functiondef('app_private.verify_table'::regproc), "
    "'tgenabled in (''O'', ''A'')', 'true'); end $do$",
    "search path": f"alter function {VERIFY} reset search_path",
    "rights": f"alter function {VERIFY} security definer",
    "kept answer": f"alter function {VERIFY} immutable",
    "one that is preferred": LIAR.format("app_private.verify_table(change text, relation text, wanted text)"),
}


def test_every_function_is_compared(empty: Database) -> None:
    """What the script makes for verifications is what is compared, and what PostgreSQL says of it is the same."""
    scripts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "schema" / "deploy").glob("*.sql"))]
    names = re.findall(r"create function app_private\.(verify(?:_\w+)?)\(", "".join(scripts))
    assert [function.partition("(")[0] for function in verification.functions()] == names
    runner.migrate(empty.url())
    with empty.superuser_connection() as connection:
        found = connection.execute(
            "select proname || '(' || pg_get_function_arguments(oid) || ')' from pg_proc "
            "where pronamespace = 'app_private'::regnamespace and proname ~ '^verify(_|$)'"
        ).fetchall()
    assert {row[0] for row in found} == set(verification.functions())
    results, pending = inspection.verify(empty.url())
    assert (len(results) > 5, [result for result in results if result.problems], pending) == (True, [], [])


@pytest.mark.parametrize("change", first_of(*CHANGES))
def test_changed_function(empty: Database, change: str) -> None:
    """A changed function is an error that names it, when verifying and before anything is deployed."""
    runner.migrate(empty.url(), to="policies:users")
    with empty.superuser_connection() as connection:
        connection.execute(CHANGES[change].encode())
    for run in (inspection.verify, runner.migrate):
        with pytest.raises(MigrationError, match=r"function app_private\.verify\w*\(change text, .* userscope ships"):
            run(empty.url())
    assert deployed(empty)[-1] == "policies:users"


def test_a_script_alone_believes_it(database: Database) -> None:
    """Control: with a function that says nothing, the script passes over a hole, which it names with ours."""
    script = ROOT / "policies" / "verify" / "todos.sql"
    with database.superuser_connection() as connection:
        connection.execute("alter policy select_own on app.todos using (true)")
    with pytest.raises(AssertionError, match="policies:todos is not as it was deployed"):
        run_psql(database.url(), "-f", script)
    with database.superuser_connection() as connection:
        connection.execute(CHANGES["body"].encode())
    run_psql(database.url(), "-f", script)
