"""The functions that verify scripts share say the same on every version, of views and functions as of tables."""

import psycopg
import pytest

from tests.clusters import Connection, Database

VIEW = """
    create view app.shown with (security_barrier) as select id, title, completed from app.todos offset 0;
    alter view app.shown alter completed set default false;
    create function app.write() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp
        as 'begin return new; end';
    revoke all on function app.write() from public;
    create trigger write instead of update on app.shown for each row execute function app.write();
    grant select (id, title), update (title) on app.shown to app_user;
    grant usage, create on schema app to app_auth;
    alter view app.shown owner to app_auth;
    alter function app.write() owner to app_auth;
"""
FACTS = {
    "select app_private.verify_table('x', 'app.shown', %s)": [
        "view of app_auth, {security_barrier=true}: SELECT id, title, completed FROM app.todos OFFSET 0;",
        "column completed boolean default false",
        "CREATE TRIGGER write INSTEAD OF UPDATE ON app.shown FOR EACH ROW EXECUTE FUNCTION app.write()",
    ],
    "select app_private.verify_access('x', 'app.shown', %s)": [
        "app_user may select (id, title)",
        "app_user may update (title)",
    ],
    "select app_private.verify_execution('x', 'app.write()', %s)": [],
    "select app_private.verify_function('x', 'app.write()', %s)": [
        "owned by app_auth",
        'plpgsql volatile security definer {"search_path=pg_catalog, pg_temp"}',
        "body with md5 ab85485bcc84dd3a951fe8ec1f2f5f1e",
    ],
}
DEFECTS = [
    ("alter view app.shown owner to postgres", "view of app_auth"),
    ("alter view app.shown set (security_barrier = off)", "view of app_auth"),
    (
        "create or replace view app.shown with (security_barrier) as select id, title, completed from app.todos",
        "OFFSET 0",
    ),
    ("alter view app.shown alter completed drop default", "column completed boolean default false"),
    ("drop trigger write on app.shown", "CREATE TRIGGER write"),
    ("grant delete on app.shown to app_user", "Beyond: app.shown: app_user may delete."),
    ("alter function app.write() owner to postgres", "Missing: app.write(): owned by app_auth."),
    ("alter function app.write() security invoker", "security definer"),
    ("alter function app.write() reset search_path", "search_path"),
    ("grant execute on function app.write() to public", "Beyond: app.write(): public may execute."),
    (
        "create or replace function app.write() returns trigger language plpgsql security definer "
        "set search_path = pg_catalog, pg_temp as 'begin return old; end'",
        "body with md5",
    ),
]


def verify(connection: Connection) -> None:
    for call, facts in FACTS.items():
        connection.execute(call.encode(), ["\n".join(f"    {fact}" for fact in facts)])


@pytest.mark.parametrize(("defect", "words"), DEFECTS)
def test_views_and_functions(any_database: Database, defect: str, words: str) -> None:
    """A view and the function that writes for it hold as described, and each defect is named."""
    with any_database.superuser_connection() as connection, connection.transaction(force_rollback=True):
        connection.execute(VIEW.encode())
        verify(connection)
        connection.execute(defect.encode())
        with pytest.raises(psycopg.errors.RaiseException, match="x is not as it was deployed") as raised:
            verify(connection)
    assert words in (raised.value.diag.message_detail or "")
