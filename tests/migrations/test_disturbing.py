"""Scripts cannot disturb the bookkeeping, nor each other, whatever they do to their session or need of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.clusters import Database, first_of
from tests.migrations.conftest import deployed, rows
from tests.migrations.sketch import Sketch, write
from userscope.migrations import runner
from userscope.migrations.engine import Event, Options
from userscope.migrations.statements import Timeouts

A, C = Sketch.table("a"), Sketch.table("c")

DISTURBING = {
    "a role of the transaction": "set local role pg_monitor",
    "a role of the session": "set role pg_monitor",
    "another user": "set session authorization somebody",
    "a search_path": "set search_path = nowhere",
    "a search_path of the transaction": "set local search_path = nowhere",
    "no time": "set statement_timeout = '1ms'; set local lock_timeout = '1ms'",
    "read only": "set default_transaction_read_only = on",
    "another isolation": "set default_transaction_isolation = 'serializable'",
    "silence": "set client_min_messages = error",
    "times and texts": "set timezone = 'Asia/Kathmandu'; set datestyle = 'German'",
    "another encoding": "set client_encoding = 'latin1'",
    "the lock's end": "select pg_advisory_unlock_all()",
    "a prepared statement": "prepare x as select 1",
    "a cursor": "declare x cursor with hold for select 1",
    "a temporary table": "create temporary table changes (id integer); create temporary table x (id integer)",
    "a listener": "listen x",
    "a sequence's value": "create sequence public.s; select nextval('public.s')",
    "deferred constraints": "set constraints all deferred",
}  # fmt: skip


@pytest.mark.parametrize("what", DISTURBING)
@pytest.mark.parametrize(
    "form", first_of("begin;\n{};\n{};\ncommit;\n", "{};\n{};\n"), ids=["transaction", "statements"]
)
def test_undisturbed(empty: Database, tmp_path: Path, what: str, form: str) -> None:
    """Whatever a script leaves in its session, the rows are Sqitch's and the next script begins afresh."""
    with empty.superuser_connection() as connection:
        connection.execute("do $$ begin create role somebody; exception when duplicate_object then null; end $$")
    table = "create table public.{} (id integer)"
    # Fails if anything of the first is still there.
    probe = (
        "do $$ begin assert current_user = session_user; assert current_user like 'owner%'; "
        "assert current_schemas(false) = array['public']::name[]; "
        "assert current_setting('transaction_isolation') = 'read committed'; "
        "assert current_setting('client_encoding') = 'UTF8'; "
        "assert not exists (select from pg_prepared_statements); "
        "assert not exists (select from pg_cursors where name = 'x'); "
        "assert to_regclass('x') is null; assert not exists (select from pg_listening_channels()); "
        "assert current_setting('lock_timeout') in ('5s', '0'); end $$"
    )
    verify = f"begin; {probe}; rollback;"
    first = replace(A, deploy=form.format(table.format("a"), DISTURBING[what]), verify=verify)
    second = replace(C, deploy=form.format(probe, table.format("c")), verify=verify)
    project = write(tmp_path / "p", first, second)
    assert runner.migrate(empty.url(), [project]) == ["p:a", "p:c"]
    assert [(row[2], row[5]) for row in rows(empty)["changes"]] == [("a", "Ada Love"), ("c", "Ada Love")]
    with empty.superuser_connection() as connection:
        owners = connection.execute("select distinct tableowner from pg_tables where schemaname = 'public'").fetchall()
    assert owners == [("owner_superuser",)]


def test_lock_outlives_scripts(empty: Database, tmp_path: Path) -> None:
    """A script that gives up all advisory locks does not let another runner in before the next change."""
    gives_up = replace(A, deploy="begin;\ncreate table public.a (id int);\nselect pg_advisory_unlock_all();\ncommit;\n")
    project = write(tmp_path / "p", gives_up, C)
    seen: list[bool] = []

    def look(event: Event) -> None:
        if event.kind == "ok":
            with empty.superuser_connection() as connection:
                row = connection.execute("select pg_try_advisory_lock(75474063)").fetchone()
                seen.append(row == (False,))

    runner.migrate(empty.url(), [project], report=look)
    assert seen == [True, True]


def test_new_enum_value(empty: Database, tmp_path: Path) -> None:
    """A verification may use an enum value that its change adds: it runs after the commit."""
    change = Sketch(
        "mood",
        "begin;\ncreate type public.mood as enum ();\nalter type public.mood add value 'fine';\ncommit;\n",
        "begin;\ndrop type public.mood;\ncommit;\n",
        "begin;\nselect 'fine'::public.mood;\nrollback;\n",
    )
    runner.migrate(empty.url(), [write(tmp_path / "p", change)])
    assert deployed(empty) == ["p:mood"]


def test_cannot_run_in_a_transaction(empty: Database, tmp_path: Path) -> None:
    """Statements that PostgreSQL runs only outside a transaction work, one after the other."""
    script = "create table public.a (id integer);\ncreate index concurrently on public.a (id);\nvacuum public.a;\n"
    runner.migrate(empty.url(), [write(tmp_path / "p", replace(A, deploy=script))])
    assert deployed(empty) == ["p:a"]


def test_time_limits(empty: Database, tmp_path: Path) -> None:
    """A script's own time limits end with it: its verification and the next script have those that were asked for."""
    probe = "do $$ begin assert current_setting('statement_timeout') = '30s'; end $$;"
    script = "begin;\nset statement_timeout = '1h';\ncreate table public.a (id integer);\ncommit;\n"
    second = f"begin;\n{probe}\ncreate table public.c (id integer);\ncommit;\n"
    project = write(tmp_path / "p", replace(A, deploy=script, verify=probe), replace(C, deploy=second))
    options = Options(Timeouts(statement="30s"))
    assert runner.migrate(empty.url(), [project], options=options) == ["p:a", "p:c"]
