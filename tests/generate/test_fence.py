"""The fence that ``new-table --fenced`` writes: it holds, it is verified, and nothing is lost behind it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlmodel import select

from tests.clusters import Cluster, Connection, OwnerKind, deploy, dump, first_of
from tests.connection.conftest import make_user, settings_for
from tests.fenced import COLUMNS
from tests.generate.conftest import Written
from userscope.database import Database
from userscope.errors import ConfigurationError, Retryable
from userscope.generate.table import Table


@contextmanager
def two_users(secrets: Written) -> Iterator[tuple[Database, UUID, UUID]]:
    """Alice with thirty secrets, a minute apart, and Bob with five."""
    alice, bob = make_user(secrets.database), make_user(secrets.database)
    with Database(settings_for(secrets.database.url("service"))) as db:
        for user, number in ((alice, 30), (bob, 5)):
            with db.session(user) as session:
                session.add_all([secrets.Secret(title=f"secret {place:02}") for place in range(number)])
        with secrets.database.superuser_connection() as connection:
            connection.execute("alter table app_fenced.fenced_secrets disable trigger touch")
            connection.execute(
                "update app_fenced.fenced_secrets set created_at = created_at + right(title, 2)::int * interval '1 min'"
            )
        yield db, alice, bob


def test_functions(secrets: Written) -> None:
    """One row by its id and one page after the other, as rows of the class, which may be changed and judged further."""
    with two_users(secrets) as (db, alice, bob):
        with db.session(alice) as session:
            pages, before = [], None
            while page := session.exec(secrets.fenced_secrets_page(12, before)).all():
                pages.append([secret.title for secret in page])
                before = page[-1]
            assert pages == [
                [f"secret {place:02}" for place in range(*ends, -1)] for ends in ((29, 17), (17, 5), (5, -1))
            ]
            assert before
            found = session.exec(secrets.secret_by_id(before.id)).one()
            assert found is before
            found.completed = True
        with db.reader(alice) as session:
            again = session.exec(secrets.secret_by_id(before.id)).one()
            assert (again.completed, again.due_at, again.created_at) == (True, None, before.created_at)
        with db.reader(bob) as session:
            assert session.exec(secrets.secret_by_id(before.id)).all() == []
            assert session.exec(secrets.secret_by_id(uuid4())).all() == []
            assert {secret.owner_id for secret in session.exec(secrets.fenced_secrets_page(100))} == {bob}


def test_functions_read_what_is_asked_for(secrets: Written) -> None:
    """The page comes by its index, in its order; the row by the key."""
    with two_users(secrets) as (_, alice, _), secrets.database.superuser_connection() as connection:
        connection.execute("load 'auto_explain'")
        connection.execute("set auto_explain.log_min_duration = 0; set auto_explain.log_nested_statements = on")
        connection.execute("set client_min_messages = log; set enable_seqscan = off")
        plans: list[str] = []
        connection.add_notice_handler(lambda notice: plans.append(notice.message_primary or ""))
        connection.execute("begin")
        connection.execute("set local role app_user")
        connection.execute("select app.set_user_id(%s)", [str(alice)])
        connection.execute("select * from app.fenced_secrets_page(10)")
        connection.execute("select * from app.fenced_secrets_by_id(%s)", [uuid4()])
        connection.execute("rollback")
    inside = "\n".join(plans)
    assert "Index Scan Backward using fenced_secrets_owner_id_created_at_id_idx" in inside
    assert "Index Scan using fenced_secrets_pkey" in inside
    assert "Sort" not in inside


def _somebody_waits(connection: Connection) -> bool:
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return connection.execute(waiting).fetchone() is not None


@pytest.mark.parametrize(
    "command", ["update app.fenced_secrets set completed = true", "delete from app.fenced_secrets"]
)
def test_nothing_is_lost(secrets: Written, command: str) -> None:
    """A row that another transaction changed while a statement waited for it is Retryable, and not overwritten."""
    with two_users(secrets) as (db, alice, _):
        raised: list[Exception] = []

        def second() -> None:
            try:
                with db.session(alice) as session:
                    session.connection().exec_driver_sql(f"{command} where title = 'secret 03'")
            except Exception as error:  # judged below
                raised.append(error)

        other = threading.Thread(target=second)
        with secrets.database.superuser_connection() as watch, db.session(alice) as session:
            secret = session.exec(select(secrets.Secret).where(secrets.Secret.title == "secret 03")).one()
            secret.description = "the first writer's"
            session.flush()
            other.start()
            while not _somebody_waits(watch):
                pass
        other.join()
        assert [type(error) for error in raised] == [Retryable]
        with db.reader(alice) as session:
            kept = session.exec(secrets.secret_by_id(secret.id)).one()
            assert (kept.description, kept.due_at) == ("the first writer's", None)


HOLES = {
    "alter view app.fenced_secrets reset (security_barrier)": "{security_barrier=true}",
    "create or replace view app.fenced_secrets with (security_barrier) as select owner_id, id, title, description, "
    "completed, due_at, created_at, updated_at from app_fenced.fenced_secrets": "OFFSET 0",
    "alter view app.fenced_secrets owner to postgres": "view of app_gate",
    "alter view app.fenced_secrets alter completed drop default": "column completed boolean default false",
    "drop trigger write on app.fenced_secrets": "CREATE TRIGGER write",
    "do $$ begin execute replace(pg_get_functiondef('app_fenced.write_fenced_secrets'::regproc), "
    "'t.due_at, t.created_at, t.updated_at)', 't.due_at)'); end $$": "body with md5",
    "alter function app.fenced_secrets_page security invoker": "sql stable security definer",
    "alter function app.fenced_secrets_by_id(uuid) owner to postgres": "owned by app_gate",
    "grant execute on function app.fenced_secrets_by_id to app_auth": "Beyond: app.fenced_secrets_by_id(uuid): app",
    "grant execute on function app_fenced.write_fenced_secrets to app_user": "write_fenced_secrets(): app_user may",
    "revoke execute on function app.fenced_secrets_page from app_user": "Missing: app.fenced_secrets_page",
    "grant select on app_fenced.fenced_secrets to app_user": "Beyond: app_fenced.fenced_secrets: app_user may select",
    "grant delete on app.fenced_secrets to app_auth": "Beyond: app.fenced_secrets: app_auth may delete",
    "alter policy select_own on app_fenced.fenced_secrets to app_user": "to {app_gate}",
    "alter policy select_own on app_fenced.fenced_secrets using (true)": "using true",
    "alter table app_fenced.fenced_secrets no force row level security": "row-level security enabled and forced",
}
UNKEPT = {
    "alter table app_fenced.fenced_secrets add note json": "Column note is of type json, which has no equality",
    "alter table app_fenced.fenced_secrets add notes xml[]": "Column notes is of type xml[], which has no",
    'create collation app_private.careless from "C"; set allow_system_table_mods = on; '
    "update pg_collation set collisdeterministic = false where collname = 'careless'; "
    "alter table app_fenced.fenced_secrets add note text collate app_private.careless": "the collation careless",
    "create unique index by_title on app_fenced.fenced_secrets (title)": "Unique key app_fenced.by_title does not",
}


@pytest.mark.parametrize("hole", HOLES | UNKEPT)
def test_verification(secrets: Written, hole: str) -> None:
    """What opens the fence, and what it cannot keep, is named by the scripts that were written with it."""
    scripts = secrets.table.scripts("schema", "policies")
    with secrets.database.superuser_connection() as connection:
        connection.execute(hole.encode())
        with pytest.raises(psycopg.errors.RaiseException) as raised:
            for project in ("schema", "policies"):
                connection.execute(scripts[project, "verify"].encode())
    assert (HOLES | UNKEPT)[hole] in (raised.value.diag.message_detail or "")


@pytest.mark.parametrize(("spelling", "cure"), [("body:json", "Use jsonb."), ("body:xml:null", "Use text.")])
def test_incomparable(spelling: str, cure: str) -> None:
    """A column that cannot be compared is refused by name."""
    with pytest.raises(ConfigurationError, match="cannot be fenced") as raised:
        Table.of("notes", [spelling], fenced=True)
    assert raised.value.hint == cure


@pytest.mark.parametrize("kind", first_of("neon", "superuser", "plain"))
def test_deploy_revert_deploy(any_cluster: Cluster, kind: OwnerKind) -> None:
    """Whoever the owner is, the scripts go in, hold, go out without a trace, and in again."""
    scripts = Table.of("fenced_secrets", COLUMNS, fenced=True).scripts("schema", "policies")
    owned = any_cluster.database(kind)
    deploy(owned.url())
    empty = dump(owned)
    dumps = []
    with owned.connect() as owner:
        for _ in range(2):
            for project in ("schema", "policies"):
                for word in ("deploy", "verify"):
                    owner.execute(scripts[project, word].encode())
            dumps.append(dump(owned))
            for project in ("policies", "schema"):
                owner.execute(scripts[project, "revert"].encode())
            assert dump(owned) == empty
    assert dumps[0] == dumps[1] != empty
    owned.drop()
